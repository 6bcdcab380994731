"""From values to places in a picture, and the round values at which an axis is marked."""

import math
from collections.abc import Iterator
from dataclasses import dataclass


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
        for number in range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1):
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

    def ticks(self) -> Iterator[float]:
        """Return the powers of ten from `low` to `high`."""
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        yield from (10.0**power for power in range(first, last + 1))


def decades(least: float, most: float) -> tuple[float, float]:
    """Return the powers of ten that enclose positive values, at least one decade apart."""
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
    return 10.0**low, 10.0 ** max(high, low + 1)


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5 and their multiples by ten that is no less than `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
