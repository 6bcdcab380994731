import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import NoneType
from typing import Any

REDACTED = "[REDACTED]"
_SHOWN = 4
_SHORTEST_SHOWN = 16

_SECRETS = re.compile(
    r"(?P<label>\b(?:bearer|basic)\s+|\b(?:[\w-]*api[_-]?key|password|passwd|secret|token)[\"']?\s*[=:]\s*[\"']?)"
    r"(?!\s*\[REDACTED\])[\w.~+/=*-]{6,}"
    r"|(?-i:\bsk-[\w-]{12,}|\b(?:gsk|hf|fw|r8)_\w{12,}|\bAIza[\w-]{20,}|\b(?:AKIA|ASIA)[A-Z0-9]{12,})"
    r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)",
    re.IGNORECASE,
)
# Whatever looks like a secret has a character besides these; most words of a log are made of nothing else.
_HARMLESS = re.compile(r"[a-z0-9/.]*")

_WORDS_KEPT = 1_000
_LONGEST_WORD = 200
_PLAIN = frozenset({bool, float, int, NoneType})


def mask(secret: str) -> str:
    """Shows enough of a secret to tell two apart: its first and last four characters, or none of a short one."""
    if len(secret) < _SHORTEST_SHOWN:
        return "***"
    return f"{secret[:_SHOWN]}...{secret[-_SHOWN:]}"


def scrub(text: str) -> str:
    """Replaces everything in a text that looks like a key, a password or the credentials of a URL."""
    return _SECRETS.sub(lambda found: f"{found['label'] or ''}{REDACTED}", text)


class Scrubber:
    """Removes known secrets, and what looks like one, from texts and log records."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None
        # A log says most of its words again and again: names of models, paths, outcomes.
        self._scrubbed = lru_cache(maxsize=_WORDS_KEPT)(self._scrub)

    def text(self, text: str) -> str:
        return self._scrubbed(text) if len(text) <= _LONGEST_WORD else self._scrub(text)

    def value(self, value: Any) -> Any:
        """Scrubs every string in a value of nested mappings and sequences; leaves the rest as it is.

        A named tuple is an object: its `repr` says what of it may be shown.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in value.items()}
        if (
            isinstance(value, Sequence)
            and not isinstance(value, bytes | bytearray)
            and not hasattr(value, "_fields")
        ):
            return [self.value(item) for item in value]
        return value

    def clean(self, record: dict[str, Any]) -> None:
        """Scrubs every value of a record, in place, as a log writes two of these for every request."""
        for key, item in record.items():
            kind = type(item)
            if kind is str and len(item) <= _LONGEST_WORD:
                record[key] = self._scrubbed(item)
            elif kind not in _PLAIN:
                record[key] = self.value(item)

    def _scrub(self, text: str) -> str:
        known_out = self._known.sub(REDACTED, text) if self._known else text
        return known_out if _HARMLESS.fullmatch(known_out) else scrub(known_out)
