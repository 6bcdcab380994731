"""A time line as a picture: places and paths, worked out before the template is asked."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from reports.axes import brief
from reports.observations import Band, TimedAttempt, TimedRequest, Timeline
from reports.pictures import (
    LABEL_HEIGHT,
    LETTER,
    Label,
    Picture,
    Shade,
    Stroke,
    extent,
    named,
    place,
    put_beside,
    rows_of,
)
from reports.scales import Linear, Logarithmic, decades

WIDTH = 1120
_LEFT, _RIGHT = 104, WIDTH - 14
_GAP, _AXIS_HEIGHT = 26, 26
_ROW_HEIGHT, _MOST_ROWS = 7, 24
_PANEL_HEIGHT, _LANE_HEIGHT = 104, 24
_LEAST_S = 0.0001
"""What is faster is drawn as if it took so long: a logarithmic axis has no zero."""

MARKS: Mapping[str, str] = {
    "ok": "M{x} {y}h0",
    "answered": "M{x} {y}h0",
    "fail": "M{x} {y}m-3-3l6 6m0-6l-6 6",
    "failed": "M{x} {y}m-3-3l6 6m0-6l-6 6",
    "info": "M{x} {y}m0-4l4 4l-4 4l-4-4z",
    "cancelled": "M{x} {y}m0-4v8",
    "left": "M{x} {y}m0-4v8",
    "open": "M{x} {y}m-3-3h6v6h-6z",
    "probe": "M{x} {y}m0-4l4 4l-4 4l-4-4z",
    "remark": "M{x} {y}m-4-4h8l-4 7z",
}
"""A shape for each outcome and for what a checker objects to, for those who do not see colours."""


class _Pen:
    """Gathers strokes by their kind, labels, and lines of the grid."""

    def __init__(self) -> None:
        self._paths = defaultdict[str, list[str]](list)
        self.labels: list[Label] = []
        self.grid: list[str] = []

    def line(self, kind: str, begin_x: float, end_x: float, y: float) -> None:
        if end_x - begin_x >= 1:
            self._paths[f"line {kind}"].append(f"M{place(begin_x)} {place(y)}H{place(end_x)}")

    def mark(self, kind: str, x: float, y: float) -> None:
        self._paths[f"mark {kind}"].append(MARKS[kind].format(x=place(x), y=place(y)))

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """Lines beneath marks, and the successes beneath everything else."""
        order = sorted(self._paths, key=lambda kind: (kind.startswith("mark"), kind.endswith(_CALM) is False))
        return tuple(Stroke(kind, "".join(self._paths[kind])) for kind in order)


_CALM = ("ok", "answered")


def picture(timeline: Timeline) -> Picture:
    """Return the picture: the requests, how long they took, the calls to each provider, and the faults behind."""
    time_x = Linear(0, timeline.length_s, _LEFT, _RIGHT)
    pen = _Pen()
    top = _name_bands(timeline.bands, time_x, pen)
    for remark in timeline.remarks:
        pen.mark("remark", time_x(remark.at_s), top)
    y = _draw_requests(timeline, time_x, pen, top)
    y = _draw_latencies(timeline.requests, time_x, pen, y)
    lanes, y = _draw_providers(timeline, time_x, pen, y)
    _draw_axis(time_x, pen, top, y)
    return Picture(
        width=WIDTH,
        height=y + _AXIS_HEIGHT,
        shades=tuple(_shades(timeline, time_x, (top, y), lanes)),
        grid="".join(pen.grid),
        strokes=pen.strokes,
        labels=tuple(pen.labels),
    )


def _name_bands(bands: Sequence[Band], time_x: Linear, pen: _Pen) -> float:
    """Write the name of each kind of fault once, above the first, and return where the picture begins."""
    texts = [(name, time_x(first.begin_s), "fault") for name, first in named(bands)]
    labels, bottom = put_beside(texts, (_LEFT, _RIGHT), 0)
    pen.labels += labels
    return max(bottom, LABEL_HEIGHT) + 4


def _draw_requests(timeline: Timeline, time_x: Linear, pen: _Pen, top: float) -> float:
    """Draw a dot for each request where it was made, and a line to its answer; return where that ends."""
    requests = sorted(timeline.requests, key=lambda each: each.at_s)
    spans = [
        (time_x(each.at_s), time_x(timeline.length_s if each.ended_s is None else each.ended_s))
        for each in requests
    ]
    rows = [row % _MOST_ROWS for row in rows_of((begin, end + 5) for begin, end in spans)]
    middle = top + 10
    pen.labels.append(Label(_LEFT - 12, middle + 4, "requests", "end"))
    for request, (begin, end), row in zip(requests, spans, rows, strict=True):
        y = middle + row * _ROW_HEIGHT
        pen.line(request.outcome, begin, end, y)
        pen.mark(request.outcome, begin, y)
    return middle + max(rows, default=0) * _ROW_HEIGHT + _GAP


def _draw_latencies(requests: Sequence[TimedRequest], time_x: Linear, pen: _Pen, top: float) -> float:
    """Draw how long each request waited for its first content, or its end, on a logarithmic axis."""
    waits = [
        (each, max(_LEAST_S, content - each.at_s))
        for each in requests
        if (content := each.ended_s if each.first_content_s is None else each.first_content_s) is not None
    ]
    if not waits:
        return top
    low, high = decades(min(wait for _each, wait in waits), max(wait for _each, wait in waits))
    wait_y = Logarithmic(low, high, top + _PANEL_HEIGHT, top)
    for tick in wait_y.ticks():
        pen.grid.append(f"M{_LEFT} {place(wait_y(tick))}H{_RIGHT}")
        pen.labels.append(Label(_LEFT - 12, wait_y(tick) + 4, brief(tick, "s"), "end", "tick"))
    pen.labels.append(Label(0, top + _PANEL_HEIGHT / 2 + 4, "wait"))
    for request, wait_s in waits:
        pen.mark(request.outcome, time_x(request.at_s), wait_y(wait_s))
    return top + _PANEL_HEIGHT + _GAP


def _draw_providers(
    timeline: Timeline, time_x: Linear, pen: _Pen, top: float
) -> tuple[Mapping[str, float], float]:
    """Draw a lane for each provider and return their places and where they end; probes are below the calls."""
    by_provider = defaultdict[str, list[TimedAttempt]](list)
    for attempt in timeline.attempts:
        by_provider[attempt.provider].append(attempt)
    lanes = {name: top + number * _LANE_HEIGHT for number, name in enumerate(by_provider)}
    for name, y in lanes.items():
        pen.labels.append(Label(_LEFT - 12, y + 4, _shortened(name), "end"))
        pen.grid.append(f"M{_LEFT} {place(y)}H{_RIGHT}")
        for attempt in by_provider[name]:
            begin = time_x(attempt.at_s)
            end = time_x(timeline.length_s if attempt.ended_s is None else attempt.ended_s)
            pen.line(attempt.outcome, begin, end, y)
            pen.mark("probe" if attempt.probe else attempt.outcome, begin, y + (8 if attempt.probe else 0))
    return lanes, top + max(len(lanes) - 1, 0) * _LANE_HEIGHT + (18 if lanes else -_GAP + 10)


def _draw_axis(time_x: Linear, pen: _Pen, top: float, bottom: float) -> None:
    for tick in time_x.ticks():
        x = time_x(tick)
        pen.grid.append(f"M{place(x)} {place(top)}V{place(bottom)}")
        pen.labels.append(Label(x, bottom + 16, f"{tick:g} s", "middle", "tick"))


def _shades(
    timeline: Timeline, time_x: Linear, between: tuple[float, float], lanes: Mapping[str, float]
) -> Iterator[Shade]:
    top, bottom = between
    for band in timeline.bands:
        begin = time_x(band.begin_s)
        end = time_x(timeline.length_s if band.end_s is None else band.end_s)
        title = extent(band)
        width = max(end - begin, 1)
        yield Shade(begin, top, width, bottom - top, "band", title)
        if band.where in lanes:
            yield Shade(begin, lanes[band.where] - 11, width, 22, "band hit", title)


def _shortened(name: str) -> str:
    most = int((_LEFT - 14) / LETTER)
    return name if len(name) <= most else f"{name[: most - 1]}…"
