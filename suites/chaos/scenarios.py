"""How FailoverBench's scenarios are provoked: what the providers do, and how the gateway is configured meanwhile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fixtures.simulators.position import Byte
from fixtures.simulators.steps import Chain, Cut, Garbage, Say, Slow, Stall, Status, Step
from fixtures.simulators.text import Reply, words_of
from suites.chaos.failoverbench import TOKENS, Clock
from suites.chaos.spoiling import RefusePrefill, Waits

TEXT = " ".join(("The", *(f"word{number}" for number in range(2, TOKENS)), "end."))
"""The canonical answer: every provider gives it, so that what a caller hears can be compared letter by letter."""

CANONICAL = Reply(tokens=words_of(TEXT))

TOKEN_GAP_S = 0.015
OUTAGE_S = 60.0
REQUESTS_IN_OUTAGE = 20
REQUEST_EVERY_S = 4.0
LONGEST_RETURN_S = 30.0

OUTAGE = "S15"

LONG = frozenset({"S06", "S07", "S09", "S15"})
"""The scenarios whose faults last so long that others are run meanwhile."""

QUICK = Clock(0.1)
"""The quick profile: every fault, every wait that is configured and every bound lasts a tenth."""

FULL = Clock()


@dataclass(frozen=True, slots=True)
class Way:
    """One way of running a scenario: how the primary fails, and how the caller asks.

    `once`: only the first call fails. `fallback` comes on top of the fallback's good answer.
    """

    name: str
    stream: bool
    fault: Callable[[Clock], Step]
    once: bool = False
    fallback: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Conditions:
    """A configuration of the gateway: its resilience and the waits of its providers."""

    name: str
    resilience: Callable[[Clock], dict[str, Any]]
    timeouts: Callable[[Clock], dict[str, float]]

    def __str__(self) -> str:
        return self.name


def well(clock: Clock) -> Chain:
    """Return the canonical answer at its full pace."""
    return Chain(Say(CANONICAL), Slow(0, gap_ms=clock.lasts_s(TOKEN_GAP_S) * 1000))


def _both(fault: Callable[[Clock], Step], *, once: bool = False) -> tuple[Way, ...]:
    return tuple(
        Way(name, stream, fault, once=once) for name, stream in (("whole", False), ("streamed", True))
    )


def _streamed(name: str, fault: Callable[[Clock], Step], *fallback: Step) -> Way:
    return Way(name, stream=True, fault=lambda clock: Chain(well(clock), fault(clock)), fallback=fallback)


WAYS: Mapping[str, tuple[Way, ...]] = {
    "S01": _both(
        lambda clock: Chain(Status(429), Waits({"retry-after": f"{clock.lasts_s(2):g}"})), once=True
    ),
    "S02": _both(lambda _clock: Chain(Status(429), Waits())),
    "S03": _both(lambda _clock: Status(500), once=True),
    "S04": _both(lambda _clock: Status(503)),
    "S05": _both(lambda _clock: Cut("before headers", "rst")),
    "S06": _both(lambda clock: Stall("before headers", clock.lasts_s(120))),
    "S07": (_streamed("streamed", lambda clock: Stall(Byte(0), clock.lasts_s(20))),),
    "S08": (
        _streamed("reset", lambda _clock: Cut(40, "rst")),
        _streamed("closed", lambda _clock: Cut(40, "fin")),
        _streamed("clean end", lambda _clock: Cut(40, "end")),
    ),
    "S09": (_streamed("streamed", lambda clock: Stall(20, clock.lasts_s(30))),),
    "S10": (_streamed("streamed", lambda _clock: Garbage(20)),),
    "S11": (
        _streamed("held open", lambda _clock: Stall("before end")),
        _streamed("clean end", lambda _clock: Cut("before end", "end")),
    ),
    "S12": _both(lambda _clock: Status(400, error_code="context_length_exceeded")),
    "S13": _both(lambda _clock: Status(400, error_code="content_filter")),
    "S14": (_streamed("streamed", lambda _clock: Cut(40, "rst"), RefusePrefill()),),
    "S15": _both(lambda _clock: Status(503)),
    "S16": _both(lambda _clock: Status(500)),
}
"""How each scenario is run. A cut is made by reset, close and clean end: FailoverBench knows the reset alone."""


def _baseline(clock: Clock) -> dict[str, Any]:
    retries = {"attempts": 2, **_scaled(clock, backoff_s=0.5, max_backoff_s=8)}
    return {**_defaults(clock), "retries": retries, "rescue": "replay"}


def _baseline_timeouts(clock: Clock) -> dict[str, float]:
    return _scaled(clock, first_byte_s=10, whole_s=30, idle_s=30, total_s=600)


def _defaults(clock: Clock) -> dict[str, Any]:
    if clock.factor == 1:
        return {}
    breaker = _scaled(clock, window_s=60, probe_interval_s=5, max_hold_s=60)
    return {"breaker": breaker, "health_checks": _scaled(clock, interval_s=30)}


def _default_timeouts(clock: Clock) -> dict[str, float]:
    return {} if clock.factor == 1 else _scaled(clock, first_byte_s=30, whole_s=90, idle_s=60, total_s=600)


def _scaled(clock: Clock, **full_s: float) -> dict[str, float]:
    return {name: clock.lasts_s(value) for name, value in full_s.items()}


BASELINE = Conditions("baseline", _baseline, _baseline_timeouts)
"""FailoverBench's own: two retries, 30 s for a request or an idle stream, one fallback; and rescue by replay.

The 10 s to the first event of a stream, for S06 and S07, are our own setting.
"""

DEFAULTS = Conditions("defaults", _defaults, _default_timeouts)
"""Ours where nothing is configured; in the quick profile the defaults as written here, at a tenth."""
