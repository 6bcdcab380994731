"""A plot as a picture: its axes with round values, its lines, the faults behind them and the limit before them."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reports.axes import ticks, title, x_scale, y_scale
from reports.observations import Line, Plot
from reports.pictures import LABEL_HEIGHT, Label, Picture, Shade, Stroke, extent, named, place, put_beside
from reports.scales import Linear, Logarithmic, Nines

WIDTH = 780
_LEFT, _RIGHT = 66, WIDTH - 24
_HEIGHT, _BELOW, _TEXT_UP = 196, 44, 4

_FEW = range(3, 25)
"""With so many points each of them is marked."""

_MANY_LINES = 4
"""With more of them some points of each are marked, however many it has."""

_MARKS = 8

STYLES = 8
"""How many kinds of line are told apart, each by a colour, a pattern of dashes, and a shape."""

SHAPES = (
    "M{x} {y}h0",
    "M{x} {y}m-3-3l6 6m0-6l-6 6",
    "M{x} {y}m0-4l4 4l-4 4l-4-4z",
    "M{x} {y}m-4 3l4-7l4 7z",
    "M{x} {y}m-3-3h6v6h-6z",
    "M{x} {y}m-4 0h8m-4-4v8",
    "M{x} {y}m-4-3l4 7l4-7z",
    "M{x} {y}m-3 0h6",
)
"""The shape of a point, by the number of its line."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Axes:
    x: Linear | Nines
    y: Linear | Logarithmic
    top: float

    @property
    def bottom(self) -> float:
        return self.top + _HEIGHT


def draw(plot: Plot, *, until_s: float = 0) -> Picture | None:
    """Return the picture, None where there is no point to draw; `until_s` is the least end of an axis of time."""
    points = [point for line in plot.lines for point in line.points if _finite(point)]
    if not points:
        return None
    x = x_scale(plot, [x for x, _y in points], (_LEFT, _RIGHT), until_s)
    names, top = put_beside(_names(plot, x), (_LEFT, _RIGHT), LABEL_HEIGHT)
    top += 9
    axes = _Axes(x, y_scale(plot, [y for _x, y in points], (top + _HEIGHT, top)), top)
    limit, limit_label = _limit(plot, axes)
    return Picture(
        width=WIDTH,
        height=axes.bottom + _BELOW,
        shades=tuple(_shades(plot, axes)),
        grid=_grid(axes, plot),
        strokes=(*_places(plot, axes), *_strokes(plot.lines, axes), *limit),
        labels=(*_titles(plot, axes), *_tick_labels(plot, axes), *names, *limit_label),
    )


def _finite(point: tuple[float, float]) -> bool:
    return all(map(math.isfinite, point))


def _names(plot: Plot, x: Linear | Nines) -> list[tuple[str, float, str]]:
    faults = [(name, x(first.begin_s), "fault") for name, first in named(plot.bands)]
    return [*faults, *((mark.text, x(mark.x) + 4, "place") for mark in plot.marks)]


def _shades(plot: Plot, axes: _Axes) -> Iterator[Shade]:
    for band in plot.bands:
        begin = axes.x(band.begin_s)
        end = _RIGHT if band.end_s is None else axes.x(band.end_s)
        yield Shade(begin, axes.top, max(end - begin, 1), _HEIGHT, "band", extent(band))


def _grid(axes: _Axes, plot: Plot) -> str:
    across = "".join(
        f"M{_LEFT} {place(axes.y(value))}H{_RIGHT}" for value, _text in ticks(axes.y, plot.y_unit)
    )
    down = "".join(
        f"M{place(axes.x(value))} {place(axes.bottom)}v5" for value, _text in ticks(axes.x, plot.x_unit)
    )
    return across + down


def _titles(plot: Plot, axes: _Axes) -> tuple[Label, Label]:
    return (
        Label(0, LABEL_HEIGHT - 4, title(plot.y, plot.y_unit), kind="axis"),
        Label(_RIGHT, axes.bottom + 36, title(plot.x, plot.x_unit), "end", "axis"),
    )


