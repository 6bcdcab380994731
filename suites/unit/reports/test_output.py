from pathlib import Path

import pytest

from reports.errors import OutputError
from reports.output import write_folder, write_text

TEXTS = {"a.txt": "new a", "b.txt": "new b"}


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """The new report takes the place of the old one, and nothing else is left behind."""
    folder = tmp_path / "deep" / "report"
    write_folder(folder, {"a.txt": "old"})
    write_folder(folder, TEXTS)
    assert contents(folder) == TEXTS
    assert [path.name for path in folder.parent.iterdir()] == ["report"]


def test_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    """A folder that holds other things is not ours to replace."""
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match=r"holds thesis.txt, which is no part of a report"):
        write_folder(tmp_path, TEXTS)
    assert contents(tmp_path) == {"thesis.txt": "years of work"}


def test_unwritable_place_is_named(tmp_path: Path) -> None:
    """Where nothing can be written one line says so, and nothing is half-written."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"report: cannot be written: "):
        write_folder(tmp_path / "file" / "report", TEXTS)
    with pytest.raises(OutputError, match=r"a.txt: cannot be written: "):
        write_text(tmp_path / "file" / "a.txt", "a")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_failed_report_keeps_the_old_one(tmp_path: Path) -> None:
    """A report that cannot be written whole leaves the last one as it was."""
    folder = tmp_path / "report"
    write_folder(folder, {"a.txt": "old"})
    with pytest.raises(OutputError):
        write_folder(folder, {"a.txt": "new", "no/such/folder.txt": ""})
    assert contents(folder) == {"a.txt": "old"}


def test_file_is_written_whole(tmp_path: Path) -> None:
    """A file appears with its whole text, in a folder that is made for it."""
    write_text(tmp_path / "new" / "a.txt", "a")
    assert contents(tmp_path / "new") == {"a.txt": "a"}
