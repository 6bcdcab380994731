"""Which failures are accepted today, and by which waiver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from reports.release_file import Waiver


@dataclass(frozen=True, slots=True)
class Waivers:
    """The waivers of a release on a day; `items_of` gives the items that each test speaks for."""

    all: tuple[Waiver, ...]
    today: date
    items_of: Mapping[str, Sequence[str]]

    def accepting(self, item_id: str, source: str) -> tuple[Waiver, ...]:
        """Return the valid waivers that accept the failure of `source` for the item.

        An item that a whole suite answers needs none of its own for a test that is waived for all items that it names.
        """
        own = self._covering(item_id, source)
        elsewhere = [self._covering(each, source) for each in self.items_of.get(source, ())]
        if own or item_id in self.items_of.get(source, ()) or not all(elsewhere):
            return own
        return tuple(dict.fromkeys(waiver for found in elsewhere for waiver in found))

    def is_expired(self, waiver: Waiver) -> bool:
        """Return whether its last day is over; on that day itself it still holds."""
        return waiver.expires < self.today

    def is_early(self, waiver: Waiver) -> bool:
        return waiver.added > self.today

    def _covering(self, item_id: str, source: str) -> tuple[Waiver, ...]:
        return tuple(
            waiver
            for waiver in self.all
            if waiver.item == item_id
            and matches(waiver, source)
            and not self.is_expired(waiver)
            and not self.is_early(waiver)
        )


def matches(waiver: Waiver, source: str) -> bool:
    """Return whether `source` is what the waiver means; a node id may be given literally, brackets and all."""
    return waiver.test is None or waiver.test == source or fnmatchcase(source, waiver.test)


def describe(waiver: Waiver) -> str:
    """Return the waiver in a line."""
    return f"WAIVED until {waiver.expires} by {waiver.approver} ({waiver.issue}): {waiver.reason}"
