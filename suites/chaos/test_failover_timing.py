"""How long failing over takes, by the kind of fault, against requests without any fault in the same breath.

Each request that fails over stands beside one that asks the fallback itself; which of the two goes first is drawn. No
breaker is on, so that every one really fails over. The quick profile has enough samples for the median and P90, the
full one for P99 and its interval of confidence.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from fixtures.capabilities import NotExercisedError
from fixtures.notes import Notes
from fixtures.recorder import skip_not_exercised
from fixtures.simulators.server import SimulatorServer
from fixtures.simulators.steps import Stall, Well
from fixtures.stage import FACTS, OPTIONS
from fixtures.targets.protocol import Bench, Change, Registry, RunningTarget
from fixtures.traffic.timing import Side, Timed, paired, timed_requests
from reports.thresholds import Threshold
from suites.chaos.extra_time import ExtraTime
from suites.chaos.failing import CASES, REFUSED, SILENT, Case, deserted_address, draw
from suites.chaos.journals import place_of
from suites.chaos.lanes import PATIENT, Lane, Track, Wish, change_for
from suites.chaos.rerouting import reroute

NEEDS = ("chat", "streaming", "fallback", "configuration", "upstreams")

pytestmark = [pytest.mark.needs(*NEEDS)]

PAIRS = {"quick": 20, "full": 400}

SILENCE_S = 0.05
"""How long the gateway waits for a provider that says nothing."""

DRAWN = 16
"""How many requests are asked to see that a seed gives the same faults again."""

FORGETFUL = {"breaker": {"enabled": False}, "health_checks": {"enabled": False}}

Lookup = Callable[[str, str], Threshold]


@dataclass(frozen=True, slots=True)
class TimedGateway:
    """A gateway that forgets every failure, with a chain for each case; and how many pairs are asked."""

    target: RunningTarget
    tracks: Mapping[Case, Track]
    pairs: int
    seed: int

    def ask_pairs(self, case: Case) -> list[tuple[Timed, Timed]]:
        """Ask the fallback of a case itself and its failing chain, in turn."""
        track = self.tracks[case]
        primary, _fallback = track.providers
        primary.heal()
        if case.step is not None:
            primary.always(case.step, for_="chat")
        calm, failing = (self._side(model, stream=case.stream) for model in (track.models[1], track.name))
        return paired(calm, failing, pairs=self.pairs, seed=self.seed)

    def _side(self, model: str, *, stream: bool) -> Side:
        return Side(base_url=self.target.url, key=self.target.keys.user, model=model, stream=stream)


@pytest.fixture(scope="session")
def timed(
    request: pytest.FixtureRequest, shared_target: RunningTarget, bench: Bench, simulators: SimulatorServer
) -> Iterator[TimedGateway]:
    """The gateway for the timings."""
    try:
        shared_target.claims.demand(NEEDS)
    except NotExercisedError as error:
        skip_not_exercised(error)
    world = simulators.world("failover-timing")
    tracks = {case: Track.lay(world, case.name, Wish(timeouts=PATIENT)) for case in CASES}
    stash = request.config.stash
    options = stash[OPTIONS]
    with ExitStack() as stack:
        change = _change(tracks, stack.enter_context(deserted_address()))
        target = stack.enter_context(options.chosen_target().start(bench, stash[FACTS], change))
        yield TimedGateway(target, tracks, PAIRS[options.chaos], options.seed)


def _change(tracks: Mapping[Case, Track], deserted: str) -> Change:
    change = change_for(tracks.values(), FORGETFUL)

    def configure(registry: Registry) -> None:
        change.registry(registry)
        for case, track in tracks.items():
            primary = track.providers[0].name
            if case.kind == REFUSED:
                reroute(registry, primary, deserted)
            if case.kind == SILENT:
                waits = {"first_byte_s": SILENCE_S, "whole_s": SILENCE_S}
                registry["providers"][primary]["timeouts"] |= waits

    return Change(registry=configure, environment=change.environment)


@pytest.mark.item("PL-101", "UB-035")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_failing_over_takes_little_time(
    timed: TimedGateway, notes: Notes, threshold: Lookup, case: Case
) -> None:
    """The next provider's answer comes as soon as if it had been asked itself, save for a few milliseconds."""
    pairs = timed.ask_pairs(case)
    fallback = timed.tracks[case].providers[1].name
    _require_answers(pairs, fallback, attempts=2)
    took_s = [failing.first_content_s for _calm, failing in pairs]
    notes.require_worst(f"time to the first answer, {case}", took_s, threshold("PL-101", "failover_time"))
    waited_s = SILENCE_S if case.kind == SILENT else 0.0
    beyond = " beyond the wait for its first byte" if waited_s else ""
    _judge(ExtraTime.of(pairs, waited_s), notes, f"{case}{beyond}")


