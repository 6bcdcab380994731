from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from reports.catalogue_files import Level
from reports.checklists import Item
from reports.decisions import Decision, Reason
from reports.evidence import Measurement, Outcome, TargetFacts
from reports.release import Release
from reports.release_file import Acknowledgement
from reports.rules import RULES
from reports.runs import Evidence
from reports.verdict import Verdict, judge
from suites.unit.reports.builders import (
    CHAT,
    MODELS,
    TODAY,
    artefact,
    catalogue,
    evidence,
    finished,
    item,
    planned,
    release,
    result,
    run,
    started,
    waiver,
)

FAIL, UNSUPPORTED = Outcome.FAIL, Outcome.UNSUPPORTED
NO_GO, OPEN, WAIVED, CAVEAT = Decision


def verdict_on(found: Evidence, judged_by: Release | None = None, *items: Item) -> Verdict:
    return judge(catalogue(*(items or (item("XX-001"),))), judged_by or release("XX-001"), found, today=TODAY)


def reasons_of(rule: str, verdict: Verdict) -> list[Reason]:
    return [reason for reason in verdict.reasons if reason.rule == rule]


def only_reason(rule: str, verdict: Verdict) -> Reason:
    """Return the single reason of a verdict, which must be of this rule and decide."""
    assert [reason.rule for reason in verdict.reasons] == [rule]
    assert verdict.decision is verdict.reasons[0].decision
    return verdict.reasons[0]


def run_with(*results: Any, **changes: Any) -> Evidence:
    return Evidence(runs=(run(*(results or (result("XX-001"),)), **changes),))


def test_whole_evidence_is_go() -> None:
    """Where everything in scope holds and the evidence is whole, no rule objects."""
    verdict = verdict_on(evidence(result("XX-001")))
    assert (verdict.decision, verdict.reasons) == (Decision.GO, ())


@pytest.mark.parametrize(
    ("level", "rule", "decision"),
    [
        (Level.MUST, "G-FAILED", NO_GO),
        (Level.SHOULD, "G-FAILED", NO_GO),
        (Level.MAY, "G-FAILED-OPTIONAL", CAVEAT),
    ],
    ids=["must", "should", "may"],
)
def test_failure_in_scope(level: Level, rule: str, decision: Decision) -> None:
    """A failing item blocks the release unless it is one that may fail."""
    verdict = verdict_on(evidence(result("XX-001", FAIL)), None, item("XX-001", level=level))
    reason = only_reason(rule, verdict)
    assert (reason.decision, reason.item, reason.nodeids) == (decision, "XX-001", (CHAT,))


def test_missed_threshold_blocks_even_a_passing_test() -> None:
    """A figure that misses its limit is believed, whatever the outcome of its test."""
    missed = Measurement(name="latency", value=3, unit="s", limit="< 2 s", holds=False)
    reason = only_reason("G-THRESHOLD", verdict_on(evidence(result("XX-001", measurements=(missed,)))))
    assert (reason.decision, reason.text) == (NO_GO, "latency is 3 s, limit < 2 s, and no test failed")


@pytest.mark.parametrize(
    ("changes", "rule", "decision"),
    [
        pytest.param({}, "G-WAIVED", WAIVED, id="valid"),
        pytest.param({"expires": TODAY}, "G-WAIVED", WAIVED, id="last-day"),
        pytest.param({"added": TODAY}, "G-WAIVED", WAIVED, id="first-day"),
        pytest.param({"expires": date(2026, 11, 20)}, "G-WAIVER-EXPIRED", NO_GO, id="expired"),
        pytest.param({"added": date(2026, 11, 22)}, "G-WAIVER-EARLY", NO_GO, id="early"),
    ],
)
def test_waiver_counts_in_its_time(changes: dict[str, date], rule: str, decision: Decision) -> None:
    """A waiver holds from the day it was added to the day it expires, both included; outside it blocks."""
    judged_by = release("XX-001", waivers=(waiver("XX-001", **changes),))
    verdict = verdict_on(evidence(result("XX-001", FAIL)), judged_by)
    assert verdict.decision is decision
    assert [reason.item for reason in reasons_of(rule, verdict)] == ["XX-001"]
    assert bool(reasons_of("G-FAILED", verdict)) is (decision is NO_GO)


