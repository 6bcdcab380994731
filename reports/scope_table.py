"""How much of the catalogue is covered by tests, as a table for the terminal."""

from collections.abc import Collection, Iterable, Iterator

from reports.catalogue_files import Kind
from reports.checklists import Catalogue, Item
from reports.evidence import PlannedTest

_HEAD = ("items", "attest", "tested", "in scope", "untested")
_WIDEST_NAME = 58


def coverage_table(
    catalogue: Catalogue,
    scope: Collection[str],
    planned: Iterable[PlannedTest],
    shown_by_files: Collection[str],
) -> str:
    """Return a line for each checklist and section, and by id what is in scope and untested.

    An item is tested when a planned test names it, when the suites that answer it are planned, or when files
    show it (`shown_by_files`); attest items are a person's to sign, and never untested.
    """
    tested = _tested(catalogue, tuple(planned)) | set(shown_by_files)
    lines = [_line("", _HEAD)]
    for checklist in catalogue.checklists:
        lines += ["", _line(f"{checklist.id} {checklist.title}", _numbers(checklist.items, tested, scope))]
        lines += [
            _line(f"  {section.name}", _numbers(section.items, tested, scope))
            for section in checklist.sections
        ]
    lines += ["", _line("all", _numbers(tuple(catalogue), tested, scope))]
    gaps = [item.id for item in catalogue if _is_open(item, tested, scope)]
    lines += ["", f"in scope and untested: {', '.join(gaps)}"] if gaps else []
    return "\n".join(lines)


def _tested(catalogue: Catalogue, planned: Collection[PlannedTest]) -> set[str]:
    named = {item for test in planned for item in test.items}
    suites = {test.suite for test in planned}
    whole = (item for item in catalogue if item.suites is not None and suites.issuperset(item.suites.names))
    return named | {item.id for item in whole}


def _is_open(item: Item, tested: Collection[str], scope: Collection[str]) -> bool:
    return item.id in scope and item.id not in tested and item.kind is not Kind.ATTEST


def _numbers(items: Collection[Item], tested: Collection[str], scope: Collection[str]) -> Iterator[str]:
    open_items = sum(_is_open(item, tested, scope) for item in items)
    yield str(len(items))
    yield str(sum(item.kind is Kind.ATTEST for item in items))
    yield str(sum(item.id in tested for item in items))
    yield str(sum(item.id in scope for item in items))
    yield str(open_items or "")


def _line(name: str, cells: Iterable[str]) -> str:
    shown = name if len(name) <= _WIDEST_NAME else f"{name[: _WIDEST_NAME - 1]}…"
    numbers = "".join(cell.rjust(len(head) + 2) for cell, head in zip(cells, _HEAD, strict=True))
    return f"{shown:<{_WIDEST_NAME}}{numbers}".rstrip()
