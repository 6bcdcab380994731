from dataclasses import replace

import pytest

from reports.catalogue_files import Demand, Kind
from reports.checklists import Item
from reports.evidence import Fate, KillResult, Outcome, TargetFacts, TestResult
from reports.item_verdicts import ItemVerdict
from reports.proof import ProofState
from reports.release import Release
from reports.runs import Evidence
from reports.states import State
from reports.verdict import judge
from suites.unit.reports.builders import (
    CHAT,
    MODELS,
    TODAY,
    artefact,
    catalogue,
    evidence,
    item,
    kill,
    planned,
    release,
    result,
    run,
    started,
    suite_item,
    waiver,
)

PASS, FAIL, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.ERROR
NOT_RUN, UNSUPPORTED = Outcome.NOT_RUN, Outcome.UNSUPPORTED


def verdict_on(subject: Item, found: Evidence, judged_by: Release | None = None) -> ItemVerdict:
    """Return the verdict on an item, alone in its catalogue."""
    return judge(catalogue(subject), judged_by or release(subject.id), found, today=TODAY).items[0]


def results_of(*outcomes: Outcome, **changes: str) -> tuple[TestResult, ...]:
    return tuple(
        result("XX-001", outcome, nodeid=f"suites/smoke/test_it.py::test_{number}", **changes)
        for number, outcome in enumerate(outcomes)
    )


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        pytest.param((PASS, PASS), State.PASS, id="all-pass"),
        pytest.param((PASS, FAIL, ERROR, NOT_RUN), State.FAIL, id="one-fails"),
        pytest.param((PASS, ERROR, NOT_RUN), State.ERROR, id="one-breaks"),
        pytest.param((PASS, NOT_RUN, UNSUPPORTED), State.NOT_RUN, id="one-not-run"),
        pytest.param((UNSUPPORTED, UNSUPPORTED), State.UNSUPPORTED, id="all-unsupported"),
        pytest.param((UNSUPPORTED, PASS), State.PASS, id="some-unsupported"),
        pytest.param((), State.NO_TEST, id="no-test"),
    ],
)
def test_outcomes_add_up(outcomes: tuple[Outcome, ...], state: State) -> None:
    """What is worse outweighs what is better, and only where nothing passes an item is unsupported."""
    assert verdict_on(item("XX-001"), evidence(*results_of(*outcomes))).state is state


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        pytest.param((PASS, NOT_RUN), State.PASS, id="the-rest-passes"),
        pytest.param((FAIL, NOT_RUN), State.FAIL, id="the-rest-fails"),
        pytest.param((NOT_RUN, NOT_RUN), State.NOT_RUN, id="there-is-no-rest"),
    ],
)
def test_what_was_withheld_does_not_count(outcomes: tuple[Outcome, ...], state: State) -> None:
    """Tests that lack only what the harness was not granted leave the verdict to the others, and are remarked."""
    results = tuple(
        result(
            "XX-001",
            outcome,
            nodeid=f"suites/smoke/test_it.py::test_{number}",
            reason="logs: not given" if outcome is NOT_RUN else "",
        )
        for number, outcome in enumerate(outcomes)
    )
    target = TargetFacts(name="url", url="http://127.0.0.1:1", withheld={"logs": "not given"})
    found = evidence(runs=(run(*results, started=replace(started(), target=target)),))
    verdict = verdict_on(item("XX-001"), found)
    assert verdict.state is state
    if state is State.PASS:
        assert verdict.reason == "1 of 2 tests not exercised: logs: not given"


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [
        pytest.param((FAIL,), "first line", id="alone"),
        pytest.param((PASS, FAIL, FAIL), "2 of 3 tests: first line", id="among-others"),
        pytest.param((PASS, UNSUPPORTED), "1 of 2 tests unsupported: first line", id="remark"),
        pytest.param((PASS,), "", id="nothing-to-say"),
        pytest.param((), "no test speaks for this item", id="no-test"),
    ],
)
def test_reason_is_one_line(outcomes: tuple[Outcome, ...], reason: str) -> None:
    """The reason quotes the first line of the first test in question, and says how many agree."""
    assert (
        verdict_on(item("XX-001"), evidence(*results_of(*outcomes, reason="first line\nsecond"))).reason
        == reason
    )


