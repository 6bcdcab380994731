"""More than is expected: a spike that has to be carried, and the load at which the gateway saturates."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from fixtures.load.arrivals import Stepped
from fixtures.load.knee import Knee, Limits, Search, Step
from fixtures.load.plots import knee_plots
from fixtures.load.profile import Profile
from fixtures.load.result import LoadResult
from fixtures.statistics import InconclusiveError
from reports.thresholds import Threshold
from suites.load.blanks import Blanks
from suites.load.ground import Ground, Played
from suites.load.house import QUICK
from suites.load.telling import require_few_failures, tell

Lookup = Callable[[str, str], Threshold]

FIRST_PER_S = 100
MOST_PER_S = 3200
MOST_STEPS = {"quick": 6, "full": 12}

CALM_AGAIN = 5.0
"""How many times as long as before the spike the median request may take afterwards; the queue is gone by then."""


@pytest.mark.item("PL-093")
@pytest.mark.needs("chat", "streaming", "configuration", "upstreams")
def test_spike_is_carried(ground: Ground, threshold: Lookup) -> None:
    """A spike to eight times the usual rate costs no request, and once it is over all is as it was before."""
    profile = ground.profile("spike")
    played = ground.once(profile, ground.model(QUICK))
    played.result.require_truthful()
    notes = ground.gateway.notes
    tell(notes, played.result)
    before, spike, after = _parts(played, profile)
    limits = [threshold("PL-093", "error_rate")]
    require_few_failures(notes, "requests of the spike that failed", spike, limits)
    require_few_failures(notes, "requests after the spike that failed", after, limits)
    usual_s = before.latency.p50
    calm_s = played.within((after.from_s + after.to_s) / 2, after.to_s).latency.p50
    notes.measure("median before the spike", usual_s * 1000, "ms")
    notes.measure("median in the spike", spike.latency.p50 * 1000, "ms")
    notes.measure("median a while after the spike", calm_s * 1000, "ms")
    assert calm_s < CALM_AGAIN * usual_s, (
        f"long after the spike an answer takes {calm_s * 1000:.0f} ms, and before it took {usual_s * 1000:.0f} ms"
    )


def name_of(knee: Knee) -> str:
    """Return under which name a capacity is told: where not the target was at its end, it may carry more."""
    extent = "" if knee.bound == "target" else ", or more"
    return f"peak load capacity{extent} ({knee.why})"


def limits_of(threshold: Lookup) -> Limits:
    """Return what a gateway keeps to that is not saturated; a step has too few requests for finer shares."""
    return Limits(
        p95_s=threshold("PL-096", "p95_latency").value,
        error_rate=threshold("PL-096", "error_rate").value / 100,
        achieved_share=threshold("PL-096", "achieved").value / 100,
    )


def require_known(knee: Knee, limit: Threshold) -> None:
    """Require that a capacity below its limit is the target's own.

    Raises:
        InconclusiveError: the next higher rate proves nothing, so that the target may carry more than was seen.

    """
    capacity = knee.capacity_per_s or 0.0
    beyond = min((step for step in knee.steps if step.rate_per_s > capacity), key=_rate_of, default=None)
    if beyond is not None and beyond.flaw and not limit.holds(capacity):
        raise InconclusiveError(beyond.flaw)


@pytest.mark.item("PL-096")
@pytest.mark.needs("chat", "configuration", "upstreams")
def test_knee_is_found(ground: Ground, threshold: Lookup, blanks: Blanks) -> None:
    """Step by step the rate is raised until gateway or generator no longer keeps up: at least so much it carries."""
    limits = limits_of(threshold)
    knee, notes = _search(ground, limits), ground.gateway.notes
    for plot in knee_plots(knee, limits):
        notes.plot(plot)
    capacity = knee.capacity_per_s or 0.0
    blanks.fill("PL-096", capacity)
    limit = threshold("PL-096", "peak_load")
    require_known(knee, limit)
    notes.measure("times that this rate was carried", knee.times_carried, "count")
    notes.require(name_of(knee), capacity, limit)


def _search(ground: Ground, limits: Limits) -> Knee:
    profile = ground.profile("knee")
    most_steps = MOST_STEPS[ground.shelf.extent]
    search = Search(limits=limits, first_per_s=FIRST_PER_S, most_per_s=MOST_PER_S, most_steps=most_steps)
    steps: list[Step] = []
    while (rate_per_s := search.next_rate(steps)) is not None:
        step = replace(profile.scaled(rate=rate_per_s / profile.rate_per_s), name=f"knee-{len(steps) + 1}")
        steps.append(Step.of(rate_per_s, ground.play(step, ground.model(QUICK)).result))
    return search.knee(steps)


def _rate_of(step: Step) -> float:
    return step.rate_per_s


def _parts(played: Played, profile: Profile) -> Iterator[LoadResult]:
    """Yield what each step of a profile says."""
    assert isinstance(profile.arrivals, Stepped)
    begin_s = 0.0
    for _rate_per_s, duration_s in profile.arrivals.steps:
        yield played.within(begin_s, begin_s + duration_s)
        begin_s += duration_s
