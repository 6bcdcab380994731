"""The catalogue: what a release must show, item by item, read from the YAML files of `checklists/`."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Self

from reports.catalogue_files import (
    Blank,
    CapabilitiesFile,
    ChecklistFile,
    ItemEntry,
    Kind,
    Level,
    SuiteDemand,
    find_problems,
    repeated_checklists,
    thresholds_of,
)
from reports.documents import Document, parse_document, read_text
from reports.errors import DocumentError, Problem
from reports.thresholds import Threshold

_CAPABILITIES = "capabilities.yaml"

Texts = Mapping[str, tuple[str, str]]
"""The files of a catalogue: by name, the full path and the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of a checklist; `needs` are capabilities of the target or grants to the harness."""

    id: str
    checklist: str
    section: str
    kind: Kind
    level: Level
    title: str
    parent: str | None = None
    needs: tuple[str, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    note: str = ""
    suites: SuiteDemand | None = None
    blank: Blank | None = None

    def threshold(self, name: str) -> Threshold:
        """Return the figure called `name`; KeyError with the names that there are if there is none such."""
        for threshold in self.thresholds:
            if threshold.name == name:
                return threshold
        raise KeyError(f"{self.id} has no threshold {name!r}, only {[each.name for each in self.thresholds]}")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of a checklist, its levels divided by ` / `."""

    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Checklist:
    """The items whose ids begin with the same two letters."""

    id: str
    title: str
    sections: tuple[Section, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(chain.from_iterable(section.items for section in self.sections))


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a gateway may offer and what the harness may be granted, each word with its meaning."""

    offered: Mapping[str, str]
    granted: Mapping[str, str]

    @classmethod
    def load(cls, directory: Path | None = None) -> Self:
        """Read the vocabulary alone, as `Catalogue.load` does.

        Raises:
            DocumentError: it cannot be read or breaks a rule.

        """
        return cls.parse(_read_texts(directory))

    @classmethod
    def parse(cls, texts: Texts) -> Self:
        """Return the vocabulary among the files `texts`.

        Raises:
            DocumentError: it breaks a rule; a word that is both offered and granted breaks one.

        """
        document = parse_document(*texts[_CAPABILITIES])
        entry = document.parse(CapabilitiesFile)
        both = entry.offered.keys() & entry.granted.keys()
        if both:
            raise DocumentError(document.problem(("granted", word), "is already offered") for word in both)
        return cls(MappingProxyType(entry.offered), MappingProxyType(entry.granted))

    def __contains__(self, word: object) -> bool:
        return word in self.offered or word in self.granted


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All checklists in the order of their file names; `digest` is the SHA-256 over names and texts."""

    checklists: tuple[Checklist, ...]
    capabilities: Capabilities
    digest: str
    by_id: Mapping[str, Item]

    @classmethod
    def load(cls, directory: Path | None = None) -> Self:
        """Read every `*.yaml` of `directory`; None means the checklists that ship with the harness.

        Raises:
            DocumentError: a file cannot be read or breaks a rule; all problems of all files are listed.

        """
        texts = _read_texts(directory)
        capabilities = Capabilities.parse(texts)
        loaded = _load_checklists(texts, capabilities)
        checklists = tuple(_checklist(each) for _, each in loaded)
        by_id = {item.id: item for checklist in checklists for item in checklist.items}
        return cls(checklists, capabilities, _digest(texts), MappingProxyType(by_id))

    def item(self, item_id: str) -> Item:
        """Return the item; KeyError with a readable text if there is none of this id."""
        if item_id not in self.by_id:
            raise KeyError(f"no checklist has an item {item_id}")
        return self.by_id[item_id]

    def title(self, checklist_id: str) -> str:
        """Return the title of a checklist; KeyError if there is none of these letters."""
        return {each.id: each.title for each in self.checklists}[checklist_id]

    def __iter__(self) -> Iterator[Item]:
        return iter(self.by_id.values())

    def __len__(self) -> int:
        return len(self.by_id)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.by_id


def _read_texts(directory: Path | None) -> Texts:
    folder = Path(str(files("checklists"))) if directory is None else directory
    try:
        found = sorted(
            (each for each in folder.iterdir() if each.name.endswith(".yaml")), key=lambda each: each.name
        )
    except OSError as error:
        raise DocumentError([Problem(str(folder), 1, "", f"cannot be read: {error.strerror}")]) from error
    if _CAPABILITIES not in (each.name for each in found):
        raise DocumentError([Problem(str(folder), 1, "", f"holds no {_CAPABILITIES}, so it is no catalogue")])
    return {each.name: (str(each), read_text(each)) for each in found}


def _load_checklists(texts: Texts, capabilities: Capabilities) -> list[tuple[Document, ChecklistFile]]:
    loaded: list[tuple[Document, ChecklistFile]] = []
    problems: list[Problem] = []
    for name, (path, text) in texts.items():
        if name == _CAPABILITIES:
            continue
        try:
            document = parse_document(path, text)
            entry = document.parse(ChecklistFile)
        except DocumentError as error:
            problems += error.problems
        else:
            problems += find_problems(document, entry, capabilities)
            loaded.append((document, entry))
    problems += repeated_checklists(loaded)
    if problems:
        raise DocumentError(problems)
    return loaded


def _checklist(entry: ChecklistFile) -> Checklist:
    sections = (
        Section(each.name, tuple(_item(item, entry.checklist, each.name) for item in each.items))
        for each in entry.sections
    )
    return Checklist(entry.checklist, entry.title, tuple(sections))


def _item(entry: ItemEntry, checklist: str, section: str) -> Item:
    return Item(
        id=entry.id,
        checklist=checklist,
        section=section,
        kind=entry.kind,
        level=entry.level,
        title=entry.title,
        parent=entry.parent,
        needs=entry.needs,
        thresholds=thresholds_of(entry.thresholds),
        note=entry.note,
        suites=entry.suites,
        blank=entry.blank,
    )


def _digest(texts: Texts) -> str:
    sha256 = hashlib.sha256()
    for name, (_, text) in texts.items():
        sha256.update(f"{name}\0{text}\0".encode())
    return f"sha256:{sha256.hexdigest()}"
