"""The release: its scope resolved against the catalogue, its waivers, acknowledgements and signatures."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path

from reports.catalogue_files import Kind
from reports.checklists import Catalogue
from reports.documents import Document, Location, read_document
from reports.errors import DocumentError, Problem
from reports.release_file import Acknowledgement, ReleaseFile, ScopeEntry, Signature, Waiver

BUNDLED = ("reference", "outside")
"""The release files that ship with the harness, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """A signature with the items that it speaks for, resolved to single ids."""

    signature: Signature
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a release is judged by; `scope` holds ids in the order of the catalogue."""

    name: str
    scope: tuple[str, ...]
    waivers: tuple[Waiver, ...] = ()
    acknowledged: tuple[Acknowledgement, ...] = ()
    roles: tuple[str, ...] = ()
    attestations: tuple[Attestation, ...] = ()

    def acknowledging(self, warning: str, today: date) -> Acknowledgement | None:
        """Return who has acknowledged a warning until today; None if it is open."""
        valid = (each for each in self.acknowledged if each.on <= today)
        return next((each for each in valid if fnmatchcase(warning, each.warning)), None)


def load_release(name: str | Path, catalogue: Catalogue) -> Release:
    """Read a release file, or a bundled one by its name.

    Raises:
        DocumentError: it cannot be read, breaks a rule, or speaks of items that the catalogue does not have.

    """
    document = read_document(_path_of(name))
    entry = document.parse(ReleaseFile)
    resolver = _Resolver(document, catalogue)
    scope = resolver.scope(entry.scope)
    attestations = tuple(
        resolver.attestation(index, signature) for index, signature in enumerate(entry.sign_off.signatures)
    )
    problems = [*resolver.problems, *_find_problems(document, entry, catalogue)]
    if problems:
        raise DocumentError(problems)
    return Release(
        name=entry.release,
        scope=scope,
        waivers=entry.waivers,
        acknowledged=entry.acknowledged,
        roles=entry.sign_off.roles,
        attestations=attestations,
    )


def _path_of(name: str | Path) -> Path:
    if str(name) in BUNDLED:
        return Path(str(files("checklists"))) / "releases" / f"{name}.yaml"
    return Path(name)


class _Resolver:
    """Turns ranges and sections into ids, and gathers what it cannot resolve."""

    def __init__(self, document: Document, catalogue: Catalogue) -> None:
        self._document = document
        self._catalogue = catalogue
        self.problems: list[Problem] = []

    def scope(self, entries: Sequence[ScopeEntry]) -> tuple[str, ...]:
        chosen: set[str] = set()
        for index, entry in enumerate(entries):
            place = ("scope", index)
            if entry.checklist is None:
                chosen.update(self._items((*place, "items"), entry.items))
            else:
                chosen.update(self._sections(place, entry.checklist, entry.sections))
        return tuple(item.id for item in self._catalogue if item.id in chosen)

    def attestation(self, index: int, signature: Signature) -> Attestation:
        place = ("sign_off", "signatures", index, "items")
        items = tuple(self._items(place, signature.items))
        for item_id in items:
            kind = self._catalogue.item(item_id).kind
            if kind is not Kind.ATTEST:
                self._complain(
                    place, f"{item_id} is of kind {kind}: only an attest item is a person's to sign"
                )
        return Attestation(signature=signature, items=items)

    def _items(self, place: Location, ranges: Iterable[str]) -> Iterator[str]:
        for index, text in enumerate(ranges):
            first, _, last = text.partition("..")
            ends = (first, last or first)
            unknown = [end for end in dict.fromkeys(ends) if end not in self._catalogue]
            found = [] if unknown else [item.id for item in self._catalogue if ends[0] <= item.id <= ends[1]]
            if unknown:
                self._complain((*place, index), f"no checklist has an item {', '.join(unknown)}")
            elif not found or first[:2] != ends[1][:2]:
                self._complain((*place, index), f"{text} is no range: it must ascend within one checklist")
            else:
                yield from found

    def _sections(self, place: Location, checklist_id: str, names: Sequence[str]) -> Iterator[str]:
        checklist = next((each for each in self._catalogue.checklists if each.id == checklist_id), None)
        if checklist is None:
            self._complain((*place, "checklist"), f"there is no checklist {checklist_id!r}")
            return
        sections = {section.name: section for section in checklist.sections}
        for index, name in enumerate(names):
            if name not in sections:
                self._complain((*place, "sections", index), f"{checklist_id} has no section {name!r}")
        chosen = [sections[name] for name in names if name in sections] if names else checklist.sections
        yield from (item.id for section in chosen for item in section.items)

    def _complain(self, location: Location, text: str) -> None:
        self.problems.append(self._document.problem(location, text))


def _find_problems(document: Document, entry: ReleaseFile, catalogue: Catalogue) -> Iterator[Problem]:
    for index, waiver in enumerate(entry.waivers):
        place: Location = ("waivers", index, "item")
        if waiver.item not in catalogue:
            yield document.problem(place, f"no checklist has an item {waiver.item}")
        elif catalogue.item(waiver.item).kind is Kind.ATTEST:
            yield document.problem(place, f"{waiver.item} is a person's to sign, and cannot be waived")
    for index, signature in enumerate(entry.sign_off.signatures):
        if signature.role not in entry.sign_off.roles:
            place = ("sign_off", "signatures", index, "role")
            yield document.problem(place, f"{signature.role!r} is none of the roles that sign")
