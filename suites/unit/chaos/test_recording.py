"""What a run leaves: when another provider first answered, and which answers were lost on the way."""

import math
from collections.abc import Iterator

import pytest

from fixtures.history import Event, History
from fixtures.history.bands import FaultBand
from fixtures.history.checkers import Finding
from fixtures.simulators.journal import Call, Outcome
from fixtures.statistics import InconclusiveError
from fixtures.traffic import TrafficReport
from fixtures.traffic.answer import Told
from fixtures.traffic.report import Sample
from suites.chaos.recording import STEADY_STATE, first_answers_s, judge, lost_on_the_way

FAULT = FaultBand("killed", "first", 10.0, 12.0)


def call(provider: str, began_s: float, ended_s: float, outcome: Outcome = "complete") -> Call:
    return Call(
        seq=int(began_s * 1000),
        started_s=began_s,
        provider=provider,
        kind_of_call="chat",
        method="POST",
        path="/",
        headers={},
        key_ok=True,
        body={"messages": [{"content": "A word? [r-000001]"}]},
        model=None,
        stream=False,
        step=None,
        status=200,
        first_byte_s=ended_s,
        ended_s=ended_s,
        bytes_sent=1,
        events_sent=0,
        prompt_tokens=1,
        completion_tokens=1,
        outcome=outcome,
    )


@pytest.mark.parametrize(
    ("ended_s", "provider", "is_lost"),
    [(9.98, "first", True), (11.0, "first", True), (9.5, "first", False), (10.0, "other", False)],
    ids=["as it died", "while it was cut off", "long before", "at another provider"],
)
def test_answer_is_lost_where_its_provider_is_cut_off(
    ended_s: float, provider: str, *, is_lost: bool
) -> None:
    """An answer that was finished as its provider was cut off, and made again elsewhere, never arrived."""
    finished, again = call(provider, 9.0, ended_s), call("second", 12.5, 12.6)
    told = lost_on_the_way([FAULT], [finished, again])
    assert told(finished) == ({"outcome": "cut"} if is_lost else {})
    assert told(again) == {}, "the answer that came is called lost"


def test_answer_that_was_not_made_again_is_not_lost() -> None:
    """An answer that nobody else was asked for has arrived, when its provider died afterwards."""
    finished = call("first", 9.0, 9.99)
    assert lost_on_the_way([FAULT], [finished])(finished) == {}


def answered(number: int, provider: str, asked_s: float, content_s: float, ended_s: float) -> Iterator[Event]:
    request = f"r-{number:06d}"
    detail = {"call": number, "provider": provider}
    yield Event(asked_s - 0.01, "client", "invoke", request)
    yield Event(asked_s, "provider", "received", request, detail)
    yield Event(content_s, "client", "first_content", request)
    yield Event(ended_s, "provider", "ended", request, {**detail, "status": 200, "outcome": "complete"})
    yield Event(ended_s, "client", "ok", request)


def killed_at(moment_s: float) -> tuple[Event, Event]:
    detail = {"name": "killed", "where": "first"}
    return Event(moment_s, "fault", "begin", None, detail), Event(moment_s + 2, "fault", "end", None, detail)


def test_first_answer_is_that_of_somebody_else() -> None:
    """The time to the first answer ends with the first content of another provider that was asked after the fault."""
    history = History(
        (*killed_at(10.0), *answered(1, "first", 9.9, 10.1, 10.2), *answered(2, "second", 10.3, 10.5, 10.9))
    )
    assert first_answers_s(history) == [pytest.approx(0.5)]


def test_content_of_the_dead_one_is_no_answer_of_another() -> None:
    """Of a stream that went on elsewhere the end counts: its first content may have been the dead one's."""
    history = History((*killed_at(10.0), *answered(1, "second", 10.3, 9.95, 10.9)))
    assert first_answers_s(history) == [pytest.approx(0.9)]


def test_nobody_answered() -> None:
    """Where nobody else answers the time has no end."""
    history = History((*killed_at(10.0), *answered(1, "first", 9.0, 9.1, 9.2)))
    assert first_answers_s(history) == [math.inf]


def report_of(lag_s: float) -> TrafficReport:
    sample = Sample(
        request="r-000001",
        stream=False,
        intended_s=1.0,
        begun_s=1.0 + lag_s,
        sent_s=1.0 + lag_s,
        first_content_s=None,
        ended_s=2.0,
        told=Told(outcome="ok"),
    )
    return TrafficReport(samples=(sample,), unsent=0, seconds=1.0)


def test_broken_rule_fails_on_any_machine() -> None:
    """What is not about latencies is judged however busy the machine is."""
    lost = Finding("answered_once", "r-000001", 1.0, "never answered")
    with pytest.raises(AssertionError, match="r-000001 never answered"):
        judge([lost], report_of(lag_s=0.05))


def test_changed_latency_says_nothing_on_a_busy_machine() -> None:
    """Latencies that have changed are the target's doing only where the generator itself was on time."""
    slower = Finding(STEADY_STATE, None, 1.0, "the median takes 9 ms")
    with pytest.raises(AssertionError, match="the median"):
        judge([slower], report_of(lag_s=0.001))
    with pytest.raises(InconclusiveError, match="late"):
        judge([slower], report_of(lag_s=0.05))


def test_nothing_found_is_a_pass() -> None:
    """Without findings a generator that was a little late does no harm."""
    judge([], report_of(lag_s=0.05))
