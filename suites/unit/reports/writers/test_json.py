import json
import math

from reports.evidence import Cell, Measurement
from reports.observations import Compared
from reports.report import Report
from reports.runs import Evidence
from reports.writers.json import write
from suites.unit.reports.builders import TODAY, catalogue, item, release, result, run
from suites.unit.reports.plotted import compared


def test_verdict_is_told_to_machines(calm_report: Report) -> None:
    """The object holds the word, the exit code, the counts and the day, under a named format."""
    document = json.loads(write(calm_report))
    wanted = {
        "format": "gauntlet-verdict/1",
        "verdict": "GO",
        "headline": "GO on 1 of 1 items in scope",
        "exit_code": 0,
        "judged_on": "2026-11-21",
        "counts": {"PASS": 1},
        "proof": {"proven": 1, "checks": 1},
        "reasons": [],
    }
    assert {name: document[name] for name in wanted} == wanted


def test_every_item_is_told(report: Report) -> None:
    """Each item of the catalogue stands there with its state, in scope or not."""
    items = {each["id"]: each for each in json.loads(write(report))["items"]}
    assert {name: each["state"] for name, each in items.items()} == {
        "XX-001": "PASS",
        "XX-002": "FAIL",
        "XX-003": "WAIVED",
        "XX-004": "ERROR",
        "XX-005": "UNSUPPORTED",
        "XX-006": "NOT RUN",
        "XX-007": "NO TEST",
        "XX-008": "NO TEST",
    }
    assert [name for name, each in items.items() if not each["in_scope"]] == ["XX-008"]
    assert items["XX-002"]["measurements"][0]["holds"] is False


def test_reasons_carry_their_rules(report: Report) -> None:
    """Each reason has its rule, its item and its tests, the weightiest first."""
    first, *_ = json.loads(write(report))["reasons"]
    assert (first["rule"], first["verdict"], first["item"]) == ("G-FAILED", "NO-GO", "XX-002")
    assert len(first["nodeids"]) == 1


def test_equal_reports_give_equal_text(report: Report) -> None:
    """Nothing in the text depends on when or where it was written."""
    again = Report.on(report.catalogue, report.release, report.evidence, today=TODAY)
    assert write(report) == write(again)


def test_endless_figure_is_no_broken_json() -> None:
    """A figure without an end is written as text, for JSON has no number for it."""
    measured = result("XX-001", measurements=(Measurement(name="wait", value=math.inf, unit="s"),))
    evidence = Evidence(runs=(run(measured),))
    text = write(Report.on(catalogue(item("XX-001")), release("XX-001"), evidence, today=TODAY))
    assert json.loads(text)["items"][0]["measurements"][0]["value"] == "inf"


def test_contract_is_told_to_machines() -> None:
    """Each field of the contract's matrix is told with its rule, its provider, its state and its tests."""
    tried = result("XX-001", cell=Cell(provider="groq", rule="tools"))
    evidence = Evidence(runs=(run(tried),))
    text = write(Report.on(catalogue(item("XX-001")), release("XX-001"), evidence, today=TODAY))
    wanted = [{"rule": "tools", "provider": "groq", "state": "PASS", "tests": 1}]
    assert json.loads(text)["contract"] == wanted


def test_baseline_is_told_to_machines() -> None:
    """How each figure stands to the saved run is told with its test, and with the interval where there is one."""
    unsaved = Compared(figure="P99", verdict="none saved")
    evidence = Evidence(runs=(run(result("XX-001", compared=(unsaved, compared()))),))
    text = write(Report.on(catalogue(item("XX-001")), release("XX-001"), evidence, today=TODAY))
    slower, none = json.loads(text)["baseline"]
    assert (slower["figure"], slower["verdict"], slower["low_percent"]) == ("P99 latency", "slower", 12.2)
    assert (none["verdict"], none["low_percent"]) == ("none saved", None)
