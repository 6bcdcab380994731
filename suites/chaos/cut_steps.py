"""How a simulated provider carries out the random cuts: each request tells by its mark which case it is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from fixtures.history.marks import marked_in
from fixtures.simulators.body_steps import Corrupt, Split
from fixtures.simulators.position import Position
from fixtures.simulators.protocol import Event, Plan
from fixtures.simulators.steps import Cut, ErrorEvent, Garbage, Say, Scene, Slow, Stall, Status, Step
from fixtures.simulators.stream_steps import Comment, Half, MultiLine, NewLines
from suites.chaos.cut_cases import Break, Look, Manner, Part, Share, case_of

PAUSE_S = 0.02

_LETTERS_APART = 4
_APART_S = 0.002
_INSIDE_A_LETTER = 0x80
"""How each byte of a letter in UTF-8 begins that is not its first."""

_MANNERS: dict[Manner, tuple[Step, ...]] = {
    "lf": (),
    "crlf": (NewLines("\r\n"),),
    "cr": (NewLines("\r"),),
    "comments": (Comment(),),
    "lines": (MultiLine(),),
    "commented lines": (MultiLine(commented=True),),
}


@dataclass(frozen=True, slots=True)
class CutByMark:
    """Does what the case of the request's mark wants of the provider at this place of the chain, counted from 1."""

    seed: int
    place: int

    def alter(self, plan: Plan, scene: Scene) -> Plan:
        marked = marked_in(scene.query.raw.decode("utf-8", "replace"))
        if marked is None:
            return plan
        case = case_of(self.seed, int(marked.removeprefix("r-")))
        return Cutting(case.parts[self.place - 1]).alter(plan, scene)


@dataclass(frozen=True, slots=True)
class Cutting:
    """Says what a part of a case says, as it looks there, and breaks it off."""

    part: Part

    def alter(self, plan: Plan, scene: Scene) -> Plan:
        # Only now is it known what is said, and so what the positions mean.
        plan = Say(self.part.reply).alter(plan, scene).divided()
        for step in _look(self.part.look):
            plan = step.alter(plan, scene)
        if self.part.broken is not None:
            at = self.part.broken.at
            plan = _break(self.part.broken, at.at(plan) if isinstance(at, Share) else at).alter(plan, scene)
        if self.part.look.segments:
            plan = Split(self.part.look.segments).alter(plan, scene)
        return replace(plan, events=tuple(_apart(plan.events))) if self.part.look.splits_letters else plan


def _apart(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the events, some of them in two pieces which come apart: the first letter of several bytes is divided."""
    left = _LETTERS_APART
    for event in events:
        inside = next((at for at, byte in enumerate(event.data) if byte & 0xC0 == _INSIDE_A_LETTER), 0)
        if not left or not inside:
            yield event
            continue
        left -= 1
        first, rest = event.halves(inside)
        yield first
        yield replace(rest, wait_s=_APART_S)


def _look(look: Look) -> Iterator[Step]:
    yield from _MANNERS[look.manner]
    if look.gap_ms:
        yield Slow(0, look.gap_ms)


def _break(broken: Break, at: Position) -> Step:
    match broken:
        case Break(what="cut", how="fin" | "rst" | "end" as how):
            return Cut(at, how)
        case Break(what="stall" | "pause" as what):
            return Stall(at, PAUSE_S if what == "pause" else None)
        case Break(what="half"):
            return Half(at, broken.how)
        case Break(what="garbage" | "corrupt" as what):
            return Garbage(at) if what == "garbage" else Corrupt(at, broken.byte)
        case _:
            return (
                ErrorEvent(at, status=broken.status)
                if broken.what == "error event"
                else Status(broken.status)
            )