def test_unused_waiver_blocks() -> None:
    """A waiver for what does not fail any more has to go."""
    judged_by = release("XX-001", waivers=(waiver("XX-001"),))
    reason = only_reason("G-WAIVER-UNUSED", verdict_on(evidence(result("XX-001")), judged_by))
    assert (reason.decision, reason.text) == (
        NO_GO,
        "the waiver of XX-001 (OPS-7) accepts no failure: remove it",
    )


def test_waiver_of_an_open_item_is_not_called_unused() -> None:
    """Where the item could not be judged, nobody knows whether its waiver is used."""
    judged_by = release("XX-001", waivers=(waiver("XX-001"),))
    verdict = verdict_on(evidence(result("XX-001", Outcome.NOT_RUN)), judged_by)
    assert only_reason("G-NOT-RUN", verdict).decision is OPEN


def test_empty_scope_judges_nothing() -> None:
    """A release file without a scope makes no release."""
    assert only_reason("G-EMPTY-SCOPE", verdict_on(evidence(result("XX-001")), release())).decision is OPEN


def test_no_run_judges_nothing() -> None:
    """Evidence without a run is none, whatever else lies there."""
    found = Evidence(artefacts=(artefact("XX-001"),))
    assert only_reason("G-NO-RUN", verdict_on(found)).decision is OPEN


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        pytest.param({"finished": None}, "the run never came to its end", id="no-end"),
        pytest.param({"finished": None, "torn": True}, "breaks off in the middle of a line", id="torn"),
        pytest.param({"finished": finished(interrupted=True)}, "was interrupted", id="interrupted"),
        pytest.param(
            {"finished": finished(exit_status=2)}, "ended with pytest's exit status 2", id="exit-status"
        ),
    ],
)
def test_cut_run_is_inconclusive(changes: dict[str, Any], text: str) -> None:
    """A run that did not come to its end can make no release pass."""
    reason = only_reason("G-RUN-CUT-SHORT", verdict_on(run_with(**changes)))
    assert reason.decision is OPEN
    assert text in reason.text


def test_cut_run_names_what_is_missing() -> None:
    """Tests without a result are named, even those that speak for no item."""
    found = run_with(finished=None, planned=(planned(CHAT, "XX-001"), planned(MODELS)))
    reason = only_reason("G-RUN-CUT-SHORT", verdict_on(found))
    assert reason.nodeids == (MODELS,)
    assert "planned tests without a result: 1" in reason.text


def test_lost_failure_is_inconclusive() -> None:
    """A failure that pytest saw and the evidence does not hold is missed."""
    reason = only_reason("G-LOST-FAILURE", verdict_on(run_with(finished=finished(exit_status=1))))
    assert reason.decision is OPEN


def test_several_targets_are_inconclusive() -> None:
    """One gate judges one target; a run of none, and another port of the same, do not count."""
    other = TargetFacts(name="reference", url="http://127.0.0.1:4001", version="0.2.0")
    same = TargetFacts(name="reference", url="http://127.0.0.1:4001", version="0.1.0")

    def both(target: TargetFacts | None) -> Verdict:
        second = run(result("XX-001", nodeid=MODELS), started=started(target=target))
        return verdict_on(Evidence(runs=(run(result("XX-001")), second)))

    assert "reference 0.1.0, reference 0.2.0" in only_reason("G-MIXED-TARGETS", both(other)).text
    assert both(other).decision is OPEN
    assert both(same).decision is both(None).decision is Decision.GO


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"code_digest": "sha256:other"}, "G-MIXED-CODE"),
        ({"catalogue_digest": "sha256:other"}, "G-OTHER-CATALOGUE"),
    ],
    ids=["code", "catalogue"],
)
def test_digests_agree(changes: dict[str, str], rule: str) -> None:
    """All runs are of the same code, and of the checklists that they are judged by."""
    second = run(result("XX-001", nodeid=MODELS), started=started(**changes))
    verdict = verdict_on(Evidence(runs=(run(result("XX-001")), second)))
    assert only_reason(rule, verdict).decision is OPEN


