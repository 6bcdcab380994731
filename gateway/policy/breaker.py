from dataclasses import dataclass
from math import inf
from typing import Literal

from gateway.config.resilience import BreakerSettings
from gateway.policy.harms import Harm
from gateway.policy.tally import Tally

BreakerState = Literal["closed", "open", "half_open"]
Admission = Literal["freely", "as_trial", "no"]

# Many failures are over in a moment, so the first probe does not wait for its turn.
_FIRST_PROBE_S = 1.0
# What takes longer has made its caller wait.
_FAST_S = 1.0
# Hardly a request takes longer. A trial that does, or is lost, keeps the next one off no more.
_LONGEST_REQUEST_S = 120.0


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """The permission for one request to find out whether a target is well again; its result is noted with it."""

    began_s: float


class Breaker:
    """Watches one target (a provider and its upstream model), and says when it is better left alone.

    Closed: all requests are admitted. Open: none is, until a probe succeeds. Half-open: one request is, as a trial,
    and its result closes or opens. All moments are monotonic seconds that the caller hands in.

    Every request is noted once it has ended. While the breaker is not closed only trials count. What was begun before
    it last opened tells of a time that is past: it neither closes nor prolongs, nor opens again what has recovered.

    Besides, a target may rest because it has asked for that; to rest is no illness.
    """

    def __init__(self, settings: BreakerSettings) -> None:
        self._settings = settings
        self._tally = Tally(settings.window_s)
        self._in_a_row = 0
        self._state: BreakerState = "closed"
        self._since_s: float | None = None
        self._opened_s = -inf
        self._probe_due_s = inf
        self._hold_s = settings.probe_interval_s
        self._rests_until_s = -inf
        self._trial: Trial | None = None

    @property
    def state(self) -> BreakerState:
        return self._state

    @property
    def since_s(self) -> float | None:
        """When the state began; None for a breaker that has never opened."""
        return self._since_s

    @property
    def probe_due_s(self) -> float | None:
        """When the target is to be probed next, by a call that costs no tokens; None unless open."""
        return self._probe_due_s if self._state == "open" else None

    def admits(self, now_s: float) -> Admission:
        if self._state == "closed":
            return "freely"
        return "as_trial" if self._state == "half_open" and self.trial_is_free(now_s) else "no"

    def resting(self, now_s: float) -> bool:
        return now_s < self._rests_until_s

    def retry_at_s(self, now_s: float) -> float:
        """Estimates when it is worth asking the target again: now, or later."""
        at_s = max(now_s, self._rests_until_s)
        if self._state == "open":
            return max(at_s, self._probe_due_s)
        if self.admits(now_s) == "no":
            return max(at_s, now_s + self._first_probe_s)
        return at_s

    def is_idle(self, now_s: float) -> bool:
        """Tells that a new breaker would do as well, so that this one can be forgotten.

        After an outage it is not until the requests that were on their way have ended, as it alone can tell these.
        """
        if self._state != "closed" or self.resting(now_s) or not self.trial_is_free(now_s):
            return False
        return now_s - self._opened_s >= _LONGEST_REQUEST_S and self._tally.counts(now_s)[1] == 0

    def trial_is_free(self, now_s: float) -> bool:
        """Tells that no trial is on its way; then one may be made of an open breaker too, where nobody else is left."""
        return self._trial is None or now_s - self._trial.began_s >= _LONGEST_REQUEST_S

    def begin_trial(self, now_s: float) -> Trial | None:
        """Gives the permission for the one trial; None where it is taken."""
        if not self.trial_is_free(now_s):
            return None
        self._trial = Trial(now_s)
        return self._trial

    def abandon_trial(self, trial: Trial | None) -> None:
        """Ends a trial that says nothing, as when its caller has left."""
        if trial is not None and self._trial is trial:
            self._trial = None

    def note_success(self, now_s: float, trial: Trial | None = None) -> None:
        self.abandon_trial(trial)
        if self._state == "closed":
            self._in_a_row = 0
            self._tally.note(failed=False, now_s=now_s)
        elif trial and trial.began_s >= self._opened_s:
            self._close(now_s)

    def note_failure(self, harm: Harm, now_s: float, waited_s: float, trial: Trial | None = None) -> None:
        """Notes a failure, and how long ago the target was asked."""
        self.abandon_trial(trial)
        began_s = trial.began_s if trial else now_s - waited_s
        if harm == "none" or began_s < self._opened_s:
            return
        if self._state == "closed":
            self._count_failure(harm, now_s)
        elif self._state == "half_open" and trial:
            self._reopen(now_s, waited_s)

    def note_probe(self, *, ok: bool, now_s: float) -> None:
        """Notes what a probe has shown.

        While closed it counts for nothing, as traffic tells more; while open only once it was due.
        """
        if self._state == "half_open" and not ok:
            self._leave_alone(now_s, self._settings.probe_interval_s)
        elif self._state == "open" and now_s >= self._probe_due_s:
            if ok:
                self._enter("half_open", now_s)
            else:
                self._probe_due_s = now_s + self._settings.probe_interval_s

    def rest_until(self, until_s: float) -> None:
        """Notes that the target asks for no requests until then; of several such moments the latest holds."""
        self._rests_until_s = max(self._rests_until_s, until_s)

    def lift(self, now_s: float) -> None:
        """Lets a trial through at once and ends the rest, as an operator has asked for the target."""
        self._rests_until_s = -inf
        if self._state == "open":
            self._enter("half_open", now_s)

    @property
    def _first_probe_s(self) -> float:
        return min(_FIRST_PROBE_S, self._settings.probe_interval_s)

    def _count_failure(self, harm: Harm, now_s: float) -> None:
        _, failures = self._tally.counts(now_s)
        self._in_a_row = self._in_a_row + 1 if failures else 1
        self._tally.note(failed=True, now_s=now_s)
        if harm == "opens" or self._in_a_row >= self._settings.failures or self._fails_too_often(now_s):
            self._opened_s = now_s
            self._leave_alone(now_s, self._first_probe_s)

    def _fails_too_often(self, now_s: float) -> bool:
        requests, failures = self._tally.counts(now_s)
        return requests >= self._settings.min_requests and failures >= self._settings.failure_rate * requests

    def _reopen(self, now_s: float, waited_s: float) -> None:
        """Leaves the target alone again; for longer each time that a trial has cost its caller a wait."""
        interval_s = self._settings.probe_interval_s
        longer_s = max(interval_s, min(self._hold_s * 2, self._settings.max_hold_s))
        self._hold_s = longer_s if waited_s > _FAST_S else interval_s
        self._opened_s = now_s
        self._leave_alone(now_s, self._hold_s)

    def _close(self, now_s: float) -> None:
        self._enter("closed", now_s)
        self._tally.clear()
        self._hold_s = self._settings.probe_interval_s

    def _leave_alone(self, now_s: float, probe_in_s: float) -> None:
        self._enter("open", now_s)
        self._probe_due_s = now_s + probe_in_s

    def _enter(self, state: BreakerState, now_s: float) -> None:
        self._state = state
        self._since_s = now_s
