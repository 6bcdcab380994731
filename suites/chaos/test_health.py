"""Health: who fails is left alone, is looked after at no cost, and is used again once it is well; operators see it."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from fixtures.faults import Proxies
from fixtures.simulators.position import Byte
from fixtures.simulators.server import SimulatorServer
from fixtures.simulators.steps import Chain, Cut, EmptyBody, ErrorEvent, Garbage, Slow, Stall, Status, Step
from fixtures.stage import OPTIONS, Launch
from fixtures.targets.protocol import Registry
from suites.chaos.hearing import End, Heard
from suites.chaos.journals import place_of, wait_until_probed
from suites.chaos.lanes import KEY, PROBE_INTERVAL_S, Lane, Track, Wish, change_for
from suites.chaos.outages import FULL, LIMIT_S, OUTAGES, QUICK, play, play_all, resilience_for
from suites.chaos.pacing import ask_for, ask_until
from suites.chaos.spoiling import OfModel, Waits
from suites.chaos.standing import standing_of

pytestmark = pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams")

WAIT_S = 0.3
"""How long a silent provider is waited for."""

IMPATIENT = {"first_byte_s": WAIT_S, "whole_s": WAIT_S, "idle_s": WAIT_S}

ALL_SILENT_S = 0.6
"""The same where everybody is silent: long enough to tell who has waited from who has not."""

FAILURES = 3
"""After how many failures in a row a provider is left alone whose failures may be over in a moment."""

BACK_WITHIN_S = PROBE_INTERVAL_S + 1

GONE = Cut("before headers", "fin")

WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])

AT_ONCE: Mapping[str, Step] = {
    "closed": GONE,
    "reset": Cut("before headers", "rst"),
    "silent": Stall("before headers"),
    "silent after the head": Stall(Byte(0)),
    "rejected key": Status(401),
}
"""What would cost every caller that follows the same, or is certain to recur."""

AFTER_SOME: Mapping[str, Step] = {
    "500": Status(500),
    "502": Status(502),
    "503": Status(503),
    "529": Status(529),
    "garbage": Garbage("preamble"),
    "cut": Cut("preamble", "rst"),
    "empty": EmptyBody(),
    "error within": ErrorEvent("preamble"),
}
"""What may be over in a moment."""

NEVER: Mapping[str, Step] = {
    "too long": Status(400, error_code="context_length_exceeded"),
    "malformed": Status(400),
    "too many requests": Chain(Status(429), Waits()),
}
"""What says nothing against the provider."""


def _over(faults: Mapping[str, Step]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fault", faults.values(), ids=faults)


@pytest.mark.item("LD-094", "PL-105")
@pytest.mark.regression("R050", "R056")
@WAYS
@_over(AT_ONCE)
@pytest.mark.lane(timeouts=IMPATIENT)
def test_one_request_finds_it_out(lane: Lane, fault: Step, *, stream: bool) -> None:
    """Who cannot be reached, keeps silent or rejects the key is left alone at once: one caller pays, and no other."""
    lane.primary.always(fault, for_="any")
    first, *others = [lane.ask(stream=stream) for _request in range(4)]
    assert all(heard.is_answer(lane.text_of(2)) for heard in (first, *others)), "not all were answered"
    assert lane.asked() == [1, 2, 2, 2, 2], "it was asked again"
    slowest_s = max(heard.took_s for heard in others)
    assert slowest_s < WAIT_S, f"a later caller has paid {slowest_s:.2f} s for it"


@pytest.mark.item("LD-094", "PL-031")
@pytest.mark.regression("R051", "R131")
@WAYS
@_over(AFTER_SOME)
def test_some_failures_in_a_row_are_enough(lane: Lane, fault: Step, *, stream: bool) -> None:
    """Who answers with errors, or with what is no answer, is left alone after three in a row."""
    lane.primary.always(fault, for_="any")
    answers = [lane.ask(stream=stream) for _request in range(FAILURES + 3)]
    assert all(heard.is_answer(lane.text_of(2)) for heard in answers), "not all were answered by the next"
    assert lane.asked() == [1, 2] * FAILURES + [2] * 3, f"asked were {lane.asked()}"


@pytest.mark.item("PL-105")
@WAYS
@_over(NEVER)
def test_what_is_no_illness_counts_for_none(lane: Lane, fault: Step, *, stream: bool) -> None:
    """Refusing a bad request, or being too busy for a moment, makes no provider ill, however often it happens."""
    lane.primary.script(*[fault] * (FAILURES + 2))
    for _request in range(FAILURES + 2):
        lane.ask(stream=stream)
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(1)), f"a provider that is well is passed by: {heard}"
    assert lane.asked().count(1) == FAILURES + 3, "it was passed by in between"


@pytest.mark.item("PL-105")
@WAYS
def test_successes_in_between_keep_it_in(lane: Lane, *, stream: bool) -> None:
    """Failures that are not in a row, and are few among many, leave a provider where it is."""
    for _round in range(4):
        lane.primary.script(Status(500))
        assert lane.ask(stream=stream).is_answer(lane.text_of(2)), "the failure was not covered by the next"
        for _success in range(2):
            assert lane.ask(stream=stream).is_answer(lane.text_of(1)), "a good provider was passed by"


@pytest.mark.item("PL-105")
@pytest.mark.regression("R132")
@WAYS
def test_success_of_a_sibling_heals_nothing(lane: Lane, *, stream: bool) -> None:
    """A model that fails is left alone, however well another model of its provider is served, which goes on."""
    ill = lane.track.upstream_models[0]
    lane.primary.always(OfModel(ill, Status(500)), for_="chat")
    for _request in range(FAILURES):
        assert lane.ask(stream=stream).is_answer(lane.text_of(2)), "the failure was not covered by the next"
        assert lane.ask_sibling(stream=stream).end is End.ANSWER, "the sibling was taken out"
    lane.ask(stream=stream)
    of_ill = [call for call in lane.calls() if call.model == ill]
    assert len(of_ill) == FAILURES, f"the ill model was asked {len(of_ill)} times: its sibling answers for it"
    shown = standing_of(lane.gateway, lane.primary)
    assert set(shown.left_alone) == {ill}, f"left alone is shown {shown}"


@pytest.mark.item("PL-100", "PL-104", "PL-105", "PL-106", "PL-107", "LD-093", "LD-094")
@pytest.mark.needs("providers")
@pytest.mark.regression("R050", "R055", "R057", "R061", "R130", "R131")
def test_outage_from_beginning_to_end(
    request: pytest.FixtureRequest, simulators: SimulatorServer, launch: Launch, proxies: Proxies
) -> None:
    """The dead provider sees one burst and then a free probe an interval, callers see nothing, and it comes back.

    Six kinds of outage at once, each on a lane of its own. In the full profile they last a minute, with a request every
    4 s and a probe every 5 s; in the quick one all of that lasts but a fraction.
    """
    clock = QUICK if request.config.stash[OPTIONS].chaos == "quick" else FULL
    wait_s = clock.lasts_s(LIMIT_S)
    wish = Wish(timeouts={"first_byte_s": wait_s, "whole_s": wait_s})
    world = simulators.world()
    tracks = {outage.name: Track.lay(world, outage.name, wish) for outage in OUTAGES}
    links = {name: proxies.create(urlsplit(track.world.url).netloc) for name, track in tracks.items()}
    change = change_for(tracks.values(), resilience_for(clock))

    def configure(registry: Registry) -> None:
        change.registry(registry)
        for name, track in tracks.items():
            entry = registry["providers"][track.providers[0].name]
            entry["base_url"] = urlsplit(entry["base_url"])._replace(netloc=links[name].address).geturl()

    gateway = launch(replace(change, registry=configure))
    gateway.notes.mask = gateway.notes.mask.with_known(key_of_lanes=KEY)
    lanes = {name: Lane(gateway, track) for name, track in tracks.items()}
    plays = {each.name: partial(play, each, lanes[each.name], links[each.name], clock) for each in OUTAGES}
    objections = []
    for name, course in play_all(plays).items():
        objections += [f"{name}: {text}" for text in course.objections(clock)]
        if course.back_s is not None:
            took_s = round(course.back_s - course.healed_s, 3)
            gateway.notes.measure(f"{name}: from the return to the first answer", took_s, "s")
    for link in links.values():
        link.delete()
    assert not objections, "; ".join(objections)


@pytest.mark.item("PL-104", "PL-105", "PL-106")
@WAYS
def test_return_that_fails_at_first(lane: Lane, *, stream: bool) -> None:
    """A provider whose recovery is slow fails its first trials, at nobody's cost, and is used again once it is well."""
    lane.primary.always(GONE, for_="any")
    lane.ask(stream=stream)
    lane.primary.heal()
    trials = 2
    lane.primary.script(*[Status(503)] * trials)
    texts = [lane.text_of(place) for place in (1, 2)]

    def ask() -> Heard:
        heard = lane.ask(stream=stream)
        assert any(map(heard.is_answer, texts)), f"a trial has cost its caller the answer: {heard}"
        return heard

    latest_s = time.monotonic() + BACK_WITHIN_S * (trials + 1)
    _heard, is_back = ask_until(ask, lambda heard: heard.is_answer(texts[0]), latest_s)
    assert is_back, "it is never used again"
    tried_s = [call.started_s for call in lane.calls() if place_of(call) == 1][1:]
    hasty_s = min(later - earlier for earlier, later in pairwise(tried_s))
    assert hasty_s > PROBE_INTERVAL_S * 0.9, f"a trial that has failed is repeated after {hasty_s:.2f} s"


