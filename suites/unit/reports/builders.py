"""Builders of evidence for the tests of reports: each gives a whole record and takes what a test is about."""

from datetime import date
from pathlib import Path
from typing import Any

from reports.catalogue_files import Demand, Kind, Level, SuiteDemand
from reports.checklists import Capabilities, Catalogue, Checklist, Item, Section
from reports.evidence import (
    ArtefactResult,
    Fate,
    KillResult,
    Outcome,
    PlannedTest,
    RunFinished,
    RunStarted,
    TargetFacts,
    TestResult,
)
from reports.release import Release
from reports.release_file import Waiver
from reports.runs import Evidence, Run

TODAY = date(2026, 11, 21)
CODE = "sha256:code"
DIGEST = "sha256:catalogue"
CHAT = "suites/smoke/test_chat.py::test_answer_is_whole"
MODELS = "suites/smoke/test_models.py::test_models_are_listed[cloud]"


def item(item_id: str, **changes: Any) -> Item:
    """Return a check that must hold."""
    fields = {
        "checklist": item_id[:2],
        "section": "Tests",
        "kind": Kind.CHECK,
        "level": Level.MUST,
        "title": f"The requirement {item_id} holds",
    }
    return Item(id=item_id, **(fields | changes))


def suite_item(item_id: str, demand: Demand, *names: str) -> Item:
    """Return a check that whole suites answer."""
    return item(item_id, suites=SuiteDemand(names=names, demand=demand))


def catalogue(*items: Item) -> Catalogue:
    """Return a catalogue of one checklist `XX` with one section."""
    checklist = Checklist("XX", "Example", (Section("Tests", items),))
    return Catalogue((checklist,), Capabilities({}, {}), DIGEST, {each.id: each for each in items})


def started(**changes: Any) -> RunStarted:
    """Return the head of a run of the smoke suite."""
    fields: dict[str, Any] = {
        "run_id": "0123456789abcdef",
        "started_at": "2026-11-21T06:30:00+00:00",
        "suites": ("smoke",),
        "target": TargetFacts(name="reference", url="http://127.0.0.1:4000", version="0.1.0"),
        "seed": 20261,
        "command": "pytest suites/smoke",
        "versions": {"gauntlet": "0.1.0"},
        "machine": {"system": "Linux"},
        "catalogue_digest": DIGEST,
        "code_digest": CODE,
    }
    return RunStarted(**(fields | changes))


def finished(**changes: Any) -> RunFinished:
    """Return the end of a run in which nothing failed."""
    fields: dict[str, Any] = {"finished_at": "2026-11-21T06:31:00+00:00", "exit_status": 0}
    return RunFinished(**(fields | changes))


def result(items: str, outcome: Outcome = Outcome.PASS, **changes: Any) -> TestResult:
    """Return the result of a smoke test that speaks for `items`, divided by blanks."""
    fields: dict[str, Any] = {
        "nodeid": CHAT,
        "suite": "smoke",
        "items": tuple(items.split()),
        "outcome": outcome,
        "reason": "" if outcome is Outcome.PASS else "because of this",
        "story": "A question is answered whole.",
        "started_at": "2026-11-21T06:30:10+00:00",
        "duration_s": 0.25,
        "worker": "main",
        "reproduce": f"pytest {CHAT}",
    }
    return TestResult(**(fields | changes))


def run(*results: TestResult, **changes: Any) -> Run:
    """Return a run whose plan is its results, whose exit status fits them, and which came to its end."""
    red = any(each.outcome in {Outcome.FAIL, Outcome.ERROR} for each in results)
    fields: dict[str, Any] = {
        "source": "smoke.jsonl",
        "started": started(),
        "planned": tuple(planned(each.nodeid, *each.items, suite=each.suite) for each in results),
        "results": results,
        "finished": finished(exit_status=int(red)),
    }
    return Run(**(fields | changes))


def planned(nodeid: str, *items: str, suite: str = "smoke") -> PlannedTest:
    return PlannedTest(nodeid=nodeid, suite=suite, items=items)


def evidence(*results: TestResult, **changes: Any) -> Evidence:
    """Return the evidence of one run with these results."""
    return Evidence(**({"runs": (run(*results),)} | changes))


def artefact(items: str, outcome: Outcome = Outcome.PASS, **changes: Any) -> ArtefactResult:
    """Return what a look at files found for `items`, divided by blanks."""
    fields: dict[str, Any] = {
        "items": tuple(items.split()),
        "outcome": outcome,
        "reason": "" if outcome is Outcome.PASS else "because of this",
        "files": {"coverage.json": "ab12"},
        "produced_by": "a look at the files",
    }
    return ArtefactResult(**(fields | changes))


def kill(items: str, fate: Fate = Fate.KILLED, **changes: Any) -> KillResult:
    """Return what became of a sabotage against `items`, divided by blanks."""
    fields: dict[str, Any] = {
        "sabotage": "models-empty",
        "defect": "The list of models is empty.",
        "items": tuple(items.split()),
        "outcome": fate,
        "killed_by": (CHAT,),
        "code_digest": CODE,
    }
    return KillResult(**(fields | changes))


def waiver(item_id: str, **changes: Any) -> Waiver:
    """Return a waiver that is valid today."""
    fields: dict[str, Any] = {
        "item": item_id,
        "owner": "A. Owner",
        "approver": "B. Approver",
        "issue": "OPS-7",
        "reason": "the provider is slow on Saturdays",
        "scope": "one provider",
        "added": date(2026, 11, 1),
        "expires": date(2026, 12, 1),
    }
    return Waiver(**(fields | changes))


def release(*scope: str, **changes: Any) -> Release:
    """Return a release that two roles sign."""
    fields: dict[str, Any] = {
        "name": "Example 1.0",
        "scope": scope,
        "roles": ("operations", "release manager"),
    }
    return Release(**(fields | changes))


def write_catalogue(folder: Path, **files: str) -> Path:
    """Write a catalogue of one small checklist, with `files` in addition or instead, by their stem."""
    texts = {"capabilities": CAPABILITIES_FILE, "example": CHECKLIST_FILE} | files
    folder.mkdir(parents=True, exist_ok=True)
    for stem, text in texts.items():
        (folder / f"{stem}.yaml").write_text(text, encoding="utf-8")
    return folder


CAPABILITIES_FILE = """\
offered:
  chat: answers
granted:
  logs: the log can be read
"""

CHECKLIST_FILE = """\
checklist: XX
title: Example
sections:
  - name: First
    items:
      - id: XX-001
        kind: check
        level: must
        title: A question is answered
        needs: [chat]
        thresholds:
          latency: {below: 2, unit: s}
      - id: XX-002
        kind: artefact
        level: should
        parent: XX-001
        title: The files are there
  - name: Second
    items:
      - id: XX-003
        kind: attest
        level: must
        title: Somebody has looked
      - id: XX-004
        kind: check
        level: may
        title: The whole suite ran
        suites: {names: [smoke], demand: ran}
"""
