"""What is said of the highest rate that a gateway carries."""

from typing import Literal

import pytest

from fixtures.load.knee import Knee, Limits
from reports.thresholds import Comparator, Threshold
from suites.load.test_capacity import limits_of, name_of


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