@pytest.mark.item("PL-105", "PL-106")
@WAYS
def test_provider_that_only_seems_well(lane: Lane, *, stream: bool) -> None:
    """Where probes succeed and answers do not, others serve the callers, and one trial an interval is all it costs."""
    lane.primary.always(Status(500), for_="chat")
    began_s = time.monotonic()
    heard = ask_for(lambda: lane.ask(stream=stream), PROBE_INTERVAL_S * 3, pause_s=0.02)
    lasted_s = time.monotonic() - began_s
    assert all(each.is_answer(lane.text_of(2)) for each in heard), "not all were answered by the next"
    most = FAILURES + lasted_s / PROBE_INTERVAL_S + 1
    asked = lane.asked().count(1)
    assert FAILURES < asked <= most, f"{asked} of {len(heard)} requests were spent on it"
    lane.primary.heal()
    lane.wait_until_answered_by(1, BACK_WITHIN_S)


@pytest.mark.item("PL-105", "PL-106")
@WAYS
def test_slow_trial_costs_one_caller(lane: Lane, *, stream: bool) -> None:
    """While a provider that is back takes its time over its first answer, everybody else is served by another one."""
    lane.primary.always(GONE, for_="any")
    lane.ask(stream=stream)
    lane.primary.heal()
    lane.primary.always(Slow(1_000), for_="chat")
    wait_until_probed(lane, 1, PROBE_INTERVAL_S + 2, well=True)

    def answered() -> list[int]:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _number: lane.ask(stream=stream), range(8)))
        return sorted(place for heard in answers for place in (1, 2) if heard.is_answer(lane.text_of(place)))

    # what the provider has said to the probe is still on its way to the gateway
    ends, _is_known = ask_until(answered, lambda ends: 1 in ends, time.monotonic() + 1)
    assert ends == [1, *[2] * 7], f"answered have {ends}: one trial was to be made"


