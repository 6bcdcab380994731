"""Distributions of timings as a reader meets them: figures as texts, and how many values are below each."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.evidence import TestResult
from reports.observations import Baseline, Distribution, Interval
from reports.page import shown
from reports.scales import Linear, Logarithmic

WIDTH, HEIGHT = 240, 64
_LEFT, _RIGHT, _TOP, _BOTTOM = 4, WIDTH - 4, 4, HEIGHT - 16
_WIDE = 20
"""From this ratio of the largest to the smallest value on, the axis is logarithmic."""

_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Curve:
    """The paths of a small picture, in a box of `WIDTH` by `HEIGHT`; `begin` and `end` are the ends of its axis."""

    path: str
    baseline: str
    median: str
    tail: str
    begin: str
    end: str


@dataclass(frozen=True, slots=True)
class DistributionRow:
    """One distribution with the test that measured it; figures that were not measured are empty."""

    result: TestResult
    distribution: Distribution
    p50: str
    p90: str
    p99: str
    p50_ci: str
    p99_ci: str
    baseline: str
    curve: Curve


def distribution_rows(results: Sequence[TestResult]) -> tuple[DistributionRow, ...]:
    """Return the distributions of all tests, those that miss their limit first."""
    rows = (_row(result, each) for result in results for each in result.distributions)
    return tuple(sorted(rows, key=lambda row: row.distribution.holds is not False))


def _row(result: TestResult, each: Distribution) -> DistributionRow:
    return DistributionRow(
        result=result,
        distribution=each,
        p50=shown(each.p50, each.unit),
        p90=_maybe(each.p90, each.unit),
        p99=_maybe(each.p99, each.unit),
        p50_ci=_interval(each.p50_ci, each.unit),
        p99_ci=_interval(each.p99_ci, each.unit),
        baseline=_baseline(each),
        curve=_curve(each),
    )


def _maybe(value: float | None, unit: str) -> str:
    return "" if value is None else shown(value, unit)


def _interval(interval: Interval | None, unit: str) -> str:
    return "" if interval is None else f"{shown(interval[0], unit)} to {shown(interval[1], unit)}"


def _baseline(each: Distribution) -> str:
    if each.baseline is None:
        return ""
    texts = [f"median {shown(each.baseline.p50, each.unit)}"]
    if each.baseline.p99 is not None:
        texts.append(f"P99 {shown(each.baseline.p99, each.unit)}")
    return ", ".join(texts)


def _curve(each: Distribution) -> Curve:
    """Return the cumulative curve; without one the median and the far quantiles are joined as far as they are known."""
    values = [*_points(each), *(_points(each.baseline) if each.baseline else ())]
    values += [*(each.p50_ci or ()), *(each.p99_ci or ())]
    low, high = max(min(values), _LEAST), max(*values, _LEAST)
    scale = Logarithmic(low, high, _LEFT, _RIGHT) if high / low >= _WIDE else Linear(low, high, _LEFT, _RIGHT)
    return Curve(
        path=_path(each, scale),
        baseline=_path(each.baseline, scale) if each.baseline else "",
        median=_bar(each.p50, each.p50_ci, 0.5, scale),
        tail="" if each.p99 is None else _bar(each.p99, each.p99_ci, 0.99, scale),
        begin=shown(low, each.unit),
        end=shown(high, each.unit),
    )


_Scale = Linear | Logarithmic


def _points(each: Distribution | Baseline) -> list[float]:
    return [*each.curve, *(value for value in (each.p50, each.p90, each.p99) if value is not None)]


def _path(each: Distribution | Baseline, scale: _Scale) -> str:
    if len(each.curve) > 1:
        places = [(value, number / (len(each.curve) - 1)) for number, value in enumerate(each.curve)]
    else:
        known = ((each.p50, 0.5), (each.p90, 0.9), (each.p99, 0.99))
        places = [(value, share) for value, share in known if value is not None]
    steps = (f"{scale(value):.1f} {_height(share):.1f}" for value, share in places)
    return "M" + "L".join(steps)


def _bar(value: float, interval: Interval | None, share: float, scale: _Scale) -> str:
    """Return a quantile as an upright line, and its interval of confidence as a level one."""
    x, y = scale(value), _height(share)
    whisker = f"M{scale(interval[0]):.1f} {y:.1f}H{scale(interval[1]):.1f}" if interval else ""
    return f"M{x:.1f} {y - 4:.1f}v8{whisker}"


def _height(share: float) -> float:
    return _BOTTOM - share * (_BOTTOM - _TOP)
