from suites.chaos.in_turn import left_to_the_full_profile


def test_pairs_are_asked_in_turn() -> None:
    """Of tests that are there in both ways one is left out, of the next the other."""
    tests = [f"t.py::test_a[{case}-{way}]" for case in ("500", "reset") for way in ("whole", "streamed")]
    assert left_to_the_full_profile(tests) == {"t.py::test_a[500-whole]", "t.py::test_a[reset-streamed]"}


def test_order_of_collection_does_not_matter() -> None:
    """The same tests are left out in whatever order they were collected, or the workers would not agree."""
    tests = [f"t.py::test_{name}[{way}]" for name in "abc" for way in ("streamed", "whole")]
    assert left_to_the_full_profile(tests) == left_to_the_full_profile(reversed(tests))


def test_who_is_there_in_one_way_alone_stays() -> None:
    """A test that has no counterpart is not left out, nor one that only speaks of wholes."""
    tests = [
        "t.py::test_a[500-whole]",
        "t.py::test_a[503-streamed]",
        "t.py::test_b[the whole]",
        "t.py::test_c",
    ]
    assert left_to_the_full_profile(tests) == set()


def test_way_may_stand_between_other_parameters() -> None:
    """Where in the id the way stands is all the same."""
    tests = [f"t.py::test_a[in the body-{way}-closing]" for way in ("whole", "streamed")]
    assert left_to_the_full_profile(tests) == {"t.py::test_a[in the body-whole-closing]"}
