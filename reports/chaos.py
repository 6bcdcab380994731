"""What the page on faults shows: the histories of the tests, and the distributions of what they measured."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from reports.evidence import TestResult
from reports.observations import Timeline
from reports.page import shown
from reports.pictures import Picture
from reports.states import State
from reports.timeline import picture

WORDS = {
    "ok": "answered",
    "fail": "refused",
    "info": "broken off",
    "left": "given up by the client",
    "open": "never answered",
}
"""The outcomes of requests in words, in the order in which they are counted."""


@dataclass(frozen=True, slots=True)
class HistoryView:
    """One history of one test; `anchor` is its place on the page, `facts` say in words what the picture shows."""

    anchor: str
    title: str
    result: TestResult
    state: State
    timeline: Timeline
    picture: Picture
    facts: tuple[str, ...]


def histories(results: Sequence[TestResult]) -> tuple[HistoryView, ...]:
    """Return the histories of all tests, those of the tests that did not pass first."""
    kept = [
        (result, number, timeline)
        for result in results
        for number, timeline in enumerate(result.timelines, start=1)
    ]
    views = (_view(*each) for each in kept)
    return tuple(sorted(views, key=lambda view: view.state is State.PASS))


def anchor_of(nodeid: str) -> str:
    """Return the place on the page of the first history of a test."""
    return f"history-{sha256(nodeid.encode()).hexdigest()[:10]}"


def _view(result: TestResult, number: int, timeline: Timeline) -> HistoryView:
    name = result.nodeid.rpartition("::")[2]
    return HistoryView(
        anchor=anchor_of(result.nodeid) + (f"-{number}" if number > 1 else ""),
        title=f"{name}, history {number}" if len(result.timelines) > 1 else name,
        result=result,
        state=State(result.outcome.value),
        timeline=timeline,
        picture=picture(timeline),
        facts=tuple(_facts(timeline)),
    )


def _facts(timeline: Timeline) -> list[str]:
    total = sum(timeline.counts.values())
    facts = [f"{total} requests in {shown(timeline.length_s, 's')}"]
    facts += [f"{count} {WORDS[outcome]}" for outcome in WORDS if (count := timeline.counts.get(outcome))]
    if timeline.failovers and timeline.failover_p50_s is not None and timeline.failover_max_s is not None:
        median, worst = shown(timeline.failover_p50_s, "s"), shown(timeline.failover_max_s, "s")
        facts.append(
            f"{timeline.failovers} moved on to another provider, in {median} at the median, {worst} at the worst"
        )
    probes = Counter(each.probe for each in timeline.attempts)
    if probes[True]:
        facts.append(f"{probes[True]} {'probe' if probes[True] == 1 else 'probes'}")
    if len(timeline.requests) < total:
        facts.append(f"{len(timeline.requests)} of the requests are drawn")
    return facts
