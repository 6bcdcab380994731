"""Failures seen in the field that a table tells: what the providers do, and what must come of it."""

import pytest

from fixtures.simulators.steps import Chain, Say, Step
from fixtures.simulators.text import Reply, words_of
from suites.chaos.hearing import End, Heard
from suites.chaos.lanes import Lane
from suites.chaos.regressions import Case, Expectation, over_cases

pytestmark = [
    pytest.mark.item("UB-035", "PL-105"),
    pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams"),
]


@over_cases()
def test_failure_is_not_repeated(lane: Lane, case: Case, *, stream: bool) -> None:
    """The caller is answered in full by who should answer, or told an error; nobody is asked in vain."""
    _stage(lane, case)
    _hold(lane, case, case.expect, stream=stream)
    if case.again is not None:
        _hold(lane, case, case.again, stream=stream)


def _stage(lane: Lane, case: Case) -> None:
    for place, provider in enumerate(lane.track.providers, start=1):
        if case.says is not None:
            provider.always(Say(_reply(case.says)), for_="chat")
        for entry in case.steps_of(place):
            step: Step = entry.step if case.says is None else Chain(Say(_reply(case.says)), entry.step)
            if entry.always:
                provider.always(step, for_=entry.for_)
            else:
                provider.script(*(step,) * entry.times, for_=entry.for_)


def _hold(lane: Lane, case: Case, expect: Expectation, *, stream: bool) -> None:
    before = len(lane.asked())
    heard = lane.ask(case.asked_face, stream=stream)
    asked = tuple(lane.asked()[before:])
    assert asked == expect.asked, f"asked were {asked}; the caller heard {heard}"
    assert heard.took_s < expect.within_s, f"it took {heard.took_s:.2f} s"
    if expect.by is not None:
        assert heard.is_answer(_text(lane, case, expect.by)), f"not answered by {expect.by}: {heard}"
    else:
        _is_told_as_error(lane, case, heard, expect)


def _is_told_as_error(lane: Lane, case: Case, heard: Heard, expect: Expectation) -> None:
    assert heard.end is End.ERROR, f"no error is told: {heard}"
    assert expect.error in ("any", heard.code), f"the code is {heard.code}"
    assert expect.status in (None, heard.status), f"the status is {heard.status}"
    assert _text(lane, case, 1).startswith(heard.text), f"nobody has said {heard.text!r}"


def _text(lane: Lane, case: Case, place: int) -> str:
    return lane.text_of(place) if case.says is None else case.says


def _reply(text: str) -> Reply:
    return Reply(tokens=words_of(text))
