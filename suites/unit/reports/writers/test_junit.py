from xml.etree import ElementTree as ET

import pytest

from reports.report import Report
from reports.writers.junit import write


@pytest.fixture
def root(report: Report) -> ET.Element:
    """The XML of the report in which everything occurs, parsed by a strict parser."""
    return ET.fromstring(write(report))  # noqa: S314 - our own text


def kinds(root: ET.Element) -> dict[str, str]:
    """Return, by the item of a test, its element and type."""
    found = {}
    for case in root.iter("testcase"):
        said = next((child for child in case if child.tag != "properties"), None)
        items = [each.get("value") for each in case.iter("property") if each.get("name") == "item"]
        for name in items:
            found[str(name)] = "" if said is None else f"{said.tag} {said.get('type')}"
    return found


def test_kinds_of_reasons_are_told_apart(root: ET.Element) -> None:
    """A failure, a waived one, an error, an unsupported and an unrun test each look different."""
    assert kinds(root) == {
        "XX-001": "",
        "XX-002": "failure FAIL",
        "XX-003": "failure WAIVED",
        "XX-004": "error ERROR",
        "XX-005": "skipped UNSUPPORTED",
        "XX-006": "skipped NOT RUN",
    }


def test_suites_are_counted(root: ET.Element) -> None:
    """Each suite says how many of its tests failed, broke and were skipped; artefacts are a suite of their own."""
    counts = {
        str(suite.get("name")): tuple(
            int(str(suite.get(each))) for each in ("tests", "failures", "errors", "skipped")
        )
        for suite in root.iter("testsuite")
    }
    assert counts == {"smoke": (6, 2, 1, 2), "unit": (2, 0, 0, 1), "artefacts": (1, 0, 0, 0)}


def test_waived_failure_names_its_waiver(root: ET.Element) -> None:
    """A waived failure says until when, by whom, and where it is tracked."""
    (message,) = [str(each.get("message")) for each in root.iter("failure") if each.get("type") == "WAIVED"]
    assert message.startswith("WAIVED until 2026-12-01 by B. Approver (OPS-7): ")


def test_failure_shows_its_exchange(root: ET.Element) -> None:
    """The text of a failure holds the exchange and the line that reproduces it."""
    (text,) = [str(each.text) for each in root.iter("failure") if each.get("type") == "FAIL"]
    assert text.count("<script>alert('x')</script> ]]>") == 6
    assert "reproduce: <script>" in text


def test_planned_test_without_result_is_listed(root: ET.Element) -> None:
    """A test that never came to a result is there by its name."""
    (message,) = [
        str(each.get("message")) for each in root.iter("skipped") if "no result" in str(each.get("message"))
    ]
    assert message == "NOT RUN: it was planned and has no result"


def test_forbidden_characters_are_shown(report: Report) -> None:
    """What XML cannot hold is replaced by what it was, so that the file can be read everywhere."""
    text = write(report)
    assert "\x00" not in text
    assert r"\x00\x1b[31m" in text
    assert r"\xfffe" in text
