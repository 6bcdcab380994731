"""The release file of the bundled gateway against what the suites really cover."""

import os
import subprocess
import sys

import pytest

from fixtures.sabotage import SABOTAGES
from reports.catalogue_files import Kind
from reports.checklists import Catalogue
from reports.evidence import RECORDS, Planned
from reports.release import load_release

WAITING_FOR_A_SESSION = {"LD-002", "LD-004", "LD-006", "LD-015", "LD-016", "UB-003", "UB-006"}
"""Artefacts that a session of noxfile.py looks at, and no suite."""


@pytest.fixture(scope="module")
def covered(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The items that a test names, or whole suites answer."""
    plan = tmp_path_factory.mktemp("plan") / "plan.jsonl"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--pyargs",
        "suites.smoke",
        "suites.contract",
        "suites.chaos",
        "suites.load",
        "--collect-only",
        "-q",
        f"--evidence={plan}",
    ]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    subprocess.run([*command, "-p", "no:cacheprovider"], env=inherited, check=True, stdout=subprocess.DEVNULL)
    (line,) = plan.read_text(encoding="utf-8").splitlines()
    record = RECORDS.validate_json(line)
    assert isinstance(record, Planned)
    by_suite = {item.id for item in Catalogue.load() if item.suites is not None}
    return {item for test in record.tests for item in test.items} | by_suite


def test_scope_is_what_is_covered(covered: set[str]) -> None:
    """The bundled release file has in scope exactly what a test, a suite or a session covers."""
    release = load_release("reference", Catalogue.load())
    assert set(release.scope) == covered | WAITING_FOR_A_SESSION


def test_every_covered_check_has_its_sabotage(covered: set[str]) -> None:
    """No check comes without a sabotage that is meant to turn it red."""
    catalogue = Catalogue.load()
    sabotaged = {item for sabotage in SABOTAGES.values() for item in sabotage.items}
    checks = {item for item in covered if catalogue.item(item).kind is Kind.CHECK}
    assert checks - sabotaged == set()
