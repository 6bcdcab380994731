from random import Random

from gateway.config.resilience import Retries
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderFailure

# What may be over in a moment. An account that is spent, a key that is rejected and a request that is at fault stay so.
_TRANSIENT = frozenset(
    {
        ReasonCode.RATE_LIMITED,
        ReasonCode.PROVIDER_DEGRADED,
        ReasonCode.CONNECTION_FAILED,
        ReasonCode.STREAM_INTERRUPTED,
        ReasonCode.TIMEOUT,
    }
)

# Nobody is asked earlier than agreed, and callers that were sent away together do not come back together.
_MOST_LATE_S = 0.2
_MOST_LATE_SHARE = 0.1


def next_wait_s(
    failure: ProviderFailure,
    wait_stated_s: float | None,
    retries_done: int,
    retries: Retries,
    rng: Random,
    *,
    others_left: bool,
) -> float | None:
    """Says after how many seconds the same target is asked again; None where it is not.

    What the provider has stated is waited for, and at most 0.2 s or a tenth longer; beyond `max_wait_s` the target is
    given up. Whoever has kept a caller waiting is not asked twice while there are others.
    """
    patient = failure.reason is not ReasonCode.TIMEOUT or not others_left
    if retries_done >= retries.attempts or failure.reason not in _TRANSIENT or not patient:
        return None
    if wait_stated_s is None:
        return _backoff_s(retries_done, retries, rng)
    if wait_stated_s > retries.max_wait_s:
        return None
    return wait_stated_s + min(_MOST_LATE_S, _MOST_LATE_SHARE * wait_stated_s) * rng.random()


def _backoff_s(retries_done: int, retries: Retries, rng: Random) -> float:
    whole_s = min(retries.backoff_s * 2.0**retries_done, retries.max_backoff_s)
    return whole_s * (1 - retries.jitter * rng.random())
