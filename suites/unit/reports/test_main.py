import json
import re
from pathlib import Path

import pytest

from reports.__main__ import main
from reports.checklists import Catalogue
from reports.evidence import RECORDS, Outcome, Planned, Record
from suites.unit.reports.builders import artefact, finished, kill, planned, result, started

RELEASE = """\
release: Example 1.0
scope:
  - items: [LD-040, UB-006]
waivers: []
sign_off: {roles: [release manager]}
"""


class Desk:
    """A folder to work in: evidence, a release file, and where the report goes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.evidence = folder / "evidence"
        self.release = folder / "release.yaml"
        self.out = folder / "report"
        self.evidence.mkdir()
        self.release.write_text(RELEASE)

    def keep(self, name: str, *records: Record) -> Path:
        path = self.evidence / name
        path.write_text("".join(f"{RECORDS.dump_json(record).decode()}\n" for record in records))
        return path

    def keep_smoke(self, outcome: Outcome) -> Path:
        """Keep a smoke run in which the list of models has this outcome."""
        head = started(catalogue_digest=Catalogue.load().digest)
        end = finished(exit_status=int(outcome is Outcome.FAIL))
        test = result("LD-040", outcome)
        return self.keep("smoke.jsonl", head, Planned(tests=(planned(test.nodeid, "LD-040"),)), test, end)

    def build(self, *more: str) -> int:
        arguments = ["build", "--evidence", str(self.evidence), "--release", str(self.release)]
        return main([*arguments, "--out", str(self.out), "--today", "2026-11-21", *more])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with the evidence of the files already on it."""
    desk = Desk(tmp_path)
    desk.keep("artefacts.jsonl", artefact("UB-006"))
    return desk


@pytest.mark.parametrize(
    ("outcome", "exit_code", "word"),
    [
        pytest.param(Outcome.PASS, 0, "GO", id="go"),
        pytest.param(Outcome.FAIL, 1, "NO-GO", id="no-go"),
        pytest.param(Outcome.NOT_RUN, 3, "INCONCLUSIVE", id="inconclusive"),
    ],
)
def test_exit_code_is_the_verdict(
    desk: Desk, capsys: pytest.CaptureFixture[str], outcome: Outcome, exit_code: int, word: str
) -> None:
    """The command ends with the verdict's code, says it in its first line, and says where the page is."""
    desk.keep_smoke(outcome)
    assert desk.build() == exit_code
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"{word} on 2 of 479 items in scope"
    assert printed[-1] == f"page: {desk.out / 'index.html'}"
    assert sorted(path.name for path in desk.out.iterdir()) == [
        "chaos.html",
        "index.html",
        "junit.xml",
        "load.html",
        "summary.md",
        "verdict.json",
    ]


def test_reasons_are_printed(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Each reason is printed with rule and item, its tests beneath, and who has still to sign."""
    desk.keep_smoke(Outcome.FAIL)
    desk.build()
    printed = capsys.readouterr().out
    assert "NO-GO           G-FAILED                LD-040  because of this\n" in printed
    assert "suites/smoke/test_chat.py::test_answer_is_whole\n" in printed
    assert "sign-off: unsigned, waiting for release manager\n" in printed


def test_kills_prove_checks(desk: Desk) -> None:
    """The kill matrix is evidence of its own file."""
    desk.keep_smoke(Outcome.PASS)
    kills = desk.folder / "kills.jsonl"
    kills.write_bytes(RECORDS.dump_json(kill("LD-040")))
    assert desk.build("--kills", str(kills)) == 0
    assert json.loads((desk.out / "verdict.json").read_text())["proof"] == {"proven": 1, "checks": 1}


def test_allure_results_are_completed(desk: Desk) -> None:
    """With a folder of Allure results these are completed beside the report."""
    desk.keep_smoke(Outcome.PASS)
    results = desk.folder / "allure"
    results.mkdir()
    assert desk.build("--allure", str(results)) == 0
    assert (results / "categories.json").exists()


def test_bad_release_file_writes_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """A release file that is not valid is told by line and field; nothing is written."""
    desk.keep_smoke(Outcome.PASS)
    desk.release.write_text(RELEASE.replace("LD-040", "LD-999"))
    assert desk.build() == 2
    assert capsys.readouterr().err == (
        f"{desk.release}:3: scope[0].items[0]: no checklist has an item LD-999\n"
    )
    assert not desk.out.exists()


def test_missing_evidence_is_one_line(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Evidence that is not there is named, without a traceback."""
    arguments = ["build", "--evidence", str(desk.folder / "absent.jsonl"), "--out", str(desk.out)]
    assert main(arguments) == 2
    assert (
        capsys.readouterr().err == f"{desk.folder}/absent.jsonl: cannot be read: No such file or directory\n"
    )


def test_unwritable_report_is_one_line(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """A report that cannot be written is named, without a traceback."""
    desk.keep_smoke(Outcome.PASS)
    desk.out.write_text("a file")
    assert desk.build() == 2
    assert capsys.readouterr().err.startswith(f"{desk.out}: cannot be written: ")


def test_unknown_command_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong use ends with 2, as everywhere."""
    with pytest.raises(SystemExit) as caught:
        main(["publish"])
    assert caught.value.code == 2
    assert "publish" in capsys.readouterr().err


def test_items_are_counted(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """The table of items shows what of the scope no planned test speaks for."""
    desk.keep_smoke(Outcome.PASS)
    assert main(["items", "--evidence", str(desk.evidence), "--release", str(desk.release)]) == 0
    assert "untested:" not in capsys.readouterr().out
    assert main(["items", "--evidence", str(desk.evidence)]) == 0
    (untested,) = re.findall(r"in scope and untested: (.*)", capsys.readouterr().out)
    assert "LD-035" in untested.split(", ")


def test_check_names_what_is_valid(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Checklists and release files can be checked without any evidence."""
    assert main(["check"]) == 0
    assert "checklists: 479 items (LD 160, PL 157, RS 28, RQ 50, UB 84)" in capsys.readouterr().out
    assert main(["check", "--release", str(desk.release)]) == 0
    assert "Example 1.0, 2 items in scope" in capsys.readouterr().out


def test_unit_tests_leave_evidence(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """A run of the unit tests and its coverage become the evidence of their item."""
    passed = result("", suite="unit", nodeid="suites/unit/test_x.py::test_x")
    unit = desk.keep("unit.jsonl", started(), passed, finished())
    coverage = desk.folder / "coverage.json"
    coverage.write_text('{"totals": {"percent_covered": 95.0}}')
    out = desk.evidence / "artefacts.jsonl"
    arguments = ["--evidence", str(unit), "--coverage", str(coverage), "--out", str(out)]
    assert main(["artefact", "unit-tests", *arguments]) == 0
    assert capsys.readouterr().out == "UB-006 PASS\n"
    assert json.loads(out.read_text())["files"].keys() == {str(unit), str(coverage)}
