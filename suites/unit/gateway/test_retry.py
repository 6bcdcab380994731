from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.config.resilience import Retries
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderFailure
from gateway.policy.retry import next_wait_s

TRANSIENT = [
    ReasonCode.RATE_LIMITED,
    ReasonCode.PROVIDER_DEGRADED,
    ReasonCode.CONNECTION_FAILED,
    ReasonCode.STREAM_INTERRUPTED,
    ReasonCode.TIMEOUT,
]
TWICE = Retries(attempts=2)
PATIENT = Retries(attempts=10)


def wait_s(
    reason: ReasonCode = ReasonCode.PROVIDER_DEGRADED,
    *,
    stated_s: float | None = None,
    done: int = 0,
    retries: Retries = TWICE,
    seed: int = 0,
    others_left: bool = False,
) -> float | None:
    failure = ProviderFailure(reason=reason, detail="")
    rng = Random(seed)  # noqa: S311  chance, not a secret
    return next_wait_s(failure, stated_s, done, retries, rng, others_left=others_left)


def test_nothing_is_retried_by_default() -> None:
    """Unless it is configured, the next target is asked at once."""
    assert wait_s(retries=Retries()) is None


def test_no_more_retries_than_configured() -> None:
    """Attempts never exceed what an operator has said."""
    assert [wait_s(done=done) is not None for done in range(4)] == [True, True, False, False]


@pytest.mark.parametrize("reason", ReasonCode)
def test_only_transient_failures_are_retried(reason: ReasonCode) -> None:
    """A spent account, a rejected key and a request at fault stay so, however often they are tried."""
    assert (wait_s(reason) is not None) == (reason in TRANSIENT)


def test_silent_target_is_not_asked_twice_while_others_are_left() -> None:
    """Nobody waits through the same silence again where somebody else may answer."""
    assert wait_s(ReasonCode.TIMEOUT, others_left=True) is None
    assert wait_s(ReasonCode.PROVIDER_DEGRADED, others_left=True) is not None


def test_pause_doubles_up_to_its_bound() -> None:
    """Each pause is twice the one before, until they are long enough."""
    retries = Retries(attempts=10, backoff_s=0.5, max_backoff_s=3, jitter=0)

    assert [wait_s(done=done, retries=retries) for done in range(5)] == [0.5, 1, 2, 3, 3]


@given(done=some.integers(0, 9), seed=some.integers(), jitter=some.floats(0, 1))
def test_pause_is_shortened_at_random(done: int, seed: int, jitter: float) -> None:
    """Jitter takes away up to its share, and adds nothing."""
    whole_s = min(0.5 * 2**done, 8)

    paused_s = wait_s(done=done, seed=seed, retries=Retries(attempts=10, jitter=jitter))

    assert paused_s is not None
    assert whole_s * (1 - jitter) <= paused_s <= whole_s


def test_pauses_differ() -> None:
    """Requests that failed together do not come back together."""
    assert len({wait_s(seed=seed) for seed in range(10)}) == 10
    assert len({wait_s(stated_s=2, seed=seed) for seed in range(10)}) == 10


@given(stated_s=some.floats(0, 60), seed=some.integers(), done=some.integers(0, 9))
def test_stated_wait_is_honoured(stated_s: float, seed: int, done: int) -> None:
    """The provider is asked no earlier than it wishes, and hardly later."""
    waited_s = wait_s(ReasonCode.RATE_LIMITED, stated_s=stated_s, done=done, seed=seed, retries=PATIENT)

    assert waited_s is not None
    assert stated_s <= waited_s <= stated_s + min(0.2, 0.1 * stated_s)


def test_wait_of_nothing_is_honoured() -> None:
    """Who states 0 seconds is asked again at once, without the usual pause."""
    assert wait_s(stated_s=0.0) == 0


def test_target_that_asks_for_too_much_is_given_up() -> None:
    """A caller is not kept waiting for a day; at the bound itself it is."""
    retries = Retries(attempts=1, max_wait_s=10)

    assert wait_s(stated_s=86_400, retries=retries) is None
    assert wait_s(stated_s=10.01, retries=retries) is None
    assert wait_s(stated_s=10, retries=retries) is not None


@given(done=some.integers(0, 9), seed=some.integers())
def test_wait_is_never_negative(done: int, seed: int) -> None:
    """With all of the pause left to chance, there is still a pause or none."""
    waited_s = wait_s(done=done, seed=seed, retries=Retries(attempts=10, jitter=1, max_backoff_s=0.001))

    assert waited_s is not None
    assert 0 <= waited_s <= 0.001
