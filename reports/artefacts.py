"""Looks at files of the release and says what they show, as evidence."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from reports.checklists import Item
from reports.errors import EvidenceError
from reports.evidence import ArtefactResult, Measurement, Outcome, TestResult
from reports.runs import Evidence

UNIT_TESTS = "UB-006"
"""The item that the unit tests and their coverage answer."""

_SUITE = "unit"
_RED = frozenset({Outcome.FAIL, Outcome.ERROR})


class _Totals(BaseModel):
    """The part of coverage.py's JSON report that counts, in per cent (its `json` command, format 3)."""

    model_config = ConfigDict(frozen=True)

    percent_covered: float


class Coverage(BaseModel):
    """The coverage of the unit tests, as coverage.py reports it."""

    model_config = ConfigDict(frozen=True)

    totals: _Totals


def read_coverage(path: Path) -> Coverage:
    """Read coverage.py's JSON report.

    Raises:
        EvidenceError: it cannot be read, or is none.

    """
    try:
        return Coverage.model_validate_json(path.read_bytes())
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise EvidenceError(f"{path}: no JSON report of coverage.py: {error.errors()[0]['msg']}") from error


def file_digests(paths: Iterable[Path]) -> Mapping[str, str]:
    """Return the SHA-256 of each file by its path."""
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def judge_unit_tests(
    item: Item, evidence: Evidence, coverage: Coverage, files: Mapping[str, str]
) -> ArtefactResult:
    """Return what a run of the unit tests shows: all of them have passed, and they cover enough of the code."""
    limit = item.threshold("coverage")
    covered = coverage.totals.percent_covered
    holds = limit.holds(covered)
    outcome, reason = _judge_results(evidence)
    if outcome is Outcome.PASS and not holds:
        outcome, reason = (
            Outcome.FAIL,
            f"the unit tests cover {covered:.2f} %, and the checklist asks for {limit}",
        )
    measurement = Measurement(name="coverage", value=covered, unit=limit.unit, limit=str(limit), holds=holds)
    return ArtefactResult(
        items=(item.id,),
        outcome=outcome,
        reason=reason,
        measurements=(measurement, *_counts(_of_suite(evidence))),
        files=files,
        produced_by="python -m reports artefact unit-tests",
    )


def _judge_results(evidence: Evidence) -> tuple[Outcome, str]:
    """Return what the tests say; one that breaks has not passed, whosever fault it is."""
    results = _of_suite(evidence)
    missing = [test for test in evidence.missing if test.suite == _SUITE]
    red = [result for result in results if result.outcome in _RED]
    if red:
        return Outcome.FAIL, f"{len(red)} of {len(results)} unit tests fail, first {red[0].nodeid}"
    if missing:
        return Outcome.NOT_RUN, f"unit tests without a result: {len(missing)}, first {missing[0].nodeid}"
    if not any(result.outcome is Outcome.PASS for result in results):
        return Outcome.NOT_RUN, "no unit test in the evidence has passed"
    if any(run.finished is None for run in evidence.runs):
        return Outcome.NOT_RUN, "the run of the unit tests never came to its end"
    return Outcome.PASS, ""


def _counts(results: Iterable[TestResult]) -> tuple[Measurement, ...]:
    passed = sum(result.outcome is Outcome.PASS for result in results)
    return (Measurement(name="unit tests passed", value=passed, unit="count"),)


def _of_suite(evidence: Evidence) -> tuple[TestResult, ...]:
    return tuple(result for result in evidence.results if result.suite == _SUITE)
