"""By HTTP: what a target has to fear, and how it comes back."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from suites.unit.gateway.conftest import Serve, Stage, registry_of
from suites.unit.gateway.fake_provider import FakeProvider, Reply, Wire, hang_up, stall, status, stream
from suites.unit.gateway.lined_up import (
    PATIENT,
    QUICK,
    await_that,
    caller_at,
    decisions_of,
    line_of,
    state_of,
    status_of,
)
from suites.unit.gateway.wire_texts import GOOD_STREAM, HELLO, ROLE, completion

ANSWER = status(200, completion())
FAILING = status(500)
ASKED = [("first", "primary")]
LEFT_ALONE = [("first", "passed_over"), ("second", "fallback")]
QUICK_PROBES = {"breaker": {"probe_interval_s": 0.02}}
SLOW_PROBES = {"breaker": {"probe_interval_s": 600}}


def always(reply: Reply) -> Iterator[Reply]:
    return (reply for _ in range(20))


def held_until(release: threading.Event) -> Reply:
    async def reply(writer: Wire) -> None:
        await asyncio.to_thread(release.wait, 5)
        await ANSWER(writer)

    return reply


@pytest.mark.parametrize(
    ("failure", "harmless"),
    [(FAILING, 2), (hang_up, 0), (stall, 0), (status(401), 0)],
    ids=["server error", "hung up", "no answer", "rejected key"],
)
def test_failing_target_is_left_alone(
    stage_of: Callable[..., Stage],
    provider: FakeProvider,
    fallback: FakeProvider,
    failure: Reply,
    harmless: int,
) -> None:
    """After several failures, or one that would cost every caller the same, the target is not asked any more."""
    timeouts = QUICK if failure is stall else PATIENT
    stage = stage_of(line_of(provider, fallback, resilience=SLOW_PROBES, timeouts=timeouts))
    provider.then(*always(failure))
    fallback.then(*always(ANSWER))

    for _ in range(harmless + 1):
        assert decisions_of(stage, stage.chat())[0] == ("first", "primary")

    assert decisions_of(stage, stage.chat()) == LEFT_ALONE
    assert len(provider.received) == harmless + 1


@pytest.mark.parametrize(
    "failure",
    [status(429), status(402), status(400, {"error": {"code": "context_length_exceeded"}})],
    ids=["rate limit", "no credit", "too long"],
)
def test_what_says_nothing_of_its_health_does_not_hurt_it(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider, failure: Reply
) -> None:
    """A target that is busy or unpaid, or whose caller asks too much, is asked as before."""
    stage = stage_of(line_of(provider, fallback, resilience={"breaker": {"failures": 1}}))
    provider.then(*always(failure))
    fallback.then(*always(ANSWER))

    assert [decisions_of(stage, stage.chat())[0] for _ in range(4)] == ASKED * 4


def test_stream_that_breaks_after_content_hurts(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A target whose streams break off is left alone, though it began to answer."""
    stage = stage_of(line_of(provider, fallback, resilience={"breaker": {"failures": 2}}))
    provider.then(*always(stream(ROLE, HELLO, after=hang_up)))
    fallback.then(ANSWER)

    for _ in range(2):
        assert "error" in stage.stream()[-1]

    assert decisions_of(stage, stage.chat()) == LEFT_ALONE


def test_other_model_of_the_same_provider_is_asked(
    stage_of: Callable[..., Stage], provider: FakeProvider
) -> None:
    """One model that fails does not take its healthy siblings out."""
    models = {"bad": {"provider": "openai"}, "good": {"provider": "openai"}}
    registry = registry_of(
        {"openai": {"base_url": provider.url}}, models, resilience={"breaker": {"failures": 1}}
    )
    stage = stage_of(registry)
    provider.then(FAILING, ANSWER)

    assert stage.chat("bad").status_code == 502
    assert stage.chat("good").status_code == 200


