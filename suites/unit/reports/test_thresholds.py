import math

import pytest

from reports.thresholds import Comparator, Threshold, quantity


@pytest.mark.parametrize(
    ("comparator", "text", "kept"),
    [
        pytest.param(Comparator.BELOW, "< 5 s", [4.9], id="below"),
        pytest.param(Comparator.AT_MOST, "≤ 5 s", [4.9, 5.0], id="at-most"),
        pytest.param(Comparator.ABOVE, "> 5 s", [5.1], id="above"),
        pytest.param(Comparator.AT_LEAST, "≥ 5 s", [5.0, 5.1], id="at-least"),
    ],
)
def test_threshold_holds_as_its_text_says(comparator: Comparator, text: str, kept: list[float]) -> None:
    """Each comparator keeps exactly the values that its sign means, and never not-a-number."""
    threshold = Threshold("latency", comparator, 5, "s")
    assert [value for value in (4.9, 5.0, 5.1, math.nan) if threshold.holds(value)] == kept
    assert str(threshold) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.123456, "s", "0.1235 s"),
        (1_000_000, "credits", "1000000 credits"),
        (47, "count", "47"),
        (99.9, "%", "99.9 %"),
    ],
    ids=["short", "large", "bare", "percent"],
)
def test_quantity_is_readable(value: float, unit: str, text: str) -> None:
    """A value has as many digits as a reader can use, and no exponent."""
    assert quantity(value, unit) == text
