"""Continuation of broken streams: a provider that can is asked to go on, and a refusal is not the caller's error."""

import pytest

from fixtures.simulators.journal import Call
from fixtures.simulators.position import Position
from fixtures.simulators.steps import Chain, Say
from fixtures.simulators.text import Reply
from suites.chaos.cut_ears import EARS
from suites.chaos.lanes import Lane
from suites.chaos.listening import listen
from suites.chaos.rescue_stories import CALLS, OTHER, TEXT, THOUGHT, begin, broken
from suites.chaos.spoiling import REFUSAL_WORDS, RefusePrefill

pytestmark = [
    pytest.mark.item("PL-105", "PL-121"),
    pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams"),
]

CONTINUING = pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.lane(kinds=("openai", kind), chain={"rescue": "continue"}))
        for kind in ("vllm", "llamacpp", "ollama", "anthropic", "groq")
    ],
)


@CONTINUING
@pytest.mark.parametrize("at", [1, 5, "before finish"])
def test_continuation_is_exactly_the_rest(lane: Lane, kind: str, at: Position) -> None:
    """A provider that can is asked to go on with what was delivered, and the caller has one exact text."""
    begin(lane, broken(TEXT, at), Say(TEXT))
    heard = listen(lane)
    assert heard.says(TEXT), f"not what was said: {heard}"
    assert lane.asked() == [1, 2], "not each was asked once"
    asked = lane.calls()[1]
    begun = _begun_in(asked)
    assert begun, f"{kind} was asked to begin anew: {asked.body}"
    assert TEXT.text.startswith(begun), f"{kind} was to go on with what nobody has said: {begun!r}"


@CONTINUING
def test_white_space_before_the_break_is_kept(lane: Lane, kind: str) -> None:
    """A break behind a line's end neither loses nor doubles it, though some providers refuse to go on with one."""
    del kind
    said = Reply(tokens=("Rivers:\n", "- Loire\n", "\n", "- Elbe\n", "- Oder"))
    begin(lane, broken(said, 3), Say(said))
    heard = listen(lane)
    assert heard.says(said), f"not what was said: {heard}"


@CONTINUING
def test_continuation_is_what_was_asked_for(lane: Lane, kind: str) -> None:
    """What another model goes on with, in its own words, stands behind what was delivered, and nothing else does."""
    del kind
    begin(lane, broken(TEXT, 5), Say(OTHER))
    heard = listen(lane)
    assert heard.is_whole, f"no answer: {heard}"
    assert lane.asked() == [1, 2], "not each was asked once"
    begun = _begun_in(lane.calls()[1])
    assert TEXT.text.startswith(begun), f"nobody has said {begun!r}"
    assert heard.words.text == begun + OTHER.text, f"not what was asked for: {heard}"


@pytest.mark.regression("R011")
@pytest.mark.lane(kinds=("openai", "anthropic", "vllm"), chain={"rescue": "continue"})
def test_refused_continuation_is_asked_of_the_next(lane: Lane) -> None:
    """Where a provider refuses to go on with an answer, the next one that can is asked, and goes on."""
    begin(lane, broken(TEXT, 5), Chain(Say(TEXT), RefusePrefill()), Say(TEXT))
    heard = listen(lane)
    assert heard.says(TEXT), f"not what was said: {heard}"
    assert lane.asked() == [1, 2, 3], "not each was asked once"


@pytest.mark.regression("R011")
@pytest.mark.needs("messages", "responses")
@pytest.mark.lane(kinds=("openai", "anthropic"), chain={"rescue": "continue"})
@pytest.mark.parametrize("face", EARS)
def test_refusal_to_continue_does_not_hide_the_break(lane: Lane, face: str) -> None:
    """Where nobody goes on, the caller is told that the stream broke, and nothing of what the rescuer refused."""
    begin(lane, broken(TEXT, 5), Chain(Say(TEXT), RefusePrefill()))
    heard = listen(lane, face)
    assert heard.code is not None, f"no error is told: {heard}"
    assert lane.asked() == [1, 2], "nobody was asked to go on: nothing is proved"
    told = heard.answer.events[-1].data
    assert not any(word in told for word in REFUSAL_WORDS), f"the caller is told of the refusal: {told}"


@pytest.mark.lane(kinds=("openai", "openai", "gemini", "openrouter"), chain={"rescue": "continue"})
def test_nobody_is_asked_to_continue_who_cannot(lane: Lane) -> None:
    """Providers that would begin anew are not asked to go on; the caller is told that the stream broke."""
    begin(lane, broken(TEXT, 5), *[Say(TEXT)] * 3)
    heard = listen(lane)
    assert heard.code == "STREAM_INTERRUPTED", f"no error is told: {heard}"
    assert lane.asked() == [1], "a provider was asked in vain"


@pytest.mark.lane(kinds=("vllm", "vllm"), chain={"rescue": "continue"})
@pytest.mark.parametrize(
    "reply", [pytest.param(CALLS, id="tool calls"), pytest.param(THOUGHT, id="thoughts")]
)
def test_calls_and_thoughts_are_not_continued(lane: Lane, reply: Reply) -> None:
    """What is more than a text cannot be gone on with: the caller is told that the stream broke."""
    begin(lane, broken(reply, reply.spoken - 2), Say(reply))
    heard = listen(lane)
    assert heard.code == "STREAM_INTERRUPTED", f"no error is told: {heard}"
    assert heard.begins(reply), f"what nobody has said is told: {heard}"


def _begun_in(call: Call) -> str:
    """Return the beginning of the answer that a provider was asked to go on with, empty where it was not."""
    last = call.body["messages"][-1]
    if last["role"] != "assistant":
        return ""
    content = last["content"]
    return content if isinstance(content, str) else "".join(block["text"] for block in content)
