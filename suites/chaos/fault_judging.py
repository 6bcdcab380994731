"""Whether what a caller met with is what must hold: pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from suites.chaos.fault_table import Hold
from suites.chaos.hearing import End, Heard


@dataclass(frozen=True, slots=True)
class Met:
    """One request: what its caller heard, what the providers say to it in their order, and which of them are struck."""

    heard: Heard
    texts: tuple[str, ...]
    struck: tuple[int, ...]

    @property
    def by(self) -> int | None:
        """The place of the provider that has answered in full, None where none has."""
        places = (place for place, text in enumerate(self.texts, start=1) if self.heard.is_answer(text))
        return next(places, None)

    @property
    def is_told(self) -> bool:
        """Whether an error is told, after nothing but a true beginning."""
        return self.heard.end is End.ERROR and self._has_true_beginning

    @property
    def is_broken(self) -> bool:
        return self.heard.end is not End.ANSWER and self._has_true_beginning

    @property
    def next_place(self) -> int:
        """The first place that is not struck; one beyond the last where all are."""
        return next(place for place in range(1, len(self.texts) + 2) if place not in self.struck)

    @property
    def _has_true_beginning(self) -> bool:
        return any(text.startswith(self.heard.text) for text in self.texts)


_HOLDS: Mapping[Hold, Callable[[Met], bool]] = {
    "harmless": lambda met: met.by == 1,
    "replaced": lambda met: met.by == met.next_place,
    "answered": lambda met: met.by is not None,
    "error": lambda met: met.is_told,
    "ends": lambda met: met.by is not None or met.is_told,
    "broken": lambda met: met.is_broken,
}


def problem_with(met: Met, hold: Hold, at_least_s: float = 0.0, within_s: float = 4.0) -> Iterator[str]:
    """Yield what speaks against what the caller met with.

    That it takes `at_least_s` shows that the fault has acted: else nothing is proved.
    """
    if not _HOLDS[hold](met):
        by = f", by provider {met.by}" if met.by else ""
        yield f"not {hold}: {met.heard}{by}"
    if met.heard.took_s > within_s:
        yield f"it took {met.heard.took_s:.2f} s, and {within_s:g} s are allowed"
    if met.heard.took_s < at_least_s:
        took = f"it took only {met.heard.took_s:.3f} s, and not {at_least_s:g} s"
        yield f"the fault has not acted, or was not waited for: {took}"
