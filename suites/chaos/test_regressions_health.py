"""Class D: cooldown and health. A dead provider costs one request at most, and is used again once it is back."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fixtures.simulators.steps import Chain, Cut, Slow, Stall, Status, Step
from suites.chaos.hearing import End
from suites.chaos.journals import is_anybody_asked
from suites.chaos.lanes import PROBE_INTERVAL_S, Lane
from suites.chaos.pacing import ask_for, wait_for_moment
from suites.chaos.spoiling import OfModel, Waits

pytestmark = [
    pytest.mark.item("PL-105"),
    pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams"),
]

BACK_WITHIN_S = PROBE_INTERVAL_S + 1
"""How soon after its recovery a provider must be used again."""

GONE = Cut("before headers", "fin")
WAIT_S = 0.6
CALLERS = 3


@pytest.mark.regression("R049")
def test_longer_rest_prolongs_the_shorter(lane: Lane) -> None:
    """A second and longer rest holds from when it was asked for, whatever was left of the first."""
    lane.primary.script(*(Chain(Status(429), Waits({"retry-after": wait})) for wait in ("0.4", "1.5")))
    first = lane.ask(stream=False)
    wait_for_moment(first.ended_s + 0.5)
    second = lane.ask(stream=False)
    assert lane.asked() == [1, 2, 1, 2], "it was not asked after its first rest"
    wait_for_moment(second.ended_s + 0.7)
    lane.ask(stream=False)
    assert lane.asked()[4:] == [2], "the second rest ended with the first"
    wait_for_moment(second.ended_s + 1.6)
    assert lane.ask(stream=False).is_answer(lane.text_of(1)), "the second rest never ended"


@pytest.mark.item("LD-094")
@pytest.mark.regression("R050", "R061")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_unreachable_provider_is_left_alone_at_once(lane: Lane, *, stream: bool) -> None:
    """One connection that fails is enough: the requests that follow go to the next provider directly."""
    lane.primary.down()
    answers = [lane.ask(stream=stream) for _request in range(5)]
    assert all(heard.is_answer(lane.text_of(2)) for heard in answers), "not all were answered by the next"
    assert lane.asked() == [1, 2, 2, 2, 2, 2], "the dead provider was asked again"


@pytest.mark.item("PL-031", "LD-094")
@pytest.mark.regression("R051", "R131")
def test_failing_provider_is_left_alone(lane: Lane) -> None:
    """After three failures in a row a provider is out of rotation, and callers do not notice any of it."""
    lane.primary.always(Status(500), for_="any")
    answers = [lane.ask(stream=False) for _request in range(25)]
    assert all(heard.is_answer(lane.text_of(2)) for heard in answers), "not all were answered by the next"
    assert lane.asked().count(1) == 3, f"it was asked {lane.asked().count(1)} times, and fails every time"


@pytest.mark.regression("R052")
@pytest.mark.lane(kinds=("openai",))
def test_last_resort_is_tried(lane: Lane) -> None:
    """Where every provider is left alone, the next request is tried nevertheless: it may be the one that succeeds."""
    lane.primary.script(GONE)
    assert lane.ask(stream=False).end is End.ERROR, "nobody could have answered"
    heard = lane.ask(stream=False)
    assert heard.is_answer(lane.text_of(1)), f"the provider is well, and was not asked: {heard}"


@pytest.mark.regression("R046", "R053")
@pytest.mark.lane(kinds=("openai",))
def test_nobody_left_is_a_503_with_retry_after(lane: Lane) -> None:
    """While the one trial of a dead provider is under way, others are told at once that nobody is there."""
    lane.primary.script(GONE, Stall("before headers", 1.5))
    lane.ask(stream=False)
    with ThreadPoolExecutor(1) as pool:
        trial = pool.submit(lane.ask, stream=False)
        _wait_for_calls(lane, 2)
        heard = lane.ask(stream=False)
        assert trial.result().is_answer(lane.text_of(1)), "the trial was not answered"
    assert (heard.end, heard.status) == (End.ERROR, 503), f"told is {heard}"
    assert heard.code != "RATE_LIMITED", "a dead provider is told as a rate limit"
    assert heard.took_s < 0.5, f"it took {heard.took_s:.2f} s to say that nobody is there"
    assert float(heard.headers.get("retry-after", 0)) > 0, "nobody is told when to come back"


@pytest.mark.regression("R054")
@pytest.mark.lane(kinds=("openai",), chain={"retries": {"attempts": 1, "max_wait_s": 0}})
def test_zero_is_zero(lane: Lane) -> None:
    """A zero that is configured is kept, and not replaced by the default: here no stated wait is sat out."""
    lane.primary.script(Chain(Status(429), Waits({"retry-after": "0.3"})))
    heard = lane.ask(stream=False)
    assert (heard.end, heard.status) == (End.ERROR, 429), f"the wait was sat out: {heard}"
    assert lane.asked() == [1], "it was asked again"


@pytest.mark.item("PL-100", "PL-104", "PL-106")
@pytest.mark.regression("R055")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "fault",
    [GONE, Cut("before headers", "rst"), Status(500), Status(503), Cut("preamble", "end")],
    ids=["gone", "reset", "500", "503", "empty streams"],
)
def test_provider_that_is_back_is_used_again(lane: Lane, fault: Step, *, stream: bool) -> None:
    """A provider that fails is replaced, and used again by itself soon after its return."""
    lane.primary.always(fault, for_="any")
    away = [lane.ask(stream=stream) for _request in range(5)]
    assert all(heard.is_answer(lane.text_of(2)) for heard in away), "not all were answered by the next"
    wait_for_moment(away[-1].ended_s + PROBE_INTERVAL_S)
    lane.primary.heal()
    took_s = lane.wait_until_answered_by(1, BACK_WITHIN_S)
    lane.gateway.notes.measure("from the return of a provider to its first answer", round(took_s, 3), "s")


@pytest.mark.item("PL-107")
@pytest.mark.regression("R022")
def test_provider_that_refused_the_key_serves_again(lane: Lane) -> None:
    """A provider that refused the key is left alone, and serves again by itself once it accepts the key."""
    lane.primary.always(Status(401), for_="any")
    away = [lane.ask(stream=False) for _request in range(3)]
    assert all(heard.is_answer(lane.text_of(2)) for heard in away), "not all were answered by the next"
    assert lane.asked() == [1, 2, 2, 2], "a key that was refused was tried again"
    lane.primary.heal()
    lane.wait_until_answered_by(1, BACK_WITHIN_S)


@pytest.mark.item("PL-029")
@pytest.mark.regression("R022")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.lane(kinds=(kind, "openai")))
        for kind in ("openai", "anthropic", "gemini", "groq", "azure")
    ],
)
def test_refused_key_is_replaced(lane: Lane, kind: str, *, stream: bool) -> None:
    """A provider that rejects the gateway's key is replaced by the next of the chain at once."""
    lane.primary.always(Status(401), for_="any")
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(2)), f"{kind}: the next provider has not answered: {heard}"
    assert lane.asked() == [1, 2], "not each was asked once"


