"""Checks of health: providers are looked at again and again, at no cost; what is seen is shown and acted upon.

These run behind a gateway of their own that checks often, with a lane for each test. That no provider goes down during
a watch of 24 hours (UB-067) is not judged here: a suite that lasts minutes cannot say so.
"""

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import pairwise

import pytest

from fixtures.bounded import Bounds, open_http
from fixtures.notes import Notes
from fixtures.simulators.journal import Call
from fixtures.simulators.server import SimulatedProvider, SimulatorServer
from fixtures.simulators.steps import Cut, Stall, Status, Step
from fixtures.stage import ANSWER_TIMEOUT_S, FACTS, OPTIONS, Connection
from fixtures.targets.protocol import Bench, RunningTarget, TargetStartError
from suites.chaos.hearing import Heard
from suites.chaos.lanes import KEY, Lane, Track, Wish, change_for
from suites.chaos.pacing import ask_until
from suites.chaos.standing import Standing, listed_standing_of

pytestmark = pytest.mark.needs("chat", "providers", "health-checks", "fallback", "configuration", "upstreams")

INTERVAL_S = 0.4
SPREAD = 0.25
"""By which share two checks may be nearer to each other than configured, so that gateways do not check in step."""

FAILED_CHECKS = 2
PROBE_TIMEOUT_S = 0.3

CHECKS = 4
"""How many checks of each provider are looked at."""

LOOK_EVERY_S = 0.03

BUSY_S = 1.0
"""What a busy machine may add."""

KNOWN_WITHIN_S = FAILED_CHECKS * (INTERVAL_S + PROBE_TIMEOUT_S) + BUSY_S
BACK_WITHIN_S = INTERVAL_S + 1

RESILIENCE = {
    "breaker": {"probe_interval_s": INTERVAL_S},
    "health_checks": {"interval_s": INTERVAL_S, "timeout_s": PROBE_TIMEOUT_S, "failures": FAILED_CHECKS},
}

AWAY: Mapping[str, Step] = {
    "closed": Cut("before headers", "fin"),
    "reset": Cut("before headers", "rst"),
    "silent": Stall("before headers"),
    "rejected key": Status(401),
    "500": Status(500),
}


@pytest.fixture(scope="session")
def watched(
    request: pytest.FixtureRequest, bench: Bench, simulators: SimulatorServer
) -> Iterator[tuple[RunningTarget, Mapping[str, Track]]]:
    """A gateway that checks often, and the lanes of the tests behind it."""
    world = simulators.world("watched")
    tests = [test for test in request.session.items if "watched" in getattr(test, "fixturenames", ())]
    tracks = {
        test.nodeid: Track.lay(world, f"watched{number}", Wish.of(test)) for number, test in enumerate(tests)
    }
    config = request.config
    target = config.stash[OPTIONS].chosen_target()
    with ExitStack() as stack:
        try:
            change = change_for(tracks.values(), RESILIENCE)
            running = stack.enter_context(target.start(bench, config.stash[FACTS], change))
        except TargetStartError as error:
            pytest.fail(str(error), pytrace=False)
        yield running, tracks


@pytest.fixture
def watched_lane(
    request: pytest.FixtureRequest,
    gateway: Connection,
    watched: tuple[RunningTarget, Mapping[str, Track]],
    notes: Notes,
    tls: ssl.SSLContext,
) -> Iterator[Lane]:
    """The lane of this test alone, whose providers are checked."""
    del gateway  # it has seen to it that the target claims what the test needs
    running, tracks = watched
    notes.mask = notes.mask.with_known(key_of_lanes=KEY)
    with open_http(Bounds(ANSWER_TIMEOUT_S), base_url=running.url, verify=tls) as http:
        yield Lane(Connection(running, notes, http), tracks[request.node.nodeid])


@pytest.mark.item("LD-092")
@pytest.mark.regression("R057", "R059")
@pytest.mark.lane(kinds=("openai", "anthropic", "gemini", "ollama", "vllm", "azure"))
def test_every_provider_is_checked_at_the_interval(watched_lane: Lane) -> None:
    """Without any request, every provider is looked at again and again, at the interval, and it costs no tokens."""
    journal = watched_lane.track.world.journal
    mark = journal.mark()

    def checks_of(provider: SimulatedProvider) -> list[Call]:
        return [call for call in provider.calls(for_="any") if call.seq >= mark]

    providers = watched_lane.track.providers
    journal.wait_until(
        lambda: all(len(checks_of(each)) >= CHECKS for each in providers), CHECKS * INTERVAL_S * 2 + BUSY_S
    )
    for provider in providers:
        calls = checks_of(provider)
        assert len(calls) >= CHECKS, f"{provider.kind} was checked {len(calls)} times"
        costly = [call for call in calls if call.kind_of_call == "chat" or call.method != "GET"]
        assert not costly, f"a check of {provider.kind} costs tokens: {costly[0].method} {costly[0].path}"
        gaps_s = [later.started_s - earlier.started_s for earlier, later in pairwise(calls)]
        assert min(gaps_s) > INTERVAL_S * (1 - SPREAD), (
            f"{provider.kind} was checked after {min(gaps_s):.2f} s"
        )
        assert max(gaps_s) < INTERVAL_S * 2 + BUSY_S, (
            f"{provider.kind} was not checked for {max(gaps_s):.2f} s"
        )


