"""A hundred requests a minute, as the field knows them: few fail, and none takes long on average."""

from collections.abc import Callable

import pytest

from fixtures.load.result import LoadResult
from reports.thresholds import Threshold
from suites.load.extents import over_models
from suites.load.ground import Ground
from suites.load.telling import failures_of, require_few_failures, tell

Lookup = Callable[[str, str], Threshold]


def answered_per_minute(load: LoadResult) -> float:
    """Return how many requests a minute were answered rightly, and no more than were over in a minute."""
    # Whoever falls behind answers all in the end, but not at this rate.
    return 60 * min(load.counts["ok"] / load.seconds, load.achieved_per_s)


@pytest.mark.item("LD-108", "LD-159")
@pytest.mark.needs("chat", "streaming")
def test_hundred_requests_a_minute_are_answered(ground: Ground, threshold: Lookup) -> None:
    """At a hundred requests a minute, or several times as many, they are answered in time, and hardly any fails."""
    models = ground.models()
    load = ground.once(over_models(ground.profile("hundred-a-minute"), models), models[0]).result
    load.require_truthful()
    notes = ground.gateway.notes
    tell(notes, load)
    require_few_failures(notes, "requests that failed", load, [threshold("LD-159", "error_rate")])
    notes.require("mean time of an answer", load.latency.mean, threshold("LD-159", "mean_latency"))
    per_minute = answered_per_minute(load)
    for item in ("LD-108", "LD-159"):
        notes.require(
            f"requests per minute that are answered{failures_of(load)}", per_minute, threshold(item, "rate")
        )
