"""Replay of broken streams: asked again from the start and spliced in, an answer is that of one provider, or none."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from fixtures.simulators.position import Position
from fixtures.simulators.steps import Chain, Cut, ErrorEvent, Garbage, How, Say, Stall, Status, Step
from fixtures.simulators.text import Reply, ToolCall
from suites.chaos.cut_ears import EARS
from suites.chaos.lanes import Lane
from suites.chaos.listening import listen
from suites.chaos.rescue_stories import (
    ALIKE,
    CALLS,
    OTHER,
    SHARED_WORDS,
    SHORT,
    TEXT,
    THOUGHT,
    CutWithin,
    begin,
    broken,
    places_in,
)

pytestmark = [
    pytest.mark.item("PL-105", "PL-121"),
    pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams"),
]

REPLAY = pytest.mark.lane(chain={"rescue": "replay"})
OF_THREE = ("openai", "vllm", "openai")


@REPLAY
@pytest.mark.parametrize("how", ["fin", "rst", "end"])
@pytest.mark.parametrize("at", places_in(TEXT))
def test_replay_is_the_answer_of_one_provider(lane: Lane, at: Position, how: How) -> None:
    """Where the next provider says the same, a stream that breaks anywhere is that answer, letter by letter."""
    begin(lane, broken(TEXT, at, how), Say(TEXT))
    heard = listen(lane)
    assert heard.says(TEXT), f"not what was said: {heard}"
    assert lane.asked() == [1, 2], "not each was asked once"


@REPLAY
@pytest.mark.parametrize("how", ["fin", "rst", "end"])
@pytest.mark.parametrize("letter", ["é", "Λ", "🏞"])
def test_letter_that_is_cut_in_two_is_made_whole(lane: Lane, letter: str, how: How) -> None:
    """A break between the bytes of one letter leaves no trace in the text."""
    begin(lane, Chain(Say(TEXT), CutWithin(letter.encode(), how)), Say(TEXT))
    heard = listen(lane)
    assert heard.says(TEXT), f"not what was said: {heard}"
    assert lane.asked() == [1, 2], "nothing was rescued"


IN_ONE_PIECE = replace(CALLS, tools=tuple(ToolCall(tool.name, (tool.arguments,)) for tool in CALLS.tools))
"""The same calls, each told at once."""


@REPLAY
@pytest.mark.parametrize(
    "again", [pytest.param(CALLS, id="in fragments"), pytest.param(IN_ONE_PIECE, id="in one piece")]
)
@pytest.mark.parametrize("at", places_in(CALLS))
def test_tool_calls_are_replayed_to_the_letter(lane: Lane, at: Position, again: Reply) -> None:
    """Broken within its tool calls, an answer is whole: each call has its id and its name once, and all arguments."""
    begin(lane, broken(CALLS, at), Say(again))
    heard = listen(lane)
    assert heard.says(CALLS), f"not what was said: {heard}"
    told = [
        call for chunk in heard.answer.chunks for choice in chunk["choices"] for call in _calls_in(choice)
    ]
    begun = [call["index"] for call in told if call.get("id") or call["function"].get("name")]
    assert begun == [0, 1], f"the calls were begun as {begun}, and clients append what is told again"


@pytest.mark.lane(kinds=("vllm", "vllm"), chain={"rescue": "replay"})
@pytest.mark.parametrize("at", places_in(THOUGHT))
def test_thoughts_are_replayed_to_the_letter(lane: Lane, at: Position) -> None:
    """Broken within what the model thinks or after it, an answer has its thoughts and its text once and in whole."""
    begin(lane, broken(THOUGHT, at), Say(THOUGHT))
    heard = listen(lane)
    assert heard.says(THOUGHT), f"not what was said: {heard}"


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(
            kinds, id=" then ".join(kinds), marks=pytest.mark.lane(kinds=kinds, chain={"rescue": "replay"})
        )
        for kinds in (
            ("openai", "anthropic"),
            ("anthropic", "gemini"),
            ("gemini", "ollama"),
            ("ollama", "openai"),
            ("groq", "openrouter"),
        )
    ],
)
@pytest.mark.parametrize("fault", ["cut", "stall", "error event", "garbage"])
@pytest.mark.lane(timeouts={"idle_s": 0.6})
def test_replay_crosses_formats(lane: Lane, kinds: tuple[str, ...], fault: str) -> None:
    """Whatever the formats of the two providers are and however the first one breaks, the answer is one text."""
    del kinds
    faults: Mapping[str, Step] = {
        "cut": Cut(5, "end"),
        "stall": Stall(5),
        "error event": ErrorEvent(5),
        "garbage": Garbage(5),
    }
    begin(lane, Chain(Say(TEXT), faults[fault]), Say(TEXT))
    heard = listen(lane)
    assert heard.says(TEXT), f"not what was said: {heard}"
    assert lane.asked() == [1, 2], "not each was asked once"


@REPLAY
@pytest.mark.needs("messages", "responses")
@pytest.mark.parametrize("reply", [pytest.param(TEXT, id="text"), pytest.param(CALLS, id="tool calls")])
@pytest.mark.parametrize("face", EARS)
def test_replay_is_seamless_on_every_face(lane: Lane, face: str, reply: Reply) -> None:
    """Through every face, a replayed answer is one answer: what was begun is gone on with, and ended once."""
    begin(lane, broken(reply, 6), Say(reply))
    heard = listen(lane, face)
    assert heard.says(reply), f"not what was said: {heard}"


@pytest.mark.lane(kinds=("anthropic", "openai"), chain={"rescue": "replay"})
@pytest.mark.needs("messages")
@pytest.mark.parametrize("at", [1, 5, "before finish"])
def test_replay_follows_events_that_were_passed_on(lane: Lane, at: Position) -> None:
    """Where a provider's own events were passed on, the next one goes on in the block that they have begun."""
    begin(lane, broken(TEXT, at), Say(TEXT))
    heard = listen(lane, "messages")
    assert heard.says(TEXT), f"not what was said: {heard}"
    kinds = [event["type"] for event in heard.answer.chunks]
    assert [kinds.count(kind) for kind in ("message_start", "content_block_start", "message_stop")] == [
        1,
        1,
        1,
    ]


