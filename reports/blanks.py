"""The blanks of the checklists, and what was measured for them."""

from dataclasses import dataclass

from reports.checklists import Item
from reports.evidence import Measurement
from reports.report import Report
from reports.testimony import Testimony
from reports.thresholds import quantity

NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Entry:
    """A blank as it is entered in the report; `value` is None where nothing was measured for it."""

    item: str
    name: str
    unit: str
    value: float | None

    @property
    def title(self) -> str:
        return self.name[0].upper() + self.name[1:]

    @property
    def text(self) -> str:
        """What a person would write into the blank."""
        return NOT_MEASURED if self.value is None else f"{quantity(self.value, self.unit)} (measured)"


def fills(item: Item, measurement: Measurement) -> bool:
    """Return whether a measurement is the one that the item leaves a blank for, by its name and unit."""
    blank = item.blank
    return blank is not None and (blank.measurement, blank.unit) == (measurement.name, measurement.unit)


def entry(item: Item, testimony: Testimony) -> Entry | None:
    """Return what stands in the blank of an item, the last that was measured; None where it leaves none."""
    if item.blank is None:
        return None
    values = [each.value for each in testimony.measurements if fills(item, each)]
    return Entry(item.id, item.blank.measurement, item.blank.unit, values[-1] if values else None)


def entries(report: Report) -> tuple[Entry, ...]:
    """Return the blanks of the items in scope."""
    found = (entry(each.item, each.testimony) for each in report.verdict.in_scope)
    return tuple(each for each in found if each is not None)
