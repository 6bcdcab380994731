"""How the figures of a run stand to those of the run that was saved, in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reports.evidence import TestResult
from reports.observations import Compared

_WORST_FIRST = ("slower", "too noisy to say", "faster", "no different", "none saved")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a figure of a test stands to the saved run, and the same in words."""

    result: TestResult
    compared: Compared
    words: str


def standings(results: Sequence[TestResult]) -> tuple[Standing, ...]:
    """Return how all figures stand to the saved run, the slower ones first."""
    found = (Standing(result, each, in_words(each)) for result in results for each in result.compared)
    return tuple(sorted(found, key=lambda each: _WORST_FIRST.index(each.compared.verdict)))


def tally(found: Sequence[Standing]) -> str:
    """Return how figures stand: `no different` where all agree, else `of 9 figures, 7 no different and 2 slower`."""
    counts = Counter[str](each.compared.verdict for each in found)
    if len(counts) == 1:
        return found[0].compared.verdict
    texts = [f"{counts[verdict]} {verdict}" for verdict in _WORST_FIRST if counts[verdict]]
    return f"of {len(found)} figures, {', '.join(texts[:-1])} and {texts[-1]}"


def in_words(compared: Compared) -> str:
    """Return the verdict with its extent: `slower by 12 to 18 %`."""
    if compared.low_percent is None or compared.high_percent is None:
        return compared.verdict
    low, high = compared.low_percent, compared.high_percent
    if compared.verdict in {"slower", "faster"}:
        low, high = sorted((abs(low), abs(high)))
        return f"{compared.verdict} by {_percent(low)} to {_percent(high)} %"
    return f"{compared.verdict} ({_percent(low)} to {_percent(high)} %)"


def _percent(value: float) -> str:
    digits = 1 if abs(value) < 10 else 0  # noqa: PLR2004 - two digits say it
    unsigned_nought = round(value, digits) + 0.0
    return f"{unsigned_nought:.{digits}f}".replace("-", "\N{MINUS SIGN}")
