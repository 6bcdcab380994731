import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest

from gateway.engine.rescue import JoinedLeg
from gateway.policy.splice import DivergedError
from gateway.schema.deltas import ChatChunk
from suites.unit.gateway.conftest import Serve, Stage, registry_of
from suites.unit.gateway.fake_provider import FakeProvider, Reply, hang_up, reset, stall, status, stream
from suites.unit.gateway.lined_up import (
    AT_ONCE,
    PATIENT,
    await_that,
    caller_at,
    decisions_of,
    line_of,
    text_of,
    told_of,
)
from suites.unit.gateway.wire_texts import (
    DONE,
    FINISH,
    GOOD_STREAM,
    HELLO,
    ROLE,
    USAGE,
    WORLD,
    chunk,
    event,
)

if TYPE_CHECKING:
    from gateway.engine.attempts import Attempt
    from gateway.engine.relay import AnswerStream

CUT = stream(ROLE, HELLO, after=hang_up)
WHOLE = stream(*GOOD_STREAM)
OTHER = stream(ROLE, chunk({"content": "Hallo"}), FINISH, DONE)
REST = stream(ROLE, WORLD, FINISH, DONE)
REPLAY = {"rescue": "replay"}
CONTINUE = {"rescue": "continue"}
SAME: dict[str, Any] = {"upstream_model": "m"}


def ends_whole(events: list[Any]) -> bool:
    """Tells whether a stream has ended as it should, once."""
    reasons = [each["choices"][0]["finish_reason"] for each in events[:-1] if each["choices"]]
    return events[-1] == "[DONE]" and reasons[-1] == "stop" and set(reasons[:-1]) == {None}


@pytest.mark.parametrize(
    "cut",
    [
        CUT,
        stream(ROLE, HELLO, after=reset),
        stream(ROLE, HELLO),
        stream(ROLE, HELLO, event({"error": {"message": "overloaded"}})),
        stream(ROLE, HELLO, event(b"nonsense")),
    ],
    ids=["closes", "resets", "ends", "reports an error", "sends nonsense"],
)
def test_replay_goes_on_unseen(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider, cut: Reply
) -> None:
    """However a stream breaks off, the next one's answer to the same request gives what is missing, and no more."""
    stage = stage_of(line_of(provider, fallback, chain=REPLAY))
    provider.then(cut)
    fallback.then(WHOLE)

    events = stage.stream()

    assert text_of(events) == "Hello world"
    assert ends_whole(events)
    assert fallback.received[0].json["messages"] == provider.received[0].json["messages"]


