import asyncio
import io
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.config.registry import Model
from gateway.config.resilience import BreakerSettings, HealthChecks
from gateway.engine.attempts import Attempt
from gateway.engine.health import Health
from gateway.engine.probes import Probe
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderFailure
from gateway.kernel.logs import build_log
from gateway.kernel.masking import Scrubber
from gateway.policy.breaker import Trial
from gateway.policy.fallback import Candidate
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


# By HTTP: what a target has to fear, and how it comes back.


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


# By hand: what is remembered, and for how long.


class HandSetClock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic_s(self) -> float:
        return self.now_s

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


FAILURE = ProviderFailure(reason=ReasonCode.PROVIDER_DEGRADED, detail="overloaded")
REFUSED = ProviderFailure(reason=ReasonCode.CONNECTION_FAILED, detail="refused")
DOWN = Probe(status="offline", message="refused", failure=REFUSED)
WELL = Probe(status="connected", message="", models=frozenset({"m1"}))


@pytest.fixture
def clock() -> HandSetClock:
    return HandSetClock()


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def health_with(clock: HandSetClock, log: io.StringIO) -> Callable[..., Health]:
    def build(*, breaker: bool = True, checks: bool = True) -> Health:
        logger = build_log("info", log, clock, Scrubber([]))
        return Health(BreakerSettings(enabled=breaker), HealthChecks(enabled=checks), clock, logger)

    return build


REGISTRY = registry_of({"openai": {}}, {})


def candidate(model: str = "m1") -> Candidate:
    return Candidate(Model(name=model, provider="openai", upstream_model=model), REGISTRY.providers["openai"])


def attempt_at(target: Candidate, trial: Trial | None = None) -> Attempt:
    return Attempt(number=1, candidate=target, decision="primary", began_s=1000.0, trial=trial)


def test_memory_is_bounded(health_with: Callable[..., Health]) -> None:
    """However many models callers make up, what is left alone stays so, and the oldest others are forgotten."""
    health, broken = health_with(), candidate()
    health.note_failure(attempt_at(broken), REFUSED)

    for number in range(3000):
        health.note_failure(attempt_at(candidate(f"made-up-{number}")), FAILURE)

    assert health.admits(broken) == "no"
    assert len(health._troubles) <= 1000  # noqa: SLF001  there is no other way to see it


def test_healthy_targets_take_no_memory(health_with: Callable[..., Health], clock: HandSetClock) -> None:
    """A target that has recovered is forgotten as soon as nothing of its failures matters any more."""
    health, target = health_with(), candidate()
    health.note_success(attempt_at(target))
    health.note_failure(attempt_at(target), FAILURE)
    clock.now_s += 300
    health.note_success(attempt_at(target))

    assert not health._troubles  # noqa: SLF001  as above


def test_success_between_checks_keeps_a_provider_in(health_with: Callable[..., Health]) -> None:
    """Traffic tells more than checks: failed ones count in a row only while no request succeeds."""
    health, target = health_with(), candidate()
    health.note_probe("openai", DOWN, 0)
    health.note_success(attempt_at(target))
    health.note_probe("openai", DOWN, 0)

    assert health.admits(target) == "freely"
    health.note_probe("openai", DOWN, 0)
    assert health.admits(target) == "no"


def test_probes_of_one_model_take_nobody_out_without_health_checks(
    health_with: Callable[..., Health],
) -> None:
    """With health checks off, the probes of a target that is left alone say nothing of its siblings."""
    health, target, sibling = health_with(checks=False), candidate(), candidate("m2")
    health.note_failure(attempt_at(target), REFUSED)
    for _ in range(5):
        health.note_probe("openai", DOWN, 0)

    assert (health.admits(target), health.admits(sibling)) == ("no", "freely")


def test_trial_is_given_back_without_breakers(health_with: Callable[..., Health]) -> None:
    """With breakers off, a failed trial of an offline provider does not keep the next one from being made."""
    health, target = health_with(breaker=False), candidate()
    for _ in range(2):
        health.note_probe("openai", DOWN, 0)
    trial = health.begin_trial(target)
    health.note_failure(attempt_at(target, trial), FAILURE)

    assert trial
    assert health.begin_trial(target)


