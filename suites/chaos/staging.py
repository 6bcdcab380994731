"""Runs FailoverBench's scenarios: provokes, asks, and keeps what callers heard and providers received."""

import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field

from fixtures.bounded import Bounds, open_http
from fixtures.client import GatewayClient
from fixtures.exchange import Transcript
from fixtures.simulators.server import SimulatedProvider, SimulatorServer
from fixtures.simulators.steps import Chain
from fixtures.targets.protocol import Change, RunningTarget
from suites.chaos.failoverbench import HEALTHY_WITHIN_S, Attempt, Clock, Judgement, Run, judge
from suites.chaos.failoverbench_scenarios import SCENARIOS
from suites.chaos.hearing import CHAT, Heard
from suites.chaos.lanes import QUESTION, Track, Wish, change_for
from suites.chaos.pacing import ask_until, wait_for_moment
from suites.chaos.scenarios import (
    LONG,
    LONGEST_RETURN_S,
    OUTAGE,
    OUTAGE_S,
    REQUEST_EVERY_S,
    REQUESTS_IN_OUTAGE,
    TEXT,
    WAYS,
    Conditions,
    Way,
    well,
)
from suites.chaos.spoiling import REFUSAL_WORDS, Until

_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Played:
    """One way of a scenario as it was run and judged, and the exchanges of its caller."""

    way: Way
    run: Run
    judgement: Judgement
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Staging:
    """One way of a scenario on a lane of its own."""

    scenario_id: str
    way: Way
    track: Track
    clock: Clock
    client: GatewayClient
    transcript: Transcript
    heard: list[Heard] = field(default_factory=list)

    def play(self) -> Played:
        """Provoke the scenario, ask, and judge what came of it."""
        _primary, fallback = self.track.providers
        fallback.always(Chain(well(self.clock), *self.way.fallback), for_="chat")
        healed_s: float | None = None
        if self.scenario_id == OUTAGE:
            healed_s = self._outage()
        else:
            self._fault()
        told = tuple(self.heard)
        run = Run(
            heard=told,
            text=TEXT,
            primary=self._attempts(self.track.providers[0]),
            fallback=self._attempts(fallback),
            fallback_model=self.track.models[1],
            refusal_words=REFUSAL_WORDS,
            healthy_after_s=self._healthy_after_s(),
            healed_s=healed_s,
            returned_s=None if healed_s is None else self._returned_s(healed_s),
            clock=self.clock,
        )
        return Played(self.way, run, judge(SCENARIOS[self.scenario_id], run), self.transcript)

    def _fault(self) -> None:
        primary = self.track.providers[0]
        primary.always(well(self.clock), for_="chat")
        fault = self.way.fault(self.clock)
        if self.way.once:
            primary.script(fault)
        else:
            primary.always(fault, for_="chat")
        self.heard.append(self._ask())

    def _outage(self) -> float:
        """Let the primary be away while requests come, go on asking until it is back, and return when it was healed."""
        began_s = time.monotonic()
        healed_s = began_s + self.clock.lasts_s(OUTAGE_S)
        away = Until(healed_s, self.way.fault(self.clock), well(self.clock))
        self.track.providers[0].always(away, for_="any")
        latest_s = healed_s + self.clock.bound_s(LONGEST_RETURN_S)
        while len(self.heard) < REQUESTS_IN_OUTAGE or self._is_still_away(healed_s, latest_s):
            wait_for_moment(began_s + len(self.heard) * self.clock.lasts_s(REQUEST_EVERY_S))
            self.heard.append(self._ask())
        return healed_s

    def _is_still_away(self, healed_s: float, latest_s: float) -> bool:
        return self._returned_s(healed_s) is None and time.monotonic() < latest_s

    def _returned_s(self, healed_s: float) -> float | None:
        """Return when the primary first answered a request after it was healed."""
        calls = self.track.providers[0].calls()
        return next(
            (call.started_s for call in calls if call.started_s >= healed_s and call.status == 200),
            None,
        )

    def _healthy_after_s(self) -> float | None:
        """Return how long it took to be answered once the primary was well; None where it took too long."""
        primary = self.track.providers[0]
        primary.heal()
        primary.always(well(self.clock), for_="chat")
        began_s = time.monotonic()
        _heard, is_answered = ask_until(
            self._ask, lambda heard: heard.is_answer(TEXT), began_s + HEALTHY_WITHIN_S, _PAUSE_S
        )
        return time.monotonic() - began_s if is_answered else None

    def _ask(self) -> Heard:
        more = {"stream_options": {"include_usage": True}} if self.way.stream else {}
        return CHAT.ask(self.client, self.track.name, QUESTION, stream=self.way.stream, **more)

    def _attempts(self, provider: SimulatedProvider) -> tuple[Attempt, ...]:
        return tuple(Attempt.of(call.started_s, call.body) for call in provider.calls())


class Stagings:
    """The scenarios under one configuration; all long ones are begun together, when any of them is asked for."""

    def __init__(self, stagings: Mapping[str, tuple[Staging, ...]]) -> None:
        self._stagings = stagings
        self._pool = ThreadPoolExecutor(max_workers=sum(map(len, stagings.values())))
        self._playing: dict[str, list[Future[Played]]] = {}

    def played(self, scenario_id: str) -> list[Played]:
        """Return every way of a scenario, played."""
        for each in (scenario_id, *sorted(LONG & self._stagings.keys())):
            if each not in self._playing:
                self._playing[each] = [self._pool.submit(way.play) for way in self._stagings[each]]
        return [future.result() for future in self._playing[scenario_id]]

    def close(self) -> None:
        """Return when all that was begun is over."""
        self._pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Where gateways are started for the scenarios."""

    start: Callable[[Change], AbstractContextManager[RunningTarget]]
    simulators: SimulatorServer
    tls: ssl.SSLContext
    clock: Clock

    @contextmanager
    def stage(self, conditions: Conditions, scenario_ids: Iterable[str]) -> Iterator[Stagings]:
        """Start a gateway as the conditions want it, with a lane for each way of each scenario."""
        world = self.simulators.world(f"failoverbench-{conditions}")
        wish = Wish(timeouts=conditions.timeouts(self.clock))
        tracks = {
            (each, way): Track.lay(world, f"{each}-{way.name}".lower().replace(" ", "-"), wish)
            for each in scenario_ids
            for way in WAYS[each]
        }
        with ExitStack() as stack:
            change = change_for(tracks.values(), conditions.resilience(self.clock))
            running = stack.enter_context(self.start(change))
            # A request that hangs is known by its length, so it is let hang for a moment longer.
            bounds = Bounds(self.clock.deadline_s + 1, self.clock.deadline_s + 1)
            http = stack.enter_context(open_http(bounds, base_url=running.url, verify=self.tls))
            stagings: dict[str, tuple[Staging, ...]] = {}
            for (each, way), track in tracks.items():
                transcript = Transcript()
                client = GatewayClient(http, transcript, running.keys.user)
                staging = Staging(each, way, track, self.clock, client, transcript)
                stagings[each] = (*stagings.get(each, ()), staging)
            staged = Stagings(stagings)
            stack.callback(staged.close)
            yield staged
