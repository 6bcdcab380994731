"""What pictures are made of, and how names are put beside each other: the template writes it as SVG."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.observations import Band

LETTER = 6.3
"""About how wide a letter of a label is."""

LABEL_HEIGHT = 15


@dataclass(frozen=True, slots=True)
class Shade:
    """A fault from its beginning to its end, over the whole picture or a part of it."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Label:
    """A text; `anchor` says which end of it lies at `x`."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    kind: str = "name"


@dataclass(frozen=True, slots=True)
class Stroke:
    """Everything that is drawn alike, in one path."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What the template writes as SVG, in a box of `width` by `height`; `grid` is a path."""

    width: float
    height: float
    shades: tuple[Shade, ...]
    grid: str
    strokes: tuple[Stroke, ...]
    labels: tuple[Label, ...]


def named(bands: Sequence[Band]) -> list[tuple[str, Band]]:
    """Return each kind of fault once, by a name that says how often it came, with the first of its bands."""
    alike: dict[str, list[Band]] = {}
    for band in bands:
        alike.setdefault(f"{band.name} at {band.where}", []).append(band)
    return [
        (f"{name} ({len(found)} times)" if len(found) > 1 else name, found[0])
        for name, found in alike.items()
    ]


def extent(band: Band) -> str:
    """Return what a fault was, where, and from when to when."""
    until = "to the end" if band.end_s is None else f"to {_second(band.end_s)}"
    return f"{band.name} at {band.where}, {_second(band.begin_s)} {until}"


def _second(at_s: float) -> str:
    return f"{round(at_s, 3):.10g} s"


def put_beside(
    texts: Sequence[tuple[str, float, str]], within: tuple[float, float], top: float
) -> tuple[list[Label], float]:
    """Return texts, each with its place on x and its kind, in rows where none overlap, and where the rows end."""
    left, right = within
    spans = []
    for text, x, _kind in texts:
        length = min(len(text) * LETTER, right - left)
        begin = min(x, right - length)
        spans.append((begin, begin + length + LETTER))
    rows = rows_of(spans)
    labels = [
        Label(begin, top + LABEL_HEIGHT * (row + 1) - 4, text, kind=kind)
        for (text, _x, kind), (begin, _end), row in zip(texts, spans, rows, strict=True)
    ]
    return labels, top + LABEL_HEIGHT * (max(rows, default=-1) + 1)


def rows_of(spans: Iterable[tuple[float, float]]) -> list[int]:
    """Return a row for each span, given in the order of their beginnings, so that in a row none overlap."""
    ends: list[float] = []
    rows: list[int] = []
    for begin, end in spans:
        row = next((row for row, busy in enumerate(ends) if busy <= begin), len(ends))
        ends[row : row + 1] = [end]
        rows.append(row)
    return rows


def place(value: float) -> str:
    """Return a place with no more digits than a screen can show."""
    return f"{value:.1f}".removesuffix(".0")
