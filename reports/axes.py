"""The axes of a plot: what they cover, at which round values they are marked, and how those are written."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from reports.observations import Plot
from reports.scales import Linear, Logarithmic, Nines, enclose, enclose_by_ratio

Span = tuple[float, float]
"""Where an axis begins and ends in the picture."""

_WIDE = 20
"""From this ratio of the largest time to the smallest on, the axis of times is logarithmic."""

_LEAST = 1e-6
"""What is faster is drawn as if it took so long: a logarithmic axis has no zero."""

_FEW_DECADES = 2.2
"""Up to here a logarithmic axis is marked at 2 and 5 too."""

_FAR = 3
"""A limit beyond so many times the largest value would flatten the lines, so it is only named."""

_LONG_S = 300
"""From here on time is counted in minutes."""

_LONG_NUMBER = 10_000
"""From here on digits are grouped."""

_TICK_DIGITS = 6
"""More than a round value has."""

_TIMES = frozenset({"s", "ms", "min", "h", "days"})
_WITH_VALUES = _TIMES | {"%", "MB", "USD"}
_BARE = frozenset({"count", "ratio", "score"})


def x_scale(plot: Plot, values: Sequence[float], span: Span, until_s: float = 0) -> Linear | Nines:
    """Return the axis of x; one of time begins with the run and ends at `until_s` at the least."""
    if plot.kind == "percentiles":
        return Nines(min(max(values), 100 - _LEAST), *span)
    if plot.kind == "time":
        ends = (band.begin_s if band.end_s is None else band.end_s for band in plot.bands)
        return Linear(0, max(*values, *ends, until_s), *span)
    return Linear(*enclose(min(values), max(values), 8), *span)


def y_scale(plot: Plot, values: Sequence[float], span: Span) -> Linear | Logarithmic:
    """Return the axis of y; a limit far above all values does not belong to it."""
    if plot.limit is not None and plot.limit <= _FAR * max(values):
        values = [*values, plot.limit]
    least, most = min(values), max(values)
    least_positive = max(min((each for each in values if each > 0), default=most), _LEAST)
    if plot.y_unit in _TIMES and least >= 0 and most > _WIDE * least_positive:
        return Logarithmic(*enclose_by_ratio(least_positive, most), *span)
    return Linear(*enclose(least, most), *span)


def ticks(scale: Linear | Logarithmic | Nines, unit: str) -> Iterator[tuple[float, str]]:
    """Yield the round values of an axis, each with its text."""
    if isinstance(scale, Nines):
        yield from ((value, f"P{value:.10g}") for value in scale.ticks())
    elif isinstance(scale, Logarithmic):
        few = math.log10(scale.high / scale.low) <= _FEW_DECADES
        for value in scale.ticks((1, 2, 5) if few else (1,)):
            yield value, brief(value, unit, _TICK_DIGITS)
    elif unit == "s" and scale.high >= _LONG_S:
        minutes = replace(scale, low=scale.low / 60, high=scale.high / 60)
        yield from ((value * 60, f"{value:g} min") for value in minutes.ticks())
    else:
        for value in scale.ticks(5 if scale.begin > scale.end else 8):
            yield value, brief(value, unit, _TICK_DIGITS, in_ms=scale.high < 1)


def title(name: str, unit: str) -> str:
    """Return what stands at an axis; a unit that its values show is not named again."""
    return ", ".join(each for each in (name[:1].upper() + name[1:], unit_apart(unit)) if each)


def unit_apart(unit: str) -> str:
    """Return the unit where it is too long to stand with each value, otherwise nothing."""
    return "" if unit in _WITH_VALUES | _BARE else unit


def brief(value: float, unit: str, digits: int = 3, *, in_ms: bool = True) -> str:
    """Return a value for where there is little room; `in_ms` turns what is less than a second to milliseconds."""
    if unit == "s" and in_ms and abs(value) < 1:
        value, unit = value * 1000, "ms"
    number = f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"
    number = f"{value:,.0f}" if abs(value) >= _LONG_NUMBER else number
    return f"{number} {unit}" if unit in _WITH_VALUES else number
