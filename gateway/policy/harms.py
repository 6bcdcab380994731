"""What each failure says about the health of the target that caused it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from gateway.kernel.codes import ReasonCode

Harm = Literal["opens", "counts", "none"]
"""`opens`: the target is left alone at once. `counts`: it is after several. `none`: this says nothing against it."""

HARMS: Mapping[ReasonCode, Harm] = MappingProxyType(
    {
        # Each of these would cost every caller that follows the same wait, or is certain to recur.
        ReasonCode.TIMEOUT: "opens",
        ReasonCode.CONNECTION_FAILED: "opens",
        ReasonCode.AUTH_ERROR: "opens",
        ReasonCode.PROVIDER_DEGRADED: "counts",
        ReasonCode.STREAM_INTERRUPTED: "counts",
        ReasonCode.INVALID_RESPONSE: "counts",
        ReasonCode.HTTP_ERROR: "counts",
        ReasonCode.MODEL_UNAVAILABLE: "counts",
        # Who says that it is busy or unpaid is well.
        ReasonCode.RATE_LIMITED: "none",
        ReasonCode.QUOTA_EXHAUSTED: "none",
        # Nobody was called.
        ReasonCode.PROVIDER_OFFLINE: "none",
        ReasonCode.MISSING_API_KEY: "none",
        ReasonCode.NO_ENDPOINT: "none",
        ReasonCode.ALL_PROVIDERS_FAILED: "none",
    }
)
"""One row for every failure of a provider; what is the request's fault has none."""


def harm_of(reason: ReasonCode) -> Harm:
    return HARMS.get(reason, "none")
