import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.config.resilience import Chain, Retries
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from suites.unit.gateway.conftest import Stage
from suites.unit.gateway.fake_provider import FakeProvider, Reply, hang_up, stall, status, stream
from suites.unit.gateway.lined_up import AT_ONCE, QUICK, attempts_of, decisions_of, line_of
from suites.unit.gateway.scripted import REFUSED, Scene, Step, forever, give
from suites.unit.gateway.wire_texts import GOOD_STREAM, ROLE, completion

BUSY = status(429)
FAILING = status(500)
ANSWER = status(200, completion())

TRANSIENT = {"server error": FAILING, "rate limit": BUSY, "hung up": hang_up}
LASTING = {
    "no credit": status(402),
    "quota": status(429, {"error": {"code": "insufficient_quota"}}),
    "rejected key": status(401),
    "unknown model": status(404, {"error": {"code": "model_not_found"}}),
    "nonsense": status(200, b"nonsense"),
}


@pytest.mark.parametrize("failure", TRANSIENT.values(), ids=TRANSIENT)
def test_what_may_be_over_is_tried_again_at_the_same_provider(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider, failure: Reply
) -> None:
    """With retries, a failure that may be over in a moment is met by asking the same provider again."""
    stage = stage_of(line_of(provider, fallback, chain={"retries": {"attempts": 1, **AT_ONCE}}))
    provider.then(failure, ANSWER)

    response = stage.chat()

    assert decisions_of(stage, response) == [("first", "primary"), ("first", "retry")]
    assert response.headers["x-gateway-attempts"] == "2"
    assert not fallback.received


def test_stream_that_breaks_before_content_is_tried_again(
    stage_of: Callable[..., Stage], provider: FakeProvider
) -> None:
    """With retries, a stream that has shown nothing yet is begun again at the same provider."""
    stage = stage_of(line_of(provider, chain={"retries": {"attempts": 1, **AT_ONCE}}))
    provider.then(stream(ROLE, after=hang_up), stream(*GOOD_STREAM))

    assert stage.stream()[-1] == "[DONE]"
    assert len(provider.received) == 2


@pytest.mark.parametrize("failure", LASTING.values(), ids=LASTING)
def test_what_lasts_is_not_tried_again(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider, failure: Reply
) -> None:
    """A failure that will be the same in a moment goes to the next provider without a retry."""
    stage = stage_of(line_of(provider, fallback, chain={"retries": {"attempts": 3, **AT_ONCE}}))
    provider.then(failure)
    fallback.then(ANSWER)

    assert decisions_of(stage, stage.chat()) == [("first", "primary"), ("second", "fallback")]


