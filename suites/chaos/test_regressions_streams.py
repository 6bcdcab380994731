"""Class A: failover that does not happen, and streams that are cut and not rescued.

A fault at every position of an answer. Nothing delivered yet: the next provider answers, invisibly. Something
delivered: an explicit error, since nothing is configured that could rescue. All of it delivered: the answer stands.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from fixtures.simulators.position import Byte, Position
from fixtures.simulators.steps import Chain, Cut, ErrorEvent, Garbage, Say, Stall, Status, Step
from fixtures.simulators.text import Reply, ToolCall, words_of
from suites.chaos.hearing import FACES, End, Face
from suites.chaos.lanes import Lane
from suites.chaos.spoiling import REFUSAL_WORDS, RefusePrefill

pytestmark = [
    pytest.mark.item("UB-035", "PL-105"),
    pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams"),
]

Delivered = Literal["nothing", "something", "all"]

POSITIONS: Mapping[str, tuple[Position, Delivered]] = {
    "before headers": ("before headers", "nothing"),
    "before first event": (Byte(0), "nothing"),
    "in first event": (Byte(40), "nothing"),
    "after role": ("preamble", "nothing"),
    "after first content": (1, "something"),
    "after five tokens": (5, "something"),
    "before finish reason": ("before finish", "something"),
    "after finish reason": ("before usage", "all"),
    "after usage": ("before end", "all"),
    "after [DONE]": ("after end", "all"),
}
"""Where a stream can break, and what its caller has of it by then."""

FAULTS: Mapping[str, Callable[[Position], Step]] = {
    "reset": lambda at: Cut(at, "rst"),
    "closed": lambda at: Cut(at, "fin"),
    "clean end": lambda at: Cut(at, "end"),
    "stall": Stall,
    "error event": ErrorEvent,
    "garbage": Garbage,
}

EVENTS = frozenset({"error event", "garbage"})
"""The faults that are events themselves: they have no meaning outside of the stream, or within an event."""

OUTSIDE = frozenset({"before headers", "in first event", "after [DONE]"})

WHOLE_POSITIONS: Mapping[str, Position] = {
    "before headers": "before headers",
    "before body": Byte(0),
    "after first piece": 1,
    "before last byte": "before end",
}

IMPATIENT = pytest.mark.lane(timeouts={"first_byte_s": 0.6, "whole_s": 0.6, "idle_s": 0.6})

CALL = Reply(tools=(ToolCall("get_weather", words_of('{"city": "Rome", "unit": "C"}')),), ending="tool_calls")
CANONICAL = Reply(tokens=words_of("The Loire is the longest river of France."))


@dataclass(frozen=True, slots=True)
class Break:
    """A fault at a position of a stream, and what its caller has by then."""

    step: Step
    delivered: Delivered


def _breaks() -> Iterator[Any]:
    for fault, step in FAULTS.items():
        for place, (at, delivered) in POSITIONS.items():
            if fault not in EVENTS or place not in OUTSIDE:
                yield pytest.param(Break(step(at), delivered), id=f"{fault} {place}")


def _breaks_of_whole_answers() -> Iterator[Any]:
    """Each fault at each position, but for an event before the head, which has no meaning."""
    for fault, step in FAULTS.items():
        for place, at in WHOLE_POSITIONS.items():
            if fault not in EVENTS or place != "before headers":
                yield pytest.param(step(at), id=f"{fault} {place}")


@pytest.mark.regression("R001", "R015", "R017", "R140")
@IMPATIENT
@pytest.mark.parametrize("broken", list(_breaks()))
def test_fault_at_every_position(lane: Lane, broken: Break) -> None:
    """Wherever a stream breaks, its caller has a whole answer of one provider, or is told an explicit error."""
    lane.primary.always(broken.step, for_="chat")
    heard = lane.ask(stream=True, stream_options={"include_usage": True})
    match broken.delivered:
        case "nothing":
            assert heard.is_answer(lane.text_of(2)), f"the next provider has not answered: {heard}"
            assert lane.asked() == [1, 2], "nothing was delivered, and not each was asked once"
        case "something":
            assert heard.end is End.ERROR, f"no error is told: {heard}"
            assert lane.text_of(1).startswith(heard.text), f"nobody has said {heard.text!r}"
            assert lane.asked() == [1], "another provider was asked in vain"
        case "all":
            assert heard.is_answer(lane.text_of(1)), f"the answer was there, and was not given: {heard}"
            assert lane.asked() == [1], "another provider was asked in vain"


@pytest.mark.regression("R001", "R015", "R018")
@IMPATIENT
@pytest.mark.parametrize("step", list(_breaks_of_whole_answers()))
def test_whole_answer_takes_the_same_decision(lane: Lane, step: Step) -> None:
    """An answer that is asked for whole and breaks anywhere was not delivered: the next provider answers."""
    lane.primary.always(step, for_="chat")
    heard = lane.ask(stream=False)
    assert heard.is_answer(lane.text_of(2)), f"the next provider has not answered: {heard}"
    assert lane.asked() == [1, 2], "not each was asked once"


@pytest.mark.regression("R001", "R017")
@IMPATIENT
@pytest.mark.parametrize("fault", FAULTS)
def test_fragment_of_a_tool_call_is_no_call(lane: Lane, fault: str) -> None:
    """A stream that breaks within the arguments of a tool call ends with an error: no caller runs half a call."""
    lane.primary.always(Chain(Say(CALL), FAULTS[fault](2)), for_="chat")
    heard = lane.ask(stream=True)
    assert heard.end is End.ERROR, f"no error is told: {heard}"
    assert CALL.tools[0].arguments.startswith(heard.tools), f"nobody has said {heard.tools!r}"


@pytest.mark.regression("R009", "R017")
@pytest.mark.needs("messages", "responses")
@pytest.mark.parametrize("fault", ["reset", "clean end", "error event", "garbage"])
@pytest.mark.parametrize("face", FACES, ids=str)
def test_break_is_told_on_every_face(lane: Lane, face: Face, fault: str) -> None:
    """Through every face, a stream that breaks after content ends with that face's error, never as if it were whole."""
    lane.primary.always(FAULTS[fault](3), for_="chat")
    heard = lane.ask(face, stream=True)
    assert heard.end is End.ERROR, f"no error is told: {heard}"
    assert heard.text, "what was delivered is not there"
    assert lane.text_of(1).startswith(heard.text), f"nobody has said {heard.text!r}"


