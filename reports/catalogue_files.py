"""The shape of the catalogue's YAML files, and what must hold in each of them beyond it."""

from collections.abc import Container, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from reports.documents import Document, Entry, Location
from reports.errors import Problem
from reports.thresholds import Comparator, Threshold

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
ItemId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[0-9]{3}$")]
Unit = Literal[
    "s", "ms", "min", "h", "days", "%", "ratio", "count", "MB", "requests/s", "requests/min", "tokens/min",
    "USD", "credits", "characters", "score",
]  # fmt: skip


class Kind(StrEnum):
    """Who can say that an item holds: a test of the running target, a look at files, or a person."""

    CHECK = "check"
    ARTEFACT = "artefact"
    ATTEST = "attest"


class Level(StrEnum):
    """How much a release depends on an item."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"


class Demand(StrEnum):
    """What an item asks of whole suites: that every planned test has a result, or also that none failed."""

    RAN = "ran"
    PASSED = "passed"


class ThresholdEntry(Entry):
    """Exactly one comparator with its figure, and the unit."""

    below: float | None = None
    at_most: float | None = None
    above: float | None = None
    at_least: float | None = None
    unit: Unit

    @model_validator(mode="after")
    def _has_one_figure(self) -> "ThresholdEntry":
        if len(self._figures()) != 1:
            raise ValueError(f"give exactly one of {', '.join(Comparator)}")
        return self

    def named(self, name: str) -> Threshold:
        ((comparator, value),) = self._figures()
        return Threshold(name, comparator, value, self.unit)

    def _figures(self) -> list[tuple[Comparator, float]]:
        values = [(comparator, getattr(self, comparator)) for comparator in Comparator]
        return [(comparator, value) for comparator, value in values if value is not None]


class SuiteDemand(Entry):
    """An item that whole suites answer: their names, and what is asked of them."""

    names: Annotated[tuple[Text, ...], Field(min_length=1)]
    demand: Demand


class Blank(Entry):
    """A figure that the checklist leaves open: the measurement of this name and unit fills it."""

    measurement: Text
    unit: Unit


class ItemEntry(Entry):
    """One line of a checklist as it is written."""

    id: ItemId
    kind: Kind
    level: Level
    title: Text
    parent: ItemId | None = None
    needs: tuple[str, ...] = ()
    thresholds: dict[str, ThresholdEntry] = Field(default_factory=dict)
    note: str = ""
    suites: SuiteDemand | None = None
    blank: Blank | None = None

    @model_validator(mode="after")
    def _kind_fits(self) -> "ItemEntry":
        if self.needs and self.kind is not Kind.CHECK:
            raise ValueError(f"needs are those of a check, and this is of kind {self.kind}")
        if self.suites and self.kind is Kind.ATTEST:
            raise ValueError("an attest item is a person's to sign: no suite can answer it")
        if self.blank and self.kind is Kind.ATTEST:
            raise ValueError("an attest item is a person's to sign: no measurement can fill its blank")
        return self


class SectionEntry(Entry):
    """A heading with its items."""

    name: Text
    items: Annotated[tuple[ItemEntry, ...], Field(min_length=1)]


class ChecklistFile(Entry):
    """One checklist: two letters that its ids begin with, a title, and sections."""

    checklist: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    title: Text
    sections: Annotated[tuple[SectionEntry, ...], Field(min_length=1)]


class CapabilitiesFile(Entry):
    """The vocabulary of `needs`: a word and what it means."""

    offered: dict[str, Text]
    granted: dict[str, Text]


def find_problems(
    document: Document, checklist: ChecklistFile, capabilities: Container[str]
) -> Iterator[Problem]:
    """Yield what is wrong in a file of the right shape: prefixes, order, parents, sections, capabilities."""
    earlier: list[str] = []
    for location, item in _located_items(checklist):
        yield from _id_problems(document, location, item.id, checklist.checklist, earlier)
        if item.parent is not None and item.parent not in earlier:
            yield document.problem(
                (*location, "parent"), f"{item.parent} is no earlier item of this checklist"
            )
        for index, need in enumerate(item.needs):
            if need not in capabilities:
                yield document.problem(
                    (*location, "needs", index), f"{need!r} is no capability of capabilities.yaml"
                )
        if item.id.startswith(checklist.checklist):
            earlier.append(item.id)
    yield from _repeated_sections(document, checklist)


def _located_items(checklist: ChecklistFile) -> Iterator[tuple[Location, ItemEntry]]:
    for at_section, section in enumerate(checklist.sections):
        for at_item, item in enumerate(section.items):
            yield ("sections", at_section, "items", at_item), item


def _id_problems(
    document: Document, location: Location, item_id: str, prefix: str, earlier: list[str]
) -> Iterator[Problem]:
    place = (*location, "id")
    if not item_id.startswith(f"{prefix}-"):
        yield document.problem(place, f"{item_id} must begin with {prefix}-, as the checklist is {prefix}")
    elif item_id in earlier:
        yield document.problem(place, f"{item_id} stands here twice")
    elif earlier and item_id < earlier[-1]:
        yield document.problem(place, f"{item_id} comes after {earlier[-1]}: ids ascend")


def _repeated_sections(document: Document, checklist: ChecklistFile) -> Iterator[Problem]:
    names: set[str] = set()
    for index, section in enumerate(checklist.sections):
        if section.name in names:
            yield document.problem(("sections", index, "name"), f"section {section.name!r} stands here twice")
        names.add(section.name)


def repeated_checklists(loaded: Iterable[tuple[Document, ChecklistFile]]) -> Iterator[Problem]:
    """Yield a problem for each file whose two letters are taken already; so ids are unique over all files."""
    taken: dict[str, str] = {}
    for document, checklist in loaded:
        if checklist.checklist in taken:
            yield document.problem(
                ("checklist",), f"{checklist.checklist} is taken by {taken[checklist.checklist]}"
            )
        taken.setdefault(checklist.checklist, document.name)


def thresholds_of(entries: Mapping[str, ThresholdEntry]) -> tuple[Threshold, ...]:
    return tuple(entry.named(name) for name, entry in entries.items())
