"""The gate as a release manager meets it: a defect in the gateway becomes a NO-GO that names items and exchange."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reports.decisions import Decision


def pass_gate(folder: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Run the smoke suite and the report, and return exit status, verdict and page."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    evidence, out = folder / "evidence.jsonl", folder / "report"
    suite = [sys.executable, "-m", "pytest", "--pyargs", "suites.smoke", "-q", "-p", "no:cacheprovider"]
    subprocess.run(
        [*suite, f"--evidence={evidence}", *arguments], env=inherited, stdout=subprocess.DEVNULL, check=False
    )
    report = [sys.executable, "-m", "reports", "build", "--evidence", str(evidence), "--out", str(out)]
    judged = subprocess.run([*report, "--release", "reference"], stdout=subprocess.DEVNULL, check=False)
    verdict = json.loads((out / "verdict.json").read_text(encoding="utf-8"))
    return judged.returncode, verdict, (out / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("sabotage", "items", "words"),
    [
        ("provider-refuses-the-key", {"PL-008", "PL-009", "PL-012"}, "AUTH_ERROR"),
        ("provider-is-dead", {"UB-016", "UB-020", "UB-045"}, "connection_failed"),
        ("no-models", {"LD-040", "UB-031"}, "the list of models is []"),
        ("stream-never-ends", {"RQ-046", "LD-042"}, "not [DONE]"),
    ],
)
def test_broken_gateway_is_a_no_go(tmp_path: Path, sabotage: str, items: set[str], words: str) -> None:
    """A wrong key, a dead provider, an empty list and an endless stream each turn the gate NO-GO, with evidence."""
    status, verdict, page = pass_gate(tmp_path, f"--sabotage={sabotage}")
    assert (status, verdict["verdict"]) == (1, Decision.NO_GO)
    named = {reason["item"] for reason in verdict["reasons"] if reason["rule"] == "G-FAILED"}
    assert items <= named
    assert words in page
    assert "HTTP 200" in page
    assert "curl -sS" in page
    assert f"--sabotage {sabotage}" in page
    assert "user-key-of-seed" not in page + json.dumps(verdict)
