import pytest

from gateway.kernel.caller_reasons import CALLER_REASONS
from gateway.kernel.codes import ReasonCode
from gateway.kernel.provider_reasons import PROVIDER_REASONS
from gateway.policy.harms import HARMS, Harm, harm_of


def test_every_failure_of_a_provider_has_its_weight() -> None:
    """Nobody forgets to say what a new reason does to the health of a target."""
    assert set(HARMS) == set(PROVIDER_REASONS)


@pytest.mark.parametrize(
    ("reason", "harm"),
    [
        (ReasonCode.TIMEOUT, "opens"),
        (ReasonCode.CONNECTION_FAILED, "opens"),
        (ReasonCode.AUTH_ERROR, "opens"),
        (ReasonCode.PROVIDER_DEGRADED, "counts"),
        (ReasonCode.MODEL_UNAVAILABLE, "counts"),
        (ReasonCode.RATE_LIMITED, "none"),
        (ReasonCode.QUOTA_EXHAUSTED, "none"),
    ],
)
def test_failures_weigh_as_promised(reason: ReasonCode, harm: Harm) -> None:
    """What costs callers a wait weighs most; what a well provider says weighs nothing."""
    assert harm_of(reason) == harm


@pytest.mark.parametrize("reason", CALLER_REASONS)
def test_callers_fault_is_not_the_providers(reason: ReasonCode) -> None:
    """No request, however wrong, takes a provider away from others."""
    assert harm_of(reason) == "none"
