"""What the sign-off page shows, worked out before the template is asked: pure, and free of markup."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reports.blanks import NOT_MEASURED, entry, fills
from reports.checklists import Checklist, Section
from reports.evidence import Fate, Measurement
from reports.item_verdicts import ItemVerdict
from reports.release_file import Acknowledgement
from reports.report import Report
from reports.runs import Run
from reports.states import State
from reports.thresholds import Threshold, quantity

ORDER = (
    State.PASS,
    State.WAIVED,
    State.FAIL,
    State.ERROR,
    State.NOT_RUN,
    State.NO_TEST,
    State.UNSUPPORTED,
    State.ATTEST,
)
"""The order in which bars and tiles show the states."""

GLYPHS = {
    State.PASS: "✓",
    State.FAIL: "✕",
    State.WAIVED: "◐",
    State.ERROR: "!",
    State.NOT_RUN: "○",
    State.NO_TEST: "?",
    State.UNSUPPORTED: "⊘",
    State.ATTEST: "✎",
}
"""A shape for each state, for those who do not see colours."""

LABELS = {
    State.PASS: "passed",
    State.FAIL: "failed",
    State.WAIVED: "waived",
    State.ERROR: "harness errors",
    State.NOT_RUN: "not run",
    State.NO_TEST: "without a test",
    State.UNSUPPORTED: "unsupported",
    State.ATTEST: "for people",
}


_SHORT_S = 0.1
"""Below it, in seconds, milliseconds are easier to read."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many items are in a state, and what part of the whole that is, in per cent."""

    state: State
    count: int
    percent: float


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value against its limit, as texts; `holds` is None where nothing judges it."""

    name: str
    value: str
    limit: str
    holds: bool | None


@dataclass(frozen=True, slots=True)
class JudgedFigure:
    """A figure that has a limit, with the items that it speaks for."""

    items: tuple[str, ...]
    figure: Figure


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section with its items, those in scope apart."""

    name: str
    inside: tuple[ItemVerdict, ...]
    outside: tuple[ItemVerdict, ...]

    @property
    def shares(self) -> tuple[Share, ...]:
        return shares(self.inside)


@dataclass(frozen=True, slots=True)
class ChecklistView:
    """A checklist with its sections and the shares of its items in scope."""

    id: str
    title: str
    total: int
    in_scope: int
    shares: tuple[Share, ...]
    sections: tuple[SectionView, ...]


@dataclass(frozen=True, slots=True)
class WarningView:
    """A warning about items in scope, and who acknowledged it, if anybody has."""

    text: str
    items: tuple[str, ...]
    acknowledged: Acknowledgement | None


def shares(verdicts: Sequence[ItemVerdict]) -> tuple[Share, ...]:
    """Return the states that occur, in the order of the page."""
    counts = {state: sum(each.state is state for each in verdicts) for state in ORDER}
    return tuple(
        Share(state, count, round(100 * count / len(verdicts), 3)) for state, count in counts.items() if count
    )


def tiles(report: Report) -> tuple[Share, ...]:
    """Return a tile for every state, so that the eye finds each in the same place on every page."""
    found = {share.state: share for share in shares(report.verdict.in_scope)}
    return tuple(found.get(state, Share(state, 0, 0.0)) for state in ORDER)


def checklists(report: Report) -> tuple[ChecklistView, ...]:
    """Return all items by checklist and section, in the order of the catalogue."""
    by_id = {each.item.id: each for each in report.verdict.items}
    return tuple(_checklist(each, by_id) for each in report.catalogue.checklists)


def figures(verdict: ItemVerdict) -> tuple[Figure, ...]:
    """Return the blank of an item, what else was measured, and the thresholds that nothing was measured for."""
    blank = entry(verdict.item, verdict.testimony)
    entered = () if blank is None else (Figure(f"{blank.title}:", blank.text, "", None),)
    measured = [each for each in verdict.testimony.measurements if not fills(verdict.item, each)]
    taken = {each.limit for each in measured}
    unmeasured = (limit for limit in verdict.item.thresholds if str(limit) not in taken)
    return (*entered, *map(figure, measured), *map(_unmeasured, unmeasured))


