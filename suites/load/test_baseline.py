"""The undisturbed gateway: how long it takes is on record, for people and for the next release."""

from collections.abc import Sequence

import pytest

from fixtures.notes import Notes
from fixtures.statistics import quantile
from suites.load.ground import Ground
from suites.load.house import QUICK
from suites.load.record_keeping import baseline_of, keep_record
from suites.load.telling import failures_of, tell

AT_ONCE = 0.8
"""A stream whose first token comes after more than this share of its time does not flow."""

_SHARES = (0.50, 0.95, 0.99)


@pytest.mark.item("PL-097", "UB-048", "UB-061")
@pytest.mark.needs("chat", "streaming")
def test_latency_of_the_undisturbed_gateway_is_on_record(ground: Ground) -> None:
    """P50, P95 and P99 of whole answers, of first tokens and of gaps are measured, kept, and compared with the last."""
    played = ground.once(ground.profile("baseline"), ground.model(QUICK))
    load = played.result
    load.require_truthful()
    notes = ground.gateway.notes
    tell(notes, load)
    failed = load.judged - load.counts["ok"]
    assert not failed, f"{failed} requests of the undisturbed gateway failed{failures_of(load)}"
    parts = load.by_mix()
    _measure(notes, "whole answer", parts["whole"].latency.ordered)
    _measure(notes, "first token of a stream", parts["streamed"].ttft.ordered)
    _measure(notes, "gap between two tokens", parts["streamed"].gaps.ordered)
    if ground.gateway.target.providers:
        share = parts["streamed"].ttft.p50 / parts["streamed"].latency.p50
        assert share < AT_ONCE, f"the first token comes after {share:.0%} of a stream's time: it is held back"
    for when, took_ms in zip(("before", "after"), played.paces_ms, strict=True):
        notes.measure(f"a fixed piece of work of this machine, {when} the run", took_ms, "ms")
    keep_record(baseline_of(load, played.paces_ms), ground.shelf.baseline, notes)


def _measure(notes: Notes, name: str, times_s: Sequence[float]) -> None:
    for share in _SHARES:
        notes.measure(f"{name}, P{100 * share:g}", 1000 * quantile(times_s, share), "ms")
