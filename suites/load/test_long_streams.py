"""Many long streams at a time: all of them whole, and no token late."""

from collections.abc import Callable

import pytest

from fixtures.statistics import quantile
from reports.thresholds import Threshold
from suites.load.blanks import Blanks
from suites.load.ground import Ground
from suites.load.house import PACED
from suites.load.telling import require_few_failures, tell

Lookup = Callable[[str, str], Threshold]


@pytest.mark.item("PL-094")
@pytest.mark.needs("chat", "streaming", "configuration", "upstreams")
def test_many_long_streams_are_sustained(ground: Ground, threshold: Lookup, blanks: Blanks) -> None:
    """Dozens of streams of hundreds of tokens run beside one another, each whole, from its first token to its last."""
    load = ground.once(ground.profile("long-streams"), ground.model(PACED)).result
    load.require_truthful()
    notes = ground.gateway.notes
    tell(notes, load)
    require_few_failures(notes, "streams that failed", load, [threshold("PL-093", "error_rate")])
    blanks.fill("PL-094", load.concurrency.peak)
    first_s = quantile(load.ttft.ordered, 0.95)
    notes.require("time to the first token, P95", first_s, threshold("PL-094", "first_token"))
    notes.measure("time between two tokens, P99", load.gaps.p99 * 1000, "ms")
    notes.require("time between two tokens, the longest", load.gaps.max, threshold("PL-094", "token_gap"))
    notes.require("streams in flight at a time", load.concurrency.peak, threshold("PL-094", "in_flight"))
