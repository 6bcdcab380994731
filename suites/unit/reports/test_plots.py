import re
from math import inf, nan

import pytest

from reports.observations import Band, Line, Plot
from reports.pictures import Picture
from reports.plots import STYLES, WIDTH, draw, thinned
from suites.unit.reports.plotted import knee, percentiles, plot


def drawn(of: Plot) -> Picture:
    picture = draw(of)
    assert picture is not None
    return picture


def strokes(of: Plot) -> dict[str, str]:
    return {stroke.kind: stroke.path for stroke in drawn(of).strokes}


def texts(of: Plot, kind: str) -> list[str]:
    return [label.text for label in drawn(of).labels if label.kind == kind]


def test_every_line_has_a_stroke_of_its_own() -> None:
    """The first lines differ in more than their colour, and few points are marked by shapes."""
    lines = tuple(Line(f"line {number}", ((0, number), (1, number), (2, number))) for number in range(STYLES))
    kinds = strokes(plot(lines=lines, limit=None))
    assert {f"line l{number}" for number in range(STYLES)} <= kinds.keys()
    shapes = {
        re.sub(r"-?[\d.]+ -?[\d.]+", "", kinds[f"points l{number}"], count=1) for number in range(STYLES)
    }
    assert len(shapes) == STYLES


def test_many_lines_are_marked_here_and_there() -> None:
    """Lines of many points have shapes too where there are more lines than patterns that an eye keeps apart."""
    points = tuple((number / 2, 1.0 + number % 3) for number in range(120))
    few, many = (tuple(Line(f"line {number}", points) for number in range(count)) for count in (4, 5))
    assert "points l0" not in strokes(plot(lines=few))
    assert strokes(plot(lines=(*many, Line("none", ()))))["points l1"].count("M") == 9


def test_dots_lie_beneath_the_lines() -> None:
    """What was measured is context for what was made of it, and does not use up the styles of lines."""
    dots = Line("measured", ((0, 1), (1, 2), (2, 3)), dots=True)
    fit = Line("fit", ((0, 1), (2, 3)))
    assert list(strokes(knee(lines=(fit, dots), marks=()))) == ["dots d0", "line l0"]


def test_larger_values_lie_higher_and_later_ones_to_the_right() -> None:
    """The picture has y upwards."""
    path = strokes(plot(lines=(Line("a", ((0, 1), (60, 2))),), limit=None))["line l0"]
    (x0, y0), (x1, y1) = (map(float, pair) for pair in re.findall(r"([\d.]+) ([\d.]+)", path))
    assert x0 < x1
    assert y0 > y1


def test_gap_breaks_the_line() -> None:
    """Where nothing was measured nothing is drawn, and no line leads over it."""
    points = ((0.0, 1.0), (1.0, 2.0), (2.0, nan), (3.0, 1.0), (4.0, inf), (5.0, nan))
    assert strokes(plot(lines=(Line("a", points),)))["line l0"].count("M") == 2


@pytest.mark.parametrize(
    "lines", [(), (Line("a", ()),), (Line("a", ((0, nan),)),)], ids=["none", "empty", "nan"]
)
def test_plot_without_a_point_is_no_picture(lines: tuple[Line, ...]) -> None:
    """There is no axis over nothing."""
    assert draw(plot(lines=lines)) is None


def test_single_point_is_a_picture() -> None:
    """One value is drawn too, on axes of some length."""
    assert strokes(plot(lines=(Line("a", ((0, 0),), dots=True),), bands=(), limit=None))["dots d0"]


def test_fault_is_shaded_and_named() -> None:
    """The fault lies behind the lines over the whole height, from its beginning to its end or that of the picture."""
    picture = drawn(
        plot(
            bands=(
                Band(name="down", where="a", begin_s=10, end_s=20),
                Band(name="slow", where="b", begin_s=40),
            )
        )
    )
    first, last = picture.shades
    assert first.width == pytest.approx(last.width / 2)
    assert last.x + last.width == WIDTH - 24
    assert texts(plot(), "fault") == ["frozen at openai"]


def test_limit_is_a_line_with_its_text() -> None:
    """A limit within reach is drawn, and says what it is."""
    assert "limit" in strokes(plot())
    assert texts(plot(), "limit") == ["P99 ≤ 1 s"]
    assert texts(plot(limit_text=None), "limit") == ["limit"]


def test_limit_out_of_reach_is_said() -> None:
    """A limit far above is named where it would be, without a line in the wrong place."""
    assert "limit" not in strokes(plot(limit=60.0))
    assert texts(plot(limit=60.0), "limit") == ["P99 ≤ 1 s, above the picture"]


def test_text_of_the_limit_stays_in_the_picture() -> None:
    """At the upper edge it stands below its line, elsewhere above."""
    edge, inner = (
        next(label for label in drawn(each).labels if label.kind == "limit").y
        - float(re.findall(r" ([\d.]+)H", strokes(each)["limit"])[0])
        for each in (plot(), plot(lines=(Line("a", ((0, 0.9), (60, 1.9))),)))
    )
    assert edge > 0 > inner


def test_places_are_marked_and_named() -> None:
    """The knee has its line and its name."""
    assert strokes(knee())["place"].count("M") == 1
    assert texts(knee(), "place") == ["knee"]


def test_axes_have_titles_and_ticks() -> None:
    """Both axes say what they are, at round values."""
    assert texts(percentiles(), "axis") == ["Latency", "Share of the requests"]
    assert {"1 ms", "1 s", "P50", "P99.9"} <= set(texts(percentiles(), "tick"))


def test_thinned_line_keeps_its_extremes() -> None:
    """Of many places in one column the first, the lowest, the highest and the last are kept, in their order."""
    places = [(1.0, 5.0), (1.1, 9.0), (1.2, 6.0), (1.3, 2.0), (1.4, 4.0), (2.0, 3.0)]
    assert thinned(places) == [(1.0, 5.0), (1.1, 9.0), (1.3, 2.0), (1.4, 4.0), (2.0, 3.0)]


def test_picture_of_a_hundred_thousand_points_is_small() -> None:
    """A page with many pictures can be opened, however long the run was."""
    points = tuple((number / 1000, float(number * 7919 % 997)) for number in range(100_000))
    paths = strokes(plot(lines=(Line("a", points), Line("b", points, dots=True)), y_unit="count", limit=None))
    assert len(paths["line l0"]) < 60_000
    assert len(paths["dots d0"]) < 1_000_000
