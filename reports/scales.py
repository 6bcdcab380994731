"""From values to places in a picture, and the round values at which an axis is marked."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

_ROUND = (1, 2, 5, 10)
_ROUNDING = 1e-9
_LEAST_SPREAD = 0.1
"""An axis covers at least this part of its largest value, so that noise does not look like a mountain."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Puts values from `low` to `high` between two places; one beyond them goes to the end."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.0
        return self.begin + min(max(share, 0.0), 1.0) * (self.end - self.begin)

    def ticks(self, most: int = 8) -> Iterator[float]:
        """Return round values from `low` to `high`, at most `most` of them and one more."""
        if self.high <= self.low:
            yield self.low
            return
        step = _round_step((self.high - self.low) / most)
        for number in range(
            math.ceil(self.low / step - _ROUNDING), math.floor(self.high / step + _ROUNDING) + 1
        ):
            yield number * step


@dataclass(frozen=True, slots=True)
class Logarithmic:
    """Puts positive values from `low` to `high` between two places, as far apart as their ratio tells."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        inner = Linear(math.log10(self.low), math.log10(self.high), self.begin, self.end)
        return inner(math.log10(max(value, self.low)))

    def ticks(self, factors: tuple[int, ...] = (1,)) -> Iterator[float]:
        """Return the multiples by `factors` of the powers of ten from `low` to `high`."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        values = (factor * 10.0**power for power in range(first, last + 1) for factor in factors)
        low, high = self.low * (1 - _ROUNDING), self.high * (1 + _ROUNDING)
        yield from (value for value in values if low <= value <= high)


@dataclass(frozen=True, slots=True)
class Nines:
    """Puts per cent from 0 to `high`, which is below 100, between two places: every nine is as wide as the next."""

    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        return Linear(0, self._nines(self.high), self.begin, self.end)(self._nines(min(value, self.high)))

    def ticks(self) -> Iterator[float]:
        """Return 0, 50, 90, 99 and so on up to `high`."""
        yield from (each for each in (0, 50) if each <= self.high)
        for nines in range(1, math.floor(self._nines(self.high) + _ROUNDING) + 1):
            yield 100 - 100 * 10.0**-nines

    @staticmethod
    def _nines(percent: float) -> float:
        return -math.log10(1 - percent / 100)


def decades(least: float, most: float) -> tuple[float, float]:
    """Return the powers of ten that enclose positive values, at least one decade apart."""
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
    return 10.0**low, 10.0 ** max(high, low + 1)


def enclose(least: float, most: float, ticks: int = 5) -> tuple[float, float]:
    """Return round values that enclose `least` and `most`: from zero, unless all values are closer to each other."""
    low, high = (0.0 if 0 <= least <= most / 2 else least), most
    lacking = _LEAST_SPREAD * max(abs(low), abs(high)) - (high - low)
    if lacking > 0:
        low, high = low - lacking / 2, high + lacking / 2
    if high <= low:
        return 0.0, 1.0
    step = _round_step((high - low) / ticks)
    return math.floor(low / step + _ROUNDING) * step, math.ceil(high / step - _ROUNDING) * step


def enclose_by_ratio(least: float, most: float) -> tuple[float, float]:
    """Return the nearest of 1, 2, 5 and their multiples by ten that enclose positive values."""
    power = 10.0 ** math.floor(math.log10(least))
    low = max(factor * power for factor in _ROUND if factor * power <= least * (1 + _ROUNDING))
    return low, _round_step(max(most, 2 * low))


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5 and their multiples by ten that is no less than `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in _ROUND if factor * power >= least * (1 - _ROUNDING))