@pytest.mark.regression("R015", "R023")
@pytest.mark.needs("messages", "responses")
@pytest.mark.parametrize("place", ["before headers", "before first event", "after role"])
@pytest.mark.parametrize("face", FACES, ids=str)
def test_next_provider_answers_on_every_face(lane: Lane, face: Face, place: str) -> None:
    """Through every face, a stream that breaks before its content is answered by the next provider."""
    lane.primary.always(Cut(POSITIONS[place][0], "rst"), for_="chat")
    heard = lane.ask(face, stream=True)
    assert heard.is_answer(lane.text_of(2)), f"the next provider has not answered: {heard}"


@pytest.mark.regression("R009", "R010")
@pytest.mark.needs("messages", "responses")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("face", FACES, ids=str)
def test_end_of_the_chain_is_told_on_every_face(lane: Lane, face: Face, *, stream: bool) -> None:
    """Where every provider fails before any content, the caller has an error status, and not the start of an answer."""
    lane.primary.always(Cut("preamble", "rst"), for_="chat")
    lane.fallback.always(Status(500), for_="chat")
    heard = lane.ask(face, stream=stream)
    assert heard.end is End.ERROR, f"no error is told: {heard}"
    assert heard.status is not None, "there is no status"
    assert heard.status >= 500, f"the status is {heard.status}"
    assert heard.text == "", "something was delivered"


@pytest.mark.regression("R011")
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.lane(kinds=("openai", kind), chain={"rescue": "continue"}))
        for kind in ("openai", "anthropic", "vllm", "ollama", "openrouter")
    ],
)
def test_refused_prefill_is_not_the_callers_error(lane: Lane, kind: str) -> None:
    """Where a continuation is refused, the caller has a whole answer, or is told that the stream broke."""
    del kind
    lane.primary.always(Chain(Say(CANONICAL), Cut(4, "rst")), for_="chat")
    lane.fallback.always(Chain(Say(CANONICAL), RefusePrefill()), for_="chat")
    heard = lane.ask(stream=True)
    assert heard.end in {End.ANSWER, End.ERROR}, f"no error is told: {heard}"
    assert CANONICAL.text.startswith(heard.text), f"nobody has said {heard.text!r}"
    assert heard.end is End.ERROR or heard.text == CANONICAL.text, "half an answer is a success"
    told = f"{heard.code} {heard.told_error}"
    assert not any(word in told for word in REFUSAL_WORDS), f"the caller is told of the refusal: {told}"


@pytest.mark.item("UB-046", "LD-094")
@pytest.mark.regression("R020")
@pytest.mark.lane(kinds=("openai", "vllm", "groq", "openai"))
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("stopped", [1, 2, 3])
def test_chain_is_followed_in_its_order(lane: Lane, stopped: int, *, stream: bool) -> None:
    """With the first of a chain stopped, each next one is asked once and in the configured order until one answers."""
    for provider in lane.track.providers[:stopped]:
        provider.down()
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(stopped + 1)), f"not answered by provider {stopped + 1}: {heard}"
    assert lane.asked() == list(range(1, stopped + 2)), "the chain was not followed in its order"


@pytest.mark.item("PL-030")
@pytest.mark.regression("R016")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "spent",
    [
        pytest.param(step, id=f"{kind} {step.status}", marks=pytest.mark.lane(kinds=(kind, "vllm")))
        for kind, step in (
            ("openai", Status(429, error_code="insufficient_quota")),
            ("anthropic", Status(402)),
            ("deepseek", Status(402)),
            ("openrouter", Status(402)),
        )
    ],
)
def test_spent_account_is_replaced(lane: Lane, spent: Status, *, stream: bool) -> None:
    """A provider whose account is spent is replaced by the next of the chain at once, without asking it again."""
    lane.primary.always(spent, for_="chat")
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(2)), f"the next provider has not answered: {heard}"
    assert lane.asked() == [1, 2], "waiting does not fill an account, and yet it was asked again"
