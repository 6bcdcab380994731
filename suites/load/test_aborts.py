"""Callers who leave under load: nothing of their requests is left behind, at the gateway or at a provider."""

from collections.abc import Callable

import pytest

from fixtures.simulators.journal import Call
from reports.thresholds import Threshold
from suites.load.ground import Ground
from suites.load.held import Held
from suites.load.house import PACED
from suites.load.telling import failures_of, require_little_left, tell

Lookup = Callable[[str, str], Threshold]

_ENDED_WITHIN_S = 1.0


@pytest.mark.item("LD-107")
@pytest.mark.needs("chat", "streaming", "configuration", "upstreams", "process")
def test_callers_who_leave_cost_nothing(ground: Ground, threshold: Lookup) -> None:
    """When a third of the callers leave, their calls to providers end too, and no descriptor or socket stays open."""
    limit = threshold("LD-107", "left_behind")
    process, journal = ground.process(), ground.house.world.journal
    before, mark = Held.by(process), journal.mark()
    load = ground.once(ground.profile("aborts"), ground.model(PACED)).result
    load.require_truthful()
    notes = ground.gateway.notes
    tell(notes, load)
    left = load.counts["left"]
    notes.measure("callers who left", left, "count")
    assert left > 0.2 * len(load.records), f"only {left} callers have left: nothing is proved"
    assert not load.error_rate, f"those who stayed were not all answered{failures_of(load)}"

    def calls() -> list[Call]:
        return [call for call in journal.since(mark) if call.kind_of_call == "chat"]

    journal.wait_until(lambda: all(call.outcome != "open" for call in calls()), _ENDED_WITHIN_S)
    _require_ended(calls(), left)
    require_little_left(notes, before, Held.at_rest(process, before, limit.value), limit)


def _require_ended(calls: list[Call], left: int) -> None:
    """Require that calls were given up as their callers left, and that none of them goes on."""
    open_calls = sum(call.outcome == "open" for call in calls)
    given_up = sum(call.outcome == "client gone" for call in calls)
    assert not open_calls, f"{open_calls} calls to providers go on that nobody waits for"
    # Whoever leaves at the very end may find the provider's answer whole.
    assert given_up > left / 2, (
        f"of {left} callers who left, the calls went on to their end but for {given_up}"
    )
