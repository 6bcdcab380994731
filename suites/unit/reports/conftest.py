"""A catalogue, a release and evidence that belong together, small enough to be seen at a glance."""

from pathlib import Path

import pytest

from suites.unit.reports.builders import write_catalogue


@pytest.fixture
def catalogue_folder(tmp_path: Path) -> Path:
    """A folder with the small catalogue `XX`."""
    return write_catalogue(tmp_path / "checklists")
