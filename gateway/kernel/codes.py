from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Literal

Severity = Literal["info", "warning", "critical"]


class ReasonCode(StrEnum):
    """The stable name of everything that can go wrong, as callers and operators see it.

    Clients must know every code, so the table also holds those of features that are switched off.
    """

    CONNECTION_FAILED = "connection_failed"
    PROVIDER_OFFLINE = "PROVIDER_OFFLINE"
    PROVIDER_DEGRADED = "PROVIDER_DEGRADED"
    TIMEOUT = "TIMEOUT"
    STREAM_INTERRUPTED = "STREAM_INTERRUPTED"
    INVALID_RESPONSE = "INVALID_RESPONSE"
    HTTP_ERROR = "HTTP_ERROR"
    RATE_LIMITED = "RATE_LIMITED"
    QUOTA_EXHAUSTED = "QUOTA_EXHAUSTED"
    AUTH_ERROR = "AUTH_ERROR"
    MISSING_API_KEY = "missing_api_key"
    NO_ENDPOINT = "NO_ENDPOINT"
    SSRF_BLOCKED = "SSRF_BLOCKED"
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    ALL_PROVIDERS_FAILED = "ALL_PROVIDERS_FAILED"
    CONTEXT_LENGTH_EXCEEDED = "CONTEXT_LENGTH_EXCEEDED"
    CONTENT_FILTERED = "CONTENT_FILTERED"
    UNSUPPORTED_PARAMETER = "UNSUPPORTED_PARAMETER"
    UNSUPPORTED_OPERATION = "UNSUPPORTED_OPERATION"
    INVALID_REQUEST = "INVALID_REQUEST"
    MODEL_NOT_FOUND = "MODEL_NOT_FOUND"
    UNSUPPORTED_PROVIDER = "UNSUPPORTED_PROVIDER"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
    CREDITS_EXHAUSTED = "CREDITS_EXHAUSTED"
    AUTHENTICATION_REQUIRED = "AUTHENTICATION_REQUIRED"
    INVALID_API_KEY = "INVALID_API_KEY"
    ADMIN_KEY_REQUIRED = "ADMIN_KEY_REQUIRED"
    INVALID_ADMIN_KEY = "INVALID_ADMIN_KEY"
    CONTROL_PLANE_NOT_CONFIGURED = "CONTROL_PLANE_NOT_CONFIGURED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    DRAINING = "DRAINING"
    INTERNAL_ERROR = "INTERNAL_ERROR"


@dataclass(frozen=True, slots=True)
class Reason:
    """What a reason code means on the wire, to the caller and to the operator.

    `retryable` says that the same request may succeed a little later without anybody's doing. `moves_on` says
    whether another provider may answer instead. `detail_is_public` says that the particulars of the case are the
    caller's business, because only the caller can mend it.
    """

    status: int
    user_text: str
    admin_text: str
    recovery_hint: str
    _: KW_ONLY
    severity: Severity
    openai_type: str = "api_error"
    runbook: str | None = None
    retryable: bool = False
    moves_on: bool = False
    detail_is_public: bool = False
