"""The headers by which a provider says how long it wants to be left alone (RFC 9110, section 10.2.3, and its kin)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Who states the same wait in whole seconds too has rounded it, up or down.
_ROUNDING_S = 1.0
_NUMBER = re.compile(r"[0-9]{1,300}(\.[0-9]{1,18})?")
_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")


def seconds_in(headers: Mapping[str, str]) -> float | None:
    """Returns the wait that is stated as a number, by seconds, by milliseconds, or by both; names are in lower case."""
    in_ms = next(
        (ms for ms in (number_in(headers.get(name, "")) for name in _MILLISECONDS) if ms is not None), None
    )
    return agreed(None if in_ms is None else in_ms / 1000, number_in(headers.get("retry-after", "")))


def agreed(finer_s: float | None, coarser_s: float | None) -> float | None:
    """Makes one of two statements of the same wait.

    The finer is the true one where the other is but its rounding; where they contradict each other, the longer holds,
    as who comes too late is welcome.
    """
    if finer_s is None or coarser_s is None:
        return coarser_s if finer_s is None else finer_s
    return finer_s if abs(finer_s - coarser_s) <= _ROUNDING_S else max(finer_s, coarser_s)


def number_in(text: str) -> float | None:
    """Reads a number, with or without a fraction; a negative one is no wait."""
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def date_in(text: str) -> datetime | None:
    """Reads a moment as HTTP writes it, in any of its three forms; one without a zone is in UTC."""
    if not (text.isascii() and text.isprintable()):
        return None
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