def test_wait_that_was_exceeded_is_not_repeated_while_another_is_well(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """Who has kept the caller waiting is not asked twice while there is somebody else."""
    chain = {"retries": {"attempts": 1, **AT_ONCE}}
    stage = stage_of(line_of(provider, fallback, chain=chain, timeouts=QUICK))
    provider.then(stall)
    fallback.then(ANSWER)

    assert decisions_of(stage, stage.chat()) == [("first", "primary"), ("second", "fallback")]


def test_wait_that_was_exceeded_is_repeated_where_nobody_else_is(
    stage_of: Callable[..., Stage], provider: FakeProvider
) -> None:
    """The only provider is asked again even after it has kept the caller waiting."""
    stage = stage_of(line_of(provider, chain={"retries": {"attempts": 1, **AT_ONCE}}, timeouts=QUICK))
    provider.then(stall, ANSWER)

    assert decisions_of(stage, stage.chat()) == [("first", "primary"), ("first", "retry")]


@pytest.mark.parametrize("form", ["plain", "stream"])
def test_calls_are_no_more_than_configured(
    stage_of: Callable[..., Stage], new_provider: Callable[[], FakeProvider], form: str
) -> None:
    """Each provider is asked once and as often again as configured, and nobody starts from the beginning."""
    line = [new_provider() for _ in range(3)]
    stage = stage_of(line_of(*line, chain={"retries": {"attempts": 2, **AT_ONCE}}))

    response = stage.chat(stream=form == "stream")

    assert (response.status_code, response.headers["x-should-retry"]) == (503, "false")
    assert [len(provider.received) for provider in line] == [3, 3, 3]


def test_agreed_wait_is_kept(stage_of: Callable[..., Stage], provider: FakeProvider) -> None:
    """A provider that names the moment is not asked before."""
    stage = stage_of(line_of(provider, chain={"retries": {"attempts": 1, **AT_ONCE}}))
    provider.then(status(429, headers={"retry-after-ms": "80"}), ANSWER)

    first, again = attempts_of(stage, stage.chat())

    assert first["retry_after_s"] == 0.08
    assert 80 <= again["began_ms"] - first["ended_ms"] < 1000


def test_wait_that_is_too_long_is_not_kept(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """Who asks for a longer wait than is configured is left for the next, at once."""
    retries = {"attempts": 1, "max_wait_s": 1}
    stage = stage_of(line_of(provider, fallback, chain={"retries": retries}))
    provider.then(status(429, headers={"retry-after": "2"}))
    fallback.then(ANSWER)

    first, other = attempts_of(stage, stage.chat())

    assert (other["provider"], other["decision"]) == ("at_second", "fallback")
    assert other["began_ms"] - first["ended_ms"] < 1500


def test_wait_told_inside_an_answer_is_kept(stage_of: Callable[..., Stage], provider: FakeProvider) -> None:
    """A rate limit that comes inside of an answer with status 200 keeps the gateway away as one with its own status."""
    limit = {"error": {"code": 429, "message": "slow down", "metadata": {"retry_after_seconds": 3}}}
    stage = stage_of(line_of(provider))
    provider.then(status(200, limit))

    response = stage.chat()

    assert (response.status_code, response.headers["retry-after"]) == (429, "3")
    assert attempts_of(stage, response)[0]["retry_after_s"] == 3


def test_pauses_grow(stage_of: Callable[..., Stage], provider: FakeProvider) -> None:
    """Where a provider names no moment, every pause is twice as long as the one before, up to the longest."""
    retries = {"attempts": 3, "backoff_s": 0.02, "max_backoff_s": 0.04, "jitter": 0}
    stage = stage_of(line_of(provider, chain={"retries": retries}))

    attempts = attempts_of(stage, stage.chat("first"))
    pauses = [later["began_ms"] - sooner["ended_ms"] for sooner, later in itertools.pairwise(attempts)]

    assert [pause >= least for pause, least in zip(pauses, (20, 40, 40), strict=True)] == [True] * 3


def test_retry_finds_the_provider_left_alone(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A retry counts as the trial of a provider that has come to be left alone, and brings it back."""
    chain = {"retries": {"attempts": 1, **AT_ONCE}}
    stage = stage_of(line_of(provider, fallback, chain=chain, resilience={"breaker": {"failures": 1}}))
    provider.then(FAILING, ANSWER, ANSWER)

    first, second = stage.chat(), stage.chat()

    assert decisions_of(stage, first) == [("first", "primary"), ("first", "retry")]
    assert decisions_of(stage, second) == [("first", "primary")]


# By hand: what happens during a wait.

BUSY_FOR_1_S = ProviderFailure(reason=ReasonCode.RATE_LIMITED, detail="", wait_s=1)
PERSISTENT = Chain(retries=Retries(attempts=2, jitter=0))


class Waiting:
    """A clock that goes on by sleeping, and tells others of every sleep."""

    def __init__(self, meanwhile: Callable[[float], object] = lambda _now_s: None) -> None:
        self.now_s = 1000.0
        self.meanwhile = meanwhile
        self.slept_s: list[float] = []

    def monotonic_s(self) -> float:
        return self.now_s

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.meanwhile(self.now_s)
        self.now_s += seconds


def failing_once(failure: ProviderFailure) -> Step:
    failures = iter([failure])

    async def step() -> Any:
        for each in failures:
            raise ProviderError(each)
        return await give()

    return step


def test_wait_is_as_long_as_the_longest_that_was_asked_for() -> None:
    """Where the provider tells others meanwhile to stay away for longer, that is waited for too."""
    waiting = Waiting()
    scripts = {"a": failing_once(BUSY_FOR_1_S)}
    scene = Scene(PERSISTENT, scripts, clock=waiting, sleep=waiting.sleep)
    longer = iter([replace(BUSY_FOR_1_S, wait_s=3)])

    def prolong(now_s: float) -> None:
        for each in longer:
            scene.note("a", each, now_s)

    waiting.meanwhile = prolong

    scene.answer()

    assert scene.told == [("a", "primary", "failed"), ("a", "retry", "answered")]
    assert sum(waiting.slept_s) >= 3


def test_wait_that_becomes_too_long_is_given_up() -> None:
    """Where others have been told to stay away for too long, the next one is asked."""
    waiting = Waiting()
    scripts = {"a": failing_once(BUSY_FOR_1_S), "b": give}
    scene = Scene(PERSISTENT, scripts, clock=waiting, sleep=waiting.sleep)
    waiting.meanwhile = lambda now_s: scene.note("a", replace(BUSY_FOR_1_S, wait_s=300), now_s)

    scene.answer()

    assert scene.told == [("a", "primary", "failed"), ("b", "fallback", "answered")]
    assert sum(waiting.slept_s) < 2


@pytest.mark.parametrize(
    ("scripts", "told"),
    [
        ({"b": give}, ("b", "fallback", "answered")),
        ({}, ("a", "retry", "answered")),
    ],
    ids=["others are well", "nobody else"],
)
def test_retry_does_not_crowd_a_target_that_another_request_tries(
    scripts: dict[str, Step], told: tuple[str, str, str]
) -> None:
    """While another request finds out whether a target is well, a retry goes to the next one if there is one."""
    waiting = Waiting()
    scene = Scene(PERSISTENT, {"a": failing_once(REFUSED), **scripts}, clock=waiting, sleep=waiting.sleep)
    waiting.meanwhile = lambda _now_s: scene.health.begin_trial(scene.candidates[0])

    scene.answer()

    assert scene.told == [("a", "primary", "failed"), told]


def test_caller_who_leaves_ends_the_wait() -> None:
    """A caller who leaves during the wait is not called for any more."""
    asleep = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        asleep.set()
        await forever()

    async def story(scene: Scene) -> None:
        answering = asyncio.create_task(scene.failover.answer(scene.order, scene.candidates))
        await asleep.wait()
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)

    scene = Scene(PERSISTENT, {"a": failing_once(BUSY_FOR_1_S)}, sleep=sleep)
    scene.play(story(scene))

    assert scene.told == [("a", "primary", "failed")]
