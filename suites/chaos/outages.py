"""Outages from their beginning to their end, some at once: what callers heard, and what reached the dead provider."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from fixtures.faults import Link
from fixtures.simulators.journal import Call
from fixtures.simulators.server import SimulatedProvider
from fixtures.simulators.steps import Cut, Stall, Status, Step
from suites.chaos.failoverbench import Clock
from suites.chaos.hearing import Heard
from suites.chaos.lanes import Lane
from suites.chaos.pacing import ask_until, wait_for_moment
from suites.chaos.standing import Standing, standing_of

OUTAGE_S = 60.0
REQUEST_EVERY_S = 4.0
PROBE_INTERVAL_S = 5.0

LIMIT_S = 5.0
"""How long a silent provider is waited for."""

FULL = Clock()
QUICK = Clock(0.06)

_LONGEST_RETURN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One kind of outage: how the provider is away, and how many requests may find that out."""

    name: str
    stream: bool
    burst: int
    fault: Step | None
    """None: connections to it are refused, on the way."""


OUTAGES: tuple[Outage, ...] = (
    Outage(name="refused", stream=False, burst=1, fault=None),
    Outage(name="closed", stream=True, burst=1, fault=Cut("before headers", "fin")),
    Outage(name="reset", stream=False, burst=1, fault=Cut("before headers", "rst")),
    Outage(name="silent", stream=True, burst=1, fault=Stall("before headers")),
    Outage(name="rejected-key", stream=False, burst=1, fault=Status(401)),
    Outage(name="errors", stream=True, burst=3, fault=Status(503)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How an outage went; moments are monotonic seconds.

    `calls` are all that reached the provider after its death and before its return. `during` is how it was shown while
    it was away, `after` how once it had answered again, at `back_s`: None where it never did.
    """

    outage: Outage
    answers: list[Heard]
    text: str
    calls: list[Call]
    began_s: float
    healed_s: float
    back_s: float | None
    during: Standing
    after: Standing

    def objections(self, clock: Clock) -> Iterator[str]:
        """Yield what speaks against how the gateway came through the outage."""
        lost = [heard for heard in self.answers if not heard.is_answer(self.text)]
        if lost:
            yield f"{len(lost)} of {len(self.answers)} requests were not answered: {lost[0]}"
        yield from self._objections_to_calls(clock.lasts_s(PROBE_INTERVAL_S))
        if self.during.is_well:
            yield f"it is shown as well while it is away: {self.during}"
        if self.back_s is None or self.back_s - self.healed_s > clock.lasts_s(PROBE_INTERVAL_S) + 1:
            took = "never" if self.back_s is None else f"after {self.back_s - self.healed_s:.2f} s"
            yield f"it is used again {took}"
        elif not self.after.is_well:
            yield f"it is shown as away though it has answered: {self.after}"

    def _objections_to_calls(self, interval_s: float) -> Iterator[str]:
        chats = [call for call in self.calls if call.kind_of_call == "chat"]
        probes = [call for call in self.calls if call.kind_of_call != "chat"]
        if len(chats) != self.outage.burst and self.outage.fault is not None:
            yield f"{len(chats)} requests were sent to it, and not {self.outage.burst}"
        if costly := [call for call in probes if call.method != "GET"]:
            yield f"{len(costly)} probes do more than look: {costly[0].method} {costly[0].path}"
        if not probes and self.outage.fault is not None:
            yield "it was never probed"
        lasted_s = self.healed_s - self.began_s
        if len(probes) > lasted_s / interval_s + 2:
            yield f"it was probed {len(probes)} times in {lasted_s:.1f} s, and every {interval_s:g} s is configured"
        idle_s = [gap_s for gap_s in _gaps_s(probes) if gap_s > interval_s * 3 + 1]
        if idle_s:
            yield f"it was not probed for {max(idle_s):.2f} s, and {interval_s:g} s are configured"


def play_all(plays: Mapping[str, Callable[[], Course]]) -> dict[str, Course]:
    """Play outages at the same time."""
    with ThreadPoolExecutor(len(plays)) as pool:
        playing = {name: pool.submit(play) for name, play in plays.items()}
        return {name: each.result() for name, each in playing.items()}


def play(outage: Outage, lane: Lane, link: Link, clock: Clock) -> Course:
    """Let the first provider of a lane be away while requests come, and ask on until it is back."""
    with _away(outage, lane.primary, link):
        began_s = time.monotonic()
        answers = list(_ask_through(outage, lane, clock))
        during = standing_of(lane.gateway, lane.primary)
        calls = _calls_since(lane, began_s)
    healed_s = time.monotonic()
    back_s = _wait_until_back(lane, healed_s, clock)
    return Course(
        outage=outage,
        answers=answers,
        text=lane.text_of(2),
        calls=calls,
        began_s=began_s,
        healed_s=healed_s,
        back_s=back_s,
        during=during,
        after=standing_of(lane.gateway, lane.primary),
    )


def _away(outage: Outage, provider: SimulatedProvider, link: Link) -> AbstractContextManager[None]:
    return link.down() if outage.fault is None else _spoilt(provider, outage.fault)


@contextmanager
def _spoilt(provider: SimulatedProvider, fault: Step) -> Iterator[None]:
    provider.always(fault, for_="any")
    yield
    provider.heal()


def _ask_through(outage: Outage, lane: Lane, clock: Clock) -> Iterator[Heard]:
    began_s = time.monotonic()
    for number in range(int(OUTAGE_S / REQUEST_EVERY_S)):
        wait_for_moment(began_s + number * clock.lasts_s(REQUEST_EVERY_S))
        yield lane.ask(stream=outage.stream)


def _wait_until_back(lane: Lane, healed_s: float, clock: Clock) -> float | None:
    """Ask until the first provider answers and return when it did, None where it takes far too long."""
    latest_s = healed_s + clock.lasts_s(PROBE_INTERVAL_S) + _LONGEST_RETURN_S
    text = lane.text_of(1)
    _heard, is_back = ask_until(lambda: lane.ask(stream=False), lambda heard: heard.is_answer(text), latest_s)
    return time.monotonic() if is_back else None


def _calls_since(lane: Lane, began_s: float) -> list[Call]:
    calls: list[Call] = lane.primary.calls(for_="any")
    return [call for call in calls if call.started_s >= began_s]


def _gaps_s(calls: list[Call]) -> list[float]:
    return [later.started_s - earlier.started_s for earlier, later in pairwise(calls)]


def resilience_for(clock: Clock) -> dict[str, Any]:
    """Return how the gateway is configured before outages: its defaults, as long as the clock has it."""
    return {
        "breaker": {"probe_interval_s": clock.lasts_s(PROBE_INTERVAL_S)},
        "health_checks": {"enabled": False},
    }
