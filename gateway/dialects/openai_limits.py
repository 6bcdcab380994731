"""The limits that OpenAI and the vendors that follow it tell in headers."""

import re
from collections.abc import Mapping
from datetime import datetime

from gateway.kernel.limits import Limits, Window
from gateway.kernel.quirks import Quirks


class _Names:
    """The names of the headers of one limit; each pattern has a place for limit, remaining or reset."""

    def __init__(self, *patterns: str) -> None:
        self.limit = tuple(pattern.format("limit") for pattern in patterns)
        self.remaining = tuple(pattern.format("remaining") for pattern in patterns)
        self.reset = tuple(pattern.format("reset") for pattern in patterns)


# Together has them without a suffix, Fireworks tells prompt and generated tokens apart.
_REQUESTS = _Names("x-ratelimit-{}-requests", "x-ratelimit-{}")
_TOKENS = _Names("x-ratelimit-{}-tokens", "x-tokenlimit-{}")
_INPUT_TOKENS = _Names("x-ratelimit-{}-tokens-prompt")
_OUTPUT_TOKENS = _Names("x-ratelimit-{}-tokens-generated")

# An answer without any of these tells nothing, as most do: to look for them all takes 15 us of each request.
_TELLING = frozenset(
    name
    for names in (_REQUESTS, _TOKENS, _INPUT_TOKENS, _OUTPUT_TOKENS)
    for name in names.limit + names.remaining
)

_LONGEST_RESET_S = 31 * 86_400.0
_LARGEST = 10**15

_NUMBER = r"\d{1,18}(?:\.\d{1,18})?"
_PLAIN = re.compile(_NUMBER)
_DURATION = re.compile(
    rf"(?=\d)(?:({_NUMBER})d)?(?:({_NUMBER})h)?(?:({_NUMBER})m(?!s))?(?:({_NUMBER})s)?(?:({_NUMBER})ms)?"
)
_SECONDS_PER_UNIT = (86_400, 3_600, 60, 1, 0.001)

# Numbers beyond these are no waits but moments, in seconds or in milliseconds since 1970.
_MOMENT_S = 1e9
_MOMENT_MS = 1e12


def limits_in(headers: Mapping[str, str], now: datetime, quirks: Quirks) -> Limits | None:
    """Reads the limits; what is absent, negative, absurd or no number is passed over.

    A vendor that does not say when a window is whole again needs its whole period at most, and that is taken.
    """
    if _TELLING.isdisjoint(headers):
        return None
    requests = _window(headers, _REQUESTS, now, quirks.request_limit_s)
    tokens = _window(headers, _TOKENS, now, quirks.token_limit_s)
    input_tokens = _window(headers, _INPUT_TOKENS, now, quirks.token_limit_s)
    output_tokens = _window(headers, _OUTPUT_TOKENS, now, quirks.token_limit_s)
    if not (requests or tokens or input_tokens or output_tokens):
        return None
    return Limits(requests=requests, tokens=tokens, input_tokens=input_tokens, output_tokens=output_tokens)


def _window(headers: Mapping[str, str], names: _Names, now: datetime, period_s: int) -> Window | None:
    limit = _count(_header(headers, names.limit))
    remaining = _count(_header(headers, names.remaining))
    if limit is None and remaining is None:
        return None
    reset_s = _reset_s(_header(headers, names.reset), now)
    return Window(limit, remaining, float(period_s) if reset_s is None else reset_s)


def _header(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    for name in names:
        if text := headers.get(name):
            return text.strip()
    return ""


def _count(text: str) -> int | None:
    if not text or not _PLAIN.fullmatch(text):
        return None
    count = int(float(text))
    return count if count <= _LARGEST else None


def _reset_s(text: str, now: datetime) -> float | None:
    """Reads "1s", "6m0s", "1h2m3.5s", "20ms", plain seconds, or a moment since 1970."""
    if _PLAIN.fullmatch(text):
        seconds = _until(float(text), now)
    elif parts := _DURATION.fullmatch(text):
        amounts = zip(parts.groups(), _SECONDS_PER_UNIT, strict=True)
        seconds = sum([float(amount) * unit for amount, unit in amounts if amount])
    else:
        return None
    return round(seconds, 3) if seconds <= _LONGEST_RESET_S else None


def _until(number: float, now: datetime) -> float:
    if number < _MOMENT_S:
        return number
    moment_s = number / 1000 if number >= _MOMENT_MS else number
    return max(0.0, moment_s - now.timestamp())
