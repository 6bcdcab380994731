"""What the journals of a lane's providers say: who was asked, and how those calls ended."""

from collections.abc import Sequence
from http import HTTPStatus

from fixtures.simulators.journal import Call
from suites.chaos.lanes import Lane

_ASKED_WITHIN_S = 5.0


def place_of(call: Call) -> int:
    """Return the place in its lane's chain of the provider that a call went to, counted from 1."""
    return int(call.provider.rpartition("-")[2])


def wait_until_asked(lane: Lane, places: Sequence[int]) -> None:
    """Return once these providers have been asked, in this order.

    Raises:
        AssertionError: they are not, or others were.

    """
    lane.track.world.journal.wait_until(lambda: _count(lane) >= len(places), _ASKED_WITHIN_S)
    assert lane.asked() == list(places), f"asked were {lane.asked()} and not {list(places)}"


def is_anybody_asked(lane: Lane, within_s: float) -> bool:
    """Return whether any of the lane's providers is asked for chat from now on, as soon as one is or it is over."""
    before = _count(lane)
    return lane.track.world.journal.wait_until(lambda: _count(lane) > before, within_s)


def wait_until_probed(lane: Lane, times: int, within_s: float, *, well: bool = False) -> None:
    """Return once the lane's first provider has answered so many probes; those that went `well`, or any.

    Raises:
        AssertionError: it has not within that time.

    """

    def is_one(call: Call) -> bool:
        is_over = (
            call.outcome == "complete" and call.status == HTTPStatus.OK if well else call.outcome != "open"
        )
        return place_of(call) == 1 and is_over

    journal = lane.track.world.journal
    assert journal.wait_until(lambda: sum(map(is_one, lane.probes())) >= times, within_s), "it is not probed"


def _count(lane: Lane) -> int:
    journal = lane.track.world.journal
    return sum(journal.count(provider.name, "chat") for provider in lane.track.providers)


def ended(lane: Lane, call: Call, within_s: float) -> Call:
    """Return a call once it has ended.

    Raises:
        AssertionError: it has not within that time.

    """

    def is_over(each: Call) -> bool:
        return each.seq == call.seq and each.outcome != "open"

    try:
        return lane.track.world.journal.wait_for(is_over, within_s)
    except TimeoutError as error:
        raise AssertionError(f"a call goes on that nobody wants: {told(lane)}") from error


def told(lane: Lane) -> str:
    """Return the calls for chat in a line, for the reason of a failure."""
    return "; ".join(f"provider {place_of(call)}: {call.status} {call.outcome}" for call in lane.calls())


def pause_s(earlier: Call, later: Call) -> float:
    """Return the seconds from the end of one call to the beginning of the next."""
    assert earlier.ended_s is not None, "the earlier call has not ended"
    return later.started_s - earlier.ended_s