@pytest.mark.item("PL-105")
@pytest.mark.regression("R052", "R053", "R046")
@WAYS
@pytest.mark.parametrize(
    "fault", [GONE, Status(503), Status(401), Stall("before headers")], ids=["closed", "503", "401", "silent"]
)
@pytest.mark.lane(timeouts={"first_byte_s": ALL_SILENT_S, "whole_s": ALL_SILENT_S})
def test_everybody_down_is_told_clearly(lane: Lane, fault: Step, *, stream: bool) -> None:
    """With every provider away callers are told so at once, nobody is stampeded, and the first that is back answers."""
    for provider in lane.track.providers:
        provider.always(fault, for_="any")
    first = lane.ask(stream=stream)
    with ThreadPoolExecutor(8) as pool:
        others = list(pool.map(lambda _number: lane.ask(stream=stream), range(8)))
    unclear = [heard for heard in (first, *others) if heard.end is not End.ERROR or not heard.code]
    assert not unclear, f"no clear error is told: {unclear[0]}"
    told = {heard.status or 0 for heard in (first, *others)}
    assert min(told) >= HTTPStatus.INTERNAL_SERVER_ERROR, f"told are {told}, as if it were the caller's fault"
    waited_s = sorted(heard.took_s for heard in others)
    assert waited_s[-1] < 2 * ALL_SILENT_S + 1, f"a caller was kept for {waited_s[-1]:.2f} s"
    assert waited_s[4] < ALL_SILENT_S, (
        f"most callers were kept for {waited_s[4]:.2f} s to learn what was known"
    )
    lane.fallback.heal()
    lane.wait_until_answered_by(2, BACK_WITHIN_S)
