import pytest

from reports.axes import brief, ticks, title, x_scale, y_scale
from reports.observations import Plot
from reports.scales import Linear, Logarithmic
from suites.unit.reports.plotted import knee, percentiles, plot

SPAN = (0.0, 700.0)
UPRIGHT = (200.0, 0.0)


def marked(of: Plot, *values: float) -> list[str]:
    """Return what stands at the axis of y over these values."""
    return [text for _value, text in ticks(y_scale(of, values, UPRIGHT), of.y_unit)]


def test_times_far_apart_are_on_a_logarithmic_axis() -> None:
    """Milliseconds beside seconds are both seen; figures of another kind stay in proportion."""
    assert isinstance(y_scale(plot(), (0.005, 3.0), UPRIGHT), Logarithmic)
    assert isinstance(y_scale(plot(), (0.5, 3.0), UPRIGHT), Linear)
    assert y_scale(plot(), (0.0, 0.005, 3.0), UPRIGHT).low > 0.001
    assert isinstance(y_scale(plot(y_unit="count"), (1, 3000), UPRIGHT), Linear)


@pytest.mark.parametrize(
    ("unit", "values", "texts"),
    [
        pytest.param("s", (0.0, 0.2), ["0 ms", "50 ms", "100 ms", "150 ms", "200 ms"], id="milliseconds"),
        pytest.param("s", (0.0, 2.0), ["0 s", "0.5 s", "1 s", "1.5 s", "2 s"], id="seconds"),
        pytest.param("s", (0.01, 1.0), ["10 ms", "20 ms", "50 ms", "100 ms", "200 ms", "500 ms", "1 s"], id="both"),
        pytest.param("s", (0.0001, 9.0), ["0.1 ms", "1 ms", "10 ms", "100 ms", "1 s", "10 s"], id="decades"),
        pytest.param("MB", (61.0, 79.0), ["60 MB", "65 MB", "70 MB", "75 MB", "80 MB"], id="memory"),
        pytest.param("count", (0.0, 40_000.0), ["0", "10,000", "20,000", "30,000", "40,000"], id="count"),
    ],
)  # fmt: skip
def test_axis_is_marked_at_round_values_with_their_unit(
    unit: str, values: tuple[float, ...], texts: list[str]
) -> None:
    """The values at an axis are as a reader would write them."""
    assert marked(plot(y_unit=unit, limit=None), *values) == texts


def test_axis_of_percentiles_names_them() -> None:
    """Every nine has its name."""
    scale = x_scale(percentiles(), (0.0, 50.0, 99.9), SPAN)
    assert [text for _value, text in ticks(scale, "%")] == ["P0", "P50", "P90", "P99", "P99.9"]


def test_hundredth_percentile_has_a_place() -> None:
    """The largest of all values, which no nine reaches, does not break the axis."""
    assert x_scale(percentiles(), (0.0, 100.0), SPAN)(100.0) == SPAN[1]


def test_axis_of_time_reaches_as_far_as_is_asked() -> None:
    """It begins with the run and ends with the last value, the last fault, or where other plots of the run end."""
    assert x_scale(plot(bands=()), (5.0, 9.0), SPAN).high == 9
    assert x_scale(plot(), (5.0, 9.0), SPAN).high == 23
    assert x_scale(plot(), (5.0, 9.0), SPAN, 60).high == 60


def test_long_run_is_counted_in_minutes() -> None:
    """Nobody reads 1500 s."""
    texts = [text for _value, text in ticks(x_scale(plot(), (0.0, 1500.0), SPAN), "s")]
    assert texts == ["0 min", "5 min", "10 min", "15 min", "20 min", "25 min"]


def test_limit_far_away_does_not_flatten_the_lines() -> None:
    """A limit that is near belongs to the axis, one that is far beyond all values does not."""
    assert y_scale(plot(limit=1.0), (0.5, 0.6), UPRIGHT).high == 1
    assert y_scale(plot(limit=5.0), (0.5, 0.6), UPRIGHT).high < 1


def test_title_names_only_the_unit_that_the_values_lack() -> None:
    """A unit stands at the values or in the title, never in both; what is counted has none."""
    assert title("latency", "s") == "Latency"
    assert title(knee().x, knee().x_unit) == "Offered rate, requests/s"
    assert title("descriptors", "count") == "Descriptors"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0061987, "s", "6.2 ms"),
        (2.4149, "s", "2.41 s"),
        (1717.4, "requests/s", "1717"),
        (63.451, "MB", "63.5 MB"),
        (123456.0, "count", "123,456"),
        (-0.5, "s", "-500 ms"),
    ],
)
def test_brief_value_has_three_digits(value: float, unit: str, text: str) -> None:
    """Where there is little room a value has no more digits than it is worth."""
    assert brief(value, unit) == text
