"""What the statuses and error codes of providers mean; shared by the dialects."""

from collections.abc import Mapping
from typing import Any

import orjson

from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure, RequestError
from gateway.kernel.masking import scrub

_LONGEST_DETAIL = 500

_BY_STATUS = {
    400: ReasonCode.INVALID_REQUEST,
    401: ReasonCode.AUTH_ERROR,
    402: ReasonCode.QUOTA_EXHAUSTED,
    403: ReasonCode.AUTH_ERROR,
    404: ReasonCode.MODEL_UNAVAILABLE,
    408: ReasonCode.TIMEOUT,
    413: ReasonCode.CONTEXT_LENGTH_EXCEEDED,
    422: ReasonCode.INVALID_REQUEST,
    424: ReasonCode.PROVIDER_DEGRADED,
    429: ReasonCode.RATE_LIMITED,
    498: ReasonCode.PROVIDER_DEGRADED,
}

# The values of `code` and `type` in OpenAI's error object and in those of the vendors that follow it.
_BY_CODE = {
    "context_length_exceeded": ReasonCode.CONTEXT_LENGTH_EXCEEDED,
    "content_filter": ReasonCode.CONTENT_FILTERED,
    "content_policy_violation": ReasonCode.CONTENT_FILTERED,
    "insufficient_quota": ReasonCode.QUOTA_EXHAUSTED,
    "credit_balance_exhausted": ReasonCode.QUOTA_EXHAUSTED,
    "organization_spend_limit_exceeded": ReasonCode.QUOTA_EXHAUSTED,
    "project_spend_limit_exceeded": ReasonCode.QUOTA_EXHAUSTED,
    "organization_usage_limit_exceeded": ReasonCode.QUOTA_EXHAUSTED,
    "billing_hard_limit_reached": ReasonCode.QUOTA_EXHAUSTED,
    "invalid_api_key": ReasonCode.AUTH_ERROR,
    "authentication_error": ReasonCode.AUTH_ERROR,
    "model_not_found": ReasonCode.MODEL_UNAVAILABLE,
    "rate_limit_exceeded": ReasonCode.RATE_LIMITED,
    "server_is_overloaded": ReasonCode.PROVIDER_DEGRADED,
}

# Providers without codes say it in words only.
_TOO_LONG = ("maximum context length", "context length exceeded", "exceeds the context", "context window")


def reason_for(status: int | None, codes: tuple[Any, ...] = (), message: str = "") -> ReasonCode:
    """Tells what a provider's error means; its code says more than its status, and its words come last."""
    for code in codes:
        if isinstance(code, str) and code in _BY_CODE:
            return _BY_CODE[code]
    by_status = _by_status(status)
    if by_status in {ReasonCode.INVALID_REQUEST, ReasonCode.PROVIDER_DEGRADED}:
        return ReasonCode.CONTEXT_LENGTH_EXCEEDED if _is_too_long(message) else by_status
    return by_status


def _by_status(status: int | None) -> ReasonCode:
    if status is None or status >= 500:  # noqa: PLR2004  RFC 9110: all of them are the server's errors
        return ReasonCode.PROVIDER_DEGRADED
    return _BY_STATUS.get(status, ReasonCode.HTTP_ERROR)


def _is_too_long(message: str) -> bool:
    return any(phrase in message.lower() for phrase in _TOO_LONG)


def load_object(text: bytes) -> dict[str, Any] | None:
    """Reads a JSON object; anything else is None."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def dump(body: Mapping[str, Any]) -> bytes:
    """Writes a request; raises RequestError for one that is nested too deeply to be written."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        raise RequestError(ReasonCode.INVALID_REQUEST, "The body is nested too deeply.") from None


def detail_of(message: Any) -> str:
    """Makes a provider's own words fit to be kept: text, without secrets, of bounded length."""
    return scrub(str(message)[:_LONGEST_DETAIL])


def unreadable(detail: str) -> ProviderError:
    return ProviderError(ProviderFailure(reason=ReasonCode.INVALID_RESPONSE, detail=detail))