FAILURES: Mapping[str, tuple[Step, str]] = {
    "reset": (Cut(8, "rst"), "STREAM_INTERRUPTED"),
    "clean end": (Cut(8, "end"), "STREAM_INTERRUPTED"),
    "garbage": (Garbage(8), "INVALID_RESPONSE"),
    "error event": (ErrorEvent(8, status=503), "PROVIDER_DEGRADED"),
    "stall": (Stall(8), "TIMEOUT"),
}


@REPLAY
@pytest.mark.lane(timeouts={"idle_s": 0.6})
@pytest.mark.parametrize(
    "second",
    [
        pytest.param(each, id=name)
        for name, each in (("other", OTHER), ("alike", ALIKE), ("shorter", SHORT), ("calls", CALLS))
    ],
)
@pytest.mark.parametrize("failure", FAILURES)
def test_another_answer_is_not_spliced_in(lane: Lane, failure: str, second: Reply) -> None:
    """Where the next provider says something else, the caller is told the first failure alone."""
    step, code = FAILURES[failure]
    begin(lane, Chain(Say(TEXT), step), Say(second))
    heard = listen(lane)
    assert not heard.is_whole, f"a patchwork is told as an answer: {heard}"
    assert heard.code == code, f"not the error of the one that broke: {heard}"
    assert heard.words.text, "what was delivered is not there"
    assert heard.begins(TEXT), f"what nobody has said is told: {heard}"


@REPLAY
def test_answer_that_differs_later_is_that_of_the_second(lane: Lane) -> None:
    """Where the next provider has said exactly what was delivered, all that follows is its own."""
    begin(lane, broken(TEXT, SHARED_WORDS), Say(ALIKE))
    heard = listen(lane)
    assert heard.says(ALIKE), f"not what the second has said: {heard}"


@pytest.mark.item("PL-102")
@pytest.mark.lane(kinds=OF_THREE, chain={"rescue": "replay"})
@pytest.mark.parametrize(
    "second",
    [
        pytest.param(Status(503), id="an error status"),
        pytest.param(broken(TEXT, "preamble"), id="before content"),
        pytest.param(broken(TEXT, 2), id="before the place"),
        pytest.param(broken(TEXT, 9), id="beyond the place"),
        pytest.param(Say(OTHER), id="another answer"),
    ],
)
def test_second_break_goes_to_the_third(lane: Lane, second: Step) -> None:
    """Where the rescuer breaks too, wherever it does, the next one goes on, and each was asked once."""
    begin(lane, broken(TEXT, 5), second, Say(TEXT))
    heard = listen(lane)
    assert heard.says(TEXT), f"not what was said: {heard}"
    assert lane.asked() == [1, 2, 3], "not each was asked once"


@pytest.mark.lane(kinds=OF_THREE, chain={"rescue": "replay"})
def test_rescue_ends_with_the_chain(lane: Lane) -> None:
    """Where all of a chain break, each further than the one before, the caller is told, and each was asked once."""
    begin(lane, *(broken(TEXT, at) for at in (3, 6, 9)))
    heard = listen(lane)
    assert heard.code == "STREAM_INTERRUPTED", f"no error is told: {heard}"
    assert heard.words.text == "".join(TEXT.tokens[:9]), f"not all that was said is there: {heard}"
    assert lane.asked() == [1, 2, 3], "the attempts are not bounded by the chain"


def _calls_in(choice: dict[str, Any]) -> list[dict[str, Any]]:
    return list((choice.get("delta") or {}).get("tool_calls") or ())
