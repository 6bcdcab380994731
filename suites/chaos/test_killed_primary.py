"""The primary is killed under traffic, by closing its listener and its connections, and revived: nothing is lost."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from fixtures.faults import Link, Proxies
from fixtures.history import Bounds, HistoryRecorder, header_now
from fixtures.history.attempts import attempts_in
from fixtures.history.bands import bands_in
from fixtures.history.checkers import RULES
from fixtures.simulators.server import SimulatedProvider, SimulatorServer
from fixtures.stage import OPTIONS, Connection, Launch
from fixtures.targets.protocol import Change, Registry
from fixtures.traffic import Plan, Traffic, TrafficReport, run_traffic
from reports.thresholds import Threshold
from suites.chaos.kills import SCHEDULES, Kill
from suites.chaos.lanes import KEY, Track, Wish, change_for
from suites.chaos.pacing import wait_for_moment
from suites.chaos.recording import PUNCTUAL_MS, STEADY_STATE, Recording, first_answers_s, judge, keep
from suites.chaos.replicas import lay_replicas
from suites.chaos.rerouting import host_of, reroute

pytestmark = [pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams", "logs")]

Lookup = Callable[[str, str], Threshold]

PARAMETERS = {"temperature": 0, "max_tokens": 8}
"""A deterministic stream that breaks off can go on elsewhere; of short answers a small machine gives many."""

STREAMS = 0.65
"""The share of streams: not half, where the median time to the first content would be now theirs, now the others'."""

SCALES = {"quick": 0.05, "full": 1.0}
OUTAGE_S, EVERY_S, PROBE_INTERVAL_S = 60.0, 4.0, 5.0
"""An outage, how often a request comes meanwhile, and how often a dead provider is probed; all of them scaled."""

BURST = 5
"""How many requests are made at once when it dies."""

WITHOUT_STEADY_STATE = tuple(name for name in RULES if name != STEADY_STATE)
"""So few requests before and after say nothing of it."""


@pytest.mark.item("PL-100", "PL-101", "PL-102", "PL-104", "PL-105", "PL-106", "UB-035", "UB-046", "LD-094")
def test_killed_primary_costs_no_request(
    request: pytest.FixtureRequest,
    launch: Launch,
    proxies: Proxies,
    simulators: SimulatorServer,
    threshold: Lookup,
) -> None:
    """While the primary is killed and revived under traffic every request is answered, once, whole, and by the next."""
    options = request.config.stash[OPTIONS]
    schedule = SCHEDULES[options.chaos]
    track = lay_replicas(simulators.world())
    primary = track.providers[0]
    link = proxies.create(host_of(primary.base_url))
    gateway = _launch(launch, track, schedule.resilience, link)
    bounds = Bounds(attempts=2, probe_interval_s=schedule.probe_interval_s, latency_ratio=3.0)
    recorder = HistoryRecorder(header_now(target=options.target, seed=options.seed, bounds=bounds))
    plan = Plan(
        model=track.name,
        rate_per_s=schedule.rate_per_s,
        duration_s=schedule.duration_s,
        stream_share=STREAMS,
        seed=options.seed,
        parameters=PARAMETERS,
    )
    with Traffic(gateway.target.url, gateway.target.keys.user, plan, recorder) as traffic:
        _kill(link, primary.name, schedule.kills(options.seed), recorder)
        report = traffic.join(schedule.duration_s + plan.timeout_s)
    speaks = dict.fromkeys((each.name for each in track.providers), primary)
    history = Recording(gateway, track, recorder, speaks).history()
    notes = gateway.notes
    findings = keep(history, notes, "killed-primary")
    report.require_punctual(PUNCTUAL_MS)
    notes.measure("requests a second", schedule.rate_per_s, "count")
    lost = report.sent - report.counts["ok"]
    notes.require("requests that were lost", lost, threshold("PL-102", "lost_requests"))
    limit = threshold("PL-101", "failover_time")
    notes.require_worst(
        "from a kill to the first answer of another provider", first_answers_s(history), limit
    )
    judge(findings, report)


