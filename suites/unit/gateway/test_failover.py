import json
from collections.abc import Callable

import pytest

from gateway.config.registry import Registry
from suites.unit.gateway.conftest import Stage, registry_of
from suites.unit.gateway.fake_provider import (
    FakeProvider,
    Reply,
    hang_up,
    raw,
    reset,
    stall,
    status,
    stream,
    trickle,
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
    completion,
    event,
)

ERROR_EVENT = event({"error": {"message": "overloaded", "type": "server_error", "code": None}})
OVERLOADED = {"error": {"message": "overloaded", "type": "server_error", "param": None, "code": None}}

BROKEN_ANSWERS = {
    "closed before the head": hang_up,
    "reset before the head": reset,
    "no answer in time": stall,
    "not HTTP": raw(b"What?\r\n\r\n"),
    "server error": status(500, OVERLOADED),
    "overloaded": status(529, OVERLOADED),
    "rate limit": status(429, OVERLOADED),
    "rejected key": status(401, {"error": {"message": "bad key", "code": "invalid_api_key"}}),
    "no credit": status(402, OVERLOADED),
    "too long": status(400, {"error": {"message": "too long", "code": "context_length_exceeded"}}),
    "unknown model": status(404, {"error": {"message": "no such model", "code": "model_not_found"}}),
    "redirect": status(302, headers={"location": "http://127.0.0.1:1/"}),
    "empty body": status(200),
}

BROKEN_STREAMS = {
    "ends before anything": stream(),
    "ends after the role": stream(ROLE),
    "resets after the role": stream(ROLE, after=reset),
    "cut inside the chunked body": stream(ROLE, after=hang_up),
    "stalls after the role": stream(ROLE, after=stall),
    "sends comments only": stream(ROLE, after=trickle(b": still here\n\n", 0.05)),
    "error event first": stream(ERROR_EVENT),
    "error event after the role, then DONE": stream(ROLE, ERROR_EVENT, DONE),
    "flat error event": stream(event({"object": "error", "message": "out of memory", "code": 500})),
    "malformed event": stream(event(b'{"choices": [')),
    "DONE without a finish reason": stream(ROLE, DONE),
    "finishes with an error": stream(ROLE, chunk({}, "error"), DONE),
}

BROKEN_BODIES = {
    "error object with status 200": status(200, OVERLOADED),
    "HTML of a proxy": status(200, b"<html></html>"),
    "no choices": status(200, {"choices": []}),
    "no message": status(200, {"choices": [{"finish_reason": "stop"}]}),
    "no finish reason": status(
        200, completion(choices=[{"index": 0, "message": {"role": "assistant", "content": "Hel"}}])
    ),
    "finishes with an error": status(
        200, completion(choices=[{"message": {"content": "Hel"}, "finish_reason": "error"}])
    ),
    "cut body": raw(b'HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"id":'),
}

BROKEN_AFTER_CONTENT = {
    "closes": (stream(ROLE, HELLO, after=hang_up), "STREAM_INTERRUPTED"),
    "ends in good order": (stream(ROLE, HELLO), "STREAM_INTERRUPTED"),
    "resets": (stream(ROLE, HELLO, after=reset), "STREAM_INTERRUPTED"),
    "stalls": (stream(ROLE, HELLO, after=stall), "TIMEOUT"),
    "sends comments only": (stream(HELLO, after=trickle(b": still here\n\n", 0.05)), "TIMEOUT"),
    "reports an error, then DONE": (stream(ROLE, HELLO, ERROR_EVENT, DONE), "PROVIDER_DEGRADED"),
    "sends nonsense": (stream(ROLE, HELLO, event(b"nonsense")), "INVALID_RESPONSE"),
    "lacks the finish reason": (stream(ROLE, HELLO, DONE), "STREAM_INTERRUPTED"),
}


@pytest.mark.parametrize(
    "reply", [*BROKEN_ANSWERS.values(), *BROKEN_BODIES.values()], ids=[*BROKEN_ANSWERS, *BROKEN_BODIES]
)
def test_next_provider_answers(
    stage: Stage, provider: FakeProvider, fallback: FakeProvider, reply: Reply
) -> None:
    """Where one provider fails, the next one of the chain answers, under its own model's name."""
    provider.then(reply)
    fallback.then(status(200, completion("Hello")))

    response = stage.chat()

    assert response.status_code == 200
    assert response.json()["choices"][0]["message"]["content"] == "Hello"
    assert response.json()["model"] == "second"
    assert len(provider.received) == len(fallback.received) == 1


