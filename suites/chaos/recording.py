"""One history of a run out of what everybody saw, saved, drawn for the report, and judged."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures.history import (
    History,
    HistoryRecorder,
    answers_of,
    from_gateway_log,
    from_journal,
    marked_in,
    request_ids,
)
from fixtures.history.bands import FaultBand, bands_in
from fixtures.history.checkers import Finding, check_all
from fixtures.history.stories import Story, stories_in
from fixtures.notes import Notes
from fixtures.simulators.journal import Call
from fixtures.simulators.server import SimulatedProvider
from fixtures.stage import Connection
from fixtures.traffic import TrafficReport
from suites.chaos.lanes import Track

HISTORIES = Path("build", "chaos")

PUNCTUAL_MS = 500.0
"""How late the generator may be at P99: less than the second within which rules judge; latencies want it narrower."""

STEADY_STATE = "steady_state"
"""The rule that compares latencies."""

_ON_THE_WAY_S = 0.05
_CALLS_END_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Recording:
    """A run that is over; `speaks` has by provider the one in whose words it answers."""

    gateway: Connection
    track: Track
    recorder: HistoryRecorder
    speaks: Mapping[str, SimulatedProvider]

    def history(self) -> History:
        """Return what clients, providers, faults and the gateway's log saw."""
        calls = self._ended_calls()
        lost = lost_on_the_way(bands_in(self.recorder.history()), calls)
        self.recorder.extend(from_journal(calls, answers_of(self.speaks), lost))
        history = self.recorder.history()
        log = self.gateway.target.read_log() if self.gateway.target.read_log else ""
        return history.and_(from_gateway_log(log, history.header, request_ids(history)))

    def _ended_calls(self) -> list[Call]:
        """Return all calls, once those under way have ended: a cancelled one may take a moment."""
        journal = self.track.world.journal
        journal.wait_until(
            lambda: all(call.outcome != "open" for call in journal.kept()), _CALLS_END_WITHIN_S
        )
        return journal.kept()


def lost_on_the_way(bands: Iterable[FaultBand], calls: Iterable[Call]) -> Callable[[Call], Mapping[str, Any]]:
    """Return what tells of the answers that a provider finished as it was cut off, and that never arrived.

    To the provider such an answer is complete; that the gateway has asked another one for it is no double billing.
    """
    faults = tuple(bands)
    last_s: dict[str | None, float] = {}
    for call in calls:
        mark = _mark(call)
        last_s[mark] = max(call.started_s, last_s.get(mark, 0.0))

    def told(call: Call) -> Mapping[str, Any]:
        ended_s = call.ended_s
        if ended_s is None or call.outcome != "complete" or last_s[_mark(call)] <= ended_s:
            return {}
        struck = (
            band.begin_s - _ON_THE_WAY_S <= ended_s <= (band.end_s or math.inf)
            for band in faults
            if band.where == call.provider
        )
        return {"outcome": "cut"} if any(struck) else {}

    return told


def keep(history: History, notes: Notes, name: str) -> list[Finding]:
    """Save a history, draw it for the report, and return what the rules find."""
    path = HISTORIES / f"{name}.jsonl"
    history.save(path, notes.mask)
    findings = check_all(history.masked(notes.mask))
    notes.timeline(history, findings, file=str(path))
    return findings


def judge(findings: Sequence[Finding], report: TrafficReport) -> None:
    """Fail where a rule is broken; call it where the generator has kept its rate.

    Raises:
        AssertionError: a rule is broken.
        InconclusiveError: latencies have changed, and the generator's own are not those of a machine at rest.

    """
    _require_none([each for each in findings if each.rule != STEADY_STATE])
    if findings:
        report.require_punctual()
    _require_none(findings)


def _require_none(findings: Sequence[Finding]) -> None:
    told = "; ".join(f"{each.rule}: {each.request or ''} {each.text}" for each in findings[:3])
    assert not findings, f"{len(findings)} findings: {told}"


def first_answers_s(history: History) -> list[float]:
    """Return for each fault after how many seconds another provider first answered; infinite where none did."""
    stories = tuple(stories_in(history).values())
    return [
        min((at_s for story in stories if (at_s := _answered_elsewhere_s(story, band))), default=math.inf)
        - band.begin_s
        for band in bands_in(history)
    ]


def _answered_elsewhere_s(story: Story, band: FaultBand) -> float | None:
    """Return when a request was answered by somebody else who was asked for it since the fault has begun."""
    if story.ok is None or not story.attempts:
        return None
    last = story.attempts[-1]
    if last.provider == band.where or last.at_s < band.begin_s:
        return None
    content_s = story.first_content.at_s if story.first_content else 0.0
    # What came before that one was asked was the dead one's.
    return content_s if content_s > last.at_s else story.ok.at_s


def _mark(call: Call) -> str | None:
    return None if call.body is None else marked_in(str(call.body))