@pytest.mark.item("LD-093", "LD-094", "PL-104", "PL-106")
@pytest.mark.regression("R130")
@pytest.mark.parametrize("fault", AWAY.values(), ids=AWAY)
def test_failed_checks_are_shown_and_acted_upon(watched_lane: Lane, fault: Step) -> None:
    """Who fails its checks is listed so, and no request is spent on it; after its return it is listed well and used."""
    lane = watched_lane
    _wait_until_shown(lane, lambda shown: shown.connection == "connected")
    mark = lane.track.world.journal.mark()
    lane.primary.always(fault, for_="any")
    _wait_until_checked(lane, mark, FAILED_CHECKS)
    known_s = _wait_until_shown(lane, lambda shown: shown.connection == "offline")
    heard = lane.ask(stream=False)
    assert heard.is_answer(lane.text_of(2)), f"not answered by the next: {heard}"
    assert lane.asked() == [2], "a request was spent on a provider that is known to be away"
    other = listed_standing_of(lane.gateway, lane.fallback)
    assert other.connection == "connected", f"the other provider is listed as {other.connection}"
    lane.primary.heal()
    back_s = lane.wait_until_answered_by(1, BACK_WITHIN_S)
    _wait_until_shown(lane, lambda shown: shown.is_well and shown.connection == "connected")
    notes = lane.gateway.notes
    notes.measure("from the outage until it is listed", round(known_s, 3), "s")
    notes.measure("from the return to the first answer", round(back_s, 3), "s")


@pytest.mark.item("LD-093")
def test_failed_check_is_forgiven_once(watched_lane: Lane) -> None:
    """A single check that fails takes nobody out: requests go where they went."""
    lane = watched_lane
    _wait_until_shown(lane, lambda shown: shown.connection == "connected")
    for _round in range(2):
        mark = lane.track.world.journal.mark()
        lane.primary.script(Status(500), for_="models")
        _wait_until_checked(lane, mark, 1)
        heard = _ask_until_checked(lane, mark, 2)
        assert heard.is_answer(lane.text_of(1)), f"one failed check has taken a provider out: {heard}"


@pytest.mark.item("LD-094", "PL-105")
@pytest.mark.regression("R052")
@pytest.mark.lane(kinds=("openai",))
def test_offline_provider_is_the_last_resort(watched_lane: Lane) -> None:
    """Where the only provider fails its checks, and answers nevertheless, its callers are answered."""
    lane = watched_lane
    lane.primary.always(Status(500), for_="models")
    _wait_until_shown(lane, lambda shown: shown.connection == "offline")
    heard = lane.ask(stream=False)
    assert heard.is_answer(lane.text_of(1)), f"the provider would have answered: {heard}"


def _wait_until_shown(lane: Lane, is_so: Callable[[Standing], bool]) -> float:
    """Return how long it took until the first provider is listed as wanted.

    Raises:
        AssertionError: it is not within the time that two checks take.

    """
    began_s = time.monotonic()
    shown, is_shown = ask_until(
        lambda: listed_standing_of(lane.gateway, lane.primary), is_so, began_s + KNOWN_WITHIN_S, LOOK_EVERY_S
    )
    assert is_shown, f"it is listed as {shown}"
    return time.monotonic() - began_s


def _wait_until_checked(lane: Lane, mark: int, times: int) -> None:
    """Return once the first provider was looked at so often since a mark of the journal."""
    journal = lane.track.world.journal
    is_checked = journal.wait_until(
        lambda: len(_checks_since(lane, mark)) >= times, _all_checked_within_s(times)
    )
    assert is_checked, "it is not checked"


def _ask_until_checked(lane: Lane, mark: int, times: int) -> Heard:
    """Ask until the first provider was looked at so often since a mark, or it is not the one to answer."""
    text = lane.text_of(1)
    heard, is_over = ask_until(
        lambda: lane.ask(stream=False),
        lambda heard: not heard.is_answer(text) or len(_checks_since(lane, mark)) >= times,
        time.monotonic() + _all_checked_within_s(times),
        LOOK_EVERY_S,
    )
    assert is_over, "it is not checked"
    return heard


def _all_checked_within_s(times: int) -> float:
    return times * (INTERVAL_S + PROBE_TIMEOUT_S) + 2


def _checks_since(lane: Lane, mark: int) -> list[Call]:
    calls = lane.track.world.journal.since(mark)
    return [call for call in calls if call.provider == lane.primary.name and call.outcome != "open"]