def test_stream_that_stalls_is_replayed_too(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A stream of which nothing new comes in time has broken off as well."""
    stage = stage_of(line_of(provider, fallback, chain=REPLAY, timeouts={**PATIENT, "idle_s": 0.2}))
    provider.then(stream(ROLE, HELLO, after=stall))
    fallback.then(WHOLE)

    assert text_of(stage.stream()) == "Hello world"


def test_who_went_on_is_told(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """The trail shows who broke off and who went on; the log names the one that brought the answer to its end."""
    stage = stage_of(line_of(provider, fallback, chain=REPLAY))
    provider.then(stream(ROLE, chunk({"content": "Hello"}, extra=1), after=hang_up))
    fallback.then(stream(ROLE, HELLO, WORLD, FINISH, USAGE, DONE))

    response = stage.chat(stream=True)

    assert told_of(stage, response, "provider", "decision", "outcome", "reason_code") == [
        ("at_first", "primary", "failed", "STREAM_INTERRUPTED"),
        ("at_second", "replay", "answered", None),
    ]
    line = next(each for each in stage.log_lines if each["event"] == "chat")
    assert (line["outcome"], line["provider"], line["completion_tokens"]) == ("answered", "at_second", 2)
    assert line["first_content_ms"] < line["duration_ms"]


@pytest.mark.parametrize("other", [OTHER, stream(ROLE, FINISH, DONE)], ids=["differs", "ends before"])
def test_answer_that_diverges_is_not_spliced(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider, other: Reply
) -> None:
    """An answer that does not begin with what was delivered ends in the error of the one that broke off."""
    stage = stage_of(line_of(provider, fallback, chain=REPLAY))
    provider.then(CUT)
    fallback.then(other)

    response = stage.chat(stream=True)
    *_, last = [part for part in response.text.split("\n\n") if part]

    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "STREAM_INTERRUPTED"
    assert "Hallo" not in response.text
    assert told_of(stage, response, "decision", "outcome") == [("primary", "failed"), ("replay", "cancelled")]
    line = next(each for each in stage.log_lines if each["event"] == "chat")
    assert (line["outcome"], line["provider"]) == ("failed", "at_first")


@pytest.mark.parametrize(
    "refusal",
    [
        status(400, {"error": {"message": "no prefill, please", "code": "invalid_request_error"}}),
        status(400, {"error": {"code": "content_filter", "message": "declined"}}),
        status(429, headers={"retry-after": "9"}),
        stream(ROLE, after=hang_up),
    ],
    ids=["invalid request", "content filter", "rate limit", "cut"],
)
@pytest.mark.parametrize("rescue", ["replay", "continue"])
def test_failed_rescue_is_never_the_callers_error(
    stage_of: Callable[..., Stage],
    provider: FakeProvider,
    fallback: FakeProvider,
    refusal: Reply,
    rescue: str,
) -> None:
    """What a target says to the attempt to go on does not hide why that was needed."""
    stage = stage_of(line_of(provider, fallback, chain={"rescue": rescue}, vendor="vllm"))
    provider.then(CUT)
    fallback.then(refusal)

    last = stage.stream()[-1]

    assert last["error"]["code"] == "STREAM_INTERRUPTED"
    assert "prefill" not in json.dumps(last)


def test_third_goes_on_where_the_second_cannot(
    stage_of: Callable[..., Stage], new_provider: Callable[[], FakeProvider]
) -> None:
    """Everybody who is left is asked once, until somebody goes on."""
    line = [new_provider() for _ in range(3)]
    stage = stage_of(line_of(*line, chain=REPLAY))
    line[0].then(CUT)
    line[1].then(OTHER)
    line[2].then(WHOLE)

    assert text_of(stage.stream()) == "Hello world"


def test_second_break_is_met_by_the_third(
    stage_of: Callable[..., Stage], new_provider: Callable[[], FakeProvider]
) -> None:
    """Where the one that went on breaks off too, the next one gives what is missing of both."""
    line = [new_provider() for _ in range(3)]
    stage = stage_of(line_of(*line, chain=REPLAY))
    line[0].then(CUT)
    line[1].then(stream(ROLE, chunk({"content": "Hello wor"}), after=hang_up))
    line[2].then(WHOLE)

    response = stage.chat(stream=True)

    assert response.text.count('"content":"ld"') == 1
    assert [each[1] for each in decisions_of(stage, response)] == ["primary", "replay", "replay"]


def test_continuation_asks_for_the_rest(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A provider that can is given what was delivered, and what it adds goes to the caller."""
    stage = stage_of(line_of(provider, fallback, chain=CONTINUE, vendor="vllm"))
    provider.then(CUT)
    fallback.then(REST)

    events = stage.stream()

    assert text_of(events) == "Hello world"
    assert ends_whole(events)
    asked = fallback.received[0].json
    assert asked["messages"][-1] == {"role": "assistant", "content": "Hello"}
    assert asked["continue_final_message"] is True


def test_nobody_is_asked_to_continue_who_cannot(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A provider without the means for it would answer from the start, and is not asked."""
    stage = stage_of(line_of(provider, fallback, chain=CONTINUE))
    provider.then(CUT)

    assert stage.stream()[-1]["error"]["code"] == "STREAM_INTERRUPTED"
    assert not fallback.received


def test_held_answer_fails_over_as_a_whole(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """Held back until all of it is there, an answer that breaks off has shown nothing, and the next one's is given."""
    stage = stage_of(line_of(provider, fallback, chain={"rescue": "hold"}))
    provider.then(CUT)
    fallback.then(OTHER)

    response = stage.chat(stream=True)

    assert "Hello" not in response.text
    assert decisions_of(stage, response) == [("first", "primary"), ("second", "fallback")]


def test_endless_answer_is_not_held(
    stage_of: Callable[..., Stage],
    provider: FakeProvider,
    fallback: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is held back takes memory, so an answer without end is given up."""
    monkeypatch.setattr("gateway.engine.calls._MOST_HELD", 50)
    stage = stage_of(line_of(provider, fallback, chain={"rescue": "hold"}))
    provider.then(stream(ROLE, *[HELLO] * 60, after=stall))
    fallback.then(WHOLE)

    response = stage.chat(stream=True)

    assert told_of(stage, response, "outcome", "reason_code")[0] == ("failed", "INVALID_RESPONSE")
    assert response.headers["x-gateway-provider"] == "at_second"


@pytest.mark.parametrize("asked", [{"temperature": 0}, {"seed": 7}], ids=["temperature 0", "seed"])
def test_same_model_replays_what_is_deterministic(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider, asked: dict[str, Any]
) -> None:
    """By default a deterministic request is replayed where the same model is served."""
    stage = stage_of(line_of(provider, fallback, **SAME))
    provider.then(CUT)
    fallback.then(WHOLE)

    assert text_of(stage.stream(**asked)) == "Hello world"


@pytest.mark.parametrize(
    ("model", "asked", "chain"),
    [
        (SAME, {}, {}),
        ({}, {"temperature": 0}, {}),
        (SAME, {"temperature": 0}, {"rescue": "off"}),
    ],
    ids=["not deterministic", "another model", "off"],
)
def test_no_rescue_that_might_lie(
    stage_of: Callable[..., Stage],
    provider: FakeProvider,
    fallback: FakeProvider,
    model: dict[str, Any],
    asked: dict[str, Any],
    chain: dict[str, str],
) -> None:
    """Where the answers may differ or nobody wants it, a stream that breaks ends in an error, and nobody is asked."""
    stage = stage_of(line_of(provider, fallback, chain=chain, **model))
    provider.then(CUT)

    assert stage.stream(**asked)[-1]["error"]["code"] == "STREAM_INTERRUPTED"
    assert not fallback.received


def test_trigger_that_is_off_forbids_the_rescue(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A failure that must not move on does not do so after content either."""
    stage = stage_of(line_of(provider, fallback, chain={**REPLAY, "triggers": {"degraded": False}}))
    provider.then(CUT)

    assert stage.stream()[-1]["error"]["code"] == "STREAM_INTERRUPTED"
    assert not fallback.received


@pytest.mark.parametrize(
    ("attempts", "replies", "calls"),
    [(1, [CUT, WHOLE], 2), (1, [stream(ROLE, after=hang_up), CUT], 2), (0, [CUT], 1)],
    ids=["one is left", "it was needed before", "none"],
)
def test_one_that_broke_off_is_asked_again_if_it_has_a_retry_left(
    stage_of: Callable[..., Stage],
    provider: FakeProvider,
    attempts: int,
    replies: list[Reply],
    calls: int,
) -> None:
    """A rescue counts as a retry, and calls are no more than configured."""
    stage = stage_of(line_of(provider, chain={**REPLAY, "retries": {"attempts": attempts, **AT_ONCE}}))
    provider.then(*replies)

    stage.stream()

    assert len(provider.received) == calls


@pytest.mark.parametrize(
    ("before", "is_asked"),
    [(hang_up, False), (status(429, headers={"retry-after": "60"}), False), (status(500), True)],
    ids=["left alone", "resting", "well enough"],
)
def test_rescue_leaves_alone_who_is_not_well(
    stage_of: Callable[..., Stage],
    provider: FakeProvider,
    fallback: FakeProvider,
    before: Reply,
    is_asked: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    """A stream that broke is no reason to ask a target before it may be asked."""
    breaker = {"failures": 3, "probe_interval_s": 600}
    stage = stage_of(line_of(provider, fallback, chain=REPLAY, resilience={"breaker": breaker}))
    fallback.then(before, WHOLE)
    stage.chat("second")
    provider.then(CUT)

    events = stage.stream()

    assert (events[-1] == "[DONE]") is is_asked
    assert len(fallback.received) == 1 + is_asked


def test_rescue_may_be_the_trial(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A target that may be well again is tried by going on with a stream, and comes back when it does."""
    breaker = {"probe_interval_s": 0.02}
    stage = stage_of(line_of(provider, fallback, chain=REPLAY, resilience={"breaker": breaker}))
    fallback.lists_models = True
    fallback.then(hang_up, WHOLE)
    stage.chat("second")
    url = "/api/v1/providers/at_second"
    await_that(lambda: stage.client.get(url).json()["provider"]["left_alone"][0]["state"] == "half_open")
    provider.then(CUT)

    assert text_of(stage.stream()) == "Hello world"
    assert stage.client.get(url).json()["provider"]["left_alone"] == []


def test_callers_leaving_ends_the_rescue(
    provider: FakeProvider, fallback: FakeProvider, serve: Serve
) -> None:
    """When the caller leaves while another goes on, that call ends."""
    served = serve(line_of(provider, fallback, chain=REPLAY))
    provider.then(CUT)
    fallback.then(stream(ROLE, HELLO, after=stall))
    body = {"model": "first", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}

    with caller_at(served.url, json.dumps(body).encode()):
        assert fallback.called.wait(5)
        assert not fallback.caller_left.is_set()

    assert fallback.caller_left.wait(5)


def test_ollama_goes_on_for_openai(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A continuation may lead from one dialect to another."""
    registry = registry_of(
        {
            "openai": {"base_url": provider.url},
            "ollama": {"base_url": fallback.url},
        },
        {"first": {"provider": "openai"}, "local": {"provider": "ollama"}},
        {"first": {"fallbacks": ["local"], "rescue": "continue"}},
    )
    provider.then(CUT)
    lines = [
        b'{"message":{"content":" world"},"done":false}\n',
        b'{"message":{"content":""},"done":true,"done_reason":"stop"}\n',
    ]
    fallback.then(stream(*lines, media_type="application/x-ndjson"))

    assert text_of(stage_of(registry).stream()) == "Hello world"
    assert fallback.received[0].json["messages"][-1]["content"] == "Hello"


def test_answer_that_adds_nothing_is_none() -> None:
    """An end without a finish reason is no end, wherever it comes from."""

    class Mute:
        async def next_chunks(self) -> list[ChatChunk]:
            return []

        def feed(self, chunk: ChatChunk) -> list[ChatChunk]:
            del chunk
            return []

    leg = JoinedLeg(cast("AnswerStream", Mute()), cast("Attempt", None), Mute())

    with pytest.raises(DivergedError):
        asyncio.run(leg.begin([ChatChunk({"choices": []})]))
