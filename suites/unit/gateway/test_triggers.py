import pytest

from gateway.config.resilience import Triggers
from gateway.kernel.caller_reasons import CALLER_REASONS
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderFailure
from gateway.kernel.provider_reasons import PROVIDER_REASONS
from gateway.kernel.reasons import REASONS
from gateway.policy.triggers import TRIGGERS, Trigger, moves_on, trigger_of


def failed(reason: ReasonCode) -> ProviderFailure:
    return ProviderFailure(reason=reason, detail="")


def test_every_failure_of_one_provider_has_its_trigger() -> None:
    """An operator can switch off each of them; that all have failed leaves nobody to move on to."""
    assert set(TRIGGERS) == set(PROVIDER_REASONS) - {ReasonCode.ALL_PROVIDERS_FAILED}
    assert set(TRIGGERS.values()) == set(Triggers.model_fields)


@pytest.mark.parametrize("reason", PROVIDER_REASONS)
def test_all_triggers_are_on_by_default(reason: ReasonCode) -> None:
    """Without configuration the table of reasons holds for everything."""
    assert moves_on(failed(reason), Triggers()) == REASONS[reason].moves_on


@pytest.mark.parametrize(
    ("reason", "trigger"),
    [
        (ReasonCode.TIMEOUT, "timeout"),
        (ReasonCode.AUTH_ERROR, "auth"),
        (ReasonCode.QUOTA_EXHAUSTED, "budget"),
        (ReasonCode.PROVIDER_DEGRADED, "degraded"),
        (ReasonCode.CONNECTION_FAILED, "offline"),
        (ReasonCode.RATE_LIMITED, "rate"),
    ],
)
def test_trigger_that_is_off_stops(reason: ReasonCode, trigger: Trigger) -> None:
    """A failure whose trigger is off is the caller's answer; the other triggers do not matter to it."""
    assert trigger_of(reason) == trigger
    assert not moves_on(failed(reason), Triggers().model_copy(update={trigger: False}))
    others = {name: name == trigger for name in Triggers.model_fields}
    assert moves_on(failed(reason), Triggers(**others))


@pytest.mark.parametrize("reason", CALLER_REASONS)
def test_callers_faults_have_no_trigger(reason: ReasonCode) -> None:
    """Whether a request at fault may be put to another provider is not for an operator to switch."""
    off = Triggers(**dict.fromkeys(Triggers.model_fields, False))

    assert trigger_of(reason) is None
    assert moves_on(failed(reason), off) == REASONS[reason].moves_on