def test_unknown_item_is_inconclusive() -> None:
    """A test or a look at files that speaks for an item of no checklist was made for others."""
    found = evidence(result("XX-001"), result("ZZ-001", nodeid=MODELS), artefacts=(artefact("ZZ-002"),))
    reasons = reasons_of("G-UNKNOWN-ITEM", verdict_on(found))
    assert [reason.text for reason in reasons] == [
        f"no checklist has an item ZZ-00{number}" for number in (1, 2)
    ]
    assert {reason.decision for reason in reasons} == {OPEN}


@pytest.mark.parametrize(
    ("outcome", "rule"),
    [
        pytest.param(Outcome.ERROR, "G-HARNESS-ERROR", id="error"),
        pytest.param(Outcome.NOT_RUN, "G-NOT-RUN", id="not-run"),
        pytest.param(None, "G-NO-TEST", id="no-test"),
    ],
)
@pytest.mark.parametrize("level", Level)
def test_undecided_item_is_inconclusive(outcome: Outcome | None, rule: str, level: Level) -> None:
    """An item in scope of any level that could not be judged leaves the release open."""
    results = () if outcome is None else (result("XX-001", outcome),)
    reason = only_reason(rule, verdict_on(evidence(*results), None, item("XX-001", level=level)))
    assert (reason.decision, reason.item) == (OPEN, "XX-001")


@pytest.mark.parametrize(
    ("level", "rule", "decision"),
    [
        (Level.MUST, "G-UNSUPPORTED", OPEN),
        (Level.SHOULD, "G-UNSUPPORTED-OPTIONAL", CAVEAT),
        (Level.MAY, "G-UNSUPPORTED-OPTIONAL", CAVEAT),
    ],
    ids=["must", "should", "may"],
)
def test_unsupported_item(level: Level, rule: str, decision: Decision) -> None:
    """What a target does not offer leaves a must open, and is a caveat otherwise."""
    verdict = verdict_on(evidence(result("XX-001", UNSUPPORTED)), None, item("XX-001", level=level))
    assert only_reason(rule, verdict).decision is decision


def test_open_warning_is_a_reservation() -> None:
    """A warning about an item in scope keeps the release from a plain GO until somebody acknowledges it."""
    found = evidence(result("XX-001 XX-002", warnings=("ollama is degraded",)))
    items = (item("XX-001"), item("XX-002"))
    scope = release("XX-001", "XX-002")
    known = Acknowledgement(warning="*degraded*", by="C", on=TODAY, reason="known")
    early = known.model_copy(update={"on": date(2026, 11, 22)})
    reason = only_reason("G-WARNING", verdict_on(found, scope, *items))
    assert (reason.decision, reason.text) == (WAIVED, "not acknowledged: ollama is degraded")
    assert verdict_on(found, replace(scope, acknowledged=(known,)), *items).decision is Decision.GO
    assert verdict_on(found, replace(scope, acknowledged=(early,)), *items).decision is WAIVED


def test_failure_outside_the_scope_is_a_caveat() -> None:
    """An item out of scope that fails is listed and decides nothing; its warnings and waivers do neither."""
    found = evidence(result("XX-001"), result("XX-002", FAIL, nodeid=MODELS, warnings=("slow",)))
    verdict = verdict_on(found, release("XX-001"), item("XX-001"), item("XX-002"))
    reason = only_reason("G-FAILED-OUTSIDE", verdict)
    assert (reason.decision, reason.item) == (CAVEAT, "XX-002")


def test_failure_without_an_item_is_a_caveat() -> None:
    """A failing test that speaks for no item is listed and decides nothing."""
    found = evidence(result("XX-001"), result("", FAIL, nodeid=MODELS, suite="unit"))
    reason = only_reason("G-FAILED-OTHER", verdict_on(found))
    assert (reason.decision, reason.nodeids) == (CAVEAT, (MODELS,))


def test_rules_have_ids_of_their_own() -> None:
    """No two rules share an id, and each says what it looks for."""
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.meaning for rule in RULES)


def test_rules_are_explained_to_people() -> None:
    """docs/VERDICT.md lists exactly the rules that there are, each with what it makes of a release."""
    page = Path(__file__).parents[3] / "docs" / "VERDICT.md"
    rows = [
        line.split("|") for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| G-")
    ]
    listed = {cells[1].strip(): cells[2].strip() for cells in rows}
    assert listed == {
        rule.id: "caveat" if rule.decision is Decision.GO else rule.decision.value for rule in RULES
    }
