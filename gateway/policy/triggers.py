"""Which failures let the next of a chain be asked."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from gateway.config.resilience import Triggers
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderFailure
from gateway.kernel.reasons import REASONS

Trigger = Literal["timeout", "auth", "budget", "degraded", "offline", "rate"]

TRIGGERS: Mapping[ReasonCode, Trigger] = MappingProxyType(
    {
        ReasonCode.TIMEOUT: "timeout",
        ReasonCode.AUTH_ERROR: "auth",
        ReasonCode.MISSING_API_KEY: "auth",
        ReasonCode.QUOTA_EXHAUSTED: "budget",
        ReasonCode.PROVIDER_DEGRADED: "degraded",
        ReasonCode.STREAM_INTERRUPTED: "degraded",
        ReasonCode.INVALID_RESPONSE: "degraded",
        ReasonCode.HTTP_ERROR: "degraded",
        ReasonCode.MODEL_UNAVAILABLE: "degraded",
        ReasonCode.CONNECTION_FAILED: "offline",
        ReasonCode.PROVIDER_OFFLINE: "offline",
        ReasonCode.NO_ENDPOINT: "offline",
        ReasonCode.RATE_LIMITED: "rate",
    }
)
"""Every failure of one provider, and the switch that an operator has for it."""


def trigger_of(reason: ReasonCode) -> Trigger | None:
    return TRIGGERS.get(reason)


def moves_on(failure: ProviderFailure, triggers: Triggers) -> bool:
    """Tells whether another provider may answer after this failure.

    An operator decides it for the failures of providers; where the request is at fault, the table of reasons does.
    """
    trigger = trigger_of(failure.reason)
    if trigger is None:
        return REASONS[failure.reason].moves_on
    switched_on: bool = getattr(triggers, trigger)
    return switched_on