@pytest.mark.parametrize(
    "reply", [*BROKEN_ANSWERS.values(), *BROKEN_STREAMS.values()], ids=[*BROKEN_ANSWERS, *BROKEN_STREAMS]
)
def test_stream_fails_over_unseen(
    stage: Stage, provider: FakeProvider, fallback: FakeProvider, reply: Reply
) -> None:
    """A stream that breaks before its first content is taken over without a trace of the first attempt."""
    provider.then(reply)
    fallback.then(stream(*GOOD_STREAM))

    *chunks, done = stage.stream()

    assert done == "[DONE]"
    assert [part["model"] for part in chunks] == ["second"] * 4
    assert [part["choices"][0]["delta"].get("role") for part in chunks] == ["assistant", None, None, None]
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(("reply", "code"), BROKEN_AFTER_CONTENT.values(), ids=BROKEN_AFTER_CONTENT)
def test_stream_that_breaks_after_content_ends_with_an_error(
    stage: Stage, provider: FakeProvider, fallback: FakeProvider, reply: Reply, code: str
) -> None:
    """Once content is delivered, a broken stream ends with an error event: no DONE, no finish reason."""
    provider.then(reply)

    *chunks, last = stage.stream()

    assert last["error"]["code"] == code
    assert "".join(part["choices"][0]["delta"].get("content", "") for part in chunks) == "Hello"
    assert all(part["choices"][0]["finish_reason"] is None for part in chunks)
    assert not fallback.received


def test_stream_passes_on_without_loss(stage: Stage, provider: FakeProvider) -> None:
    """What a provider sends in its chunks arrives, unknown fields and the usage at the end included."""
    provider.then(stream(chunk({"content": "Hello"}, extra={"kept": [1]}), FINISH, USAGE, DONE))

    first, finish, usage, done = stage.stream(stream_options={"include_usage": True})

    assert first["extra"] == {"kept": [1]}
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert usage["usage"] == {"prompt_tokens": 3, "completion_tokens": 2}
    assert usage["choices"] == []
    assert done == "[DONE]"


@pytest.mark.parametrize(
    "deltas",
    [
        [{"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "look", "arguments": ""}}]}],
        [{"reasoning_content": "Hm"}],
        [{"refusal": "No"}],
    ],
    ids=["tool call", "reasoning", "refusal"],
)
def test_anything_to_show_is_content(
    stage: Stage, provider: FakeProvider, fallback: FakeProvider, deltas: list[dict[str, object]]
) -> None:
    """Tool calls, reasoning and refusals are content: after them a stream does not start anew elsewhere."""
    provider.then(stream(ROLE, *map(chunk, deltas), after=hang_up))

    *_, last = stage.stream()

    assert last["error"]["code"] == "STREAM_INTERRUPTED"
    assert not fallback.received


def test_two_choices_both_finish(stage: Stage, provider: FakeProvider) -> None:
    """A stream of several choices is whole when each of them has a finish reason."""
    both = [chunk({"content": "a"}), chunk({"content": "b"}, index=1), chunk({}, "stop")]
    provider.then(stream(*both, DONE), stream(*both, chunk({}, "stop", index=1), DONE))

    assert "error" in stage.stream(n=2)[-1]
    assert stage.stream(n=2)[-1] == "[DONE]"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": {"message": "temperature is too high", "param": "temperature"}}, "INVALID_REQUEST"),
        ({"error": {"message": "declined", "code": "content_filter"}}, "CONTENT_FILTERED"),
    ],
    ids=["invalid request", "content filter"],
)
def test_the_callers_own_fault_stays(
    stage: Stage, provider: FakeProvider, fallback: FakeProvider, body: dict[str, object], code: str
) -> None:
    """A request that the provider declines for what it says is not carried on to the next one."""
    provider.then(status(400, body))

    response = stage.chat()

    assert response.status_code == 400
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["message"] == body["error"]["message"]  # type: ignore[index]
    assert not fallback.received


def test_exhausted_chain_is_told_as_such(
    stage: Stage, provider: FakeProvider, fallback: FakeProvider
) -> None:
    """Where every provider fails, the answer is 503, and SDKs are told not to try again."""
    provider.then(status(500, OVERLOADED))
    fallback.then(hang_up)

    response = stage.chat()

    assert response.status_code == 503
    assert response.headers["x-should-retry"] == "false"
    assert response.json()["error"]["code"] == "ALL_PROVIDERS_FAILED"
    assert "overloaded" not in response.text


def test_context_that_is_too_long_everywhere_is_told(
    stage: Stage, provider: FakeProvider, fallback: FakeProvider
) -> None:
    """Where the request is too long for every model of the chain, the caller learns that."""
    too_long = status(400, {"error": {"message": "too long", "code": "context_length_exceeded"}})
    provider.then(too_long)
    fallback.then(too_long)

    response = stage.chat()

    assert (response.status_code, response.json()["error"]["code"]) == (400, "CONTEXT_LENGTH_EXCEEDED")


