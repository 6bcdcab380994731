"""What is drawn from a seed: kills, and the faults of single requests."""

import socket

import pytest

from suites.chaos.failing import CASES, REFUSED, Case, deserted_address, draw
from suites.chaos.kills import SCHEDULES, Schedule


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES.keys())
def test_seed_decides_the_kills(schedule: Schedule) -> None:
    """The same seed gives the same kills, another one gives others."""
    assert schedule.kills(7) == schedule.kills(7)
    assert schedule.kills(7) != schedule.kills(8)


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES.keys())
@pytest.mark.parametrize("seed", range(20))
def test_there_is_time_to_come_back(schedule: Schedule, seed: int) -> None:
    """After each kill there is time for a probe and a second before the next one, or the end, comes."""
    kills = schedule.kills(seed)
    back_s = [kill.at_s + kill.for_s + schedule.probe_interval_s + 1 for kill in kills]
    following_s = [*(kill.at_s for kill in kills[1:]), schedule.duration_s - 1]
    assert all(back <= following for back, following in zip(back_s, following_s, strict=True))


def test_seed_decides_the_faults() -> None:
    """The same seed gives the same faults, another one gives others; some requests are spared."""
    drawn = draw(7, 100)
    assert drawn == draw(7, 100)
    assert drawn != draw(8, 100)
    assert None in drawn
    assert len(set(drawn)) > len(CASES) / 2


def test_cases_have_plain_names() -> None:
    """Each case has a name of its own that providers and models can have, and a step unless nobody is there."""
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(" " not in case.name for case in CASES)
    assert {case.kind for case in CASES if case.step is None} == {REFUSED}
    assert str(Case("body cut", stream=False)) == "body cut, whole"


def test_nobody_listens_at_a_deserted_address() -> None:
    """A connection to a deserted address is refused, and the address is not given to anybody else meanwhile."""
    with deserted_address() as address:
        host, _colon, port = address.rpartition(":")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)), timeout=1)
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((host, int(port)))
