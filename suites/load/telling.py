"""What every test of load tells of its run: how it was, and of what failed, in which way."""

from collections import Counter
from collections.abc import Sequence

from fixtures.load.plots import plots
from fixtures.load.result import LoadResult
from fixtures.notes import Notes
from reports.thresholds import Threshold
from suites.load.held import Held


def tell(notes: Notes, result: LoadResult) -> None:
    """Keep how many requests there were, how punctual the generator was, and what the run looks like."""
    notes.measure("requests", len(result.records), "count")
    notes.measure("offered requests a second", result.offered_per_s, "requests/s")
    notes.measure("achieved requests a second", result.achieved_per_s, "requests/s")
    notes.measure("in flight at most", result.concurrency.peak, "count")
    notes.measure("lag of the generator, P99", result.lag_p99_s * 1000, "ms")
    for plot in plots(result.recording):
        notes.plot(plot)


def require_few_failures(notes: Notes, name: str, result: LoadResult, limits: Sequence[Threshold]) -> None:
    """Judge the share of the requests that were not answered rightly; where it is too large, tell how they ended."""
    for limit in limits:
        percent = result.error_rate * 100
        notes.require(f"{name}{failures_of(result)}", percent, limit)


def require_little_left(notes: Notes, before: Held, after: Held, limit: Threshold) -> None:
    """Judge what a gateway at rest holds beyond what it held before a load."""
    for name in ("descriptors", "threads"):
        notes.measure(f"{name} before", getattr(before, name), "count")
        notes.measure(f"{name} at rest after it", getattr(after, name), "count")
    notes.measure("sockets that wait for their own side to close", after.half_closed, "count")
    notes.require("descriptors, sockets or threads left behind", after.beyond(before), limit)


def failures_of(result: LoadResult) -> str:
    """Return how the requests ended that were not answered rightly, with an example; nothing where all were."""
    failed = [record for record in result.records if record.outcome not in {"ok", "left", "unsent"}]
    if not failed:
        return ""
    counts = ", ".join(
        f"{count} {outcome}" for outcome, count in Counter(each.outcome for each in failed).items()
    )
    first = failed[0]
    return f": {counts}; the first, {first.mix} at {first.intended_s:.1f} s: {first.why or first.error_code}"
