"""The verdict of the machine's evidence on a release."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from reports.catalogue_files import Kind
from reports.checklists import Catalogue
from reports.decisions import Decision, Reason
from reports.item_verdicts import ItemVerdict, judge_items
from reports.proof import ProofState
from reports.release import Release
from reports.rules import RULES, Case
from reports.runs import Evidence
from reports.sign_off import SignOff, judge_sign_off
from reports.states import State
from reports.testimony import Witnesses
from reports.waivers import Waivers


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision with all its reasons, weightiest first, the verdict on every item, and the sign-off beside it."""

    decision: Decision
    reasons: tuple[Reason, ...]
    items: tuple[ItemVerdict, ...]
    sign_off: SignOff
    today: date

    @property
    def in_scope(self) -> tuple[ItemVerdict, ...]:
        return tuple(each for each in self.items if each.in_scope)

    @property
    def headline(self) -> str:
        return f"{self.decision} on {len(self.in_scope)} of {len(self.items)} items in scope"

    @property
    def sentence(self) -> str:
        """The verdict in a plain sentence."""
        against, open_questions, accepted, caveats = (self._count(decision) for decision in Decision)
        match self.decision:
            case Decision.NO_GO:
                rest = f", and {_number(open_questions, 'question')} open" if open_questions else ""
                return f"{_number(against, 'reason')} against this release{rest}."
            case Decision.INCONCLUSIVE:
                return f"The evidence carries no verdict: {_number(open_questions, 'question')} open."
            case Decision.GO_WITH_WAIVERS:
                return f"Everything in scope holds, but for {_number(accepted, 'reservation')}."
        rest = f" {_number(caveats, 'caveat')} noted." if caveats else ""
        return f"Everything in scope that a machine can judge holds.{rest}"

    def _count(self, decision: Decision) -> int:
        return sum(reason.decision is decision for reason in self.reasons)

    @property
    def counts(self) -> Counter[State]:
        """How many items in scope are in each state."""
        return Counter(each.state for each in self.in_scope)

    @property
    def proven(self) -> tuple[int, int]:
        """How many checks in scope are proven, and how many there are."""
        states = [each.proof.state for each in self.in_scope if each.item.kind is Kind.CHECK]
        return states.count(ProofState.PROVEN), len(states)


def judge(catalogue: Catalogue, release: Release, evidence: Evidence, *, today: date) -> Verdict:
    """Return what `evidence` says of `release` on the day `today`; the weightiest reason decides."""
    witnesses = Witnesses(evidence)
    waivers = Waivers(release.waivers, today, witnesses.items_of)
    items = judge_items(catalogue, release, evidence, waivers, witnesses)
    case = Case(
        catalogue=catalogue,
        release=release,
        evidence=evidence,
        waivers=waivers,
        witnesses=witnesses,
        items=items,
    )
    found = (reason for rule in RULES for reason in rule.apply(case))
    reasons = tuple(sorted(found, key=lambda reason: reason.decision.weight))
    return Verdict(
        decision=reasons[0].decision if reasons else Decision.GO,
        reasons=reasons,
        items=items,
        sign_off=judge_sign_off(release, items, today),
        today=today,
    )


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
