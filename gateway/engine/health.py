"""Which targets are well: what requests and probes have shown of them, and who is better left alone."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from gateway.config.resilience import BreakerSettings, HealthChecks
from gateway.engine.attempts import Attempt
from gateway.engine.probes import Probe
from gateway.kernel.clock import Clock
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderFailure
from gateway.kernel.logs import Log
from gateway.policy.breaker import Breaker, BreakerState, Trial
from gateway.policy.fallback import Candidate
from gateway.policy.harms import harm_of

Admission = Literal["freely", "as_trial", "resting", "no"]
Target = tuple[str, str]
"""The name of a provider, and its own name of a model."""

# Callers may make up names of models where any is served; no more targets than this are kept in mind.
_MOST_TARGETS = 1_000

# Who asks for a longer rest is taken to be mistaken: it may be the only one that can answer.
_LONGEST_REST_S = 3_600.0

_SLOW = ProviderFailure(reason=ReasonCode.TIMEOUT, detail="Another target that was asked later was faster.")


@dataclass(slots=True)
class Trouble:
    """A target that has failed lately: its breaker, and how it failed last."""

    breaker: Breaker
    cause: ProviderFailure


@dataclass(frozen=True, slots=True)
class TroubleReport:
    """What an operator is told of a target in trouble; `for_s` is how long it has been in this state."""

    model: str
    state: BreakerState
    for_s: float
    reason: ReasonCode


class Health:
    """The health of every target; only those that have failed lately take memory or time."""

    def __init__(self, settings: BreakerSettings, checks: HealthChecks, clock: Clock, log: Log) -> None:
        self._settings = settings
        self._checks = checks
        self._clock = clock
        self._log = log
        self._troubles: dict[Target, Trouble] = {}
        self._failed_probes: dict[str, int] = {}
        self._offline: dict[str, ProviderFailure] = {}
        self.wakes: Mapping[str, asyncio.Event] = defaultdict(asyncio.Event)

    def admits(self, candidate: Candidate) -> Admission:
        """Says whether a target may be asked: freely, to find out whether it is well, or rather not."""
        is_offline = candidate.provider.name in self._offline
        trouble = self._troubles.get(_target(candidate))
        if trouble is None:
            return "no" if is_offline else "freely"
        now_s = self._clock.monotonic_s()
        if trouble.breaker.resting(now_s):
            return "resting"
        return "no" if is_offline else trouble.breaker.admits(now_s)

    def begin_trial(self, candidate: Candidate) -> Trial | None:
        """Gives the permission for the one trial at a time, None where it is taken."""
        breaker = self._trouble(candidate, _unknown()).breaker
        now_s = self._clock.monotonic_s()
        return breaker.begin_trial(now_s) if breaker.trial_is_free(now_s) else None

    def permit(self, candidate: Candidate) -> Trial | None:
        """Gives the permission that another attempt at the same target needs for its result to count."""
        trouble = self._troubles.get(_target(candidate))
        return None if trouble is None or trouble.breaker.state == "closed" else self.begin_trial(candidate)

    def cause(self, candidate: Candidate) -> ProviderFailure:
        """Returns why a target is not asked freely."""
        trouble = self._troubles.get(_target(candidate))
        return self._offline.get(candidate.provider.name) or (trouble.cause if trouble else _unknown())

    def why(self, candidate: Candidate) -> ProviderFailure:
        """Says of a target that is left alone why, and when it is worth asking again."""
        cause, trouble = self.cause(candidate), self._troubles.get(_target(candidate))
        now_s = self._clock.monotonic_s()
        wait_s = trouble.breaker.retry_at_s(now_s) - now_s if trouble else self._checks.interval_s
        if cause.reason is ReasonCode.RATE_LIMITED:
            return replace(cause, wait_s=wait_s, retry_after=str(max(1, ceil(wait_s))))
        return ProviderFailure(
            reason=ReasonCode.PROVIDER_OFFLINE,
            detail=f"It is left alone after {cause.reason}: {cause.detail}",
            wait_s=wait_s,
            retry_after=str(max(1, ceil(wait_s))),
        )

    def note_answering(self, attempt: Attempt) -> None:
        """Notes that a stream has begun: enough for a trial, too early for anything else."""
        if attempt.trial:
            self.note_success(attempt)

    def note_success(self, attempt: Attempt) -> None:
        candidate = attempt.candidate
        if self._failed_probes:
            self._note_there(candidate.provider.name)
        target = _target(candidate)
        trouble = self._troubles.get(target)
        if trouble is None:
            return
        now_s = self._clock.monotonic_s()
        before = trouble.breaker.state
        trouble.breaker.note_success(now_s, attempt.trial)
        self._tell(candidate, trouble, before)
        if trouble.breaker.is_idle(now_s):
            del self._troubles[target]

    def note_failure(self, attempt: Attempt, failure: ProviderFailure) -> None:
        harm = harm_of(failure.reason)
        rests = failure.reason is ReasonCode.RATE_LIMITED and failure.wait_s is not None
        if not self._settings.enabled or (harm == "none" and not rests):
            self.abandon(attempt)
            return
        candidate, now_s = attempt.candidate, self._clock.monotonic_s()
        trouble = self._trouble(candidate, failure)
        before = trouble.breaker.state
        if failure.wait_s is not None and rests:
            trouble.breaker.rest_until(now_s + min(failure.wait_s, _LONGEST_REST_S))
        trouble.cause = failure
        trouble.breaker.note_failure(harm, now_s, now_s - attempt.began_s, attempt.trial)
        self._tell(candidate, trouble, before)

    def note_slow(self, attempt: Attempt) -> None:
        """Notes that another target was faster though it was asked later."""
        if self._settings.enabled:
            now_s, trouble = self._clock.monotonic_s(), self._trouble(attempt.candidate, _SLOW)
            before, trouble.cause = trouble.breaker.state, _SLOW
            trouble.breaker.note_failure("counts", now_s, now_s - attempt.began_s, attempt.trial)
            self._tell(attempt.candidate, trouble, before)

    def abandon(self, attempt: Attempt) -> None:
        """Notes that an attempt has ended without telling anything."""
        trouble = self._troubles.get(_target(attempt.candidate))
        if trouble and attempt.trial:
            trouble.breaker.abandon_trial(attempt.trial)

    def probe_due_s(self, provider: str) -> float | None:
        """Returns when a provider must be probed to bring back what is left alone; None where nothing is."""
        dues = (trouble.breaker.probe_due_s for _model, trouble in self._of(provider))
        return min((due_s for due_s in dues if due_s is not None), default=None)

    def note_probe(self, provider: str, probe: Probe, began_s: float) -> None:
        """Notes what a call that costs no tokens, begun at that moment, has shown of a provider."""
        well = probe.is_well
        for model, trouble in self._of(provider):
            served = probe.models is None or model in probe.models
            missing = trouble.cause.reason is ReasonCode.MODEL_UNAVAILABLE and not served
            trouble.breaker.note_probe(ok=well and not missing, now_s=began_s)
        if well:
            self._note_there(provider)
        elif self._checks.enabled:
            self._note_failed_probe(provider, probe)

    def _note_there(self, provider: str) -> None:
        self._failed_probes.pop(provider, None)
        if self._offline.pop(provider, None):
            self._log.info("provider is back", provider=provider)

    def _note_failed_probe(self, provider: str, probe: Probe) -> None:
        self._failed_probes[provider] = self._failed_probes.get(provider, 0) + 1
        if self._failed_probes[provider] >= self._checks.failures and probe.failure:
            if provider not in self._offline:
                self._log.warning("provider is offline", provider=provider, reason_code=probe.failure.reason)
            self._offline[provider] = probe.failure

    def lift(self, provider: str) -> None:
        """Lets the targets of a provider be tried at once, as an operator wants it to be asked."""
        self._note_there(provider)
        for _model, trouble in self._of(provider):
            trouble.breaker.lift(self._clock.monotonic_s())

    def is_offline(self, provider: str) -> bool:
        return provider in self._offline

    def report(self, provider: str) -> list[TroubleReport]:
        """Lists the targets of a provider that are left alone or on trial."""
        now_s = self._clock.monotonic_s()
        return [
            TroubleReport(
                model, trouble.breaker.state, now_s - (trouble.breaker.since_s or now_s), trouble.cause.reason
            )
            for model, trouble in self._of(provider)
            if trouble.breaker.state != "closed"
        ]

    def _of(self, provider: str) -> Iterator[tuple[str, Trouble]]:
        return ((model, trouble) for (name, model), trouble in self._troubles.items() if name == provider)

    def _trouble(self, candidate: Candidate, cause: ProviderFailure) -> Trouble:
        target = _target(candidate)
        if target not in self._troubles:
            if len(self._troubles) >= _MOST_TARGETS:
                self._forget_some()
            self._troubles[target] = Trouble(Breaker(self._settings), cause)
        return self._troubles[target]

    def _forget_some(self) -> None:
        """Makes room for many, as it takes its time: of those that matter least the oldest go first."""
        now_s = self._clock.monotonic_s()

        def worth(target: Target) -> tuple[bool, bool]:
            breaker = self._troubles[target].breaker
            return not breaker.is_idle(now_s), breaker.state != "closed"

        for target in sorted(self._troubles, key=worth)[: _MOST_TARGETS // 10]:
            del self._troubles[target]

    def _tell(self, candidate: Candidate, trouble: Trouble, before: BreakerState) -> None:
        state = trouble.breaker.state
        if state == before:
            return
        names = {"provider": candidate.provider.name, "model": candidate.model.name}
        if state == "open":
            self._log.warning("target is left alone", **names, reason_code=trouble.cause.reason)
            self.wakes[candidate.provider.name].set()
        elif state == "closed":
            self._log.info("target is back", **names)


def _target(candidate: Candidate) -> Target:
    return candidate.provider.name, candidate.model.upstream_model


def _unknown() -> ProviderFailure:
    return ProviderFailure(reason=ReasonCode.PROVIDER_OFFLINE, detail="Its health checks fail.")