@pytest.mark.item("PL-028", "LD-094")
@pytest.mark.regression("R056")
@pytest.mark.lane(timeouts={"first_byte_s": WAIT_S, "whole_s": WAIT_S})
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_only_the_first_request_pays(lane: Lane, *, stream: bool) -> None:
    """A silent provider costs the first request its limit of time, and those that follow nothing."""
    lane.primary.always(Stall("before headers"), for_="any")
    first, *others = [lane.ask(stream=stream) for _request in range(6)]
    assert all(heard.is_answer(lane.text_of(2)) for heard in (first, *others)), "not all were answered"
    assert first.took_s >= WAIT_S, f"the first did not wait: {first}"
    slowest_s = max(heard.took_s for heard in others)
    assert slowest_s < WAIT_S, f"a later request still paid {slowest_s:.2f} s"
    assert lane.asked().count(1) == 1, "the silent provider was asked again"


@pytest.mark.regression("R057", "R058")
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.lane(kinds=(kind, "openai")))
        for kind in ("openai", "anthropic", "gemini", "ollama", "vllm")
    ],
)
def test_probes_cost_no_tokens(lane: Lane, kind: str) -> None:
    """A provider that is left alone is probed by looking: no call that a model answers, however small."""
    lane.primary.down()
    lane.ask(stream=False)
    is_asked = is_anybody_asked(lane, PROBE_INTERVAL_S * 3)
    assert not is_asked, "a probe asked a model"
    probes = lane.probes()
    assert probes, f"{kind} was never probed"
    assert {probe.method for probe in probes} == {"GET"}, "probes do more than look"


