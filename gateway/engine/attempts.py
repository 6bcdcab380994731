"""Who was asked for a request, why, and what became of it: recorded as it happens, to be read afterwards."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.kernel.clock import Clock
from gateway.kernel.errors import ProviderFailure
from gateway.policy.breaker import Trial
from gateway.policy.fallback import Candidate

Decision = Literal[
    "primary", "retry", "fallback", "trial", "hedge", "last_resort", "replay", "continue", "passed_over"
]
"""Why a target was asked.

`primary`: it stands first. `retry`: the same one again. `fallback`: the one before failed, or is left alone.
`trial`: it was left alone and may be well again. `hedge`: the one before takes its time. `last_resort`: it is left
alone, but so is everyone else. `replay`, `continue`: another one's stream broke off. `passed_over`: it was not asked.
"""

Outcome = Literal["open", "answered", "failed", "cancelled", "passed_over"]


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One call to a target, or the decision against one; times are monotonic seconds."""

    number: int
    candidate: Candidate
    decision: Decision
    began_s: float
    ended_s: float | None = None
    outcome: Outcome = "open"
    failure: ProviderFailure | None = None
    trial: Trial | None = None

    def end(self, outcome: Outcome, now_s: float, failure: ProviderFailure | None = None) -> None:
        """Notes how it ended; a stream that was answered may still fail, anything else has ended for good."""
        if self.outcome in {"open", "answered"}:
            self.outcome, self.ended_s, self.failure = outcome, now_s, failure


class Trail:
    """The attempts of one request."""

    def __init__(self, request_id: str, model: str, *, stream: bool, clock: Clock) -> None:
        self.request_id = request_id
        self.model = model
        self.stream = stream
        self.began_s = clock.monotonic_s()
        self.attempts: list[Attempt] = []
        self._clock = clock

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return sum(attempt.decision != "passed_over" for attempt in self.attempts)

    def since_start_ms(self, moment_s: float) -> float:
        return round((moment_s - self.began_s) * 1000, 3)

    def calls_to(self, candidate: Candidate) -> int:
        """How many of them were made to this target."""
        return sum(each.candidate is candidate and each.decision != "passed_over" for each in self.attempts)

    def latest_of(self, candidate: Candidate) -> Attempt:
        """Returns the last attempt at a target; there must be one."""
        return next(each for each in reversed(self.attempts) if each.candidate is candidate)

    def begin(self, candidate: Candidate, decision: Decision, trial: Trial | None = None) -> Attempt:
        attempt = Attempt(
            number=len(self.attempts) + 1,
            candidate=candidate,
            decision=decision,
            began_s=self._clock.monotonic_s(),
            trial=trial,
        )
        self.attempts.append(attempt)
        return attempt

    def pass_over(self, candidate: Candidate, failure: ProviderFailure) -> Attempt:
        """Notes that a target was left alone, and why."""
        decision = self.begin(candidate, "passed_over")
        decision.end("passed_over", self._clock.monotonic_s(), failure)
        return decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """One change from a target that failed to another."""

    at: datetime
    request_id: str
    from_candidate: Candidate
    to_candidate: Candidate
    failure: ProviderFailure


_TRAILS_KEPT = 1_000
_FALLBACKS_KEPT = 100


class TrailLog:
    """The trails of the latest requests, and the latest fallbacks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._trails: OrderedDict[str, Trail] = OrderedDict()
        self._fallbacks: deque[Fallback] = deque(maxlen=_FALLBACKS_KEPT)

    def open(self, request_id: str, model: str, *, stream: bool) -> Trail:
        trail = self._trails[request_id] = Trail(request_id, model, stream=stream, clock=self._clock)
        self._trails.move_to_end(request_id)  # callers may use an id twice
        if len(self._trails) > _TRAILS_KEPT:
            self._trails.popitem(last=False)
        return trail

    def find(self, request_id: str) -> Trail | None:
        return self._trails.get(request_id)

    def note_fallback(self, trail: Trail, failed: Attempt, candidate: Candidate) -> None:
        assert failed.failure is not None
        self._fallbacks.append(
            Fallback(
                at=self._clock.now(),
                request_id=trail.request_id,
                from_candidate=failed.candidate,
                to_candidate=candidate,
                failure=failed.failure,
            )
        )

    def latest_fallbacks(self) -> Iterator[Fallback]:
        """Yields the latest first."""
        return reversed(self._fallbacks)