def test_target_comes_back(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A probe that costs no tokens lets one request through as a trial, whose success brings the target back."""
    stage = stage_of(line_of(provider, fallback, resilience=QUICK_PROBES))
    provider.lists_models = True
    provider.then(hang_up, ANSWER, ANSWER)
    fallback.then(ANSWER)
    stage.chat()
    await_that(lambda: state_of(stage) == "half_open")

    assert decisions_of(stage, stage.chat()) == [("first", "trial")]
    assert state_of(stage) == "closed"
    assert decisions_of(stage, stage.chat()) == ASKED
    assert provider.probes
    assert [request.method for request in provider.received if request.method == "POST"] == ["POST"] * 3


def test_stream_of_a_trial_brings_the_target_back_by_its_first_content(
    stage_of: Callable[..., Stage], provider: FakeProvider
) -> None:
    """A trial that streams need not come to its end before the target is trusted."""
    stage = stage_of(line_of(provider, resilience=SLOW_PROBES))
    provider.then(hang_up, stream(*GOOD_STREAM))
    stage.chat()

    assert stage.stream()[-1] == "[DONE]"
    assert state_of(stage) == "closed"


def test_failed_trial_keeps_the_target_away(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A trial that fails costs its caller nothing but the attempt, and the target is left alone again."""
    stage = stage_of(line_of(provider, fallback, resilience=QUICK_PROBES))
    provider.lists_models = True
    provider.then(hang_up, FAILING)
    fallback.then(*always(ANSWER))
    stage.chat()
    await_that(lambda: state_of(stage) == "half_open")

    response = stage.chat()
    told = [line["event"] for line in stage.log_lines if line["event"].startswith("target")]

    assert decisions_of(stage, response) == [("first", "trial"), ("second", "fallback")]
    assert told == ["target is left alone"] * 2


def test_only_one_trial_at_a_time(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """While a trial is on its way, the others go where somebody is well."""
    stage = stage_of(line_of(provider, fallback, resilience=QUICK_PROBES))
    release = threading.Event()
    provider.lists_models = True
    provider.then(hang_up, held_until(release))
    fallback.then(*always(ANSWER))
    stage.chat()
    await_that(lambda: state_of(stage) == "half_open")

    with ThreadPoolExecutor(1) as callers:
        trial = callers.submit(stage.chat)
        await_that(lambda: len(provider.received) == 2)
        other = stage.chat()

        release.set()

        assert decisions_of(stage, other) == LEFT_ALONE
        assert decisions_of(stage, trial.result()) == [("first", "trial")]


def test_last_one_left_is_asked_one_request_at_a_time(
    stage_of: Callable[..., Stage], provider: FakeProvider
) -> None:
    """Where nobody is well, one request tries the target and the others hear at once when to come again."""
    release = threading.Event()
    stage = stage_of(line_of(provider, resilience=SLOW_PROBES))
    provider.then(hang_up, held_until(release), ANSWER)
    stage.chat()

    with ThreadPoolExecutor(1) as callers:
        trial: Future[Any] = callers.submit(stage.chat)
        await_that(lambda: len(provider.received) == 2)
        other = stage.chat()
        release.set()

        assert decisions_of(stage, trial.result()) == [("first", "last_resort")]

    assert (other.status_code, other.json()["error"]["code"]) == (503, "PROVIDER_OFFLINE")
    assert int(other.headers["retry-after"]) >= 1
    assert decisions_of(stage, other) == [("first", "passed_over")]
    assert decisions_of(stage, stage.chat()) == ASKED


@pytest.mark.parametrize("before", [[], [hang_up]], ids=["well", "left alone"])
def test_target_that_wants_to_rest_is_not_asked(
    stage_of: Callable[..., Stage], provider: FakeProvider, before: list[Reply]
) -> None:
    """Nobody is asked before the moment it has named, even where it is the last: the caller is told the moment."""
    stage = stage_of(line_of(provider, resilience=SLOW_PROBES))
    provider.then(*before, status(429, headers={"retry-after": "5"}))
    for _ in before:
        stage.chat()
    stage.chat()

    response = stage.chat()

    assert (response.status_code, response.json()["error"]["code"]) == (429, "RATE_LIMITED")
    assert response.headers["retry-after"] == "5"
    assert decisions_of(stage, response) == [("first", "passed_over")]
    assert len(provider.received) == len(before) + 1


def test_resting_target_lets_the_next_answer(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """While a target rests, the next of the chain answers."""
    stage = stage_of(line_of(provider, fallback, resilience={"breaker": {}}))
    provider.then(status(429, headers={"retry-after": "5"}))
    fallback.then(ANSWER, ANSWER)
    stage.chat()

    assert decisions_of(stage, stage.chat()) == LEFT_ALONE


def test_shortest_rest_is_told(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """Where everybody rests, the caller is told of the one that does so for the shortest time."""
    stage = stage_of(line_of(provider, fallback, resilience={"breaker": {}}))
    provider.then(status(429, headers={"retry-after": "30"}))
    fallback.then(status(429, headers={"retry-after": "9"}))

    first, second = stage.chat(), stage.chat()

    assert (first.status_code, first.headers["retry-after"]) == (429, "9")
    assert (second.status_code, second.headers["retry-after"]) == (429, "9")


def test_caller_who_leaves_does_not_hurt(provider: FakeProvider, serve: Serve) -> None:
    """A trial whose caller leaves is given back, so that the next request is the trial."""
    served = serve(line_of(provider, resilience=SLOW_PROBES))
    body = json.dumps({"model": "first", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    provider.then(hang_up, stall, ANSWER)

    def ask() -> bytes:
        with caller_at(served.url, body) as caller:
            return caller.recv(12)

    assert ask() == b"HTTP/1.1 502"
    with caller_at(served.url, body):
        await_that(lambda: len(provider.received) == 2)
        assert ask() == b"HTTP/1.1 503"

    await_that(lambda: ask() == b"HTTP/1.1 200")


def test_health_checks_take_a_provider_out_and_bring_it_back(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A provider whose checks fail is not asked though no request has failed, until a check succeeds."""
    checks = {"health_checks": {"interval_s": 0.02, "failures": 2}}
    stage = stage_of(line_of(provider, fallback, resilience=checks))
    fallback.lists_models = True
    fallback.then(ANSWER)
    await_that(lambda: status_of(stage) == "offline")

    assert decisions_of(stage, stage.chat()) == LEFT_ALONE

    provider.lists_models = True
    await_that(lambda: status_of(stage) == "connected")
    provider.then(ANSWER)

    assert decisions_of(stage, stage.chat()) == ASKED


def test_answer_of_the_last_resort_brings_an_offline_provider_back(
    stage_of: Callable[..., Stage], provider: FakeProvider
) -> None:
    """Where the checks of the only provider fail, it is tried all the same, and its answer counts for more."""
    stage = stage_of(line_of(provider, resilience={"health_checks": {"interval_s": 600, "failures": 1}}))
    await_that(lambda: status_of(stage) == "offline")
    provider.then(ANSWER, ANSWER)

    assert decisions_of(stage, stage.chat()) == [("first", "last_resort")]
    assert decisions_of(stage, stage.chat()) == ASKED
