from datetime import date
from typing import Any

import pytest

from reports.catalogue_files import Kind
from reports.release import Attestation
from reports.release_file import Judgement, Signature
from reports.sign_off import SignOff, SignOffState
from reports.verdict import judge
from suites.unit.reports.builders import TODAY, catalogue, evidence, item, release, result


def signed(role: str, *items: str, **changes: Any) -> Attestation:
    fields: dict[str, Any] = {
        "role": role,
        "name": "D. Signer",
        "on": TODAY,
        "verdict": Judgement.APPROVED,
        "statement": "I have seen it.",
    }
    return Attestation(signature=Signature(**(fields | changes)), items=items)


def sign_off(*attestations: Attestation) -> SignOff:
    """Return the sign-off of a release that operations and the release manager sign, with one attest item."""
    items = (item("XX-001"), item("XX-002", kind=Kind.ATTEST), item("XX-003", kind=Kind.ATTEST))
    judged_by = release("XX-001", "XX-002", attestations=attestations)
    return judge(catalogue(*items), judged_by, evidence(result("XX-001")), today=TODAY).sign_off


@pytest.mark.parametrize(
    ("attestations", "state", "waiting"),
    [
        pytest.param((), "unsigned", ["operations", "release manager", "XX-002"], id="nobody"),
        pytest.param((signed("operations"),), "partly signed", ["release manager", "XX-002"], id="one"),
        pytest.param(
            (signed("operations"), signed("release manager")), "partly signed", ["XX-002"], id="item-left"
        ),
        pytest.param((signed("operations", "XX-002"), signed("release manager")), "signed", [], id="all"),
        pytest.param(
            (signed("operations", "XX-002"), signed("release manager", verdict=Judgement.REJECTED)),
            "rejected",
            ["release manager"],
            id="rejected",
        ),
        pytest.param(
            (signed("operations", on=date(2026, 11, 22)),),
            "unsigned",
            ["operations", "release manager", "XX-002"],
            id="tomorrow",
        ),
    ],
)
def test_sign_off_waits_for_roles_and_items(
    attestations: tuple[Attestation, ...], state: str, waiting: list[str]
) -> None:
    """A release is signed when every role has approved it and every attest item in scope has somebody's word."""
    found = sign_off(*attestations)
    assert found.state is SignOffState(state)
    assert [*found.waiting_roles, *found.waiting_items] == waiting


def test_signed_item_says_by_whom() -> None:
    """An attest item carries the word of the person who signed it."""
    items = (item("XX-001"), item("XX-002", kind=Kind.ATTEST))
    judged_by = release("XX-001", attestations=(signed("operations", "XX-002"),))
    verdict = judge(catalogue(*items), judged_by, evidence(result("XX-001")), today=TODAY)
    assert verdict.items[1].reason == "approved by D. Signer, operations"
