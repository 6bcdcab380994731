"""The people's side of a release: which roles have signed, and what still waits for a person's word."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from reports.item_verdicts import ItemVerdict
from reports.release import Attestation, Release
from reports.release_file import Judgement
from reports.states import State


class SignOffState(StrEnum):
    """How far the sign-off has come."""

    UNSIGNED = "unsigned"
    PARTLY_SIGNED = "partly signed"
    SIGNED = "signed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """What was signed until today; `waiting_items` are attest items in scope that nobody has approved."""

    state: SignOffState
    signed: tuple[Attestation, ...]
    waiting_roles: tuple[str, ...]
    waiting_items: tuple[str, ...]


def judge_sign_off(release: Release, items: Iterable[ItemVerdict], today: date) -> SignOff:
    """Return the state of the sign-off; signatures with a date to come do not count, one rejection outweighs all."""
    signed = tuple(each for each in release.attestations if each.signature.on <= today)
    approved = [each for each in signed if each.signature.verdict is Judgement.APPROVED]
    approved_roles = {each.signature.role for each in approved}
    approved_items = {item for each in approved for item in each.items}
    waiting_roles = tuple(role for role in release.roles if role not in approved_roles)
    waiting_items = tuple(
        each.item.id
        for each in items
        if each.in_scope and each.state is State.ATTEST and each.item.id not in approved_items
    )
    complete = not waiting_roles and not waiting_items
    return SignOff(
        state=_state(rejected=len(approved) < len(signed), complete=complete, begun=bool(signed)),
        signed=signed,
        waiting_roles=waiting_roles,
        waiting_items=waiting_items,
    )


def _state(*, rejected: bool, complete: bool, begun: bool) -> SignOffState:
    if rejected:
        return SignOffState.REJECTED
    if complete:
        return SignOffState.SIGNED
    return SignOffState.PARTLY_SIGNED if begun else SignOffState.UNSIGNED