def _kill(link: Link, provider: str, kills: Sequence[Kill], recorder: HistoryRecorder) -> None:
    """Kill the provider behind a link and revive it, each time when it is due."""
    began_s = time.monotonic()
    for kill in kills:
        wait_for_moment(began_s + kill.at_s)
        with recorder.band("killed", provider), link.down():
            wait_for_moment(began_s + kill.at_s + kill.for_s)


@pytest.mark.item("PL-104", "PL-106", "UB-046", "LD-094")
def test_outage_costs_one_burst_and_probes(
    request: pytest.FixtureRequest, launch: Launch, simulators: SimulatorServer
) -> None:
    """Through an outage of a minute the dead provider sees one burst of requests, and then one probe an interval."""
    options = request.config.stash[OPTIONS]
    scale = SCALES[options.chaos]
    track = Track.lay(simulators.world(), "outage", Wish())
    primary = track.providers[0]
    interval_s = PROBE_INTERVAL_S * scale
    resilience = {"breaker": {"probe_interval_s": interval_s}, "health_checks": {"enabled": False}}
    gateway = _launch(launch, track, resilience)
    bounds = Bounds(attempts=2, burst_s=0.3, probe_interval_s=interval_s)
    header = header_now(target=options.target, seed=options.seed, bounds=bounds, rules=WITHOUT_STEADY_STATE)
    recorder = HistoryRecorder(header)
    report = _fade_away(gateway, primary, recorder, scale)
    history = Recording(gateway, track, recorder, {each.name: each for each in track.providers}).history()
    findings = keep(history, gateway.notes, "outage")
    report.require_punctual(PUNCTUAL_MS)
    (outage,) = bands_in(history)
    asked = [
        each for each in attempts_in(history) if each.provider == primary.name and outage.covers(each.at_s)
    ]
    probes = sum(each.probe for each in asked)
    gateway.notes.measure("probes of a provider that was away for a minute", probes, "count")
    assert 1 <= len(asked) - probes <= BURST, f"{len(asked) - probes} requests reached the dead provider"
    assert probes >= OUTAGE_S / PROBE_INTERVAL_S / 2, f"it was probed {probes} times"
    judge(findings, report)


def _fade_away(
    gateway: Connection, provider: SimulatedProvider, recorder: HistoryRecorder, scale: float
) -> TrafficReport:
    """Let a provider be away while requests come, at first several at once; go on until it is used again."""
    url, key = gateway.target.url, gateway.target.keys.user
    plan = Plan(
        model=provider.name.rpartition("-")[0],
        rate_per_s=1 / (EVERY_S * scale),
        arrivals="constant",
        duration_s=3 * OUTAGE_S,
        first_number=BURST + 1,
    )
    with Traffic(url, key, plan, recorder) as traffic:
        traffic.wait_for_answers(2)
        with recorder.band("away", provider.name):
            provider.down()
            burst = replace(plan, rate_per_s=1000, duration_s=None, count=BURST, first_number=1)
            run_traffic(url, key, burst, recorder)
            wait_for_moment(time.monotonic() + OUTAGE_S * scale)
            provider.heal()
        wait_for_moment(time.monotonic() + PROBE_INTERVAL_S * scale + recorder.header.bounds.recovery_slack_s)
        traffic.wait_for_answers(1)
        return traffic.stop_and_join()


def _launch(
    launch: Launch, track: Track, resilience: Mapping[str, Any], link: Link | None = None
) -> Connection:
    """Start a gateway before this lane alone, perhaps with its first provider behind a link."""
    change = change_for([track], resilience)

    def configure(registry: Registry) -> None:
        change.registry(registry)
        if link is not None:
            reroute(registry, track.providers[0].name, link.address)

    gateway = launch(Change(registry=configure, environment=change.environment))
    gateway.notes.mask = gateway.notes.mask.with_known(key_of_lanes=KEY)
    return gateway
