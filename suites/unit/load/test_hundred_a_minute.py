"""How many requests a minute a gateway answers."""

from dataclasses import replace

import pytest

from fixtures.load.record import Record
from fixtures.load.result import LoadResult
from suites.load.test_hundred_a_minute import answered_per_minute
from suites.unit.fixtures.load.runs import every, recording


def per_minute(records: list[Record]) -> float:
    return answered_per_minute(LoadResult.of(recording(records)))


def test_requests_that_failed_were_not_answered() -> None:
    """Of ten requests a second every other one fails: those that are answered make three hundred a minute."""
    records = [replace(each, outcome="ok" if each.number % 2 else "error") for each in every(0.1, 100)]
    assert per_minute(records) == pytest.approx(300)


def test_answers_that_pile_up_do_not_count_in_full() -> None:
    """Ten requests a second are all answered in the end, but only half as fast: that is three hundred a minute."""
    records = [replace(each, ended_s=2 * each.intended_s) for each in every(0.1, 100)]
    assert per_minute(records) == pytest.approx(300)