def figure(measurement: Measurement) -> Figure:
    """Return a measured value as texts."""
    value = shown(measurement.value, measurement.unit)
    return Figure(measurement.name, value, measurement.limit or "", measurement.holds)


def judged_figures(report: Report) -> tuple[JudgedFigure, ...]:
    """Return the figures in scope that have a limit, each once with all its items, the missed ones first."""
    items: dict[Figure, list[str]] = {}
    for verdict in report.verdict.in_scope:
        for each in figures(verdict):
            if each.holds is not None:
                items.setdefault(each, []).append(verdict.item.id)
    found = (JudgedFigure(tuple(dict.fromkeys(ids)), each) for each, ids in items.items())
    return tuple(sorted(found, key=lambda each: each.figure.holds is True))


def warnings(report: Report) -> tuple[WarningView, ...]:
    """Return the warnings about items in scope, the open ones first."""
    items: dict[str, list[str]] = {}
    for verdict in report.verdict.in_scope:
        for text in verdict.testimony.warnings:
            items.setdefault(text, []).append(verdict.item.id)
    today = report.verdict.today
    found = (
        WarningView(text, tuple(ids), report.release.acknowledging(text, today))
        for text, ids in items.items()
    )
    return tuple(sorted(found, key=lambda each: each.acknowledged is not None))


def sabotages(report: Report) -> tuple[int, int]:
    """Return how many sabotages were killed, and how many were tried."""
    fates = [kill.outcome for kill in report.evidence.kills]
    return fates.count(Fate.KILLED), len(fates)


def duration_s(verdict: ItemVerdict) -> float | None:
    """Return how long the tests of an item took, in seconds; None where none ran."""
    results = verdict.testimony.results
    return sum(result.duration_s for result in results) if results else None


def took_s(run: Run) -> float | None:
    """Return how long a run took, in seconds; None where it never came to its end."""
    if run.finished is None:
        return None
    begin, end = (datetime.fromisoformat(each) for each in (run.started.started_at, run.finished.finished_at))
    return (end - begin).total_seconds()


def span(seconds: float | None) -> str:
    """Return a duration as a reader wants it: `38 ms`, `1.24 s`, `3 min 05 s`."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:  # noqa: PLR2004 - the seconds of a minute
        return f"{seconds:.2f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:02.0f} s"


def shown(value: float, unit: str) -> str:
    """Return a measured value as a reader wants it: a small part of a second in milliseconds."""
    short = unit == "s" and abs(value) < _SHORT_S
    return quantity(value * 1000, "ms") if short else quantity(value, unit)


def moment(timestamp: str) -> str:
    """Return a timestamp of evidence for people: `21 November 2026, 06:30 UTC`."""
    when = datetime.fromisoformat(timestamp)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def _checklist(checklist: Checklist, by_id: dict[str, ItemVerdict]) -> ChecklistView:
    sections = tuple(_section(section, by_id) for section in checklist.sections)
    inside = [verdict for section in sections for verdict in section.inside]
    return ChecklistView(
        id=checklist.id,
        title=checklist.title,
        total=len(checklist.items),
        in_scope=len(inside),
        shares=shares(inside),
        sections=sections,
    )


def _section(section: Section, by_id: dict[str, ItemVerdict]) -> SectionView:
    verdicts = [by_id[item.id] for item in section.items]
    return SectionView(
        section.name,
        tuple(each for each in verdicts if each.in_scope),
        tuple(each for each in verdicts if not each.in_scope),
    )


def _unmeasured(threshold: Threshold) -> Figure:
    return Figure(threshold.name.replace("_", " "), NOT_MEASURED, str(threshold), None)