def test_planned_test_without_result_is_not_run() -> None:
    """A test that the run never came to leaves its item open, by its node id."""
    cut = run(result("XX-001"), planned=(planned(CHAT, "XX-001"), planned(MODELS, "XX-001")))
    verdict = verdict_on(item("XX-001"), Evidence(runs=(cut,)))
    assert (verdict.state, verdict.reason) == (
        State.NOT_RUN,
        "1 of 2 tests: it was planned and has no result",
    )
    assert verdict.testimony.sources(NOT_RUN) == (MODELS,)


def test_crashed_test_speaks_for_its_planned_items() -> None:
    """A worker that dies reports no items; those that were planned are meant."""
    crashed = run(result("", ERROR), planned=(planned(CHAT, "XX-001"),))
    assert verdict_on(item("XX-001"), Evidence(runs=(crashed,))).state is State.ERROR


def test_artefact_speaks_for_its_item() -> None:
    """A look at files answers an item as a test does."""
    subject = item("XX-001", kind=Kind.ARTEFACT)
    verdict = verdict_on(subject, Evidence(artefacts=(artefact("XX-001", FAIL),)))
    assert (verdict.state, verdict.reason) == (State.FAIL, "because of this")


def test_attest_item_is_never_judged() -> None:
    """A person's word is no machine's to say, whatever tests claim to speak for it."""
    verdict = verdict_on(item("XX-001", kind=Kind.ATTEST), evidence(result("XX-001", FAIL)))
    assert (verdict.state, verdict.reason) == (State.ATTEST, "waits for a person's word")


@pytest.mark.parametrize(
    ("demand", "outcomes", "state"),
    [
        pytest.param(Demand.RAN, (PASS, FAIL, ERROR, UNSUPPORTED), State.PASS, id="ran"),
        pytest.param(Demand.PASSED, (PASS, PASS), State.PASS, id="all-pass"),
        pytest.param(Demand.PASSED, (PASS, UNSUPPORTED, NOT_RUN), State.PASS, id="some-unasked"),
        pytest.param(Demand.PASSED, (UNSUPPORTED, NOT_RUN), State.NOT_RUN, id="none-asked"),
        pytest.param(Demand.PASSED, (PASS, FAIL, ERROR), State.FAIL, id="one-fails"),
        pytest.param(Demand.PASSED, (PASS, ERROR), State.ERROR, id="one-breaks"),
        pytest.param(Demand.PASSED, (), State.NOT_RUN, id="no-such-suite"),
        pytest.param(Demand.RAN, (), State.NOT_RUN, id="no-such-suite-ran"),
    ],
)
def test_suite_answers_its_item(demand: Demand, outcomes: tuple[Outcome, ...], state: State) -> None:
    """An item may ask that a whole suite ran, or also that none of it failed."""
    results = tuple(result("", each, nodeid=f"test_{number}") for number, each in enumerate(outcomes))
    assert verdict_on(suite_item("XX-001", demand, "smoke"), evidence(*results)).state is state


@pytest.mark.parametrize("demand", Demand)
def test_cut_suite_leaves_its_item_open(demand: Demand) -> None:
    """A suite with a planned test that has no result neither ran nor passed."""
    cut = run(result(""), planned=(planned(CHAT), planned(MODELS)))
    assert verdict_on(suite_item("XX-001", demand, "smoke"), Evidence(runs=(cut,))).state is State.NOT_RUN


def test_suite_is_heard_alone() -> None:
    """Tests of other suites do not speak for the item of a suite."""
    found = evidence(result(""), result("", FAIL, suite="unit", nodeid=MODELS))
    assert verdict_on(suite_item("XX-001", Demand.PASSED, "smoke"), found).state is State.PASS


