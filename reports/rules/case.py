"""What a rule looks at, what it finds, and how it is written down."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reports.checklists import Catalogue
from reports.decisions import Decision, Reason
from reports.evidence import Outcome
from reports.item_verdicts import ItemVerdict
from reports.release import Release
from reports.runs import Evidence
from reports.states import State
from reports.testimony import Witnesses
from reports.waivers import Waivers


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that the rules look at."""

    catalogue: Catalogue
    release: Release
    evidence: Evidence
    waivers: Waivers
    witnesses: Witnesses
    items: tuple[ItemVerdict, ...]

    def in_scope(self, *states: State) -> Iterator[ItemVerdict]:
        """Yield the verdicts on items in scope that are in one of `states`."""
        return (each for each in self.items if each.in_scope and each.state in states)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule finds: a line of text, the item that it is about, and the tests where it shows."""

    text: str
    item: str | None = None
    nodeids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A stable id, what a finding makes of the release at best, what is looked for, and the search for it."""

    id: str
    decision: Decision
    meaning: str
    find: Callable[[Case], Iterator[Finding]]

    def apply(self, case: Case) -> Iterator[Reason]:
        """Yield a reason for everything that the rule finds."""
        for finding in self.find(case):
            yield Reason(
                rule=self.id,
                decision=self.decision,
                text=finding.text,
                item=finding.item,
                nodeids=finding.nodeids,
            )


def about(verdict: ItemVerdict, *outcomes: Outcome) -> Finding:
    """Return a finding that gives an item's reason and the sources that say one of `outcomes`."""
    return Finding(verdict.reason, verdict.item.id, verdict.testimony.sources(*outcomes))
