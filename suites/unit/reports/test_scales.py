import pytest

from reports.scales import Linear, Logarithmic, Nines, decades, enclose, enclose_by_ratio


@pytest.mark.parametrize(("value", "place"), [(0, 100), (5, 150), (10, 200), (11, 200), (-1, 100)])
def test_linear_scale_keeps_proportions_and_its_bounds(value: float, place: float) -> None:
    """A value lands in proportion, and one beyond the ends at the end."""
    assert Linear(0, 10, 100, 200)(value) == place


def test_scale_without_extent_stands_still() -> None:
    """Where all values are the same they all land at the beginning, and one tick marks them."""
    scale = Linear(3, 3, 100, 200)
    assert (scale(3), list(scale.ticks())) == (100, [3])


@pytest.mark.parametrize(
    ("high", "ticks"),
    [
        (10, [0, 2, 4, 6, 8, 10]),
        (0.8, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]),
        (37, [0, 5, 10, 15, 20, 25, 30, 35]),
        (300, [0, 50, 100, 150, 200, 250, 300]),
    ],
)
def test_ticks_are_round(high: float, ticks: list[float]) -> None:
    """An axis is marked at round values, and never crowded."""
    assert list(Linear(0, high, 0, 100).ticks()) == pytest.approx(ticks)


def test_logarithmic_scale_keeps_ratios() -> None:
    """Equal ratios are equally far apart, and what is too small lands at the beginning."""
    scale = Logarithmic(0.001, 1, 0, 300)
    assert [scale(value) for value in (0.001, 0.01, 0.1, 1, 0)] == pytest.approx([0, 100, 200, 300, 0])
    assert list(scale.ticks()) == pytest.approx([0.001, 0.01, 0.1, 1])


@pytest.mark.parametrize(
    ("least", "most", "ends"), [(0.002, 0.3, (0.001, 1)), (0.01, 0.01, (0.01, 0.1)), (1, 100, (1, 100))]
)
def test_decades_enclose_the_values(least: float, most: float, ends: tuple[float, float]) -> None:
    """The axis goes from power of ten to power of ten, over one at least."""
    assert decades(least, most) == pytest.approx(ends)


def test_logarithmic_axis_is_marked_between_its_decades() -> None:
    """An axis that begins and ends between powers of ten is marked at round values within, and at none beyond."""
    ticks = Logarithmic(0.002, 0.05, 0, 100).ticks((1, 2, 5))
    assert list(ticks) == pytest.approx([0.002, 0.005, 0.01, 0.02, 0.05])


def test_every_nine_is_as_wide_as_the_next() -> None:
    """From P90 to P99 it is as far as from P99 to P99.9, and what lies beyond the end lands there."""
    scale = Nines(99.9, 0, 300)
    assert [scale(value) for value in (0, 90, 99, 99.9, 100)] == pytest.approx([0, 100, 200, 300, 300])
    assert list(scale.ticks()) == pytest.approx([0, 50, 90, 99, 99.9])
    assert list(Nines(40, 0, 300).ticks()) == [0]


@pytest.mark.parametrize(
    ("least", "most", "ends"),
    [
        pytest.param(3, 37, (0, 40), id="from-zero"),
        pytest.param(61, 79, (60, 80), id="far-from-zero"),
        pytest.param(100, 100.2, (95, 110), id="noise-stays-small"),
        pytest.param(-3, 8, (-5, 10), id="negative"),
        pytest.param(0, 0, (0, 1), id="nothing"),
    ],
)
def test_axis_ends_at_round_values(least: float, most: float, ends: tuple[float, float]) -> None:
    """An axis begins at zero unless its values lie close together, and then it does not make noise look large."""
    assert enclose(least, most) == pytest.approx(ends)


@pytest.mark.parametrize(
    ("least", "most", "ends"), [(0.0031, 2.4, (0.002, 5)), (0.01, 0.01, (0.01, 0.02)), (1, 100, (1, 100))]
)
def test_ratios_are_enclosed_at_round_values(least: float, most: float, ends: tuple[float, float]) -> None:
    """A logarithmic axis wastes no decade on values that nobody measured."""
    assert enclose_by_ratio(least, most) == pytest.approx(ends)
