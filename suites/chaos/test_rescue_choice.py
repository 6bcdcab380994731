"""Which rescue is tried when: what is held, what the default dares, what is off, and whose tokens are told."""

from typing import Any

import pytest

from fixtures.simulators.position import Position
from fixtures.simulators.steps import Chain, Say, Slow
from fixtures.simulators.text import Reply
from suites.chaos.lanes import Lane
from suites.chaos.listening import listen
from suites.chaos.rescue_stories import OTHER, TEXT, begin, broken

pytestmark = [
    pytest.mark.item("PL-105", "PL-121"),
    pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams"),
]

# Usage: the caller's tokens are those of the answer that ended.

FIRST_COUNTS, LAST_COUNTS = (11, 7), (12, 19)


@pytest.mark.item("PL-102")
@pytest.mark.parametrize(
    "rescue",
    [
        pytest.param(each, marks=pytest.mark.lane(kinds=("openai", "vllm"), chain={"rescue": each}))
        for each in ("replay", "continue", "hold")
    ],
)
def test_usage_is_that_of_the_answer_that_ended(lane: Lane, rescue: str) -> None:
    """However a stream is rescued, its usage is told once, and as the provider counts it that ended it."""
    del rescue
    begin(lane, broken(_counted(FIRST_COUNTS), "before finish"), Say(_counted(LAST_COUNTS)))
    heard = listen(lane, stream_options={"include_usage": True})
    assert heard.says(TEXT), f"not what was said: {heard}"
    counts = [(usage["prompt_tokens"], usage["completion_tokens"]) for usage in heard.usages]
    assert counts == [LAST_COUNTS], f"the usage is told as {counts}"


def _counted(counts: tuple[int, int]) -> Reply:
    prompt, completion = counts
    return Reply(tokens=TEXT.tokens, prompt_tokens=prompt, completion_tokens=completion)


# Hold: nothing is delivered before all of it is there.

SLOW = Slow(0, gap_ms=30)


@pytest.mark.lane(chain={"rescue": "hold"})
@pytest.mark.parametrize(
    "second", [pytest.param(TEXT, id="the same"), pytest.param(OTHER, id="another answer")]
)
@pytest.mark.parametrize("at", [1, 8, "before finish"])
def test_held_answer_is_late_and_whole(lane: Lane, at: Position, second: Reply) -> None:
    """A held answer begins when the provider has ended it, so that one which breaks is replaced without a trace."""
    begin(lane, broken(TEXT, at), Chain(Say(second), SLOW))
    heard = listen(lane)
    assert heard.says(second), f"not what the second has said: {heard}"
    assert lane.asked() == [1, 2], "not each was asked once"
    least_s = 0.03 * (len(second.tokens) - 1)
    assert heard.answer.events[0].at_s >= least_s, "it began before it could be whole"


# Auto, which is the default: only what cannot lie. Off: nothing at all.


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"temperature": 0}, id="temperature 0"),
        pytest.param({"seed": 7}, id="seed"),
        pytest.param({}, id="free"),
        pytest.param({"temperature": 0.7}, id="temperature 0.7"),
    ],
)
@pytest.mark.parametrize(
    "same",
    [
        pytest.param(
            same, id="same model" if same else "other model", marks=pytest.mark.lane(same_model=same)
        )
        for same in (True, False)
    ],
)
def test_default_rescues_only_what_is_deterministic(lane: Lane, asked: dict[str, Any], *, same: bool) -> None:
    """With nothing configured, the same model is asked again where the request wants the same answer each time."""
    begin(lane, broken(TEXT, 5), Say(TEXT))
    heard = listen(lane, **asked)
    is_deterministic = asked.get("temperature") == 0 or "seed" in asked
    if same and is_deterministic:
        assert heard.says(TEXT), f"not rescued: {heard}"
        assert lane.asked() == [1, 2], "not each was asked once"
    else:
        assert heard.code == "STREAM_INTERRUPTED", f"no error is told: {heard}"
        assert lane.asked() == [1], "another provider was asked in vain"


@pytest.mark.lane(chain={"rescue": "off"}, same_model=True)
@pytest.mark.parametrize("at", [1, 8, "before finish"])
def test_nobody_else_is_asked_where_rescue_is_off(lane: Lane, at: Position) -> None:
    """With rescue switched off, a stream that breaks after content ends in an error, and nobody else is asked."""
    begin(lane, broken(TEXT, at), Say(TEXT))
    heard = listen(lane, temperature=0)
    assert heard.code == "STREAM_INTERRUPTED", f"no error is told: {heard}"
    assert heard.begins(TEXT), f"what nobody has said is told: {heard}"
    assert lane.asked() == [1], "another provider was asked"
