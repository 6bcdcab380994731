"""The forms in which a provider says how long it wants to be left alone, and what each of them means."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from fixtures.simulators.steps import Chain, Status, Step
from suites.chaos.spoiling import Waits

DateForm = Callable[[datetime], str]


@dataclass(frozen=True, slots=True)
class Window:
    """Between which monotonic moments the provider may first be asked again; `latest_s` is without any slack."""

    earliest_s: float
    latest_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way of telling a wait: in `headers`, by a date that lies `date_in_s` ahead, or as the kind's own body does.

    It means at least `shortest_s` and at most `longest_s`; for a date both are its distance. `status` is what it comes
    with. An absurd one is no wait that anybody sits out.
    """

    kind: str = "openai"
    status: int = 429
    headers: Mapping[str, str] | None = None
    date_in_s: float | None = None
    write_date: DateForm = lambda moment: format_datetime(moment, usegmt=True)
    shortest_s: float = 0.0
    longest_s: float = 0.0

    def refuse(self) -> "Refusal":
        """Return the refusal that tells it, to be asked for at once: a date does not wait."""
        if self.date_in_s is None:
            return Refusal(self, None)
        # A date has whole seconds, so one is chosen that is not nearer than wanted.
        return Refusal(self, math.ceil(time.time() + self.date_in_s))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal that tells a wait; `date_s` is the moment that it names, in seconds since 1970."""

    form: Form
    date_s: int | None

    @property
    def step(self) -> Step:
        form = self.form
        if self.date_s is not None:
            date = form.write_date(datetime.fromtimestamp(self.date_s, UTC))
            return Chain(Status(form.status), Waits({"retry-after": date}))
        if form.headers is not None:
            return Chain(Status(form.status), Waits(form.headers))
        return Status(form.status, retry_after_s=form.shortest_s)

    def window(self, refused_s: float) -> Window:
        """Return when the provider may be asked again that has refused at a monotonic moment."""
        if self.date_s is None:
            return Window(refused_s + self.form.shortest_s, refused_s + self.form.longest_s)
        moment_s = max(refused_s, self.date_s - time.time() + time.monotonic())
        return Window(moment_s, moment_s)


def _asctime(moment: datetime) -> str:
    return moment.strftime("%a %b %e %H:%M:%S %Y")


def _rfc_850(moment: datetime) -> str:
    return moment.strftime("%A, %d-%b-%y %H:%M:%S GMT")


def _waits(shortest_s: float, longest_s: float | None = None, **told: Any) -> Form:
    return Form(shortest_s=shortest_s, longest_s=shortest_s if longest_s is None else longest_s, **told)


STATED: Mapping[str, Form] = {
    "seconds": _waits(1, headers={"retry-after": "1"}),
    "fraction": _waits(0.3, headers={"retry-after": "0.3"}),
    "milliseconds": _waits(0.3, headers={"retry-after-ms": "300"}),
    "both, of which one is rounded": _waits(0.3, 1, headers={"retry-after": "1", "retry-after-ms": "300"}),
    "date": Form(date_in_s=0.2),
    "body of Gemini": _waits(0.3, kind="gemini"),
    "with a 503": _waits(0.3, kind="openrouter", status=503, headers={"retry-after": "0.3"}),
}
"""Waits that a caller can sit out."""

SPELLINGS: Mapping[str, Form] = {
    "spaces around": _waits(0.3, headers={"retry-after": " 0.3 "}),
    "date as in RFC 850": Form(date_in_s=0.2, write_date=_rfc_850),
    "date as in asctime": Form(date_in_s=0.2, write_date=_asctime),
    "reset of a limit": _waits(
        0.3, headers={"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "300ms"}
    ),
    "header of Anthropic": _waits(1, kind="anthropic"),
}
"""Other ways of saying the same."""

NOW: Mapping[str, Form] = {
    "zero": Form(headers={"retry-after": "0"}),
    "zero milliseconds": Form(headers={"retry-after-ms": "0"}),
    "date past": Form(headers={"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}),
}
"""Waits that are over as soon as they are told."""

UNREADABLE: Mapping[str, Form] = {
    "none": Form(headers={}),
    "negative": Form(headers={"retry-after": "-5"}),
    "negative milliseconds": Form(headers={"retry-after-ms": "-5000"}),
    "garbage": Form(headers={"retry-after": "soon"}),
    "empty": Form(headers={"retry-after": ""}),
    "no date": Form(headers={"retry-after": "Wed, 99 Foo 2026 99:99:99 GMT"}),
    "not a number": Form(headers={"retry-after": "nan"}),
    "infinite": Form(headers={"retry-after": "inf"}),
    "another base": Form(headers={"retry-after": "0x10"}),
    "two numbers": Form(headers={"retry-after": "30, 60"}),
}
"""What says nothing: the gateway's own pause takes its place."""

ABSURD: Mapping[str, Form] = {
    "a day": _waits(86_400, headers={"retry-after": "86400"}),
    "a day in milliseconds": _waits(86_400, headers={"retry-after-ms": "86400000"}),
    "a million years": _waits(31_536_000_000_000, headers={"retry-after": "31536000000000"}),
    "more digits than a number has": _waits(1e30, headers={"retry-after": "9" * 30}),
    "a date in a year": Form(date_in_s=31_536_000),
    "a day in the body of Gemini": _waits(86_400, kind="gemini"),
}
"""Waits that nobody sits out."""