ALONE = {
    "refused key": (status(401), 502, "AUTH_ERROR"),
    "forbidden": (status(403), 502, "AUTH_ERROR"),
    "server error": (status(500), 502, "PROVIDER_DEGRADED"),
    "unexpected status": (status(418), 502, "HTTP_ERROR"),
    "rate limit": (status(429), 429, "RATE_LIMITED"),
    "quota": (status(429, {"error": {"code": "insufficient_quota"}}), 429, "QUOTA_EXHAUSTED"),
    "no answer": (stall, 504, "TIMEOUT"),
    "hung up": (hang_up, 502, "connection_failed"),
    "nonsense": (status(200, b"nonsense"), 502, "INVALID_RESPONSE"),
    "cut": (raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"), 502, "STREAM_INTERRUPTED"),
}


@pytest.mark.parametrize(("reply", "status_code", "code"), ALONE.values(), ids=ALONE)
@pytest.mark.parametrize("form", ["plain", "stream"])
def test_only_provider_speaks_for_itself(
    stage: Stage, fallback: FakeProvider, reply: Reply, status_code: int, code: str, form: str
) -> None:
    """Where a model has no fallback, its provider's failure decides status and code, streamed or not."""
    fallback.then(reply)

    response = stage.chat("second", stream=form == "stream")

    assert (response.status_code, response.json()["error"]["code"]) == (status_code, code)
    assert response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("headers", "told"),
    [({"retry-after": "7"}, "7"), ({"retry-after-ms": "1500"}, "2"), ({}, None)],
    ids=["seconds", "milliseconds", "nothing"],
)
def test_retry_after_is_passed_on(
    stage: Stage, fallback: FakeProvider, headers: dict[str, str], told: str | None
) -> None:
    """How long a rate limit lasts is the provider's to say, in whichever form."""
    fallback.then(status(429, OVERLOADED, headers))

    assert stage.chat("second").headers.get("retry-after") == told


def test_refused_connection_moves_on(
    stage_of: Callable[..., Stage], pair: Registry, provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A provider that is not there at all costs no more than the next attempt."""
    provider.close()
    fallback.then(status(200, completion()))

    assert stage_of(pair).chat().json()["model"] == "second"


def test_providers_request_is_the_callers(stage: Stage, provider: FakeProvider) -> None:
    """The provider gets what the caller sent, fields unknown to the gateway included, and its own key."""
    provider.then(status(200, completion()))

    stage.chat(some_new_field={"x": [1.5, None]}, temperature=0.25)

    sent = provider.received[0]
    assert sent.path == "/chat/completions"
    assert sent.headers["authorization"] == "Bearer sk-example-not-a-key"
    assert sent.json == {
        "model": "first",
        "messages": [{"role": "user", "content": "Hi"}],
        "some_new_field": {"x": [1.5, None]},
        "temperature": 0.25,
    }


def test_each_attempt_is_logged_without_secrets(
    stage: Stage, provider: FakeProvider, fallback: FakeProvider
) -> None:
    """The log tells every failed attempt and the outcome, and never a key."""
    provider.then(status(401, {"error": {"message": "Incorrect API key provided: sk-example-not-a-key"}}))
    fallback.then(status(200, completion()))

    stage.chat()

    failed, chat, request = stage.log_lines
    assert (failed["event"], failed["reason_code"], failed["provider"]) == (
        "attempt failed",
        "AUTH_ERROR",
        "openai",
    )
    assert (chat["outcome"], chat["provider"], chat["attempts"]) == ("answered", "spare", 2)
    assert (chat["prompt_tokens"], chat["completion_tokens"]) == (3, 1)
    assert request["request_id"] == chat["request_id"] == failed["request_id"]
    assert "sk-example" not in json.dumps(stage.log_lines)


def test_ollama_takes_over_from_openai(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A chain may lead from one dialect to another."""
    registry = registry_of(
        {"openai": {"base_url": provider.url}, "ollama": {"base_url": fallback.url}},
        {"first": {"provider": "openai"}, "local": {"provider": "ollama", "upstream_model": "llama3.1:8b"}},
        {"first": ["local"]},
    )
    lines = [b'{"message":{"content":"Hello"},"done":false}\n', b'{"message":{"content":""},"done":true}\n']
    fallback.then(stream(*lines, media_type="application/x-ndjson"))

    chunks = stage_of(registry).stream()

    assert fallback.received[0].json["model"] == "llama3.1:8b"
    assert chunks[0]["model"] == "local"
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "Hello"}
    assert chunks[-1] == "[DONE]"


def test_stray_content_after_done_is_ignored(stage: Stage, provider: FakeProvider) -> None:
    """What comes after the end marker is no part of the answer."""
    provider.then(stream(ROLE, HELLO, FINISH, DONE, WORLD, ERROR_EVENT))

    assert [part == "[DONE]" for part in stage.stream()] == [False, False, False, True]
