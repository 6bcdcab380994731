"""The verdict on one case: what spoke against the gateway in its course, and what the rules find in its history."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from fixtures.capabilities import NotRunError
from fixtures.faults import Fault, Proxies
from fixtures.history import Bounds, History, HistoryRecorder, from_gateway_log, header_now, request_ids
from fixtures.history.checkers import Finding, check_all
from fixtures.stage import Connection
from suites.chaos.fault_asking import Asker
from suites.chaos.fault_ground import PROBE_INTERVAL_S, Ground
from suites.chaos.fault_table import Case, Row
from suites.chaos.fault_trial import Trial
from suites.chaos.hearing import End
from suites.chaos.rerouting import host_of

HISTORIES = Path("build", "chaos", "faults")

RULES = (
    "well_formed",
    "answered_once",
    "no_truncated_success",
    "no_foreign_bytes",
    "attempts_within",
    "cancelled_in_time",
    "recovered_in_time",
    "no_secret_seen",
)
"""The rules that hold for every case, whatever it expects."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A case that has been tried."""

    case: Case
    trial: Trial
    history: History
    findings: tuple[Finding, ...]

    @property
    def outcomes(self) -> tuple[tuple[End, int | None], ...]:
        """How each request ended that the fault acted on, and who answered it."""
        return tuple((met.heard.end, met.by) for met in self.trial.met)

    @property
    def path(self) -> Path:
        """Where its history is kept."""
        return HISTORIES / f"{self.case.id}.jsonl"

    @property
    def objections(self) -> list[str]:
        """What speaks against the gateway; empty where nothing does."""
        found = (f"{each.rule}: {each.request or ''} {each.text}" for each in self.findings)
        return [*self.trial.problems, *found]

    def keep(self, gateway: Connection) -> None:
        """Save the history with what the gateway's log says of it, and draw it for the report."""
        log, notes = gateway.target.read_log, gateway.notes
        events = from_gateway_log(log(), self.history.header, request_ids(self.history)) if log else ()
        whole = self.history.and_(events)
        whole.save(self.path, notes.mask)
        notes.timeline(whole, self.findings, file=str(self.path))


def _demand(row: Row, faults: Iterable[Fault], proxies: Proxies) -> None:
    if row.only_own and proxies.kind != "gauntlet":
        raise NotRunError(f"only over the harness's own fault proxy: {row.only_own}")
    for fault in (*faults, *row.further_faults):
        proxies.demand(fault)


def try_case(case: Case, ground: Ground, gateway: Connection, seed: int) -> Verdict:
    """Try one case on its site.

    Raises:
        NotRunError: the fault proxy cannot make its faults; nothing has been done.

    """
    _demand(case.row, case.faults, ground.proxies)
    bounds = Bounds(attempts=case.row.providers, probe_interval_s=PROBE_INTERVAL_S)
    recorder = HistoryRecorder(header_now(target=gateway.target.url, seed=seed, bounds=bounds, rules=RULES))
    with ExitStack() as stack:
        door = None
        if case.row.where == "caller":
            door = ground.proxies.create(host_of(ground.target.url))
            stack.callback(door.delete)
        trial = Trial(Asker(ground.sites[case.id], gateway, recorder, door))
        trial.run()
    history = recorder.history()
    return Verdict(case, trial, history, tuple(check_all(history.masked(gateway.notes.mask))))
