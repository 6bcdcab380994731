from collections.abc import Mapping
from datetime import datetime

from gateway.kernel.limits import Limits
from gateway.schema.retry_after import agreed, date_in, number_in, seconds_in

# Who asks for more is taken to mean for ever, which would be too long for a mistake.
_LONGEST_WAIT_S = 31 * 86_400.0


def stated_wait_s(
    headers: Mapping[str, str], told: str | None, now: datetime, limits: Limits | None = None
) -> float | None:
    """Returns the seconds for which a provider wants to be left alone, to the fraction; None where it says nothing.

    It says so by headers, whose names are in lower case, or by what its dialect was `told` in the body; where it does
    neither, by a limit of which nothing remains. A moment that is past is 0; what is negative or cannot be read is
    passed over, so that the gateway's own pause takes its place.
    """
    by_date_s = _until(headers.get("retry-after", ""), now)
    stated_s = agreed(seconds_in(headers), by_date_s)
    if told is not None:
        told_s = number_in(told)
        stated_s = agreed(stated_s, _until(told, now) if told_s is None else told_s)
    if stated_s is None and limits:
        stated_s = _until_whole_s(limits)
    return None if stated_s is None else min(stated_s, _LONGEST_WAIT_S)


def _until(text: str, now: datetime) -> float | None:
    moment = date_in(text)
    return max(0.0, (moment - now).total_seconds()) if moment else None


def _until_whole_s(limits: Limits) -> float | None:
    windows = (limits.requests, limits.tokens, limits.input_tokens, limits.output_tokens)
    waits = [window.reset_s for window in windows if window and window.remaining == 0]
    return max((wait_s for wait_s in waits if wait_s is not None), default=None)