def test_waiver_accepts_a_failure() -> None:
    """A failure that a valid waiver covers is waived, and the reason names who approved it until when."""
    verdict = verdict_on(
        item("XX-001"), evidence(result("XX-001", FAIL)), release("XX-001", waivers=(waiver("XX-001"),))
    )
    assert verdict.state is State.WAIVED
    assert (
        verdict.reason == "WAIVED until 2026-12-01 by B. Approver (OPS-7): the provider is slow on Saturdays"
    )


@pytest.mark.parametrize(
    ("pattern", "state"),
    [
        pytest.param("*cloud*", State.WAIVED, id="pattern"),
        pytest.param(MODELS, State.WAIVED, id="literal-brackets"),
        pytest.param("*local*", State.FAIL, id="another"),
        pytest.param(None, State.WAIVED, id="any"),
    ],
)
def test_waiver_may_be_for_certain_tests(pattern: str | None, state: State) -> None:
    """A waiver with a pattern accepts the failures of the tests that match it, and no others."""
    judged_by = release("XX-001", waivers=(waiver("XX-001", test=pattern),))
    assert (
        verdict_on(item("XX-001"), evidence(result("XX-001", FAIL, nodeid=MODELS)), judged_by).state is state
    )


@pytest.mark.parametrize(
    ("outcome", "state"), [(FAIL, State.FAIL), (ERROR, State.ERROR), (NOT_RUN, State.NOT_RUN)], ids=str
)
def test_waiver_hides_nothing_else(outcome: Outcome, state: State) -> None:
    """Beside a waived failure another failure, a broken or an unrun test still counts."""
    found = evidence(result("XX-001", FAIL, nodeid=MODELS), result("XX-001", outcome))
    judged_by = release("XX-001", waivers=(waiver("XX-001", test="*cloud*"),))
    assert verdict_on(item("XX-001"), found, judged_by).state is state


def test_suite_respects_the_waivers_of_its_tests() -> None:
    """The item of a whole suite needs no waiver of its own for a test that is waived for all its items."""
    subjects = (item("XX-001"), item("XX-002"), suite_item("XX-003", Demand.PASSED, "smoke"))
    found = evidence(result("XX-001 XX-002", FAIL))
    ids = [each.id for each in subjects]
    both = release(*ids, waivers=(waiver("XX-001"), waiver("XX-002")))
    one = release(*ids, waivers=(waiver("XX-001"),))
    assert judge(catalogue(*subjects), both, found, today=TODAY).items[2].state is State.WAIVED
    assert judge(catalogue(*subjects), one, found, today=TODAY).items[2].state is State.FAIL


@pytest.mark.parametrize(
    ("kills", "proof", "note"),
    [
        pytest.param((kill("XX-001"),), ProofState.PROVEN, "by models-empty", id="killed"),
        pytest.param((), ProofState.UNPROVEN, "no sabotage was tried", id="none"),
        pytest.param((kill("XX-002"),), ProofState.UNPROVEN, "no sabotage was tried", id="of-another"),
        pytest.param((kill("XX-001", Fate.SURVIVED),), ProofState.UNPROVEN, "models-empty: survived", id="survived"),
        pytest.param(
            (kill("XX-001", code_digest="sha256:old"),),
            ProofState.UNPROVEN,
            "the kill matrix is of other code: prove again",
            id="stale",
        ),
    ],
)  # fmt: skip
def test_kill_proves_a_check(kills: tuple[KillResult, ...], proof: ProofState, note: str) -> None:
    """A check is proven by a sabotage that its tests killed under the same code."""
    verdict = verdict_on(item("XX-001"), evidence(result("XX-001"), kills=kills))
    assert (verdict.proof.state, verdict.proof.note) == (proof, note)


def test_only_checks_need_proof() -> None:
    """No sabotage of a gateway can prove a look at files."""
    assert verdict_on(item("XX-001", kind=Kind.ARTEFACT), evidence()).proof.state is ProofState.NOT_APPLICABLE
