"""The evidence sorted by item: which tests and artefacts speak for each, and what each of them says."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from reports.catalogue_files import Demand
from reports.checklists import Item
from reports.evidence import ArtefactResult, Measurement, Outcome, PlannedTest, TestResult
from reports.runs import Evidence

_Value = TypeVar("_Value")

NO_RESULT = "it was planned and has no result"


@dataclass(frozen=True, slots=True)
class Voice:
    """What one source says of an item; `source` is a node id, or what produced the look at an artefact.

    `withheld` marks a test that was not run because the harness had not been granted what it takes.
    """

    source: str
    outcome: Outcome
    reason: str = ""
    withheld: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """Everything that speaks for one item; `missing` are planned tests that never came to a result."""

    voices: tuple[Voice, ...] = ()
    results: tuple[TestResult, ...] = ()
    missing: tuple[PlannedTest, ...] = ()
    artefacts: tuple[ArtefactResult, ...] = ()

    @property
    def nodeids(self) -> tuple[str, ...]:
        """The tests, planned or run, each once."""
        tests: tuple[TestResult | PlannedTest, ...] = (*self.results, *self.missing)
        return tuple(dict.fromkeys(test.nodeid for test in tests))

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        sources: tuple[TestResult | ArtefactResult, ...] = (*self.results, *self.artefacts)
        return tuple(each for source in sources for each in source.measurements)

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(warning for result in self.results for warning in result.warnings))

    def sources(self, *outcomes: Outcome) -> tuple[str, ...]:
        """Return who says one of `outcomes`, each once."""
        return tuple(dict.fromkeys(voice.source for voice in self.voices if voice.outcome in outcomes))


class Witnesses:
    """Finds the testimony for any item; an item that whole suites answer hears all tests of these suites."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.items_of = _items_by_test(evidence)
        """By node id the items that a test speaks for, as it was planned and as it was reported."""
        self._results_for = _group(
            (item, each) for each in evidence.results for item in self.items_of[each.nodeid]
        )
        self._missing_for = _group((item, each) for each in evidence.missing for item in each.items)
        self._artefacts_for = _group((item, each) for each in evidence.artefacts for item in each.items)
        self._withheld = _withheld(evidence)

    def testimony(self, item: Item) -> Testimony:
        """Return what speaks for `item`."""
        results = self._results_for.get(item.id, ())
        missing = self._missing_for.get(item.id, ())
        artefacts = self._artefacts_for.get(item.id, ())
        voices = (
            *self._voices(results, missing),
            *(Voice(a.produced_by, a.outcome, a.reason) for a in artefacts),
        )
        if item.suites is not None:
            voices += self._suite_voices(item.suites.names, item.suites.demand)
        return Testimony(voices=voices, results=results, missing=missing, artefacts=artefacts)

    def _suite_voices(self, names: tuple[str, ...], demand: Demand) -> tuple[Voice, ...]:
        results = tuple(each for each in self._evidence.results if each.suite in names)
        missing = tuple(each for each in self._evidence.missing if each.suite in names)
        absent = set(names) - {each.suite for each in results} - {each.suite for each in missing}
        nothing = tuple(
            Voice(f"suite {name}", Outcome.NOT_RUN, f"no test of the suite {name} is in the evidence")
            for name in sorted(absent)
        )
        return (*_as_demanded(self._voices(results, ()), demand), *self._voices((), missing), *nothing)

    def _voices(self, results: Iterable[TestResult], missing: Iterable[PlannedTest]) -> tuple[Voice, ...]:
        return (
            *(Voice(each.nodeid, each.outcome, each.reason, self._was_withheld(each)) for each in results),
            *(Voice(each.nodeid, Outcome.NOT_RUN, NO_RESULT) for each in missing),
        )

    def _was_withheld(self, result: TestResult) -> bool:
        return result.outcome is Outcome.NOT_RUN and result.reason in self._withheld


def _withheld(evidence: Evidence) -> frozenset[str]:
    """Return the reasons that tests give where the target withheld a capability from the harness."""
    targets = (run.started.target for run in evidence.runs)
    grants = (grant for target in targets if target is not None for grant in target.withheld.items())
    return frozenset(f"{capability}: {why}" for capability, why in grants)


def _as_demanded(voices: tuple[Voice, ...], demand: Demand) -> tuple[Voice, ...]:
    """Return what tests with a result say to the demand: whether they ran, or whether any of them failed.

    A test that the target could not be asked did not fail; but where none passed, nothing was shown.
    """
    if demand is Demand.RAN:
        return tuple(Voice(voice.source, Outcome.PASS) for voice in voices)
    telling = tuple(voice for voice in voices if voice.outcome in {Outcome.PASS, Outcome.FAIL, Outcome.ERROR})
    return telling or voices


def _items_by_test(evidence: Evidence) -> Mapping[str, tuple[str, ...]]:
    items: dict[str, dict[str, None]] = defaultdict(dict)
    tests: tuple[PlannedTest | TestResult, ...] = (*evidence.planned, *evidence.results)
    for test in tests:
        items[test.nodeid] |= dict.fromkeys(test.items)
    return {nodeid: tuple(found) for nodeid, found in items.items()}


def _group(pairs: Iterable[tuple[str, _Value]]) -> Mapping[str, tuple[_Value, ...]]:
    groups: dict[str, list[_Value]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return {key: tuple(values) for key, values in groups.items()}
