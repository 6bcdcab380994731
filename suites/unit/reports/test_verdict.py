import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.catalogue_files import Kind
from reports.decisions import Decision
from reports.evidence import Outcome
from reports.states import State
from reports.verdict import Verdict, judge
from suites.unit.reports.builders import (
    TODAY,
    catalogue,
    evidence,
    item,
    kill,
    release,
    result,
    waiver,
)

ITEMS = (item("XX-001"), item("XX-002"), item("XX-003", kind=Kind.ATTEST), item("XX-004"))
SCOPE = ("XX-001", "XX-002", "XX-003")


def verdict_on(first: Outcome, second: Outcome, *, waived: bool = False) -> Verdict:
    """Return the verdict on two checks in scope with these outcomes, the first perhaps waived."""
    results = (result("XX-001", first, nodeid="test_1"), result("XX-002", second, nodeid="test_2"))
    waivers = (waiver("XX-001"),) if waived else ()
    found = evidence(*results, kills=(kill("XX-001"),))
    return judge(catalogue(*ITEMS), release(*SCOPE, waivers=waivers), found, today=TODAY)


@pytest.mark.parametrize(
    ("verdict", "decision", "exit_code", "sentence"),
    [
        pytest.param(
            verdict_on(Outcome.PASS, Outcome.PASS),
            "GO",
            0,
            "Everything in scope that a machine can judge holds.",
            id="go",
        ),
        pytest.param(
            verdict_on(Outcome.FAIL, Outcome.PASS, waived=True),
            "GO WITH WAIVERS",
            0,
            "Everything in scope holds, but for 1 reservation.",
            id="waived",
        ),
        pytest.param(
            verdict_on(Outcome.PASS, Outcome.NOT_RUN),
            "INCONCLUSIVE",
            3,
            "The evidence carries no verdict: 1 question open.",
            id="open",
        ),
        pytest.param(
            verdict_on(Outcome.FAIL, Outcome.FAIL), "NO-GO", 1, "2 reasons against this release.", id="no-go"
        ),
        pytest.param(
            verdict_on(Outcome.NOT_RUN, Outcome.FAIL),
            "NO-GO",
            1,
            "1 reason against this release, and 1 question open.",
            id="both",
        ),
        pytest.param(
            verdict_on(Outcome.FAIL, Outcome.ERROR, waived=True),
            "INCONCLUSIVE",
            3,
            "The evidence carries no verdict: 1 question open.",
            id="open-and-waived",
        ),
    ],
)
def test_weightiest_reason_decides(verdict: Verdict, decision: str, exit_code: int, sentence: str) -> None:
    """NO-GO outweighs INCONCLUSIVE, which outweighs GO WITH WAIVERS; word, exit code and sentence agree."""
    assert (verdict.decision, verdict.decision.exit_code) == (decision, exit_code)
    assert verdict.headline == f"{decision} on 3 of 4 items in scope"
    assert verdict.sentence == sentence


def test_caveats_are_counted() -> None:
    """A GO says how many caveats it comes with."""
    found = evidence(result("XX-001"), result("XX-002"), result("XX-004", Outcome.FAIL, nodeid="test_4"))
    verdict = judge(catalogue(*ITEMS), release(*SCOPE), found, today=TODAY)
    assert verdict.sentence == "Everything in scope that a machine can judge holds. 1 caveat noted."


def test_weightiest_reasons_come_first() -> None:
    """The reader meets what blocks before what is merely open."""
    verdict = verdict_on(Outcome.NOT_RUN, Outcome.FAIL)
    assert [reason.decision for reason in verdict.reasons] == [Decision.NO_GO, Decision.INCONCLUSIVE]


def test_scope_is_counted_by_state() -> None:
    """The counts are of the items in scope alone."""
    verdict = verdict_on(Outcome.PASS, Outcome.FAIL)
    assert verdict.counts == {State.PASS: 1, State.FAIL: 1, State.ATTEST: 1}


def test_proof_is_counted_over_checks_in_scope() -> None:
    """Attest items and items out of scope need no proof."""
    assert verdict_on(Outcome.PASS, Outcome.PASS).proven == (1, 2)


def test_proof_does_not_decide() -> None:
    """A release of unproven checks may go; the page says that they are unproven."""
    found = evidence(result("XX-001"), result("XX-002"))
    assert judge(catalogue(*ITEMS), release(*SCOPE), found, today=TODAY).decision is Decision.GO


@given(outcomes=st.lists(st.sampled_from(Outcome), min_size=1, max_size=6))
def test_go_needs_every_item_to_pass(outcomes: list[Outcome]) -> None:
    """Whatever the outcomes are, only passes all over make a plain GO of items that must hold."""
    results = [
        result(f"XX-00{number}", each, nodeid=f"test_{number}") for number, each in enumerate(outcomes)
    ]
    items = [item(f"XX-00{number}") for number in range(len(outcomes))]
    judged_by = release(*(each.id for each in items))
    verdict = judge(catalogue(*items), judged_by, evidence(*results), today=TODAY)
    assert (verdict.decision is Decision.GO) == (set(outcomes) == {Outcome.PASS})
    assert (verdict.decision is Decision.NO_GO) == (Outcome.FAIL in outcomes)
