"""The figures that a checklist leaves open, filled by what was measured."""

from dataclasses import dataclass

from fixtures.notes import Notes
from reports.checklists import Catalogue


@dataclass(frozen=True, slots=True)
class Blanks:
    """Fills the blanks of items into the notes of a test."""

    notes: Notes
    catalogue: Catalogue

    def fill(self, item_id: str, value: float) -> None:
        """Enter what was measured for an item that has a blank."""
        blank = self.catalogue.item(item_id).blank
        assert blank is not None, f"{item_id} has no blank"
        self.notes.fill(blank, value)
