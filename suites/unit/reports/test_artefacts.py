import json
from pathlib import Path
from typing import Any

import pytest

from reports.artefacts import Coverage, file_digests, judge_unit_tests, read_coverage
from reports.catalogue_files import Kind
from reports.checklists import Catalogue
from reports.errors import EvidenceError
from reports.evidence import ArtefactResult, Outcome
from reports.runs import Evidence
from reports.thresholds import Comparator, Threshold
from suites.unit.reports.builders import item, planned, result, run

ITEM = item("UB-006", kind=Kind.ARTEFACT, thresholds=(Threshold("coverage", Comparator.ABOVE, 90, "%"),))


def judged(percent: float = 95, *outcomes: Outcome, **changes: Any) -> ArtefactResult:
    """Return what unit tests with these outcomes and this coverage show."""
    results = [
        result("", each, suite="unit", nodeid=f"suites/unit/test_{number}.py::test_it")
        for number, each in enumerate(outcomes or (Outcome.PASS,))
    ]
    coverage = Coverage.model_validate({"totals": {"percent_covered": percent}})
    evidence = Evidence(runs=(run(*results, **changes),))
    return judge_unit_tests(ITEM, evidence, coverage, {"coverage.json": "ab"})


def test_bundled_item_asks_for_coverage() -> None:
    """The item that is judged here has its threshold in the catalogue, not in the code."""
    assert str(Catalogue.load().item("UB-006").threshold("coverage")) == "> 90 %"


def test_passing_tests_and_coverage_hold() -> None:
    """Where all unit tests pass and cover enough, the item holds, with the figure and the files beside it."""
    found = judged(95.5, Outcome.PASS, Outcome.UNSUPPORTED)
    assert (found.outcome, found.items, found.reason) == (Outcome.PASS, ("UB-006",), "")
    assert [(each.name, each.value, each.holds) for each in found.measurements] == [
        ("coverage", 95.5, True),
        ("unit tests passed", 1, None),
    ]
    assert found.files == {"coverage.json": "ab"}


@pytest.mark.parametrize("percent", [90, 12.345], ids=["at-the-limit", "below"])
def test_thin_coverage_fails(percent: float) -> None:
    """More than 90 % is more than 90 %."""
    found = judged(percent)
    assert found.outcome is Outcome.FAIL
    assert found.reason == f"the unit tests cover {percent:.2f} %, and the checklist asks for > 90 %"


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.ERROR], ids=str)
def test_red_unit_test_fails(outcome: Outcome) -> None:
    """A unit test that fails or breaks has not passed."""
    found = judged(95, Outcome.PASS, outcome)
    assert (found.outcome, found.reason) == (
        Outcome.FAIL,
        "1 of 2 unit tests fail, first suites/unit/test_1.py::test_it",
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param(
            {"planned": (planned("x", suite="unit"),)},
            "unit tests without a result: 1, first x",
            id="missing",
        ),
        pytest.param({"finished": None}, "the run of the unit tests never came to its end", id="cut"),
        pytest.param({"results": ()}, "no unit test in the evidence has passed", id="none"),
    ],
)
def test_half_a_run_shows_nothing(changes: dict[str, Any], reason: str) -> None:
    """Unit tests that were not all run leave the item open."""
    if "results" in changes:
        changes = {**changes, "planned": ()}
    found = judged(95, **changes)
    assert (found.outcome, found.reason) == (Outcome.NOT_RUN, reason)


def test_coverage_report_is_read(tmp_path: Path) -> None:
    """Of coverage.py's report only the total counts; the rest may be as it likes."""
    path = tmp_path / "coverage.json"
    path.write_text(
        json.dumps({"meta": {"format": 3}, "totals": {"percent_covered": 91.2, "num_branches": 5}})
    )
    assert read_coverage(path).totals.percent_covered == 91.2
    assert len(file_digests([path])[str(path)]) == 64


@pytest.mark.parametrize(
    ("text", "problem"),
    [("{", "no JSON report"), ("{}", "no JSON report"), (None, "cannot be read")],
    ids=["torn", "other", "absent"],
)
def test_foreign_coverage_report_is_refused(tmp_path: Path, text: str | None, problem: str) -> None:
    """A file that is no report of coverage.py, or is not there, is named."""
    path = tmp_path / "coverage.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(EvidenceError, match=f"coverage.json: {problem}"):
        read_coverage(path)
