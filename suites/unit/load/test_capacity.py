"""What is said of the highest rate that a gateway carries."""

from typing import Literal

import pytest

from fixtures.load.knee import Knee, Limits, Step
from fixtures.statistics import InconclusiveError
from reports.thresholds import Comparator, Threshold
from suites.load.test_capacity import limits_of, name_of, require_known


@pytest.mark.parametrize(
    ("bound", "name"),
    [
        ("target", "peak load capacity (the reason)"),
        ("generator", "peak load capacity, or more (the reason)"),
        ("search", "peak load capacity, or more (the reason)"),
    ],
)
def test_capacity_is_exact_only_where_the_target_was_the_bound(
    bound: Literal["target", "generator", "search"], name: str
) -> None:
    """Where generator or search came to their end first, the gateway may carry more, and the page says so."""
    assert name_of(Knee(capacity_per_s=200, confirmed=True, bound=bound, why="the reason", steps=())) == name


def test_what_is_saturated_is_said_by_the_checklist() -> None:
    """The figures at which a gateway counts as saturated are those of the item, per cent as shares."""
    figures = {"p95_latency": 0.2, "error_rate": 3, "achieved": 90}

    def threshold(item: str, name: str) -> Threshold:
        assert item == "PL-096"
        return Threshold(name, Comparator.AT_MOST, figures[name], "")

    assert limits_of(threshold) == Limits(p95_s=0.2, error_rate=0.03, achieved_share=0.9)


LIMIT = Threshold("peak_load", Comparator.AT_LEAST, 100, "requests/s")


def knee(capacity_per_s: float | None, *beyond: Step) -> Knee:
    return Knee(
        capacity_per_s=capacity_per_s, confirmed=True, bound="generator", why="the reason", steps=beyond
    )


def step(rate_per_s: float, flaw: str = "") -> Step:
    return Step(
        rate_per_s=rate_per_s,
        offered_per_s=rate_per_s,
        achieved_per_s=rate_per_s / 2,
        p95_s=2.0,
        error_rate=0.0,
        flaw=flaw,
    )


@pytest.mark.parametrize("capacity_per_s", [None, 50])
def test_capacity_that_the_generator_hides_is_not_judged(capacity_per_s: float | None) -> None:
    """Where the next higher rate proves nothing, a capacity below the limit is no fault of the target."""
    with pytest.raises(InconclusiveError, match="it was late"):
        require_known(knee(capacity_per_s, step(80, "it was late"), step(160)), LIMIT)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(knee(50, step(80), step(160, "it was late")), id="the target is at its end"),
        pytest.param(knee(120, step(160, "it was late")), id="it carries enough"),
        pytest.param(knee(50), id="nothing higher was tried"),
    ],
)
def test_capacity_that_is_known_is_judged(found: Knee) -> None:
    """What the generator could not tell of much higher rates takes nothing from what is known."""
    require_known(found, LIMIT)