@pytest.mark.item("PL-101", "LD-094")
@pytest.mark.lane(timeouts={"first_byte_s": 0.5, "whole_s": 0.5})
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_known_failure_costs_nothing(
    request: pytest.FixtureRequest, lane: Lane, notes: Notes, *, stream: bool
) -> None:
    """Once a silent provider is known to be, requests are answered as fast as if it were not in the chain."""
    options = request.config.stash[OPTIONS]
    lane.primary.always(Stall("before headers"), for_="any")
    lane.ask(stream=stream)
    url, key = lane.gateway.target.url, lane.gateway.target.keys.user
    calm, failing = (
        Side(base_url=url, key=key, model=model, stream=stream)
        for model in (lane.track.models[1], lane.model)
    )
    pairs = paired(calm, failing, pairs=PAIRS[options.chaos], seed=options.seed)
    _require_answers(pairs, lane.fallback.name, attempts=1)
    assert lane.asked().count(1) == 1, "the silent provider was asked again"
    _judge(ExtraTime.of(pairs), notes, f"known to be silent, {'streamed' if stream else 'whole'}")


def _require_answers(pairs: Sequence[tuple[Timed, Timed]], provider: str, attempts: int) -> None:
    """Fail unless the fallback has answered on both sides, after so many attempts on the failing one."""
    for side, calls in ((0, 1), (1, attempts)):
        for each in (pair[side].told for pair in pairs):
            told = (each.outcome, each.provider, each.attempts)
            assert told == ("ok", provider, calls), (
                f"the next provider has not answered: {told} {each.error_code or each.why}"
            )


def _judge(extra: ExtraTime, notes: Notes, name: str) -> None:
    notes.distribution(extra.as_distribution(f"extra time of failing over, {name}"))
    extra.require_little()


@pytest.mark.item("PL-105")
def test_same_seed_gives_the_same_faults(timed: TimedGateway) -> None:
    """Faults that are drawn from a seed come again with it: the same calls fail in the same way, and end the same."""
    seed = timed.seed
    first = _play(timed, seed)
    assert all(outcome == "ok" for outcome, *_more in first.told), f"not every request was answered: {first}"
    assert _play(timed, seed) == first, "the second time something else has happened"
    assert _play(timed, seed + 1) != first, "another seed gives the same faults"


@dataclass(frozen=True, slots=True)
class Played:
    """What callers were told and what providers did, in its order."""

    told: tuple[tuple[str, str, int | None], ...]
    calls: tuple[tuple[int, int | None, str, str | None], ...]


def _play(timed: TimedGateway, seed: int) -> Played:
    """Ask one request after the other of a chain whose first provider fails as it is drawn."""
    track = timed.tracks[Case(SILENT, stream=True)]
    primary, _fallback = track.providers
    primary.heal()
    faults = draw(seed, DRAWN)
    primary.script(*(case.step if case and case.step else Well() for case in faults))
    before = len(track.world.journal.kept())
    sides = (
        Side(
            base_url=timed.target.url,
            key=timed.target.keys.user,
            model=track.name,
            stream=case is not None and case.stream,
        )
        for case in faults
    )
    bodies = [side.body(number) for number, side in enumerate(sides, start=1)]
    told = [each.told for each in timed_requests(timed.target.url, timed.target.keys.user, bodies)]
    return Played(
        tuple((each.outcome, each.text, each.attempts) for each in told),
        tuple(
            (place_of(call), call.status, call.outcome, call.step)
            for call in track.world.journal.kept()[before:]
        ),
    )
