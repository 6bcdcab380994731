"""An outage from its beginning to its end: nothing is lost, nothing is answered twice, and the health is known."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fixtures.history.marks import marked_in, request_mark
from fixtures.simulators.journal import Call
from fixtures.stage import Connection, Launch
from fixtures.targets.protocol import Change, Registry
from suites.chaos.hearing import Heard
from suites.chaos.lanes import Lane
from suites.chaos.pacing import ask_until, wait_for_moment

CALLERS = 6
REQUESTS = 240
EVERY_S = 0.015
OUTAGES = 3

CHECK_INTERVAL_S = 0.3
PROBES = 4
KNOWN_WITHIN_S = 3.0
"""How soon the state of a provider must be known: two checks in a row, and a busy machine."""


@pytest.mark.item("PL-100", "PL-102", "PL-104", "PL-105", "UB-035")
@pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams")
def test_failover_loses_no_request(lane: Lane) -> None:
    """While a provider dies and comes back three times under traffic, every request is answered, and once."""
    over, began_s = threading.Event(), time.monotonic()
    dying = threading.Thread(target=lambda: _die_and_return(lane, over))
    dying.start()
    try:
        with ThreadPoolExecutor(CALLERS) as pool:
            heard = list(pool.map(lambda number: _ask(lane, number, began_s), range(REQUESTS)))
    finally:
        over.set()
        dying.join()
    lost = [number for number, each in enumerate(heard) if not _is_right(lane, number, each)]
    lane.gateway.notes.measure("requests that a failover lost", len(lost), "count")
    assert not lost, f"{len(lost)} requests were not answered: {heard[lost[0]]}"
    answered = [_request_of(call.body) for call in lane.calls() if call.outcome == "complete"]
    assert len(set(answered)) == REQUESTS, "not every request was answered by a provider"
    assert len(answered) == REQUESTS, (
        f"{len(answered) - REQUESTS} requests were answered twice, and are paid twice"
    )
    assert {1, 2} <= set(lane.asked()), "there was no failover: nothing is proved"


def _die_and_return(lane: Lane, over: threading.Event) -> None:
    for _outage in range(OUTAGES):
        lane.primary.down()
        over.wait(0.3)
        lane.primary.heal()
        over.wait(0.9)
    lane.primary.heal()


def _ask(lane: Lane, number: int, began_s: float) -> Heard:
    wait_for_moment(began_s + number * EVERY_S)
    return lane.ask(question=_question(number), stream=number % 2 == 0)


def _question(number: int) -> str:
    return f"Name a river. {request_mark(number)}"


def _request_of(body: Any) -> str | None:
    return marked_in(str(body["messages"][-1]["content"]))


def _is_right(lane: Lane, number: int, heard: Heard) -> bool:
    return any(heard.is_answer(lane.text_of(place, _question(number))) for place in (1, 2))


@pytest.fixture
def checked(launch: Launch) -> Connection:
    """A gateway that checks its providers often, one of which has no models but for vectors."""

    def configure(registry: Registry) -> None:
        registry["resilience"] = {"health_checks": {"interval_s": CHECK_INTERVAL_S, "failures": 2}}
        registry["chains"].clear()
        of_gemini = [name for name, model in registry["models"].items() if model["provider"] == "gemini"]
        for name in of_gemini:
            del registry["models"][name]
        registry["models"]["gemini-embedding-001"] = {"provider": "gemini"}

    return launch(Change(registry=configure))


@pytest.mark.item("LD-093")
@pytest.mark.needs("providers", "health-checks", "configuration", "upstreams")
def test_failed_probes_are_shown(checked: Connection) -> None:
    """A provider that fails its probes is listed as offline, the others are not; once it is back it is connected."""
    checked.target.providers["ollama"].down()
    _wait_for_states(checked, {"ollama": "offline", "openai": "connected", "vllm": "connected"})
    checked.target.providers["ollama"].heal()
    _wait_for_states(checked, {"ollama": "connected"})


@pytest.mark.item("LD-092", "LD-093")
@pytest.mark.needs("providers", "health-checks", "configuration", "upstreams")
@pytest.mark.regression("R059")
def test_provider_of_vectors_is_healthy(checked: Connection) -> None:
    """A provider whose models only make vectors is probed as any other, and found well, without costing tokens."""
    _wait_for_states(checked, {"gemini": "connected"})
    gemini = checked.target.providers["gemini"]

    def probes() -> list[Call]:
        return [call for call in gemini.world.journal.since(0) if call.provider == "gemini"]

    gemini.world.journal.wait_until(
        lambda: len(probes()) >= PROBES, PROBES * CHECK_INTERVAL_S + KNOWN_WITHIN_S
    )
    calls = [call for call in probes() if call.outcome != "open"]
    assert len(probes()) >= PROBES, f"it was probed {len(probes())} times"
    assert {(call.method, call.status) for call in calls} == {("GET", 200)}, "probes do more than look"


def _wait_for_states(gateway: Connection, wanted: dict[str, str]) -> None:
    """Return when the providers are listed so; AssertionError where they are not within the time."""

    def states() -> dict[str, str]:
        listed = gateway.user.get("/api/v1/providers").field("providers")
        return {entry["name"]: entry.get("connection_status") for entry in listed}

    shown, is_shown = ask_until(
        states, lambda shown: wanted.items() <= shown.items(), time.monotonic() + KNOWN_WITHIN_S
    )
    assert is_shown, f"the providers are listed as {shown}"
