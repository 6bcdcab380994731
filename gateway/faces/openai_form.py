"""What OpenAI's formats have in common: the error object and the headers of limits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.faces.protocol import Problem
from gateway.kernel.limits import Limits

_OF_REQUESTS = (
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
)
_OF_TOKENS = ("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens")


class OpenAIForm:
    """Errors and limits as every API of OpenAI writes them."""

    request_id_header = "x-request-id"

    def error_body(self, problem: Problem) -> dict[str, Any]:
        """Writes OpenAI's error object; its `code` is our reason code."""
        return {
            "error": {
                "message": problem.message,
                "type": problem.kind,
                "param": problem.param,
                "code": problem.code,
                "request_id": problem.request_id,
            }
        }

    def limit_headers(self, limits: Limits, now: datetime) -> Mapping[str, str]:
        """Writes `x-ratelimit-*`; there is one limit of tokens, so those of input and output alone have no place."""
        del now
        headers: dict[str, str] = {}
        for names, window in ((_OF_REQUESTS, limits.requests), (_OF_TOKENS, limits.tokens)):
            if window is None:
                continue
            limit, remaining, reset = names
            if window.limit is not None:
                headers[limit] = str(window.limit)
            if window.remaining is not None:
                headers[remaining] = str(window.remaining)
            if window.reset_s is not None:
                headers[reset] = duration(window.reset_s)
        return headers


def duration(seconds: float) -> str:
    """Writes a duration as OpenAI does, which is Go's way: `120ms`, `1.5s`, `6m0s`, `23h59m1s`."""
    milliseconds = max(0, round(seconds * 1000))
    if milliseconds < 1000:  # noqa: PLR2004  a second
        return f"{milliseconds}ms" if milliseconds else "0s"
    minutes, rest_ms = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest_ms / 1000:g}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
