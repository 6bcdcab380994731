from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.engine.attempts import Attempt, Decision
from gateway.engine.calls import Order, Request, Result, Served
from gateway.engine.health import Health
from gateway.kernel.clock import Clock
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.policy.breaker import Trial
from gateway.policy.fallback import Candidate


@dataclass(frozen=True, slots=True)
class Choice:
    """Whom to ask, why, and with which permission if the target was left alone."""

    candidate: Candidate
    decision: Decision
    trial: Trial | None = None


Call = Callable[[Order[Request], Candidate], Awaitable[Served[Result]]]


@dataclass(frozen=True, slots=True)
class Attempting:
    """Makes attempts, and lets everybody know how they ended who has to: trail, account and health."""

    health: Health
    clock: Clock

    async def make(
        self, order: Order[Request], choice: Choice, call: Call[Request, Result]
    ) -> tuple[Served[Result], Attempt]:
        """Calls a target once; raises ProviderError where it fails."""
        attempt = order.trail.begin(choice.candidate, choice.decision, choice.trial)
        order.account.note_attempt()
        try:
            served = await call(order, choice.candidate)
        except ProviderError as error:
            self.fail(order, attempt, error.failure)
            raise
        except (
            BaseException
        ):  # the caller has left, or another target was faster: it says nothing of this one
            self.cancel(attempt)
            raise
        attempt.end("answered", self.clock.monotonic_s())
        order.account.note_answer(choice.candidate)
        return served, attempt

    def cancel(self, attempt: Attempt) -> None:
        """Notes that nobody wants the answer any more, for which the target is not to blame."""
        attempt.end("cancelled", self.clock.monotonic_s())
        self.health.abandon(attempt)

    def fail(self, order: Order[Request], attempt: Attempt, failure: ProviderFailure) -> None:
        """Notes a failure, that of a stream which has begun to answer too."""
        attempt.end("failed", self.clock.monotonic_s(), failure)
        order.account.note_failure(attempt.candidate, failure)
        self.health.note_failure(attempt, failure)
