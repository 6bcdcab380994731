"""Retry-After in all of its forms: kept to the moment where it is waited for, and never waited for in vain."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from itertools import cycle
from typing import Any

import pytest

from fixtures.simulators.steps import Status
from suites.chaos.hearing import End, Heard
from suites.chaos.journals import pause_s
from suites.chaos.lanes import Lane
from suites.chaos.pacing import ask_until, wait_for_moment
from suites.chaos.stated_waits import ABSURD, NOW, SPELLINGS, STATED, UNREADABLE, Form, Refusal

pytestmark = [
    pytest.mark.item("PL-105"),
    pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams"),
]

SLACK_S = 0.25
"""How much later than stated a provider may be asked again."""

CLOCK_S = 0.02
"""How much earlier it may seem to be asked: the clock that dates are read from is not the one that pauses are."""

AT_ONCE_S = 0.25
"""How soon the next provider is asked on the busiest machine; it is sooner than any wait that is told here is over."""

BACKOFF_S = 0.1

RETRYING: Mapping[str, Any] = {
    "retries": {"attempts": 1, "backoff_s": BACKOFF_S, "jitter": 0, "max_wait_s": 5}
}

PAUSING: Mapping[str, Any] = {"retries": {"attempts": 1, "backoff_s": 3, "jitter": 0}}
"""A pause that cannot be taken for any wait that is told."""

RESTING = {
    name: form
    for name, form in {**STATED, **SPELLINGS}.items()
    if form.status == HTTPStatus.TOO_MANY_REQUESTS
}
"""By these a provider says that it is busy, and not that it is ill."""

WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def _over(forms: Mapping[str, Form], *, alone: bool = False, **wish: Any) -> pytest.MarkDecorator:
    def kinds_for(form: Form) -> tuple[str, ...]:
        return (form.kind,) if alone else (form.kind, "openai")

    return pytest.mark.parametrize(
        "form",
        [
            pytest.param(form, id=name, marks=pytest.mark.lane(kinds=kinds_for(form), **wish))
            for name, form in forms.items()
        ],
    )


def _both_ways(forms: Mapping[str, Form], **wish: Any) -> Iterator[Any]:
    """Yield each form twice, whole and streamed."""
    for name, form in forms.items():
        for way in ("whole", "streamed"):
            yield _parameter(name, form, way, wish)


def _in_turn(forms: Mapping[str, Form], **wish: Any) -> Iterator[Any]:
    """Yield each form once, whole and streamed in turn: each has to be sat out."""
    for (name, form), way in zip(forms.items(), cycle(("whole", "streamed")), strict=False):
        yield _parameter(name, form, way, wish)


def _parameter(name: str, form: Form, way: str, wish: Mapping[str, Any]) -> Any:
    lane = pytest.mark.lane(kinds=(form.kind, "openai"), **wish)
    return pytest.param(form, way == "streamed", id=f"{name}-{way}", marks=lane)


@pytest.mark.regression("R044", "R047", "R048")
@pytest.mark.parametrize(
    ("form", "stream"), [*_both_ways({**STATED, **NOW}, chain=PAUSING), *_in_turn(SPELLINGS, chain=PAUSING)]
)
def test_second_try_comes_when_it_may(lane: Lane, form: Form, *, stream: bool) -> None:
    """With retries configured, the provider that said when to come back is asked again then."""
    refusal = form.refuse()
    lane.primary.script(refusal.step)
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(1)), f"not answered by the one that has refused: {heard}"
    assert lane.asked() == [1, 1], "it was not asked again, or others were"
    _is_in_time(lane, refusal)


@pytest.mark.regression("R047")
@WAYS
@_over(UNREADABLE, chain=RETRYING)
def test_wait_that_says_nothing_is_the_usual_pause(lane: Lane, form: Form, *, stream: bool) -> None:
    """With retries configured, what cannot be read neither crashes nor delays: the configured pause is made."""
    lane.primary.script(form.refuse().step)
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(1)), f"not answered by the one that has refused: {heard}"
    assert lane.asked() == [1, 1], "it was not asked again, or others were"
    paused_s = pause_s(*lane.calls())
    assert BACKOFF_S - 0.01 <= paused_s <= BACKOFF_S + SLACK_S, f"it was asked again after {paused_s:.3f} s"


@pytest.mark.regression("R047")
@WAYS
@_over(ABSURD, chain=RETRYING)
def test_absurd_wait_is_passed_by(lane: Lane, form: Form, *, stream: bool) -> None:
    """With retries configured, nobody sits out a wait of a day: the next provider is asked at once."""
    lane.primary.script(form.refuse().step)
    _is_answered_at_once_by_the_next(lane, lane.ask(stream=stream))
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(2)), f"not answered by the next: {heard}"
    assert lane.asked() == [1, 2, 2], "the one that wants to be left alone for a day was asked again"


@pytest.mark.regression("R044", "R047")
@WAYS
@_over({**STATED, **SPELLINGS, **NOW, **UNREADABLE, **ABSURD})
def test_nobody_waits_while_another_is_well(lane: Lane, form: Form, *, stream: bool) -> None:
    """Without retries the next provider is asked at once, whatever the first one says of waiting."""
    refusal = form.refuse()
    lane.primary.script(refusal.step)
    _is_answered_at_once_by_the_next(lane, lane.ask(stream=stream))


@pytest.mark.regression("R044")
@pytest.mark.parametrize(("form", "stream"), list(_in_turn(RESTING)))
def test_who_asks_for_rest_has_it(lane: Lane, form: Form, *, stream: bool) -> None:
    """A provider that asked to be left alone is not asked before its time is over, and then it is the first again."""
    refusal = form.refuse()
    lane.primary.script(refusal.step)
    lane.ask(stream=stream)
    _ask_until_the_first_answers(lane, stream=stream)
    first, *_others, last = [call for call in lane.calls() if call.provider == lane.primary.name]
    window = refusal.window(first.ended_s or first.started_s)
    early_s, late_s = window.earliest_s - last.started_s, last.started_s - window.latest_s
    assert early_s <= CLOCK_S, f"it was asked {early_s:.3f} s before its time was over"
    assert late_s <= SLACK_S, f"it was passed by for {late_s:.3f} s after its time was over"
    assert lane.asked().count(1) == 2, "it was asked in between"


@pytest.mark.regression("R044", "R045", "R046")
@WAYS
@_over({name: STATED[name] for name in ("fraction", "milliseconds", "date", "body of Gemini")}, alone=True)
def test_lone_provider_is_let_rest(lane: Lane, form: Form, *, stream: bool) -> None:
    """Where nobody else can answer, the refusal is the caller's, and the next caller's too, who costs no call."""
    refusal = form.refuse()
    lane.primary.script(refusal.step)
    first, second = lane.ask(stream=stream), lane.ask(stream=stream)
    asked = lane.asked()
    for heard in (first, second):
        assert (heard.end, heard.status, heard.code) == (End.ERROR, 429, "RATE_LIMITED"), f"told is {heard}"
        assert _retry_after_s(heard) > 0, "a caller is not told when to come back"
    assert asked == [1], "the provider was asked although it had asked for rest"
    (call,) = lane.calls()
    window = refusal.window(call.ended_s or call.started_s)
    wait_for_moment(window.latest_s + SLACK_S / 2)
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(1)), f"its time is over, and it was not asked: {heard}"


@pytest.mark.regression("R045", "R046")
@WAYS
@_over({name: ABSURD[name] for name in ("a day", "a day in the body of Gemini")}, alone=True)
def test_absurd_wait_of_a_lone_provider_is_told(lane: Lane, form: Form, *, stream: bool) -> None:
    """The caller of a provider that wants a day of rest learns so at once, however often it asks."""
    lane.primary.always(form.refuse().step, for_="chat")
    for heard in (lane.ask(stream=stream), lane.ask(stream=stream)):
        assert (heard.end, heard.status) == (End.ERROR, 429), f"told is {heard}"
        assert heard.took_s < 1, f"the caller was kept for {heard.took_s:.1f} s"
        assert _retry_after_s(heard) >= 60, "the caller is told to come back too soon"
    assert lane.asked() == [1], "the provider was asked although it had asked for rest"


@pytest.mark.regression("R016")
@WAYS
@pytest.mark.parametrize(
    "spent",
    [
        pytest.param(
            step, id=f"{kind} {step.status}", marks=pytest.mark.lane(kinds=(kind, "vllm"), chain=RETRYING)
        )
        for kind, step in (
            ("openai", Status(429, error_code="insufficient_quota")),
            ("azure", Status(429, error_code="insufficient_quota")),
            ("openrouter", Status(402)),
            ("deepseek", Status(402)),
        )
    ],
)
@pytest.mark.item("PL-030")
def test_spent_account_is_no_illness(lane: Lane, spent: Status, *, stream: bool) -> None:
    """A spent account is not tried again for the same request, and however often it refuses, nobody is ill."""
    lane.primary.script(*[spent] * 4)
    answers = [lane.ask(stream=stream) for _request in range(4)]
    assert all(heard.is_answer(lane.text_of(2)) for heard in answers), "not all were answered by the next"
    assert lane.asked() == [1, 2] * 4, "it was retried, or left alone as if it were ill"
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(1)), f"the account is filled, and it is passed by: {heard}"


def _is_in_time(lane: Lane, refusal: Refusal) -> None:
    first, second = lane.calls()
    window = refusal.window(first.ended_s or first.started_s)
    early_s, late_s = window.earliest_s - second.started_s, second.started_s - window.latest_s
    assert early_s <= CLOCK_S, f"it was asked again {early_s:.3f} s too early"
    assert late_s <= SLACK_S, f"it was asked again {late_s:.3f} s too late"
    lane.gateway.notes.measure("from the stated moment to the second try", round(late_s, 4), "s")


def _is_answered_at_once_by_the_next(lane: Lane, heard: Heard) -> None:
    assert heard.is_answer(lane.text_of(2)), f"the next provider has not answered: {heard}"
    assert lane.asked() == [1, 2], "not each was asked once"
    paused_s = pause_s(*lane.calls())
    assert paused_s <= AT_ONCE_S, f"the next provider was asked after {paused_s:.3f} s"
    lane.gateway.notes.measure("from the refusal to the next provider", round(paused_s, 4), "s")


def _ask_until_the_first_answers(lane: Lane, *, stream: bool) -> None:
    texts = [lane.text_of(place) for place in (1, 2)]

    def ask() -> Heard:
        heard = lane.ask(stream=stream)
        assert any(map(heard.is_answer, texts)), f"nobody has answered: {heard}"
        return heard

    _heard, is_back = ask_until(ask, lambda heard: heard.is_answer(texts[0]), time.monotonic() + 3)
    assert is_back, "it is passed by for ever"


def _retry_after_s(heard: Heard) -> float:
    """Return the seconds after which a caller shall come back, told as a number or as a date."""
    told = heard.headers.get("retry-after", "0")
    if told.replace(".", "").isdecimal():
        return float(told)
    return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
