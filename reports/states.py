"""What the evidence says of one item, and how the outcomes of its tests add up to that."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType

from reports.evidence import Outcome


class State(StrEnum):
    """The state of an item; the words are told apart wherever they are shown."""

    FAIL = "FAIL"
    ERROR = "ERROR"
    NOT_RUN = "NOT RUN"
    NO_TEST = "NO TEST"
    WAIVED = "WAIVED"
    UNSUPPORTED = "UNSUPPORTED"
    PASS = "PASS"  # noqa: S105 - the word of an item that holds
    ATTEST = "ATTEST"


UNDECIDED = frozenset({State.ERROR, State.NOT_RUN, State.NO_TEST})
"""The states that leave open whether the item holds."""

_STATES: Mapping[Outcome, State] = MappingProxyType({outcome: State(outcome.value) for outcome in Outcome})


def add_up(states: Collection[State]) -> State:
    """Return the state of an item from those of its tests; what is worse outweighs what is better.

    Where some tests pass and the others are unsupported, the item passes: what the target claims was shown to hold.
    """
    if not states:
        return State.NO_TEST
    for state in (State.FAIL, State.ERROR, State.NOT_RUN, State.WAIVED):
        if state in states:
            return state
    return State.PASS if State.PASS in states else State.UNSUPPORTED


def state_of(outcome: Outcome, *, waived: bool = False) -> State:
    """Return the state of a single test; a waiver changes only a failure."""
    return State.WAIVED if waived and outcome is Outcome.FAIL else _STATES[outcome]
