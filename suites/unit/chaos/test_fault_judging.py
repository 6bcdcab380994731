"""The judgement on one request that a fault acted on."""

from typing import Any

import pytest

from suites.chaos.fault_judging import Met, problem_with
from suites.chaos.fault_table import Hold
from suites.chaos.hearing import End, Heard

TEXTS = ("one two three", "four five six")


def met(end: End = End.ANSWER, text: str = "", struck: tuple[int, ...] = (1,), **fields: Any) -> Met:
    heard = Heard(end=end, text=text, sent_s=0.0, took_s=fields.pop("took_s", 0.1), headers={}, **fields)
    return Met(heard, TEXTS, struck)


FIRST, NEXT = met(text=TEXTS[0]), met(text=TEXTS[1])
TOLD, TOLD_LATE = met(End.ERROR), met(End.ERROR, "one two")
BROKEN, CUT = met(End.BROKEN, "one"), met(End.CUT, "one two")
HALF, FOREIGN = met(text="one two"), met(End.ERROR, "something else")

HOLDS: dict[Hold, tuple[Met, ...]] = {
    "harmless": (FIRST,),
    "replaced": (NEXT,),
    "answered": (FIRST, NEXT),
    "error": (TOLD, TOLD_LATE),
    "ends": (FIRST, NEXT, TOLD, TOLD_LATE),
    "broken": (TOLD, TOLD_LATE, BROKEN, CUT),
}
ALL = (FIRST, NEXT, TOLD, TOLD_LATE, BROKEN, CUT, HALF, FOREIGN)


@pytest.mark.parametrize("hold", HOLDS)
def test_only_what_must_hold_holds(hold: Hold) -> None:
    """Each expectation is met by what it means, and by nothing else: half an answer and foreign words meet none."""
    assert tuple(each for each in ALL if not list(problem_with(each, hold))) == HOLDS[hold]


def test_next_is_the_first_that_is_not_struck() -> None:
    """Who replaces the struck ones is the first of the others; where all are struck, nobody can."""
    assert list(problem_with(met(text=TEXTS[1], struck=(1, 2)), "replaced"))
    assert not list(problem_with(met(text=TEXTS[0], struck=(2,)), "replaced"))


def test_answer_has_its_time() -> None:
    """An answer that takes too long is objected to, and so is one that is too fast for the fault to have acted."""
    assert list(problem_with(met(text=TEXTS[0], took_s=2), "harmless", within_s=1))
    assert list(problem_with(met(text=TEXTS[0], took_s=0.1), "harmless", at_least_s=0.2))
    assert not list(problem_with(met(text=TEXTS[0], took_s=0.5), "harmless", at_least_s=0.2, within_s=1))
