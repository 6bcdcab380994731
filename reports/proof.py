"""Whether the check of an item has been shown to be able to fail."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from reports.catalogue_files import Kind
from reports.checklists import Item
from reports.evidence import Fate, KillResult


class ProofState(StrEnum):
    """Proven: a sabotage made for the item turned its tests red, under the same code as this run."""

    PROVEN = "proven"
    UNPROVEN = "unproven"
    NOT_APPLICABLE = "n/a"


@dataclass(frozen=True, slots=True)
class Proof:
    """The state and, where it is not plain, the reason for it."""

    state: ProofState
    note: str = ""


def prove(item: Item, kills: Iterable[KillResult], code_digests: frozenset[str]) -> Proof:
    """Return the proof of an item from the kill matrix; `code_digests` are those of the runs that are judged."""
    if item.kind is not Kind.CHECK:
        return Proof(ProofState.NOT_APPLICABLE)
    mine = [kill for kill in kills if item.id in kill.items]
    killed = [kill for kill in mine if kill.outcome is Fate.KILLED]
    fresh = [kill for kill in killed if kill.code_digest in code_digests]
    if fresh:
        return Proof(ProofState.PROVEN, f"by {', '.join(kill.sabotage for kill in fresh)}")
    if killed:
        return Proof(ProofState.UNPROVEN, "the kill matrix is of other code: prove again")
    if mine:
        return Proof(ProofState.UNPROVEN, "; ".join(f"{kill.sabotage}: {kill.outcome}" for kill in mine))
    return Proof(ProofState.UNPROVEN, "no sabotage was tried")
