from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a provider is reached, and with which key; the key stays out of `repr`."""

    base_url: str
    api_key: str | None = field(default=None, repr=False)

    @property
    def bearer_headers(self) -> dict[str, str]:
        """The key as a bearer token, where there is one."""
        return {"authorization": f"Bearer {self.api_key}"} if self.api_key else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamCall:
    """One HTTP request to a provider, ready to send."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamAnswer:
    """One whole HTTP answer of a provider; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> str | None:
        """How long the provider asks to wait, in the forms that RFC 9110 knows.

        `retry-after-ms`, which some providers send instead, is rounded up to whole seconds.
        """
        stated = self.headers.get("retry-after", "")
        if stated and stated.isascii() and stated.isprintable():
            return stated
        stated_ms = self.headers.get("retry-after-ms", "")
        return str(ceil(int(stated_ms) / 1000)) if stated_ms.isdecimal() else None
