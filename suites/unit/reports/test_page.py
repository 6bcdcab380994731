import pytest

from reports.evidence import Measurement
from reports.page import (
    checklists,
    figures,
    judged_figures,
    moment,
    sabotages,
    shares,
    span,
    tiles,
    took_s,
    warnings,
)
from reports.report import Report
from reports.states import State
from reports.thresholds import Comparator, Threshold
from reports.verdict import judge
from suites.unit.reports.builders import TODAY, catalogue, evidence, item, release, result, run


def test_every_state_has_its_tile(report: Report) -> None:
    """All states have a tile in a fixed place, and the tiles count every item in scope once."""
    assert {tile.state: tile.count for tile in tiles(report)} == {
        State.PASS: 1,
        State.WAIVED: 1,
        State.FAIL: 1,
        State.ERROR: 1,
        State.NOT_RUN: 1,
        State.NO_TEST: 1,
        State.UNSUPPORTED: 1,
        State.ATTEST: 0,
    }


def test_shares_make_a_whole(report: Report) -> None:
    """The parts of a bar fill it, whatever their number."""
    assert sum(share.percent for share in shares(report.verdict.in_scope)) == pytest.approx(100, abs=0.01)
    assert shares(()) == ()


def test_sections_part_what_is_out_of_scope(report: Report) -> None:
    """A section shows its items in scope apart from the others."""
    (checklist,) = checklists(report)
    first, last = checklist.sections
    assert (checklist.in_scope, checklist.total) == (7, 8)
    assert [len(first.inside), len(first.outside), len(last.inside), len(last.outside)] == [7, 0, 0, 1]
    assert sum(share.count for share in first.shares) == 7


def test_blanks_are_filled_or_shown() -> None:
    """A threshold is filled with what was measured for it; one that nothing was measured for stays visibly blank."""
    limits = (
        Threshold("p99_latency", Comparator.BELOW, 5, "s"),
        Threshold("errors", Comparator.AT_MOST, 0, "count"),
    )
    measured = (
        Measurement(name="latency, the worst", value=1.5, unit="s", limit="< 5 s", holds=True),
        Measurement(name="latency, the best", value=0.00123, unit="s"),
        Measurement(name="answers", value=12, unit="count"),
    )
    subject = item("XX-001", thresholds=limits)
    found = evidence(result("XX-001", measurements=measured))
    verdict = judge(catalogue(subject), release("XX-001"), found, today=TODAY).items[0]
    assert [(each.name, each.value, each.limit, each.holds) for each in figures(verdict)] == [
        ("latency, the worst", "1.5 s", "< 5 s", True),
        ("latency, the best", "1.23 ms", "", None),
        ("answers", "12", "", None),
        ("errors", "not measured", "≤ 0", None),
    ]


def test_missed_figures_come_first(report: Report) -> None:
    """Of the figures that have a limit the reader meets the missed ones first."""
    assert [(each.items, each.figure.holds) for each in judged_figures(report)] == [(("XX-002",), False)]


def test_figure_of_several_items_stands_once() -> None:
    """What one test measured for two items is one line on the first screen."""
    measured = Measurement(name="wait", value=1, unit="s", limit="< 2 s", holds=True)
    found = evidence(result("XX-001 XX-002", measurements=(measured,)))
    scope = ("XX-001", "XX-002")
    (figure,) = judged_figures(Report.on(catalogue(*map(item, scope)), release(*scope), found, today=TODAY))
    assert figure.items == scope


def test_warnings_and_sabotages_are_counted(report: Report) -> None:
    """A warning is shown once with its items; sabotages are counted as killed and tried."""
    (warning,) = warnings(report)
    assert (warning.items, warning.acknowledged) == (("XX-001",), None)
    assert sabotages(report) == (1, 2)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.0384, "38 ms"), (1.239, "1.24 s"), (185.4, "3 min 05 s")],
    ids=["none", "ms", "s", "min"],
)
def test_durations_are_readable(seconds: float | None, text: str) -> None:
    """A duration has the unit that a person would choose."""
    assert span(seconds) == text


def test_run_took_its_time() -> None:
    """A run took from its head to its end; one without an end took nobody knows how long."""
    assert took_s(run()) == 60
    assert took_s(run(finished=None)) is None
    assert moment("2026-11-01T06:05:00+00:00") == "1 November 2026, 06:05 UTC"
