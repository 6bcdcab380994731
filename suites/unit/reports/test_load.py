from math import nan

from reports.evidence import Outcome
from reports.load import LoadView, PlotView, anchor_of, load_views
from reports.observations import Line, Plot
from suites.unit.reports.builders import MODELS, result
from suites.unit.reports.plotted import knee, percentiles, plot


def view(*plots: Plot) -> LoadView:
    (found,) = load_views([result("XX-001", plots=plots)])
    return found


def only(of: Plot) -> PlotView:
    (found,) = view(of).plots
    return found


def test_tests_with_plots_are_shown_and_the_red_ones_first() -> None:
    """Whoever left no plot is not on the page; whoever did not pass is met first."""
    results = [
        result("XX-001", plots=(plot(),)),
        result("XX-002", Outcome.FAIL, nodeid=MODELS, plots=(plot(),)),
        result("XX-003", nodeid="suites/x.py::test_x"),
    ]
    assert [each.title for each in load_views(results)] == [
        "test_models_are_listed[cloud]",
        "test_answer_is_whole",
    ]


def test_plots_of_a_test_have_places_of_their_own() -> None:
    """Each plot can be linked, beneath the place of its test."""
    found = view(plot(), knee())
    assert found.anchor == anchor_of(found.result.nodeid)
    assert [each.anchor for each in found.plots] == [f"{found.anchor}-1", f"{found.anchor}-2"]


def test_plots_over_time_share_their_axis() -> None:
    """What happened at the same time stands above each other, also where one measurement ended early."""
    short = plot(lines=(Line("a", ((0.0, 1.0), (10.0, 1.0))),), bands=())
    first, second = view(plot(), short).plots
    assert first.picture is not None
    assert second.picture is not None
    ticks = [
        [label for label in each.labels if label.text == "60 s"] for each in (first.picture, second.picture)
    ]
    assert ticks[0][0].x == ticks[1][0].x


def test_lines_are_told_in_figures() -> None:
    """Beside each picture stand the figures that its kind is about, with a blank where a line does not reach."""
    assert [(each.name, each.figures) for each in only(plot()).lines] == [
        ("median", ("500 ms", "600 ms")),
        ("P99", ("800 ms", "900 ms")),
    ]
    assert [each.figures for each in only(percentiles()).lines] == [
        ("5 ms", "10 ms", "100 ms", "2 s"),
        ("5 ms", "10 ms", "", ""),
    ]
    assert (only(knee()).unit, only(knee()).heads) == ("requests/s", ("first", "last", "largest"))
    assert only(knee()).lines[0].figures == ("100", "1200", "1200")


def test_line_without_a_value_has_no_figures() -> None:
    """A line of gaps is named, and nothing is said of it."""
    found = only(plot(lines=(Line("a", ((0.0, nan),)),)))
    assert found.picture is None
    assert found.lines[0].figures == ("", "")


def test_picture_is_told_in_words() -> None:
    """Whoever cannot see the picture hears what it shows: lines, limit, faults and marks."""
    assert only(plot()).description == (
        "latency against time since the start. median: median 500 ms, largest 600 ms. "
        "P99: median 800 ms, largest 900 ms. limit: P99 ≤ 1 s. frozen at openai, 20 s to 23 s."
    )
    assert only(plot(limit_text=None)).limit == "limit: 1 s"
    assert only(knee()).description.endswith("knee at 1200 requests/s.")