def _tick_labels(plot: Plot, axes: _Axes) -> Iterator[Label]:
    for value, text in ticks(axes.y, plot.y_unit):
        yield Label(_LEFT - 10, axes.y(value) + _TEXT_UP, text, "end", "tick")
    for value, text in ticks(axes.x, plot.x_unit):
        yield Label(axes.x(value), axes.bottom + 19, text, "middle", "tick")


def _limit(plot: Plot, axes: _Axes) -> tuple[tuple[Stroke, ...], tuple[Label, ...]]:
    if plot.limit is None:
        return (), ()
    text = plot.limit_text or "limit"
    if plot.limit > axes.y.high:
        return (), (Label(_RIGHT, axes.top + 12, f"{text}, above the picture", "end", "limit"),)
    y = axes.y(plot.limit)
    below = y - axes.top < LABEL_HEIGHT
    stroke = Stroke("limit", f"M{_LEFT} {place(y)}H{_RIGHT}")
    return (stroke,), (Label(_RIGHT, y + (14 if below else -5), text, "end", "limit"),)


def _places(plot: Plot, axes: _Axes) -> Iterator[Stroke]:
    for mark in plot.marks:
        yield Stroke("place", f"M{place(axes.x(mark.x))} {place(axes.top - 4)}V{place(axes.bottom)}")


def styles(lines: Sequence[Line]) -> Iterator[int]:
    """Yield the number of each line's style: dots have a row of styles of their own."""
    counts = {True: 0, False: 0}
    for line in lines:
        yield counts[line.dots] % STYLES
        counts[line.dots] += 1


def _strokes(lines: Sequence[Line], axes: _Axes) -> Iterator[Stroke]:
    """Yield the lines, what is only dots beneath the others."""
    for style, line in sorted(zip(styles(lines), lines, strict=True), key=lambda each: not each[1].dots):
        parts = [[(axes.x(x), axes.y(y)) for x, y in part] for part in _parts(line.points)]
        places = [each for part in parts for each in part]
        if line.dots:
            yield Stroke(f"dots d{style}", _dots(places, style))
            continue
        yield Stroke(f"line l{style}", "".join(map(_path, parts)))
        marked = _marked(places, crowded=len(lines) > _MANY_LINES)
        if marked:
            yield Stroke(f"points l{style}", _dots(marked, style))


def _parts(points: Points) -> Iterator[list[tuple[float, float]]]:
    """Yield the parts of a line between its gaps."""
    part: list[tuple[float, float]] = []
    for point in points:
        if _finite(point):
            part.append(point)
        elif part:
            yield part
            part = []
    if part:
        yield part


def _path(places: Points) -> str:
    return "M" + "L".join(f"{place(x)} {place(y)}" for x, y in thinned(places))


def _dots(places: Points, style: int) -> str:
    """Return the shapes of points; those that no eye could tell apart are drawn once."""
    cells = dict.fromkeys((round(x / 1.5), round(y / 1.5)) for x, y in places)
    return "".join(SHAPES[style].format(x=place(x * 1.5), y=place(y * 1.5)) for x, y in cells)


def _marked(places: Points, *, crowded: bool) -> Points:
    """Return the places of a line that are marked: all of a few, and among many lines some, far from each other."""
    if len(places) in _FEW:
        return places
    if not places or not crowded:
        return ()
    columns = Linear(0, _MARKS, places[0][0], places[-1][0])
    return [min(places, key=lambda each: abs(each[0] - columns(number))) for number in range(_MARKS + 1)]


def thinned(places: Points) -> list[tuple[float, float]]:
    """Return the first, the lowest, the highest and the last place of each column that is one step wide."""
    columns: dict[int, list[tuple[float, float]]] = {}
    for each in places:
        columns.setdefault(round(each[0]), []).append(each)
    return [each for column in columns.values() for each in _outline(column)]


def _outline(column: Points) -> Iterable[tuple[float, float]]:
    ends = {
        0,
        len(column) - 1,
        min(range(len(column)), key=lambda number: column[number][1]),
        max(range(len(column)), key=lambda number: column[number][1]),
    }
    return (column[number] for number in sorted(ends))
