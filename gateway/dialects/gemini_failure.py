"""What Gemini's errors mean (google.rpc.Status with its details; Gemini API, troubleshooting)."""

import re
from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

import orjson

from gateway.dialects.classification import detail_of, failure_of_page, reason_for
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderFailure
from gateway.schema.exchange import UpstreamAnswer

_DETAIL = "type.googleapis.com/google.rpc."

_BY_STATUS = {
    "CANCELLED": ReasonCode.PROVIDER_DEGRADED,
    "DEADLINE_EXCEEDED": ReasonCode.TIMEOUT,
    # The account may not use the interface from where it is, or not without billing: nothing that a caller can mend.
    "FAILED_PRECONDITION": ReasonCode.AUTH_ERROR,
    "PERMISSION_DENIED": ReasonCode.AUTH_ERROR,
    "UNAUTHENTICATED": ReasonCode.AUTH_ERROR,
}

# A duration in the JSON form of protocol buffers, up to thirty years.
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s")

_SPENT = ("prepayment credits", "spending cap", "spend cap", "limit: 0,")
_TOO_LONG = (
    "input token count",
    "maximum number of tokens",
    "input context is too long",
    "payload size exceeds",
)


def failure_of(answer: UpstreamAnswer) -> ProviderFailure:
    """Says why an answer of another status than 200 is a failure; a stream that never began is an array of one."""
    if page := failure_of_page(answer):
        return page
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        body = None
    if isinstance(body, list) and body:
        body = body[0]
    error = body.get("error") if isinstance(body, Mapping) else None
    return failure_in(error, answer.status, answer.retry_after)


def failure_in(error: Any, status: int | None, retry_after: str | None = None) -> ProviderFailure:
    """Reads Gemini's error object; one that comes inside a 200 names its status itself."""
    stated = error if isinstance(error, Mapping) else {"message": error}
    code = stated.get("code")
    if status is None and isinstance(code, int):
        status = code
    message = str(stated.get("message") or "")
    reason = _reason(stated, status, message)
    wait_s = _retry_delay_s(stated)
    if wait_s is not None:
        retry_after = str(ceil(wait_s))
    recovers = reason is not ReasonCode.QUOTA_EXHAUSTED
    return ProviderFailure(
        reason=reason,
        detail=detail_of(message or f"The provider answered with status {status}."),
        status=status,
        retry_after=retry_after if recovers else None,
        wait_s=wait_s if recovers else None,
    )


def block_in(body: Mapping[str, Any]) -> ProviderFailure | None:
    """Returns the refusal of a prompt, which comes with status 200; None where there is none."""
    feedback = body.get("promptFeedback")
    reason = feedback.get("blockReason") if isinstance(feedback, Mapping) else None
    if not reason:
        return None
    detail = f"The prompt was blocked ({reason})."
    return ProviderFailure(reason=ReasonCode.CONTENT_FILTERED, detail=detail_of(detail))


def _reason(error: Mapping[str, Any], status: int | None, message: str) -> ReasonCode:
    if any(str(info.get("reason", "")).startswith("API_KEY_") for info in _details(error, "ErrorInfo")):
        return ReasonCode.AUTH_ERROR
    words = message.lower()
    reason = _BY_STATUS.get(str(error.get("status"))) or reason_for(status, message=message)
    if reason is ReasonCode.RATE_LIMITED and (_is_spent(error) or any(phrase in words for phrase in _SPENT)):
        return ReasonCode.QUOTA_EXHAUSTED
    may_be_too_long = reason in {ReasonCode.INVALID_REQUEST, ReasonCode.PROVIDER_DEGRADED}
    if may_be_too_long and any(phrase in words for phrase in _TOO_LONG):
        return ReasonCode.CONTEXT_LENGTH_EXCEEDED
    return reason


def _is_spent(error: Mapping[str, Any]) -> bool:
    """Tells a quota that waiting does not restore: one of a day, or one that grants nothing."""
    failures = _details(error, "QuotaFailure")
    violations = [violation for failure in failures for violation in _objects(failure.get("violations"))]
    return any(
        "PerDay" in str(violation.get("quotaId")) or str(violation.get("quotaValue")) == "0"
        for violation in violations
    )


def _retry_delay_s(error: Mapping[str, Any]) -> float | None:
    for info in _details(error, "RetryInfo"):
        if stated := _DURATION.fullmatch(str(info.get("retryDelay"))):
            return float(stated[1])
    return None


def _details(error: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    return (detail for detail in _objects(error.get("details")) if detail.get("@type") == _DETAIL + kind)


def _objects(listed: Any) -> Iterator[Mapping[str, Any]]:
    return (each for each in (listed if isinstance(listed, list) else ()) if isinstance(each, Mapping))
