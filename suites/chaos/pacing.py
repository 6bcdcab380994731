"""When callers ask: at moments set beforehand, or again and again, for a time or until they get what is wanted.

Nothing here stands in for a condition that could be awaited: moments and pauses are the load itself, and whether a
gateway answers otherwise by now nobody can know but by asking. What the simulators have seen is awaited in their
journal (`journals.py`), what callers have heard in the transcript. No other file of this suite sleeps.
"""

import time
from collections.abc import Callable
from typing import TypeVar

Met = TypeVar("Met")

PAUSE_S = 0.05


def wait_for_moment(at_s: float) -> None:
    """Return at this moment of the monotonic clock, at once where it is over."""
    time.sleep(max(0.0, at_s - time.monotonic()))


def ask_until(
    ask: Callable[[], Met], is_wanted: Callable[[Met], bool], latest_s: float, pause_s: float = PAUSE_S
) -> tuple[Met, bool]:
    """Ask until an answer is wanted, or comes after `latest_s` of the monotonic clock; return it, and whether it is."""
    while not (is_it := is_wanted(met := ask())) and time.monotonic() < latest_s:
        time.sleep(pause_s)
    return met, is_it


def ask_for(ask: Callable[[], Met], lasts_s: float, pause_s: float = PAUSE_S) -> list[Met]:
    """Ask again and again for so long, and return all answers."""
    until_s = time.monotonic() + lasts_s
    answers = [ask()]
    while time.monotonic() < until_s:
        time.sleep(pause_s)
        answers.append(ask())
    return answers
