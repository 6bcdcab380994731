"""Everything that a writer needs, in one value."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from reports.checklists import Catalogue
from reports.evidence import Outcome, RunStarted, TargetFacts, TestResult
from reports.item_verdicts import ItemVerdict
from reports.release import Release
from reports.release_file import Waiver
from reports.runs import Evidence
from reports.verdict import Verdict, judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A release, what it is judged by, and the verdict; writers turn it into text and decide nothing."""

    catalogue: Catalogue
    release: Release
    evidence: Evidence
    verdict: Verdict

    @classmethod
    def on(cls, catalogue: Catalogue, release: Release, evidence: Evidence, *, today: date) -> "Report":
        """Return the report on `release` as of the day `today`."""
        verdict = judge(catalogue, release, evidence, today=today)
        return cls(catalogue=catalogue, release=release, evidence=evidence, verdict=verdict)

    @property
    def heads(self) -> tuple[RunStarted, ...]:
        return tuple(run.started for run in self.evidence.runs)

    @property
    def targets(self) -> tuple[TargetFacts, ...]:
        """The targets of the runs, each once."""
        met = (head.target for head in self.heads if head.target is not None)
        return tuple({each.identity: each for each in met}.values())

    def waivers_by_test(self) -> dict[str, Waiver]:
        """Return, by node id, a waiver for each failing test that is waived for every item that it speaks for."""
        found: dict[str, list[Waiver | None]] = {}
        for verdict, result in self._failures():
            accepting = verdict.accepted.get(result.nodeid, ())
            found.setdefault(result.nodeid, []).append(accepting[0] if accepting else None)
        return {nodeid: each[0] for nodeid, each in found.items() if each[0] and all(each)}

    def _failures(self) -> Iterator[tuple[ItemVerdict, TestResult]]:
        for verdict in self.verdict.items:
            for result in verdict.testimony.results:
                if result.outcome is Outcome.FAIL:
                    yield verdict, result
