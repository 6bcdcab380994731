from pathlib import Path

import pytest

from reports.errors import EvidenceError
from reports.evidence import RECORDS, Planned, Record
from reports.runs import read_evidence
from suites.unit.reports.builders import CHAT, MODELS, artefact, finished, kill, planned, result, started


def write(path: Path, *records: Record, tail: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{RECORDS.dump_json(record).decode()}\n" for record in records) + tail)
    return path


def test_run_is_read_whole(tmp_path: Path) -> None:
    """A file gives its run with plan, results and end."""
    path = write(tmp_path / "e.jsonl", started(), Planned(tests=(planned(CHAT),)), result(""), finished())
    (run,) = read_evidence([path]).runs
    assert (run.started, run.results, run.finished) == (started(), (result(""),), finished())
    assert (run.source, run.missing, run.torn) == (str(path), (), False)


def test_planned_test_without_result_is_missing(tmp_path: Path) -> None:
    """A test that was planned and never came to a result is known by its id."""
    plan = Planned(tests=(planned(CHAT), planned(MODELS)))
    (run,) = read_evidence([write(tmp_path / "e.jsonl", started(), plan, result(""))]).runs
    assert run.missing == (planned(MODELS),)
    assert run.finished is None


def test_folder_stands_for_its_files(tmp_path: Path) -> None:
    """All files beneath a folder are merged: runs, artefacts and kills."""
    write(tmp_path / "smoke.jsonl", started(run_id="a"), result(""), finished())
    write(tmp_path / "deep" / "unit.jsonl", started(run_id="b"), finished())
    write(tmp_path / "rest.jsonl", artefact("UB-006"), kill("PL-008"))
    evidence = read_evidence([tmp_path])
    assert {run.started.run_id for run in evidence.runs} == {"a", "b"}
    assert (evidence.artefacts, evidence.kills) == ((artefact("UB-006"),), (kill("PL-008"),))
    assert evidence.results == (result(""),)


def test_file_may_hold_several_runs(tmp_path: Path) -> None:
    """A file that was appended to holds one run after the other, the first perhaps without an end."""
    path = write(tmp_path / "e.jsonl", started(run_id="a"), started(run_id="b"), result(""), finished())
    first, second = read_evidence([path]).runs
    assert (first.finished, len(first.results), len(second.results)) == (None, 0, 1)


def test_plan_without_a_run_is_kept(tmp_path: Path) -> None:
    """What was only collected counts as planned, and as missing."""
    evidence = read_evidence([write(tmp_path / "plan.jsonl", Planned(tests=(planned(CHAT, "PL-008"),)))])
    assert evidence.planned == evidence.missing == (planned(CHAT, "PL-008"),)


def test_torn_last_line_is_tolerated(tmp_path: Path) -> None:
    """A crash in the middle of a line costs that line and is said; the run before it stands."""
    (run,) = read_evidence(
        [write(tmp_path / "e.jsonl", started(), result(""), tail='{"record":"test_re')]
    ).runs
    assert (run.torn, len(run.results)) == (True, 1)


def test_whole_last_line_needs_no_newline(tmp_path: Path) -> None:
    """A last record that is whole counts, newline or not."""
    tail = RECORDS.dump_json(finished()).decode()
    (run,) = read_evidence([write(tmp_path / "e.jsonl", started(), tail=tail)]).runs
    assert (run.torn, run.finished) == (False, finished())


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param("{", r"e.jsonl:2: no record of evidence: Invalid JSON", id="no-json"),
        pytest.param(
            '{"record": "rumour"}', r"e.jsonl:2: no record of evidence: Input tag 'rumour'", id="kind"
        ),
        pytest.param(
            '{"record": "run_finished", "finished_at": "2026-11-21T06:30:00Z", "exit_status": 0, "mood": "good"}',
            r"e.jsonl:2: no record of evidence: run_finished.mood: Unexpected keyword argument",
            id="field",
        ),
    ],
)
def test_foreign_line_is_refused(tmp_path: Path, line: str, problem: str) -> None:
    """A line that is no record is told with its file and line, and what is wrong with it."""
    path = write(tmp_path / "e.jsonl", started(), tail=f"{line}\n")
    with pytest.raises(EvidenceError, match=problem):
        read_evidence([path])


def test_result_outside_a_run_is_refused(tmp_path: Path) -> None:
    """A result before the head of a run, or after its end, belongs to nothing."""
    with pytest.raises(EvidenceError, match=r"e.jsonl:3: a test_result that belongs to no run"):
        read_evidence([write(tmp_path / "e.jsonl", started(), finished(), result(""))])


@pytest.mark.parametrize("name", ["absent.jsonl", "empty.jsonl", "folder"])
def test_no_evidence_is_said(tmp_path: Path, name: str) -> None:
    """A file that is missing or empty, and a folder without evidence, are named."""
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(EvidenceError, match=f"{name}: (cannot be read|holds no evidence|no evidence in)"):
        read_evidence([tmp_path / name])
