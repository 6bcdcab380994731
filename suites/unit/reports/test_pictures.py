from reports.observations import Band
from reports.pictures import LETTER, extent, named, put_beside, rows_of


def test_requests_that_overlap_are_drawn_in_rows() -> None:
    """In a row no two requests overlap, and a row that is free again is used again."""
    assert rows_of([(0, 5), (1, 3), (4, 6), (5, 7)]) == [0, 1, 1, 0]


def test_texts_beside_each_other_do_not_overlap() -> None:
    """A text begins at its place unless it would leave the picture, and goes a row down where another one stands."""
    texts = [("first", 10.0, "fault"), ("second", 20.0, "place"), ("x" * 20, 390.0, "fault")]
    labels, bottom = put_beside(texts, (0.0, 400.0), 0)
    first, second, last = labels
    assert (first.x, second.x, last.x) == (10.0, 20.0, 400 - 20 * LETTER)
    assert first.y == last.y < second.y < bottom
    assert put_beside([], (0.0, 400.0), 7) == ([], 7)


def test_fault_that_comes_again_is_named_once() -> None:
    """What is alike has one name with how often it came, and stands where it came first."""
    bands = [Band(name="flap", where="a", begin_s=at) for at in (1.0, 2.0)]
    assert named(bands) == [("flap at a (2 times)", bands[0])]


def test_extent_of_a_fault_is_told_in_words() -> None:
    """Its times have no more digits than they need."""
    assert extent(Band(name="down", where="a", begin_s=2.0, end_s=4.0625)) == "down at a, 2 s to 4.062 s"
    assert extent(Band(name="down", where="a", begin_s=2.5)) == "down at a, 2.5 s to the end"