@pytest.mark.regression("R060")
def test_refused_probe_is_no_health(lane: Lane) -> None:
    """A probe that is refused with 400 declares nobody healthy: one request at a time may try, and nobody is failed."""
    lane.primary.always(GONE, for_="chat")
    lane.primary.always(Status(400), for_="models")
    began_s = time.monotonic()
    answers = ask_for(lambda: lane.ask(stream=False), 1.5)
    assert all(heard.is_answer(lane.text_of(2)) for heard in answers), "not answered by the next"
    intervals = (time.monotonic() - began_s) / PROBE_INTERVAL_S
    assert lane.probes(), "it was never probed"
    assert lane.asked().count(1) <= intervals + 2, f"a dead provider was tried {lane.asked().count(1)} times"


@pytest.mark.item("PL-104", "LD-094")
@pytest.mark.regression("R061")
def test_dead_provider_is_asked_by_probes_alone(lane: Lane) -> None:
    """Through an outage the dead provider sees the request that found it dead, and then probes at their interval."""
    lane.primary.down()
    began_s = time.monotonic()
    answers = ask_for(lambda: lane.ask(stream=False), 1.5, pause_s=0.1)
    outage_s = time.monotonic() - began_s
    assert all(heard.is_answer(lane.text_of(2)) for heard in answers), "not all were answered by the next"
    assert lane.asked().count(1) == 1, "requests were spent on the dead provider"
    assert len(lane.probes()) <= outage_s / PROBE_INTERVAL_S + 2, "it is probed more often than configured"


@pytest.mark.regression("R129")
@pytest.mark.lane(kinds=("openai", "vllm", "openai"))
def test_failing_fallback_is_left_alone_too(lane: Lane) -> None:
    """A fallback that fails is left alone as any provider is, and not tried anew by every request."""
    lane.primary.always(Status(500), for_="any")
    lane.fallback.down()
    answers = [lane.ask(stream=False) for _request in range(6)]
    assert all(heard.is_answer(lane.text_of(3)) for heard in answers), "not all were answered by the last"
    asked = lane.asked()
    assert (asked.count(1), asked.count(2)) == (3, 1), f"asked were {asked}"


@pytest.mark.needs("providers")
@pytest.mark.regression("R130")
def test_open_breaker_is_shown(lane: Lane) -> None:
    """While a provider is left alone the list of providers says so, and once it is back no longer."""
    assert _state(lane) == "closed", "a provider that nobody has asked is left alone"
    lane.primary.down()
    lane.ask(stream=False)
    assert _state(lane) == "open", "the provider is left alone, and shown as if it were not"
    lane.primary.heal()
    lane.wait_until_answered_by(1, BACK_WITHIN_S)
    assert _state(lane) == "closed", "the provider is back, and shown as if it were not"


@pytest.mark.regression("R132")
@pytest.mark.parametrize("fault", [GONE, Status(500), Stall("before headers")], ids=["gone", "500", "silent"])
@pytest.mark.lane(timeouts={"whole_s": WAIT_S})
def test_bad_model_takes_no_sibling_out(lane: Lane, fault: Step) -> None:
    """A model that fails is left alone; another model of the same provider is served as before, and to many at once."""
    ill, slow = OfModel(lane.track.upstream_models[0], fault), OfModel(lane.track.sibling, Slow(300))
    lane.primary.always(Chain(ill, slow), for_="chat")
    for _request in range(4):
        assert lane.ask(stream=False).is_answer(lane.text_of(2)), "not answered by the next"
    before = lane.asked().count(1)
    with ThreadPoolExecutor(CALLERS) as pool:
        siblings = list(pool.map(lambda _caller: lane.ask_sibling(), range(CALLERS)))
    unserved = [heard for heard in siblings if heard.end is not End.ANSWER]
    assert not unserved, f"the sibling is not served: {unserved[0]}"
    assert lane.asked().count(1) == before + CALLERS, "the sibling was served by somebody else"


def _state(lane: Lane) -> str:
    """Return how the lane's first provider is listed: the state of the breaker of the lane's model."""
    listed = lane.gateway.user.get("/api/v1/providers").field("providers")
    entry: dict[str, Any] = next(each for each in listed if each["name"] == lane.primary.name)
    shown = [
        each for each in entry["left_alone"] if each["model"] in (lane.model, lane.track.upstream_models[0])
    ]
    return shown[0]["state"] if shown else "closed"


def _wait_for_calls(lane: Lane, count: int) -> None:
    assert lane.track.world.journal.wait_until(lambda: len(lane.calls()) >= count, 2), (
        "the trial was not made"
    )
