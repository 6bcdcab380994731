import json
from typing import Any

import pytest

from reports.blanks import entries
from reports.catalogue_files import Blank
from reports.evidence import Measurement
from reports.page import figures
from reports.report import Report
from reports.writers import html, markdown
from reports.writers import json as machine
from suites.unit.reports.builders import MODELS, TODAY, catalogue, evidence, item, release, result

BLANK = Blank(measurement="concurrent requests", unit="count")


def measured(value: float, **changes: Any) -> Measurement:
    """Return what fills the blank, unless it is changed."""
    fields: dict[str, Any] = {"name": "concurrent requests", "value": value, "unit": "count"}
    return Measurement(**(fields | changes))


def report(*found: Measurement) -> Report:
    """Return a report on one item with a blank, and one without."""
    items = (item("XX-001", blank=BLANK), item("XX-002"))
    results = (result("XX-001", measurements=found), result("XX-002", nodeid=MODELS))
    return Report.on(catalogue(*items), release("XX-001", "XX-002"), evidence(*results), today=TODAY)


def test_blank_is_filled_with_what_was_measured() -> None:
    """The measurement that the item names stands in its blank, and nowhere else beside the item."""
    subject = report(measured(37), measured(0.4, name="error rate", unit="%"))
    shown = [(each.name, each.value) for each in figures(subject.verdict.items[0])]
    assert shown == [("Concurrent requests:", "37 (measured)"), ("error rate", "0.4 %")]


def test_last_measurement_counts() -> None:
    """Where something was measured again the later one stands in the blank."""
    (entry,) = entries(report(measured(37), measured(41)))
    assert entry.value == 41


@pytest.mark.parametrize(
    "other", [(), (measured(37, unit="%"),), (measured(37, name="requests"),)], ids=["none", "unit", "name"]
)
def test_blank_stays_blank_without_its_measurement(other: tuple[Measurement, ...]) -> None:
    """A figure of another name or in another unit does not fill a blank."""
    (entry,) = entries(report(*other))
    assert (entry.value, entry.text) == (None, "not measured")
    assert "Concurrent requests</a>: <i" in html.write(report(*other))


def test_blank_is_told_by_all_writers() -> None:
    """The page, the summary and the machine's form say what was entered."""
    subject = report(measured(37))
    assert "Concurrent requests</a>: 37 (measured)" in html.write(subject)
    assert "- XX-001 Concurrent requests: 37 (measured)\n" in markdown.write(subject)
    first, second = json.loads(machine.write(subject))["items"]
    assert first["blank"] == {
        "name": "concurrent requests",
        "unit": "count",
        "value": 37,
        "text": "37 (measured)",
    }
    assert second["blank"] is None
