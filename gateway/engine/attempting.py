from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from gateway.engine.attempts import Attempt, Decision
from gateway.engine.calls import Order, Request, Result, Served
from gateway.engine.health import Health
from gateway.kernel.clock import Clock
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.policy.breaker import Trial
from gateway.policy.fallback import Candidate
from gateway.policy.stated_wait import stated_wait_s


class Choice(NamedTuple):
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
            raise ProviderError(self.fail(order, attempt, error.failure)) from error
        except BaseException:  # the caller has left or another was faster: it says nothing of this one
            self.cancel(attempt)
            raise
        attempt.end("answered", self.clock.monotonic_s())
        return served, attempt

    def accept(self, order: Order[Request], attempt: Attempt) -> None:
        """Notes whose answer the caller gets, be it whole or but a stream that has begun."""
        order.account.note_answer(attempt.candidate)
        self.health.note_answering(attempt)

    def finish(self, attempt: Attempt) -> None:
        """Notes that an answer is there to its end."""
        attempt.end("answered", self.clock.monotonic_s())
        self.health.note_success(attempt)

    def discard(self, attempt: Attempt) -> None:
        """Notes that an answer came too late to be wanted; the target is well all the same."""
        attempt.end("cancelled", self.clock.monotonic_s())
        self.health.note_answering(attempt)

    def cancel(self, attempt: Attempt) -> None:
        """Notes that nobody wants the answer any more, for which the target is not to blame."""
        attempt.end("cancelled", self.clock.monotonic_s())
        self.health.abandon(attempt)

    def fail(self, order: Order[Request], attempt: Attempt, failure: ProviderFailure) -> ProviderFailure:
        """Notes a failure, be it of a stream that has begun, and returns it with the wait that it asks for."""
        if failure.wait_s is None and failure.retry_after:  # told by an error inside of an answer
            failure = replace(failure, wait_s=stated_wait_s({}, failure.retry_after, self.clock.now()))
        attempt.end("failed", self.clock.monotonic_s(), failure)
        order.account.note_failure(attempt.candidate, failure)
        self.health.note_failure(attempt, failure)
        return failure
