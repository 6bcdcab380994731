"""Class B: hangs, timeouts and framing. Every wait has a bound; comments are no progress, thoughts are."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from fixtures.simulators.protocol import Event, Part, Plan
from fixtures.simulators.steps import Chain, Cut, Say, Scene, Slow, Stall, Step
from fixtures.simulators.text import Reply, words_of
from suites.chaos.hearing import CHAT, End
from suites.chaos.lanes import QUESTION, Lane

pytestmark = [
    pytest.mark.item("PL-028"),
    pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams"),
]

IDLE_S = 0.6
HANGING = 30


@dataclass(frozen=True, slots=True)
class Heartbeats:
    """Sends nothing but comments from a position on, so often and for so long."""

    at: int
    every_s: float
    for_s: float

    def alter(self, plan: Plan, scene: Scene) -> Plan:
        del scene
        comment = Event(b": ping\n\n", Part.FINISH, wait_s=self.every_s, count=0)
        for _beat in range(int(self.for_s / self.every_s)):
            plan = plan.with_event(self.at, comment)
        return plan


@pytest.mark.regression("R028")
@pytest.mark.lane(timeouts={"idle_s": 20})
@pytest.mark.parametrize(
    "step",
    [Stall("before end"), Stall("before usage"), Cut("before end", "end"), Cut("before end", "rst")],
    ids=["held open after the usage", "held open after the finish reason", "clean end", "reset"],
)
def test_stream_that_is_held_open_ends(lane: Lane, step: Step) -> None:
    """A stream whose finish reason has come is whole: its caller does not wait for the terminal event."""
    lane.primary.always(step, for_="chat")
    heard = lane.ask(stream=True)
    assert heard.is_answer(lane.text_of(1)), f"the answer was there, and was not given: {heard}"
    assert heard.took_s < 5, f"it took {heard.took_s:.1f} s"


@pytest.mark.regression("R028")
@pytest.mark.lane(timeouts={"first_byte_s": IDLE_S, "idle_s": IDLE_S})
@pytest.mark.parametrize(
    ("at", "place"), [(0, "before content"), (2, "after content")], ids=["before content", "after content"]
)
def test_comments_are_no_progress(lane: Lane, at: int, place: str) -> None:
    """Comments keep a connection alive, not a request: the limit on silence holds in spite of them."""
    lane.primary.always(Heartbeats(at, every_s=0.05, for_s=4), for_="chat")
    heard = lane.ask(stream=True)
    assert heard.took_s < IDLE_S + 1.5, f"comments have kept the caller waiting for {heard.took_s:.1f} s"
    if place == "before content":
        assert heard.is_answer(lane.text_of(2)), f"the next provider has not answered: {heard}"
    else:
        assert (heard.end, heard.code) == (End.ERROR, "TIMEOUT"), f"no timeout is told: {heard}"


@pytest.mark.regression("R030")
@pytest.mark.lane(kinds=("deepseek", "openai"), timeouts={"first_byte_s": IDLE_S, "idle_s": IDLE_S})
def test_thinking_is_progress(lane: Lane) -> None:
    """A model that thinks aloud for longer than the limit on silence is not silent."""
    thoughts = words_of("one two three four five six seven eight nine ten")
    reply = Reply(thoughts=thoughts, tokens=words_of("The Loire."))
    lane.primary.always(Chain(Say(reply), Slow(0, gap_ms=150)), for_="chat")
    heard = lane.ask(stream=True)
    assert heard.is_answer("The Loire."), f"it was not let think: {heard}"
    assert heard.took_s > IDLE_S, "it has not thought for long enough to tell"


@pytest.mark.regression("R036")
@pytest.mark.lane(timeouts={"whole_s": 8, "first_byte_s": 8})
def test_hanging_provider_hangs_nobody_else(lane: Lane) -> None:
    """While many requests hang on one provider, those for another are answered as if nothing were."""
    lane.primary.always(Stall("before headers", 3), for_="chat")
    usual_s = _ask_another(lane)
    with ThreadPoolExecutor(HANGING) as pool:
        hanging = [pool.submit(lane.ask, stream=False) for _request in range(HANGING)]
        _wait_until_received(lane, HANGING)
        meanwhile_s = [_ask_another(lane) for _request in range(10)]
        heard = [each.result() for each in hanging]
    assert all(each.is_answer(lane.text_of(1)) for each in heard), "those who waited were not answered"
    assert max(meanwhile_s) < usual_s + 1, f"others took up to {max(meanwhile_s):.2f} s"


def _ask_another(lane: Lane) -> float:
    """Return how long a request takes that goes to the other provider of the lane."""
    return CHAT.ask(lane.gateway.user, lane.track.models[1], QUESTION, stream=False).took_s


def _wait_until_received(lane: Lane, count: int) -> None:
    is_received = lane.track.world.journal.wait_until(lambda: lane.asked().count(1) >= count, 2)
    assert is_received, f"only {lane.asked().count(1)} requests were passed on"
