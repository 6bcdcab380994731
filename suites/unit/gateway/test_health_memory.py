"""What is remembered of the targets, and for how long; the clock is set by hand."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

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
from suites.unit.gateway.conftest import registry_of


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
