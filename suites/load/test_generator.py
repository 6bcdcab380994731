"""The generator itself: what it says of a server that freezes is what that server knows, and nothing is left out."""

from pathlib import Path

import pytest

from fixtures.load.arrivals import Constant
from fixtures.load.locust_run import run_load
from fixtures.load.profile import Mix, Profile
from fixtures.load.result import LoadResult
from fixtures.load.yardstick import yardstick
from fixtures.notes import Notes
from fixtures.statistics import Summary

pytestmark = [pytest.mark.item("PL-093"), pytest.mark.needs("chat")]

PROFILE = Profile(
    name="frozen-for-3-s",
    title="A server that freezes once for 3 s within 15",
    arrivals=Constant(200),
    duration_s=15,
    mix=(Mix(name="whole"),),
    lag_bound_ms=500,
)
FREEZES_AFTER_S, FREEZES_FOR_S = 5.0, 3.0
ARRIVALS = 3_000
WITHIN = 0.05


def test_stall_of_the_target_is_told_in_full(notes: Notes, tmp_path: Path) -> None:
    """Of 3,000 requests, of which a fifth meet a frozen server, all are on record, and P99 is the true one.

    A closed loop would have sent fewer, and seen next to nothing of the stall. The truth is the server's own: when it
    answered whom, by the clock of this machine.
    """
    with yardstick(tmp_path, freezes_after_s=FREEZES_AFTER_S, freezes_for_s=FREEZES_FOR_S) as server:
        recording = run_load(
            PROFILE, base_url=server.url, key=None, model="gpt-4o-mini", folder=tmp_path, seed=1, processes=2
        )
        true = Summary.of(server.true_latencies_s(recording))
    result = LoadResult.of(recording)
    result.require_truthful()
    notes.measure("P99 as reported", result.latency.p99 * 1000, "ms")
    notes.measure("P99 as the server knows it", true.p99 * 1000, "ms")
    assert (len(recording.records), true.n, result.counts["ok"]) == (ARRIVALS, ARRIVALS, ARRIVALS)
    assert true.p99 > 0.9 * FREEZES_FOR_S
    assert result.latency.p99 == pytest.approx(true.p99, rel=WITHIN)
