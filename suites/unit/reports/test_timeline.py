import re

import pytest

from reports.observations import Band, Timeline
from reports.pictures import Picture
from reports.timeline import WIDTH, picture
from suites.unit.reports.timelines import attempt, request, timeline


def strokes(drawn: Picture) -> dict[str, str]:
    return {stroke.kind: stroke.path for stroke in drawn.strokes}


def texts(drawn: Picture, kind: str) -> list[str]:
    return [label.text for label in drawn.labels if label.kind == kind]


def test_every_outcome_has_a_mark_of_its_own() -> None:
    """Requests and calls are drawn by outcome; a request that ended is drawn where it was made and as it waited."""
    marks = strokes(picture(timeline()))
    kinds = ("ok", "fail", "info", "left", "open", "answered", "failed", "cancelled", "probe", "remark")
    assert [marks[f"mark {kind}"].count("M") for kind in kinds] == [2, 2, 2, 2, 2, 1, 1, 1, 1, 1]


def test_line_goes_from_the_request_to_its_answer() -> None:
    """Time is on the x axis: a request of half the run is half as long as the picture's inner width."""
    drawn = picture(timeline(requests=(request(1, 0.0, ended_s=5.0),), bands=(), attempts=(), remarks=()))
    begin, end = map(float, re.findall(r"M([\d.]+) [\d.]+H([\d.]+)", strokes(drawn)["line ok"])[0])
    assert end - begin == pytest.approx((WIDTH - 14 - begin) / 2)


def test_what_never_ended_reaches_the_end() -> None:
    """A request without an answer is drawn to the end of the run."""
    line = strokes(picture(timeline()))["line open"]
    assert line.endswith(f"H{WIDTH - 14}")


def test_fault_is_shaded_throughout_and_at_its_provider() -> None:
    """A fault lies behind the whole picture and stands out in the lane of the provider that it hit."""
    drawn = picture(timeline())
    whole, lane = drawn.shades
    assert (whole.kind, lane.kind) == ("band", "band hit")
    assert (whole.x, whole.width) == (lane.x, lane.width)
    assert lane.height < whole.height
    assert whole.title == "down at openai, 2 s to 4 s"
    assert texts(drawn, "fault") == ["down at openai"]


def test_fault_elsewhere_and_without_end_is_shaded_to_the_end() -> None:
    """A fault that hit no provider's lane, and never ended, is shaded from its beginning to the picture's end."""
    drawn = picture(timeline(bands=(Band(name="slow", where="store", begin_s=5.0),)))
    (shade,) = drawn.shades
    assert shade.x + shade.width == WIDTH - 14
    assert shade.title == "slow at store, 5 s to the end"


def test_names_of_faults_are_written_once_and_do_not_overlap() -> None:
    """A fault that comes again is named once with its number; names that would overlap are written in lines."""
    bands = (
        *(Band(name="flap", where="a", begin_s=at, end_s=at + 0.5) for at in (1.0, 2.0, 3.0)),
        Band(name="x" * 30, where="b", begin_s=9.5),
    )
    drawn = picture(timeline(bands=bands))
    assert texts(drawn, "fault") == ["flap at a (3 times)", f"{'x' * 30} at b"]
    assert all(label.x + len(label.text) * 6.3 <= WIDTH for label in drawn.labels if label.kind == "fault")
    heights = {
        label.y
        for label in picture(timeline(bands=(*bands[:1], Band(name="other", where="b", begin_s=1.1)))).labels
        if label.kind == "fault"
    }
    assert len(heights) == 2


def test_providers_have_lanes_with_their_names() -> None:
    """Every provider that was asked has a lane; a name too long for the margin is cut."""
    drawn = picture(timeline(attempts=(attempt("openai", 1), attempt("provider-of-a-long-name", 2))))
    assert texts(drawn, "name")[-2:] == ["openai", "provider-of-a…"]


@pytest.mark.parametrize(
    "empty",
    [Timeline(length_s=0.0), timeline(requests=()), timeline(attempts=()), timeline(length_s=0.0, bands=())],
    ids=["nothing", "no-requests", "no-attempts", "one-moment"],
)
def test_little_is_drawn_too(empty: Timeline) -> None:
    """A history in which hardly anything happened still gives a picture with an axis."""
    drawn = picture(empty)
    assert drawn.height > 20
    assert texts(drawn, "tick")[-1].endswith(" s")


def test_picture_of_two_thousand_requests_is_small() -> None:
    """What is drawn alike is one path, so that a page with many pictures can be opened."""
    many = tuple(request(number, number / 200) for number in range(2000))
    drawn = picture(timeline(requests=many))
    assert len(drawn.strokes) < 20
    assert sum(len(stroke.path) for stroke in drawn.strokes) < 120_000
