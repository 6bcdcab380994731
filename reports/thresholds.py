"""Figures that a release must keep, and whether a measured value does."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Comparator(StrEnum):
    """How a measured value must stand to the figure; the words are those of the catalogue files."""

    BELOW = "below"
    AT_MOST = "at_most"
    ABOVE = "above"
    AT_LEAST = "at_least"


_COMPARISONS: Mapping[Comparator, tuple[str, Callable[[float, float], bool]]] = MappingProxyType(
    {
        Comparator.BELOW: ("<", operator.lt),
        Comparator.AT_MOST: ("≤", operator.le),
        Comparator.ABOVE: (">", operator.gt),
        Comparator.AT_LEAST: ("≥", operator.ge),
    }
)

_LARGE = 1000
"""From here on a reader wants no fractions, and `g` would turn to exponents."""

_BARE_UNITS = frozenset({"count", "ratio", "score"})


@dataclass(frozen=True, slots=True)
class Threshold:
    """A named figure of an item; its text is what a person would write, `< 5 s`."""

    name: str
    comparator: Comparator
    value: float
    unit: str

    def holds(self, value: float) -> bool:
        """Return whether `value`, in this threshold's unit, keeps the figure; not-a-number never does."""
        return _COMPARISONS[self.comparator][1](value, self.value)

    def __str__(self) -> str:
        return f"{_COMPARISONS[self.comparator][0]} {quantity(self.value, self.unit)}"


def quantity(value: float, unit: str) -> str:
    """Return `value` with its unit and no more digits than a reader can use: `4.98 s`, `1000 credits`."""
    digits = f"{value:.0f}" if abs(value) >= _LARGE else f"{value:.4g}"
    return digits if unit in _BARE_UNITS else f"{digits} {unit}"
