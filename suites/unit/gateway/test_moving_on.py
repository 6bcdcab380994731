"""The switches that say which failures let the next provider be asked."""

from collections.abc import Callable
from typing import Any

import pytest

from suites.unit.gateway.conftest import Stage
from suites.unit.gateway.fake_provider import FakeProvider, Reply, hang_up, stall, status, stream
from suites.unit.gateway.lined_up import PATIENT, QUICK, decisions_of, line_of
from suites.unit.gateway.wire_texts import GOOD_STREAM, ROLE, completion

ANSWER = status(200, completion())
FAILURES = {
    "timeout": (stall, 504, "TIMEOUT"),
    "auth": (status(401), 502, "AUTH_ERROR"),
    "budget": (status(402), 429, "QUOTA_EXHAUSTED"),
    "degraded": (status(500), 502, "PROVIDER_DEGRADED"),
    "offline": (hang_up, 502, "connection_failed"),
    "rate": (status(429), 429, "RATE_LIMITED"),
}


def waits_for(trigger: str) -> dict[str, float]:
    return QUICK if trigger == "timeout" else PATIENT


@pytest.fixture
def line(provider: FakeProvider, fallback: FakeProvider) -> tuple[FakeProvider, FakeProvider]:
    return provider, fallback


@pytest.mark.parametrize(
    ("trigger", "reply", "told"),
    [(trigger, reply, told) for trigger, (reply, *told) in FAILURES.items()],
    ids=FAILURES,
)
@pytest.mark.parametrize("form", ["plain", "stream"])
def test_failure_whose_switch_is_off_is_the_callers_answer(
    stage_of: Callable[..., Stage],
    line: tuple[FakeProvider, FakeProvider],
    trigger: str,
    reply: Reply,
    told: list[Any],
    form: str,
) -> None:
    """With its switch off, a failure is told as it is, and nobody else is asked."""
    stage = stage_of(line_of(*line, chain={"triggers": {trigger: False}}, timeouts=waits_for(trigger)))
    line[0].then(reply)

    response = stage.chat(stream=form == "stream")

    assert [response.status_code, response.json()["error"]["code"]] == told
    assert not line[1].received


@pytest.mark.parametrize("trigger", FAILURES)
@pytest.mark.parametrize("form", ["plain", "stream"])
def test_other_switches_do_not_matter(
    stage_of: Callable[..., Stage],
    provider: FakeProvider,
    fallback: FakeProvider,
    trigger: str,
    form: str,
) -> None:
    """With all the other switches off, the failure moves on all the same."""
    others = {name: name == trigger for name in FAILURES}
    stage = stage_of(line_of(provider, fallback, chain={"triggers": others}, timeouts=waits_for(trigger)))
    provider.then(FAILURES[trigger][0])
    fallback.then(stream(*GOOD_STREAM) if form == "stream" else ANSWER)

    response = stage.chat(stream=form == "stream")

    assert decisions_of(stage, response) == [("first", "primary"), ("second", "fallback")]


def test_switch_holds_for_a_target_that_rests(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """While a target rests because of a failure that must not move on, the caller is told so, and when to come."""
    chain = {"triggers": {"rate": False}}
    stage = stage_of(line_of(provider, fallback, chain=chain, resilience={"breaker": {}}))
    provider.then(status(429, headers={"retry-after": "7"}))
    stage.chat()

    response = stage.chat()

    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert decisions_of(stage, response) == [("first", "passed_over")]
    assert not fallback.received


def test_switch_holds_for_a_target_that_is_left_alone(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A target that is left alone after a failure that must not move on is tried again rather than another."""
    chain, breaker = {"triggers": {"offline": False}}, {"probe_interval_s": 600}
    stage = stage_of(line_of(provider, fallback, chain=chain, resilience={"breaker": breaker}))
    provider.then(hang_up, ANSWER)
    stage.chat()

    assert decisions_of(stage, stage.chat()) == [("first", "last_resort")]
    assert not fallback.received


def test_stream_of_which_nothing_was_shown_moves_on_as_any_answer(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A stream that breaks before its first content falls under the same switches."""
    stage = stage_of(line_of(provider, fallback, chain={"triggers": {"degraded": False}}))
    provider.then(stream(ROLE, after=hang_up))

    response = stage.chat(stream=True)

    assert (response.status_code, response.json()["error"]["code"]) == (502, "STREAM_INTERRUPTED")
    assert not fallback.received
