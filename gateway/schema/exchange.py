from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from math import ceil
from typing import NamedTuple

from gateway.kernel.quirks import Quirks
from gateway.schema.retry_after import date_in, seconds_in

_LONGEST_WAIT_S = 31 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a provider is reached, and with which credentials, which stay out of `repr`.

    `key_id` and `session_token` belong to keys that sign, and `now` is the time of signing, in UTC.
    `drops_unsupported`: leave out what the provider cannot do instead of refusing the request.
    """

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    key_id: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    region: str | None = None
    api_version: str | None = None
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    quirks: Quirks = field(default_factory=Quirks)
    drops_unsupported: bool = False

    @property
    def bearer_headers(self) -> dict[str, str]:
        """The key as a bearer token, where there is one."""
        return {"authorization": f"Bearer {self.api_key}"} if self.api_key else {}


class UpstreamCall(NamedTuple):
    """One HTTP request to a provider, ready to send; `dropped` names what of the caller's request is not in it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    dropped: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"UpstreamCall({self.method} {self.url})"  # without the key, and what the caller has said


class UpstreamAnswer(NamedTuple):
    """One whole HTTP answer of a provider; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> str | None:
        """How long the provider asks to wait: whole seconds, or a date (RFC 9110, section 10.2.3).

        Parts of a second, and the milliseconds that some providers state, are rounded up. What is negative, longer than
        a month or no time at all is passed over.
        """
        seconds = seconds_in(self.headers)
        if seconds is None:
            moment = date_in(self.headers.get("retry-after", ""))
            return format_datetime(moment, usegmt=True) if moment else None
        return str(ceil(seconds)) if seconds <= _LONGEST_WAIT_S else None
