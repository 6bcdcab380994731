"""What the page on load shows: the plots of the tests, each with its figures in words."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from statistics import median

from reports.axes import brief, unit_apart
from reports.evidence import TestResult
from reports.observations import Line, Plot
from reports.page import shown
from reports.pictures import Picture, extent
from reports.plots import draw, styles
from reports.states import State

_PERCENTILES = (50, 90, 99, 99.9)
_ROUNDING = 1e-6
_HEADS = {
    "time": ("median", "largest"),
    "percentiles": tuple(f"P{each:g}" for each in _PERCENTILES),
    "curve": ("first", "last", "largest"),
}
"""The figures that are said of each line, by the kind of plot."""


@dataclass(frozen=True, slots=True)
class LineView:
    """A line as the legend has it; `marked` says that points of it are, a figure that it lacks is empty."""

    kind: str
    marked: bool
    name: str
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlotView:
    """A plot with its picture, None where there is no point in it, and what it says in words."""

    anchor: str
    plot: Plot
    picture: Picture | None
    unit: str
    heads: tuple[str, ...]
    lines: tuple[LineView, ...]
    limit: str
    faults: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class LoadView:
    """A test of load with its plots; `anchor` is its place on the page."""

    anchor: str
    title: str
    result: TestResult
    state: State
    plots: tuple[PlotView, ...]


def load_views(results: Sequence[TestResult]) -> tuple[LoadView, ...]:
    """Return the tests that left plots, those that did not pass first."""
    views = (_view(result) for result in results if result.plots)
    return tuple(sorted(views, key=lambda view: view.state is State.PASS))


def anchor_of(nodeid: str) -> str:
    """Return the place of a test on the page."""
    return f"load-{sha256(nodeid.encode()).hexdigest()[:10]}"


def _view(result: TestResult) -> LoadView:
    anchor = anchor_of(result.nodeid)
    until_s = max((x for plot in result.plots if plot.kind == "time" for x in _finite_x(plot)), default=0.0)
    return LoadView(
        anchor=anchor,
        title=result.nodeid.rpartition("::")[2],
        result=result,
        state=State(result.outcome.value),
        plots=tuple(
            _plot(f"{anchor}-{number}", plot, until_s) for number, plot in enumerate(result.plots, start=1)
        ),
    )


def _finite_x(plot: Plot) -> Iterator[float]:
    return (x for line in plot.lines for x, y in line.points if math.isfinite(x) and math.isfinite(y))


def _plot(anchor: str, plot: Plot, until_s: float) -> PlotView:
    picture = draw(plot, until_s=until_s)
    strokes = {stroke.kind for stroke in picture.strokes} if picture else set()
    lines = tuple(
        _line(plot, line, style, marked=f"points l{style}" in strokes)
        for style, line in zip(styles(plot.lines), plot.lines, strict=True)
    )
    limit = "" if plot.limit is None else f"limit: {plot.limit_text or shown(plot.limit, plot.y_unit)}"
    faults = tuple(map(extent, plot.bands))
    return PlotView(
        anchor=anchor,
        plot=plot,
        picture=picture,
        unit=unit_apart(plot.y_unit),
        heads=_HEADS[plot.kind],
        lines=lines,
        limit=limit,
        faults=faults,
        description=" ".join((*_sentences(plot, lines), *(f"{each}." for each in (limit, *faults) if each))),
    )


def _line(plot: Plot, line: Line, style: int, *, marked: bool) -> LineView:
    kind = f"dots d{style}" if line.dots else f"line l{style}"
    points = [(x, y) for x, y in line.points if math.isfinite(x) and math.isfinite(y)]
    values = _figures(plot.kind, points) if points else [None for _head in _HEADS[plot.kind]]
    return LineView(
        kind, marked, line.name, tuple("" if each is None else brief(each, plot.y_unit) for each in values)
    )


def _figures(kind: str, points: Sequence[tuple[float, float]]) -> list[float | None]:
    """Return the figures of a line in the order of their heads."""
    ys = [y for _x, y in points]
    if kind == "time":
        return [median(ys), max(ys)]
    if kind == "percentiles":
        return [next((y for x, y in points if x >= percent - _ROUNDING), None) for percent in _PERCENTILES]
    return [ys[0], ys[-1], max(ys)]


def _sentences(plot: Plot, lines: Sequence[LineView]) -> Iterator[str]:
    yield f"{plot.y} against {plot.x}."
    for line in lines:
        figures = zip(_HEADS[plot.kind], line.figures, strict=True)
        said = ", ".join(f"{head} {figure}" for head, figure in figures if figure)
        yield f"{line.name}: {said or 'no value'}."
    yield from (f"{mark.text} at {shown(mark.x, plot.x_unit)}." for mark in plot.marks)
