"""What the statuses and error codes of providers mean; shared by the dialects."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson

from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure, RequestError
from gateway.kernel.masking import scrub
from gateway.schema.exchange import UpstreamAnswer

_LONGEST_DETAIL = 500
_LONGEST_MESSAGE = 10_000

_BY_STATUS = {
    400: ReasonCode.INVALID_REQUEST,
    401: ReasonCode.AUTH_ERROR,
    402: ReasonCode.QUOTA_EXHAUSTED,
    403: ReasonCode.AUTH_ERROR,
    404: ReasonCode.MODEL_UNAVAILABLE,
    408: ReasonCode.TIMEOUT,
    409: ReasonCode.PROVIDER_DEGRADED,
    413: ReasonCode.CONTEXT_LENGTH_EXCEEDED,
    422: ReasonCode.INVALID_REQUEST,
    424: ReasonCode.PROVIDER_DEGRADED,
    429: ReasonCode.RATE_LIMITED,
    498: ReasonCode.PROVIDER_DEGRADED,
    504: ReasonCode.TIMEOUT,
}

# A page of HTML is a proxy's: of what a provider would mean by these statuses it knows nothing.
_PROVIDERS_OWN = frozenset({400, 402, 403, 404, 409, 413, 422, 424, 498})

# The values of `code` and `type` in OpenAI's error object and in those of the vendors that follow it.
_BY_CODE = {
    "context_length_exceeded": ReasonCode.CONTEXT_LENGTH_EXCEEDED,
    "exceed_context_size_error": ReasonCode.CONTEXT_LENGTH_EXCEEDED,
    "max_tokens_exceeded": ReasonCode.CONTEXT_LENGTH_EXCEEDED,
    "token_limit_exceeded": ReasonCode.CONTEXT_LENGTH_EXCEEDED,
    "content_filter": ReasonCode.CONTENT_FILTERED,
    "content_policy_violation": ReasonCode.CONTENT_FILTERED,
    "ResponsibleAIPolicyViolation": ReasonCode.CONTENT_FILTERED,
    "insufficient_quota": ReasonCode.QUOTA_EXHAUSTED,
    "credit_balance_exhausted": ReasonCode.QUOTA_EXHAUSTED,
    "organization_spend_limit_exceeded": ReasonCode.QUOTA_EXHAUSTED,
    "project_spend_limit_exceeded": ReasonCode.QUOTA_EXHAUSTED,
    "organization_usage_limit_exceeded": ReasonCode.QUOTA_EXHAUSTED,
    "billing_hard_limit_reached": ReasonCode.QUOTA_EXHAUSTED,
    "billing_not_active": ReasonCode.QUOTA_EXHAUSTED,
    "invalid_api_key": ReasonCode.AUTH_ERROR,
    "account_deactivated": ReasonCode.AUTH_ERROR,
    "authentication_error": ReasonCode.AUTH_ERROR,
    "model_not_found": ReasonCode.MODEL_UNAVAILABLE,
    "model_not_available": ReasonCode.MODEL_UNAVAILABLE,
    "model_not_supported": ReasonCode.MODEL_UNAVAILABLE,
    "model_decommissioned": ReasonCode.MODEL_UNAVAILABLE,
    "DeploymentNotFound": ReasonCode.MODEL_UNAVAILABLE,
    "rate_limit_exceeded": ReasonCode.RATE_LIMITED,
    "slow_down": ReasonCode.RATE_LIMITED,
    # OpenRouter's 402 while calls in flight hold the credit: it passes by itself.
    "openrouter_in_flight_budget": ReasonCode.RATE_LIMITED,
    "server_is_overloaded": ReasonCode.PROVIDER_DEGRADED,
    "capacity_exceeded": ReasonCode.PROVIDER_DEGRADED,
    # The model, not the caller, failed to write a proper call or proper JSON; Groq says 400.
    "tool_use_failed": ReasonCode.PROVIDER_DEGRADED,
    "json_validate_failed": ReasonCode.PROVIDER_DEGRADED,
    # What one provider does not know, the next may.
    "unknown_parameter": ReasonCode.UNSUPPORTED_PARAMETER,
    "unsupported_parameter": ReasonCode.UNSUPPORTED_PARAMETER,
    "unsupported_value": ReasonCode.UNSUPPORTED_PARAMETER,
    "OperationNotSupported": ReasonCode.UNSUPPORTED_OPERATION,
}

# What is said of errors in general; it counts only where there is no status, as inside a stream.
_BY_TYPE = {
    "invalid_request_error": ReasonCode.INVALID_REQUEST,
    "BadRequestError": ReasonCode.INVALID_REQUEST,
    "permission_error": ReasonCode.AUTH_ERROR,
    "rate_limit_error": ReasonCode.RATE_LIMITED,
    "requests": ReasonCode.RATE_LIMITED,
    "tokens": ReasonCode.RATE_LIMITED,
    "timeout": ReasonCode.TIMEOUT,
    "timeout_error": ReasonCode.TIMEOUT,
}

_TOO_LONG = (
    "maximum context length",
    "context length exceeded",
    "exceeds the context",
    "context window",
    "context size",
    "max_new_tokens` must be",
    "prompt is too long",
    "request too large",
)
_FILTERED = ("content management policy", "content exists risk", "flagged", "moderation")
_USED_UP = (
    "hourly usage limit",
    "session usage limit",
    "weekly usage limit",
    "monthly usage limit",
    "free-models-per-day",
    "insufficient balance",
    "insufficient credit",
    "included credits",
    "spend limit",
    "suspended",
)

# Providers without codes say it in words only, and some mean several things by one status.
_BY_WORDS = (
    (ReasonCode.INVALID_REQUEST, _TOO_LONG, ReasonCode.CONTEXT_LENGTH_EXCEEDED),
    (ReasonCode.PROVIDER_DEGRADED, _TOO_LONG, ReasonCode.CONTEXT_LENGTH_EXCEEDED),
    (ReasonCode.RATE_LIMITED, _TOO_LONG, ReasonCode.CONTEXT_LENGTH_EXCEEDED),
    (ReasonCode.AUTH_ERROR, ("context length", "token count"), ReasonCode.CONTEXT_LENGTH_EXCEEDED),
    (ReasonCode.INVALID_REQUEST, _FILTERED, ReasonCode.CONTENT_FILTERED),
    (ReasonCode.AUTH_ERROR, ("moderation", "input was flagged"), ReasonCode.CONTENT_FILTERED),
    (ReasonCode.RATE_LIMITED, _USED_UP, ReasonCode.QUOTA_EXHAUSTED),
    (ReasonCode.HTTP_ERROR, _USED_UP, ReasonCode.QUOTA_EXHAUSTED),
    (ReasonCode.INVALID_REQUEST, ("is not a valid model",), ReasonCode.MODEL_UNAVAILABLE),
    (
        ReasonCode.INVALID_REQUEST,
        ("does not support chat", "does not support embed", "does not support generate"),
        ReasonCode.UNSUPPORTED_OPERATION,
    ),
    (
        ReasonCode.INVALID_REQUEST,
        ("does not support tools", "does not support thinking", "does not support image"),
        ReasonCode.UNSUPPORTED_PARAMETER,
    ),
    (
        ReasonCode.MODEL_UNAVAILABLE,
        ("invalid url", "resource not found", "page not found"),
        ReasonCode.HTTP_ERROR,
    ),
)


def reason_for(status: int | None, codes: Iterable[Any] = (), message: str = "") -> ReasonCode:
    """Tells what a provider's error means.

    Its code says more than its status; its words count last, where both are general.
    """
    known = [code for code in codes if isinstance(code, str)]
    told = _first(_BY_CODE, known)
    if told is None and status is None:
        told = _first(_BY_TYPE, known)
    return _by_words(told or _by_status(status), message[:_LONGEST_MESSAGE].lower())


def reason_for_page(status: int) -> ReasonCode:
    """Tells what it means that a page of HTML came instead of an answer: a proxy has answered for the provider."""
    return ReasonCode.HTTP_ERROR if status in _PROVIDERS_OWN else _by_status(status)


def _first(table: Mapping[str, ReasonCode], codes: list[str]) -> ReasonCode | None:
    return next((table[code] for code in codes if code in table), None)


def _by_status(status: int | None) -> ReasonCode:
    if status is None:
        return ReasonCode.PROVIDER_DEGRADED
    # RFC 9110: all from 500 on are the server's errors, those without a name too.
    unknown = (
        ReasonCode.PROVIDER_DEGRADED if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ReasonCode.HTTP_ERROR
    )
    return _BY_STATUS.get(status, unknown)


def _by_words(reason: ReasonCode, words: str) -> ReasonCode:
    for general, phrases, precise in _BY_WORDS:
        if reason is general and any(phrase in words for phrase in phrases):
            return precise
    return reason


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


def object_in(answer: UpstreamAnswer) -> dict[str, Any]:
    """Reads the JSON object of an answer; raises ProviderError where it is none."""
    body = load_object(answer.body)
    if body is None:
        raise unreadable("The answer is no JSON object." if answer.body.strip() else "The answer is empty.")
    return body


def failure_of_page(answer: UpstreamAnswer) -> ProviderFailure | None:
    """Says what a page of HTML means that came instead of an error; None where something else came."""
    if not answer.body.lstrip().startswith(b"<"):
        return None
    return ProviderFailure(
        reason=reason_for_page(answer.status),
        detail=f"A page of HTML came with status {answer.status}, so a proxy has answered.",
        status=answer.status,
        retry_after=answer.retry_after,
    )


def detail_of(message: Any) -> str:
    """Makes a provider's own words fit to be kept: text, without secrets, of bounded length."""
    # A secret that is cut in two is no longer known for one, so the cut comes last.
    return scrub(str(message)[:_LONGEST_MESSAGE])[:_LONGEST_DETAIL]


def unreadable(detail: str) -> ProviderError:
    return ProviderError(ProviderFailure(reason=ReasonCode.INVALID_RESPONSE, detail=detail))
