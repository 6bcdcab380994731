"""Hedging: where the first provider takes its time the next one is asked too, one answers, and one is paid."""

from typing import Any

import pytest

from fixtures.simulators.journal import Call
from fixtures.simulators.steps import Chain, Cut, Say, Slow, Stall, Status, Step
from fixtures.simulators.text import Reply, words_of
from suites.chaos.hearing import End
from suites.chaos.journals import ended, pause_s
from suites.chaos.lanes import Lane

HEDGE_AFTER_S = 0.3
LATE_S = 0.25
"""How much later than configured the second provider may be asked."""

SLOW = Slow(2_000)
SLOWER_S = 2.0
ENDED_WITHIN_S = 1.0

SAID = Say(Reply(tokens=words_of("The Loire is the longest river of France.")))

_HEDGED = {"hedge_after_s": HEDGE_AFTER_S}

pytestmark = [
    pytest.mark.item("PL-105"),
    pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams"),
    pytest.mark.lane(chain=_HEDGED),
]

OF_THREE = pytest.mark.lane(kinds=("openai", "vllm", "openai"), chain=_HEDGED)

WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@WAYS
def test_next_provider_answers_for_a_slow_one(lane: Lane, *, stream: bool) -> None:
    """A provider that takes longer than configured is overtaken by the next one, which is asked then and not before."""
    lane.primary.always(SLOW, for_="chat")
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(2)), f"the next provider has not answered: {heard}"
    assert lane.asked() == [1, 2], "the next provider was not asked as the second one"
    first, second = lane.calls()
    after_s = second.started_s - first.started_s
    assert HEDGE_AFTER_S - 0.01 < after_s <= HEDGE_AFTER_S + LATE_S, f"it was asked after {after_s:.3f} s"
    assert heard.took_s < SLOWER_S / 2, f"the caller has waited for {heard.took_s:.2f} s"


@WAYS
def test_loser_is_cancelled(lane: Lane, *, stream: bool) -> None:
    """Whoever is overtaken is cancelled at once: it delivers nothing, and nobody is billed for it."""
    lane.primary.always(SLOW, for_="chat")
    assert lane.ask(stream=stream).is_answer(lane.text_of(2)), "the next provider has not answered"
    loser, winner = _ended(lane)
    assert (loser.outcome, winner.outcome) == ("client gone", "complete"), "the loser was not cancelled"
    took_s = (loser.ended_s or 0) - (winner.first_byte_s or 0)
    assert took_s <= ENDED_WITHIN_S, f"the loser went on for {took_s:.2f} s"
    assert not loser.completion_tokens, "two providers are to be paid for one answer"


@WAYS
def test_loser_that_has_begun_is_cancelled_too(lane: Lane, *, stream: bool) -> None:
    """The one that was asked first may still win; then it is the hedge that is cancelled and not paid."""
    lane.primary.always(Slow(600), for_="chat")
    lane.fallback.always(SLOW, for_="chat")
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(1)), f"the faster one was not taken: {heard}"
    winner, loser = _ended(lane)
    assert (winner.outcome, loser.outcome) == ("complete", "client gone"), "the loser was not cancelled"
    assert not loser.completion_tokens, "two providers are to be paid for one answer"


@pytest.mark.lane(chain={"hedge_after_s": 0.8})
@WAYS
def test_quick_provider_is_not_hedged(lane: Lane, *, stream: bool) -> None:
    """A provider that answers in time is asked alone, however long its answer goes on."""
    lane.primary.always(Chain(SAID, Slow(300, gap_ms=120 if stream else None)), for_="chat")
    heard = lane.ask(stream=stream)
    assert heard.end is End.ANSWER, f"not answered: {heard}"
    assert lane.asked() == [1], "somebody else was asked and paid for nothing"


@OF_THREE
@WAYS
def test_no_more_than_two_are_asked_at_once(lane: Lane, *, stream: bool) -> None:
    """A hedge is one: where the second takes its time too, a third is not asked besides."""
    lane.primary.always(SLOW, for_="chat")
    lane.fallback.always(Slow(1_000), for_="chat")
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(2)), f"the faster one was not taken: {heard}"
    assert lane.asked() == [1, 2], "more than two were asked for one answer"


@WAYS
@pytest.mark.parametrize(
    "fault", [Status(500), Status(429), Cut("before headers", "rst")], ids=["500", "429", "reset"]
)
def test_failing_hedge_costs_the_caller_nothing(lane: Lane, fault: Step, *, stream: bool) -> None:
    """Where the hedge fails, the provider that was asked first is waited for."""
    lane.primary.always(Slow(500), for_="chat")
    lane.fallback.always(fault, for_="chat")
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(1)), f"the failure of the hedge became the caller's: {heard}"
    assert lane.asked() == [1, 2], "other calls were made than these two"


@WAYS
def test_failure_is_not_waited_for(lane: Lane, *, stream: bool) -> None:
    """A provider that fails before the hedge is due is replaced at once, not when the hedge is due."""
    lane.primary.always(Status(500), for_="chat")
    assert lane.ask(stream=stream).is_answer(lane.text_of(2)), "the next provider has not answered"
    assert lane.asked() == [1, 2], "not each was asked once"
    after_s = pause_s(*lane.calls())
    assert after_s < HEDGE_AFTER_S, f"the next provider was asked after {after_s:.3f} s"


@OF_THREE
@WAYS
def test_third_answers_where_both_fail(lane: Lane, *, stream: bool) -> None:
    """Where the first and its hedge both fail, the chain goes on as it does without hedges."""
    lane.primary.always(Chain(SAID, Stall("before headers", 0.6), Cut("before headers", "fin")), for_="chat")
    lane.fallback.always(Status(500), for_="chat")
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(3)), f"the third provider has not answered: {heard}"
    assert lane.asked() == [1, 2, 3], "not each was asked once"


@pytest.mark.needs("admin-keys")
@WAYS
def test_hedge_is_shown_as_one(lane: Lane, *, stream: bool) -> None:
    """Who was asked and why can be read afterwards: the first was cancelled, and the hedge has answered."""
    lane.primary.always(SLOW, for_="chat")
    heard = lane.ask(stream=stream)
    assert heard.headers.get("x-gateway-attempts") == "2", "the caller is told another number of attempts"
    answer = lane.gateway.admin.get(f"/api/v1/requests/{heard.request_id}/attempts")
    attempts: list[dict[str, Any]] = answer.field("attempts")
    shown = [(each["provider"], each["decision"], each["outcome"]) for each in attempts]
    first, second = (provider.name for provider in lane.track.providers)
    assert shown == [(first, "primary", "cancelled"), (second, "hedge", "answered")], "it is shown otherwise"


def _ended(lane: Lane) -> list[Call]:
    """Return both calls once they have ended, the first asked first."""
    assert lane.asked() == [1, 2], "not each was asked once"
    return [ended(lane, call, within_s=SLOWER_S) for call in lane.calls()]
