"""The judgement on how long failing over takes."""

import pytest

from fixtures.statistics import InconclusiveError
from fixtures.traffic.answer import Told
from fixtures.traffic.timing import Timed
from suites.chaos.extra_time import BAR_MS, ExtraTime

TOLD = Told(outcome="ok")


def extra_time(*pairs_ms: tuple[float, float], waited_s: float = 0.0) -> ExtraTime:
    pairs = [
        (Timed(calm / 1000, calm / 1000, TOLD), Timed(failing / 1000, failing / 1000, TOLD))
        for calm, failing in pairs_ms
    ]
    return ExtraTime.of(pairs, waited_s)


def test_extra_is_the_difference_of_each_pair() -> None:
    """What counts is by how much a request that failed over exceeds the one beside it, beyond any wait."""
    assert extra_time(*[(5.0, 8.0)] * 20).extra.p50 == pytest.approx(3.0)
    assert extra_time(*[(5.0, 58.0)] * 20, waited_s=0.05).extra.p50 == pytest.approx(3.0)


def test_fast_failover_holds() -> None:
    """Failing over within the bar holds, however noisy the machine is."""
    extra_time(*[(5.0, 8.0), (200.0, 210.0)] * 10).require_little()


def test_slow_failover_fails_on_a_calm_machine() -> None:
    """Failing over beyond the bar fails where requests without a fault are alike, and the report says so."""
    slow = extra_time(*[(5.0, 6.0 + BAR_MS)] * 20)
    assert slow.as_distribution("slow").holds is False
    with pytest.raises(AssertionError, match="nine in ten failovers"):
        slow.require_little()


def test_slow_failover_says_nothing_on_a_noisy_machine() -> None:
    """Where requests without any fault differ as much, a slow failover is neither a pass nor a failure."""
    drowned = extra_time(*[(5.0, 6.0 + 2 * BAR_MS), (5.0 + BAR_MS, 6.0 + 3 * BAR_MS)] * 10)
    assert drowned.as_distribution("drowned").holds is None
    with pytest.raises(InconclusiveError, match="noise"):
        drowned.require_little()


@pytest.mark.parametrize(("pairs", "has_p99"), [(20, False), (400, True)])
def test_p99_is_told_where_there_are_enough_samples(pairs: int, *, has_p99: bool) -> None:
    """P99 stands in the report with its interval of confidence, or not at all."""
    told = extra_time(*[(5.0, 8.0)] * pairs).as_distribution("some")
    assert (told.p99 is not None, told.p99_ci is not None) == (has_p99, has_p99)
    assert told.samples == pairs
    assert len(told.curve) == min(pairs, 101)
