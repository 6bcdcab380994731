import re

from reports.distributions import WIDTH, distribution_rows
from suites.unit.reports.builders import result
from suites.unit.reports.timelines import distribution


def test_missed_limits_come_first() -> None:
    """The reader meets the distributions that miss their limit before the others."""
    kept, missed, free = distribution(), distribution(holds=False), distribution(holds=None, limit=None)
    rows = distribution_rows([result("", distributions=(kept, free)), result("", distributions=(missed,))])
    assert [row.distribution.holds for row in rows] == [False, True, None]


def test_figures_are_readable() -> None:
    """Small parts of a second are milliseconds, and intervals say from where to where."""
    (row,) = distribution_rows([result("", distributions=(distribution(),))])
    assert (row.p50, row.p50_ci, row.p99_ci) == ("3 ms", "2.8 ms to 3.2 ms", "11 ms to 20 ms")
    assert row.baseline == "median 2 ms, P99 4 ms"


def test_curves_share_one_axis() -> None:
    """The curve with faults and the one without are drawn on the same axis, within the picture."""
    (row,) = distribution_rows([result("", distributions=(distribution(),))])
    assert (row.curve.begin, row.curve.end) == ("1 ms", "20 ms")
    first = [float(x) for x in re.findall(r"[ML]([\d.]+) ", row.curve.path)]
    other = [float(x) for x in re.findall(r"[ML]([\d.]+) ", row.curve.baseline)]
    assert first[0] == other[0]
    assert first[-1] == WIDTH - 4
    assert other[-1] < first[-1]


def test_few_values_leave_blanks() -> None:
    """Quantiles that so few values cannot give are blank, and the curve joins those that there are."""
    few = distribution(
        samples=12, p90=None, p99=None, p50_ci=None, p99_ci=None, baseline=None, curve=(), limit=None
    )
    (row,) = distribution_rows([result("", distributions=(few,))])
    assert (row.p90, row.p99, row.p50_ci, row.baseline) == ("", "", "", "")
    assert (row.curve.path.count("L"), row.curve.tail, row.curve.baseline) == (0, "", "")
