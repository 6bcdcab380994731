"""Very many mixed requests, a fifth of them failing or given up: nothing grows with their number."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from fixtures.notes import Notes
from fixtures.resources import Leak, leak_verdict
from fixtures.resources.plots import plots
from fixtures.resources.points import over_requests
from fixtures.simulators.latency import INSTANT
from fixtures.simulators.server import SimulatorServer
from fixtures.simulators.steps import Cut, Status
from fixtures.stage import Launch
from fixtures.statistics import InconclusiveError
from reports.thresholds import Threshold
from suites.load.ground import Ground, Played, Shelf
from suites.load.held import Held
from suites.load.house import House, Pair
from suites.load.sometimes import Sometimes
from suites.load.telling import failures_of, require_little_left, tell

Lookup = Callable[[str, str], Threshold]

pytestmark = [pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams", "process")]

WARM_UP = 0.2
"""The share of the requests after which caches are full and pools are as large as they get."""

FAULTS = Sometimes(10, (Status(500), Cut("before headers", "rst"), Status(429), Cut(2, "rst")))

LONG = 100_000
"""From so many requests on, growth by a few bytes a request can be told from none."""

_MB = 1e6


def growth_limit_for(requests: int) -> str:
    """Return which threshold judges the growth of memory over so many requests."""
    return "growth_over_100000" if requests >= LONG else "growth"


@dataclass(frozen=True, slots=True)
class Soak:
    """The soak, what the gateway held before it and at rest after it, and with which status it then ended."""

    played: Played
    before: Held
    after: Held
    exit_status: int


@pytest.fixture(scope="module")
def kept() -> dict[str, Soak]:
    """The soak once it has been played: both tests judge the same."""
    return {}


@pytest.fixture
def soak(
    shelf: Shelf, launch: Launch, simulators: SimulatorServer, threshold: Lookup, kept: dict[str, Soak]
) -> Soak:
    """What the soak has left: played before a gateway of its own, whose memory holds nothing of other tests."""
    if _NAME not in kept:
        worlds = (simulators.world(_NAME), simulators.world(f"{_NAME}-next"))
        pair = Pair.lay(worlds, f"load-{_NAME}", latency=INSTANT)
        pair.first.always(FAULTS)
        house = House(worlds[0], {}, {_NAME: pair})
        ground = Ground(launch(house.change()), replace(shelf, house=house))
        process = ground.process()
        before = Held.by(process)
        played = ground.once(ground.profile(_NAME), pair.model)
        after = Held.at_rest(process, before, threshold("LD-107", "left_behind").value)
        kept[_NAME] = Soak(played, before, after, _stopped(ground))
    kept[_NAME].played.result.require_truthful()
    return kept[_NAME]


@pytest.mark.item("PL-099", "LD-109")
def test_memory_does_not_grow(soak: Soak, notes: Notes, threshold: Lookup) -> None:
    """Over thousands of mixed requests, a fifth of them failing or given up, memory does not grow with their number."""
    tell(notes, soak.played.result)
    for plot in plots(soak.played.samples, began_s=soak.played.recording.header.started_monotonic_s):
        notes.plot(plot)
    limit = threshold("PL-099", growth_limit_for(len(soak.played.recording.records)))
    leak = _leak(soak.played, limit.value)
    notes.measure("memory per 1,000 requests, grown by", leak.slope, "MB")
    notes.measure("memory per 1,000 requests, grown at least by", leak.interval.low, "MB")
    notes.measure("memory per 1,000 requests, grown at most by", leak.interval.high, "MB")
    if leak.verdict == "too noisy to say":
        raise InconclusiveError(
            f"{leak.verdict} whether memory grows by {limit.value:g} MB per 1,000 requests"
        )
    assert leak.verdict == "none", f"the memory grows by {leak.slope:.2f} MB per 1,000 requests, and goes on"


@pytest.mark.item("LD-107")
def test_nothing_is_left_behind(soak: Soak, notes: Notes, threshold: Lookup) -> None:
    """After thousands of mixed requests the gateway comes to rest with nothing left of them, and ends when asked to."""
    result = soak.played.result
    assert result.counts["ok"] > 0.5 * len(result.records), f"most were not answered{failures_of(result)}"
    require_little_left(notes, soak.before, soak.after, threshold("LD-107", "left_behind"))
    # A task that waits for nothing any more holds no descriptor, but it keeps a gateway from ending.
    assert soak.exit_status == _IN_GOOD_ORDER, (
        f"asked to end the gateway did not, and had to be killed: status {soak.exit_status}"
    )


def _stopped(ground: Ground) -> int:
    stop = ground.gateway.target.stop
    assert stop is not None  # whoever grants its process grants this
    return stop()


def _leak(played: Played, least_mb: float) -> Leak:
    """Return what can be said of the memory's growth with the requests that were served."""
    recording = played.recording
    begun_s = recording.header.started_monotonic_s
    ended_s = (begun_s + record.ended_s for record in recording.records)
    points = over_requests(played.samples, lambda sample: sample.rss_bytes / _MB, ended_s)
    return leak_verdict(points, warm_up=WARM_UP * len(recording.records), least_slope=least_mb)


_NAME = "soak"

_IN_GOOD_ORDER = 0