def test_abandoned_trial_is_given_back(health_with: Callable[..., Health]) -> None:
    """A trial that ends without telling anything leaves the permission for the next one."""
    health, target = health_with(), candidate()
    health.note_failure(attempt_at(target), REFUSED)
    trial = health.begin_trial(target)
    assert health.begin_trial(target) is None

    health.abandon(attempt_at(target, trial))

    assert health.begin_trial(target)


def test_rest_is_bounded(health_with: Callable[..., Health], clock: HandSetClock) -> None:
    """Who asks to be left alone for a day is asked again within an hour."""
    health, target = health_with(), candidate()
    busy = ProviderFailure(reason=ReasonCode.RATE_LIMITED, detail="", wait_s=86_400)
    health.note_failure(attempt_at(target), busy)
    assert health.admits(target) == "resting"

    clock.now_s += 3600

    assert health.admits(target) == "freely"


def test_rest_is_told_in_whole_seconds(health_with: Callable[..., Health], clock: HandSetClock) -> None:
    """What is left of a rest is told as a caller's SDK reads it, and never as nothing."""
    health, target = health_with(), candidate()
    health.note_failure(
        attempt_at(target), ProviderFailure(reason=ReasonCode.RATE_LIMITED, detail="", wait_s=3)
    )
    clock.now_s += 1.5
    assert health.why(target).retry_after == "2"

    clock.now_s += 1.5

    assert health.why(target).retry_after == "1"


def test_slow_target_is_left_alone_for_its_slowness(health_with: Callable[..., Health]) -> None:
    """A target that is overtaken again and again is left alone, and the reason is not the rate limit of before."""
    health, target = health_with(), candidate()
    health.note_failure(
        attempt_at(target), ProviderFailure(reason=ReasonCode.RATE_LIMITED, detail="", wait_s=0)
    )
    for _ in range(3):
        health.note_slow(attempt_at(target))

    assert health.admits(target) == "no"
    assert health.cause(target).reason is ReasonCode.TIMEOUT


def test_slow_target_is_not_blamed_without_breakers(health_with: Callable[..., Health]) -> None:
    """With breakers off, nobody is left alone for being slow."""
    health, target = health_with(breaker=False), candidate()
    for _ in range(5):
        health.note_slow(attempt_at(target))

    assert health.admits(target) == "freely"


def test_missing_model_is_not_tried_before_it_is_listed(
    health_with: Callable[..., Health], clock: HandSetClock
) -> None:
    """A target that was left alone because its model is unknown there waits until the list of models holds it."""
    health, target = health_with(), candidate("m2")
    for _ in range(3):
        unknown = ProviderFailure(reason=ReasonCode.MODEL_UNAVAILABLE, detail="")
        health.note_failure(attempt_at(target), unknown)
    clock.now_s += 10
    health.note_probe("openai", WELL, clock.now_s)
    assert health.admits(target) == "no"

    clock.now_s += 10
    health.note_probe("openai", replace(WELL, models=frozenset({"m2"})), clock.now_s)

    assert health.admits(target) == "as_trial"


def test_log_tells_changes_only(health_with: Callable[..., Health], log: io.StringIO) -> None:
    """An outage leaves one line for every change, however many requests and probes it meets."""
    health, target = health_with(), candidate()
    for _ in range(50):
        health.note_failure(attempt_at(target), REFUSED)
        health.note_probe("openai", DOWN, 0)
    health.note_success(attempt_at(target, health.begin_trial(target)))

    told = [json.loads(line)["event"] for line in log.getvalue().splitlines()]
    assert told == ["target is left alone", "provider is offline", "provider is back", "target is back"]


def test_operator_lifts_everything(health_with: Callable[..., Health]) -> None:
    """An operator who wants a provider to be asked ends its rest, its absence, and lets trials through."""
    health, broken, busy = health_with(), candidate(), candidate("m2")
    health.note_failure(attempt_at(broken), REFUSED)
    limit = ProviderFailure(reason=ReasonCode.RATE_LIMITED, detail="", wait_s=60)
    health.note_failure(attempt_at(busy), limit)
    for _ in range(2):
        health.note_probe("openai", DOWN, 0)

    health.lift("openai")

    assert (health.admits(broken), health.admits(busy)) == ("as_trial", "freely")
