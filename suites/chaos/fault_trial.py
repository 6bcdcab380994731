"""How one case of the matrix is tried: a steady state before, the fault, and the steady state again."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from fixtures.exchange import Transcript
from fixtures.faults import Fault
from fixtures.simulators.journal import Journal
from fixtures.simulators.steps import Chain, Stall
from suites.chaos.fault_asking import Asker
from suites.chaos.fault_ground import PROBE_INTERVAL_S, SAID, TOKENS
from suites.chaos.fault_judging import Met, problem_with
from suites.chaos.fault_table import Case, Hold
from suites.chaos.pacing import ask_until

BACK_WITHIN_S = PROBE_INTERVAL_S + 1
ENDED_WITHIN_S = 1.0
"""How soon after a caller's connection has failed nothing may be done for it any more."""

PAUSED_AFTER = 12
"""How many tokens have left when an answer pauses."""

_BEGUN_WITHIN_S = 5.0

Seen = Transcript | Journal
"""Where an answer can be seen to grow, by whoever waits for that."""


@dataclass(slots=True)
class Trial:
    """One case on its site.

    `met` are the requests that the fault acted on, `back_s` is how long after it the first provider answered again, and
    `problems` are what speaks against the gateway.
    """

    asker: Asker
    met: list[Met] = field(default_factory=list)
    back_s: float | None = None
    problems: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Try the case from its beginning to its end."""
        row = self._case.row
        if row.address is None:
            self._demand("before the fault", "harmless", self.asker.ask())
        for _round in range(row.rounds):
            self._strike()
            if row.rounds > 1:
                self._demand("between two faults", "answered", self.asker.ask())
        if row.then:
            with self._held(row.further_faults, "getting well"):
                self._demand("while it gets well", "answered", self.asker.ask())
        if row.address is None:
            self._wait_until_steady()
        else:
            self._demand("afterwards", "replaced", self.asker.ask())
        self.asker.collect()

    @property
    def _case(self) -> Case:
        return self.asker.site.case

    def _strike(self) -> None:
        """Let the fault act on one request."""
        row = self._case.row
        if row.when == "before":
            with self._fault():
                self._judge(self.asker.ask())
            return
        self.asker.site.track.providers[0].script(Chain(SAID, Stall(PAUSED_AFTER, row.pause_s)))
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(self.asker.ask)
            self._wait_until_it_pauses(asking)
            with self._fault():
                self._judge(asking.result())

    def _judge(self, met: Met) -> None:
        row, hold = self._case.row, self._case.hold
        self.met.append(met)
        told = problem_with(met, hold, row.at_least_s, row.within_s)
        self.problems += [f"while the fault acts: {each}" for each in told]
        if hold == "broken":
            self._require_nothing_goes_on(met.heard.ended_s)

    @contextmanager
    def _fault(self) -> Iterator[None]:
        """Hold everything in the fault; afterwards all is as it was before, and the links have been checked."""
        row, site = self._case.row, self.asker.site
        with self._held(self._case.faults, row.name):
            for place in row.places if row.steps else ():
                site.spoil(place, row.entries)
            try:
                yield
            finally:
                site.heal()

    @contextmanager
    def _held(self, faults: Sequence[Fault], name: str) -> Iterator[None]:
        door, site = self.asker.door, self.asker.site
        links = [door] if door else list(site.links.values())
        with ExitStack() as stack:
            for where in ("caller",) if door else site.struck:
                stack.enter_context(self.asker.recorder.band(name, where))
            for link in links if faults else ():
                stack.enter_context(link.inject(*faults))
            yield

    def _wait_until_it_pauses(self, asking: Future[Met]) -> None:
        """Return once half an answer is there: at its caller, or where it is put together."""
        seen = self._where_it_is_seen()
        asking.add_done_callback(lambda _asking: seen.notify())
        has_begun = seen.wait_until(lambda: self._is_half_there() or asking.done(), _BEGUN_WITHIN_S)
        assert has_begun, "the answer does not begin"
        assert not asking.done(), f"the answer was over before the fault: {asking.result().heard}"

    def _where_it_is_seen(self) -> Seen:
        at_caller, at_provider = self.asker.gateway.notes.transcript, self.asker.site.track.world.journal
        return at_caller if self._case.stream else at_provider

    def _is_half_there(self) -> bool:
        if self._case.stream:
            return self.asker.has_heard(TOKENS[PAUSED_AFTER - 1].strip())
        return any(call.outcome == "open" and call.bytes_sent for call in self.asker.site.calls())

    def _wait_until_steady(self) -> None:
        """Ask until the first provider answers again; meanwhile no request may go unanswered."""
        began_s = time.monotonic()
        _met, is_back = ask_until(self._ask_after_the_fault, _is_of_the_first, began_s + BACK_WITHIN_S)
        took_s = time.monotonic() - began_s
        if is_back:
            self.back_s = took_s
        else:
            self.problems.append(f"the first provider does not answer {took_s:.2f} s after the fault")

    def _ask_after_the_fault(self) -> Met:
        met = self.asker.ask()
        if not _is_of_the_first(met):
            self._demand("after the fault", "answered" if len(met.texts) > 1 else "ends", met)
        return met

    def _require_nothing_goes_on(self, ended_s: float) -> None:
        left_s = max(0.0, ended_s + ENDED_WITHIN_S - time.monotonic())
        if not self.asker.site.track.world.journal.wait_until(self._is_over, left_s):
            self.problems.append(f"a call goes on {ENDED_WITHIN_S:g} s after its caller's connection failed")

    def _is_over(self) -> bool:
        return all(call.outcome != "open" for call in self.asker.site.calls())

    def _demand(self, when: str, hold: Hold, met: Met) -> None:
        self.problems += [f"{when}: {each}" for each in problem_with(met, hold)]


def _is_of_the_first(met: Met) -> bool:
    return met.by == 1
