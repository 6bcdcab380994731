from pathlib import Path

from reports.checklists import Catalogue
from reports.scope_table import coverage_table
from suites.unit.reports.builders import CHECKLIST_FILE, planned, write_catalogue


def rows(text: str) -> dict[str, list[str]]:
    """Return the numbers of each line by the first word of its name."""
    return {words[0]: words[1:] for words in (line.split() for line in text.splitlines()) if words}


def test_table_counts_by_section(catalogue_folder: Path) -> None:
    """Each section and checklist shows its items, those for people, those tested, those in scope, and the gaps."""
    catalogue = Catalogue.load(catalogue_folder)
    text = coverage_table(catalogue, {"XX-001", "XX-002", "XX-003"}, [planned("t", "XX-001")], ())
    assert rows(text) == {
        "items": ["attest", "tested", "in", "scope", "untested"],
        "XX": ["Example", "4", "1", "2", "3", "1"],
        "First": ["2", "0", "1", "2", "1"],
        "Second": ["2", "1", "1", "1"],
        "all": ["4", "1", "2", "3", "1"],
        "in": ["scope", "and", "untested:", "XX-002"],
    }


def test_files_and_suites_cover_too(catalogue_folder: Path) -> None:
    """What files show, and what a planned suite answers, is tested; a suite that is not planned answers nothing."""
    catalogue = Catalogue.load(catalogue_folder)
    scope = {"XX-002", "XX-004"}
    assert "untested:" not in coverage_table(catalogue, scope, [planned("t")], {"XX-002"})
    assert "untested: XX-004" in coverage_table(catalogue, scope, [planned("t", suite="unit")], {"XX-002"})


def test_long_names_are_cut(tmp_path: Path) -> None:
    """A long title does not push the numbers out of their columns."""
    folder = write_catalogue(
        tmp_path, example=CHECKLIST_FILE.replace("title: Example", f"title: {'long ' * 20}")
    )
    lines = coverage_table(Catalogue.load(folder), (), (), ()).splitlines()
    assert "…" in lines[2]
    assert max(map(len, lines)) <= 110
