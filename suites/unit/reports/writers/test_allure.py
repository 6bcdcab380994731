import json
import re
from pathlib import Path
from typing import Any

import pytest

from reports.errors import EvidenceError, OutputError
from reports.evidence import Outcome
from reports.report import Report
from reports.writers.allure import CATEGORIES, complete, mend, nodeid_of
from suites.unit.reports.builders import MODELS, waiver


def allure_result(nodeid: str, status: str, message: str) -> dict[str, Any]:
    """Return a result as allure-pytest writes it."""
    path, name = nodeid.split("::")
    return {
        "name": name,
        "titlePath": path.split("/"),
        "status": status,
        "statusDetails": {"message": message, "trace": "..."},
        "labels": [{"name": "suite", "value": "smoke"}],
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the results of two failing tests, one of them waived."""
    waived = allure_result(MODELS, "failed", "AssertionError: slow")
    broken = allure_result("suites/smoke/test_chat.py::test_answer_is_whole[error]", "failed", "assert 0")
    for number, each in enumerate((waived, broken)):
        (tmp_path / f"{number}-result.json").write_text(json.dumps(each))
    return tmp_path


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def category(status: str, message: str) -> list[str]:
    """Return the categories that Allure puts a result into: by status, and by its message as a whole."""
    return [
        str(each["name"])
        for each in CATEGORIES
        if status in each["matchedStatuses"]
        and re.fullmatch(str(each.get("messageRegex", r"[\s\S]*")), message)
    ]


@pytest.mark.parametrize(
    ("status", "message", "name"),
    [
        pytest.param("failed", "AssertionError: no\nassert 0", "Failed requirement", id="failed"),
        pytest.param("failed", "WAIVED until 2026-12-01 by B (OPS-7): x\n\nassert 0", "Waived", id="waived"),
        pytest.param("broken", "KeyError: 'x'", "Harness error", id="error"),
        pytest.param("skipped", "Skipped: UNSUPPORTED: chat: none", "Unsupported", id="unsupported"),
        pytest.param("skipped", "UNSUPPORTED: chat\nnone", "Unsupported", id="unsupported-plain"),
        pytest.param("skipped", "Skipped: NOT RUN: logs", "Not run", id="not-run"),
        pytest.param("skipped", "", "Not run", id="no-message"),
    ],
)
def test_result_is_in_one_category(status: str, message: str, name: str) -> None:
    """Whatever a test says, Allure files it under one heading, and the right one."""
    assert category(status, message) == [name]


def test_waived_test_stays_failed(folder: Path, report: Report) -> None:
    """A waived test keeps its status, says by whom it is accepted until when, and can be found by a tag."""
    complete(report, folder)
    result = read(folder / "0-result.json")
    assert result["status"] == "failed"
    assert result["statusDetails"]["message"].startswith("WAIVED until 2026-12-01 by B. Approver (OPS-7): ")
    assert result["statusDetails"]["message"].endswith("\n\nAssertionError: slow")
    assert result["statusDetails"]["trace"] == "..."
    assert {"name": "tag", "value": "waived"} in result["labels"]


def test_status_follows_the_evidence(folder: Path, report: Report) -> None:
    """Where the harness broke, Allure says broken, whatever exception it was."""
    complete(report, folder)
    assert read(folder / "1-result.json")["status"] == "broken"


def test_completing_twice_changes_nothing(folder: Path, report: Report) -> None:
    """The folder may be completed again after every new judgement."""
    complete(report, folder)
    once = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    complete(report, folder)
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == once


def test_surroundings_are_told(folder: Path, calm_report: Report) -> None:
    """Allure's environment and executor name release, verdict, target, seed and code."""
    complete(calm_report, folder)
    environment = (folder / "environment.properties").read_text(encoding="utf-8").splitlines()
    assert "Verdict = GO on 1 of 1 items in scope" in environment
    assert r"Target\ version = 0.1.0" in environment
    assert "Seed = 20261" in environment
    assert read(folder / "executor.json")["buildName"] == "GO on 1 of 1 items in scope"
    assert len(read(folder / "categories.json")) == 5


def test_properties_are_escaped(folder: Path, report: Report) -> None:
    """What Java's properties would misread is escaped: one fact is one line of ASCII."""
    complete(report, folder)
    lines = (folder / "environment.properties").read_bytes().decode("ascii").splitlines()
    assert all(re.match(r"(\\.|[^ \\])+ = ", line) for line in lines)


@pytest.mark.parametrize(
    ("path", "name", "nodeid"),
    [
        (["suites", "smoke", "test_a.py"], "test_x[a]", "suites/smoke/test_a.py::test_x[a]"),
        (["suites", "smoke", "test_a.py", "TestC"], "test_x", "suites/smoke/test_a.py::TestC::test_x"),
        (["lib", "suites", "smoke", "test_a.py"], "test_x", "suites/smoke/test_a.py::test_x"),
        ([], "test_x", "::test_x"),
    ],
    ids=["function", "class", "installed", "nothing"],
)
def test_result_is_found_by_its_node_id(path: list[str], name: str, nodeid: str) -> None:
    """The path and the name of a result are those of its test, wherever the suites are installed."""
    assert nodeid_of({"titlePath": path, "name": name}) == nodeid


def test_dead_target_is_a_failure() -> None:
    """Where the evidence says that the target failed, Allure does too, though no assertion was raised."""
    broken = allure_result(MODELS, "broken", "TargetError: refused")
    assert mend(broken, Outcome.FAIL, None)["status"] == "failed"
    assert mend(broken, Outcome.FAIL, waiver("XX-001"))["statusDetails"]["message"].startswith("WAIVED")
    assert mend(broken, None, None) == broken


@pytest.mark.parametrize(
    ("text", "problem"), [("{", "no JSON"), ("[]", "no result of Allure")], ids=["torn", "list"]
)
def test_foreign_result_is_refused(folder: Path, report: Report, text: str, problem: str) -> None:
    """A file that is no result is named, and nothing is written."""
    (folder / "2-result.json").write_text(text)
    with pytest.raises(EvidenceError, match=f"2-result.json: {problem}"):
        complete(report, folder)
    assert not (folder / "executor.json").exists()


def test_missing_folder_is_said(tmp_path: Path, report: Report) -> None:
    """A folder that is not there is named."""
    with pytest.raises(EvidenceError, match="there is no such folder of Allure results"):
        complete(report, tmp_path / "absent")


def test_unreadable_and_unwritable_files_are_named(folder: Path, report: Report) -> None:
    """A file that cannot be read or written is named with the reason."""
    (folder / "executor.json").mkdir()
    with pytest.raises(OutputError, match=r"executor.json: cannot be written: "):
        complete(report, folder)
    (folder / "3-result.json").mkdir()
    with pytest.raises(EvidenceError, match=r"3-result.json: cannot be read: "):
        complete(report, folder)
