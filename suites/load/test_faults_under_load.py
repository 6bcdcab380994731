"""Goodput during failover: what callers are still given in time while a provider fails, for each kind of fault."""

from collections.abc import Callable

import pytest

from reports.thresholds import Threshold
from suites.load.ground import Ground
from suites.load.house import FAULTS
from suites.load.telling import failures_of, tell
from suites.load.trouble import trouble_on

Lookup = Callable[[str, str], Threshold]


@pytest.mark.item("PL-093", "PL-102")
@pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams")
@pytest.mark.parametrize("fault", FAULTS)
def test_goodput_survives_the_fault(ground: Ground, threshold: Lookup, fault: str) -> None:
    """While a provider fails under load no request is lost, and nearly as many are answered in time as without it."""
    trouble = trouble_on(ground)
    for played in (trouble.well, trouble.ill):
        played.result.require_truthful()
    ill, well = trouble.of_fault(fault)
    notes = ground.gateway.notes
    if fault == next(iter(FAULTS)):
        tell(notes, trouble.ill.result)
    notes.measure("goodput without the fault", well.goodput.share * 100, "%")
    share = 100 * ill.goodput.share / well.goodput.share
    lost = ill.judged - ill.counts["ok"]
    notes.require(f"requests lost{failures_of(ill)}", lost, threshold("PL-102", "lost_requests"))
    limit = threshold("PL-093", "goodput_under_fault")
    notes.require("goodput with the fault, of that without", share, limit)
