"""The breaker under any sequence of events, against what must always hold."""

from hypothesis import settings as profile
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.config.resilience import BreakerSettings
from gateway.policy.breaker import Breaker, Trial
from gateway.policy.harms import Harm

HARMS: list[Harm] = ["opens", "counts", "none"]


class BreakerMachine(RuleBasedStateMachine):
    """Requests, trials, probes and rests in any order, under a clock that never goes back."""

    @initialize(
        failures=some.integers(1, 4),
        interval_s=some.sampled_from([0.05, 1.0, 5.0]),
        max_hold_s=some.sampled_from([0.01, 5.0, 60.0]),
    )
    def begin(self, failures: int, interval_s: float, max_hold_s: float) -> None:
        self.settings = BreakerSettings(
            failures=failures, min_requests=4, probe_interval_s=interval_s, max_hold_s=max_hold_s, window_s=10
        )
        self.breaker = Breaker(self.settings)
        self.now_s = 1000.0
        self.requests: list[float] = []
        self.trials: list[Trial] = []

    @rule(passed_s=some.sampled_from([0.001, 0.5, 1.0, 7.0, 61.0, 200.0]))
    def wait(self, passed_s: float) -> None:
        self.now_s += passed_s

    @rule()
    def ask(self) -> None:
        admission = self.breaker.admits(self.now_s)
        if admission == "freely":
            self.requests.append(self.now_s)
        elif admission == "as_trial":
            self._try()

    @precondition(lambda self: self.breaker.state == "open")
    @rule()
    def ask_as_last_resort(self) -> None:
        if self.breaker.trial_is_free(self.now_s):
            self._try()
        else:
            assert self.breaker.begin_trial(self.now_s) is None

    def _try(self) -> None:
        assert all(self.now_s - trial.began_s >= 120 for trial in self.trials)
        trial = self.breaker.begin_trial(self.now_s)
        assert trial
        self.trials = [trial]

    @precondition(lambda self: self.requests)
    @rule(ok=some.booleans(), harm=some.sampled_from(HARMS), data=some.data())
    def end_request(self, ok: bool, harm: Harm, data: some.DataObject) -> None:  # noqa: FBT001  Hypothesis names it
        before = self.breaker.state, self.breaker.probe_due_s
        began_s = data.draw(some.sampled_from(self.requests))
        self.requests.remove(began_s)
        if ok:
            self.breaker.note_success(self.now_s)
        else:
            self.breaker.note_failure(harm, self.now_s, self.now_s - began_s)
        assert before[0] == "closed" or before == (self.breaker.state, self.breaker.probe_due_s)

    @precondition(lambda self: self.trials)
    @rule(ok=some.booleans(), harm=some.sampled_from(HARMS))
    def end_trial(self, ok: bool, harm: Harm) -> None:  # noqa: FBT001  Hypothesis names it
        trial = self.trials.pop()
        if ok:
            self.breaker.note_success(self.now_s, trial)
        else:
            self.breaker.note_failure(harm, self.now_s, self.now_s - trial.began_s, trial)
        assert self.breaker.state == "closed" or not ok
        assert self.breaker.trial_is_free(self.now_s)

    @precondition(lambda self: self.trials)
    @rule()
    def leave_trial(self) -> None:
        self.breaker.abandon_trial(self.trials.pop())
        assert self.breaker.trial_is_free(self.now_s)

    @rule(ok=some.booleans())
    def probe(self, ok: bool) -> None:  # noqa: FBT001  Hypothesis names it
        self.breaker.note_probe(ok=ok, now_s=self.now_s)

    @rule(rest_s=some.floats(-10, 100))
    def rest(self, rest_s: float) -> None:
        self.breaker.rest_until(self.now_s + rest_s)
        assert self.breaker.resting(self.now_s) >= (rest_s > 0.001)

    @invariant()
    def is_probed_whenever_it_is_open(self) -> None:
        due_s = self.breaker.probe_due_s
        assert (due_s is not None) == (self.breaker.state == "open")
        longest_s = max(self.settings.probe_interval_s, self.settings.max_hold_s)
        assert due_s is None or due_s <= self.now_s + longest_s

    @invariant()
    def never_sends_callers_into_the_past(self) -> None:
        assert self.breaker.retry_at_s(self.now_s) >= self.now_s

    @invariant()
    def is_idle_only_when_closed(self) -> None:
        assert self.breaker.state == "closed" or not self.breaker.is_idle(self.now_s)

    def teardown(self) -> None:
        """However it has fared, it recovers: after a good probe and a good trial everybody is admitted."""
        now_s = max(self.now_s + 200, self.breaker.probe_due_s or 0)
        self.breaker.note_probe(ok=True, now_s=now_s)
        if self.breaker.state == "half_open":
            self.breaker.note_success(now_s, self.breaker.begin_trial(now_s))
        assert self.breaker.admits(now_s) == "freely"


TestBreakerStates = BreakerMachine.TestCase
TestBreakerStates.settings = profile(max_examples=60, stateful_step_count=40, deadline=None)
