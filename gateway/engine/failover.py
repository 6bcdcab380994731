"""The choice of who answers: one target after the other, until one does or nobody is left."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Generic

from gateway.engine.attempting import Attempting, Call, Choice
from gateway.engine.attempts import Attempt, Decision, TrailLog
from gateway.engine.calls import Calls, Order, Request, Result, Served
from gateway.engine.hedging import Runner, next_to_end, withdraw
from gateway.engine.rescue import Leg, RescuedStream
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.policy.breaker import Trial
from gateway.policy.fallback import Candidate, outcome_of
from gateway.policy.retry import next_wait_s
from gateway.policy.triggers import moves_on
from gateway.schema.chat import ChatAnswer, ChatRequest
from gateway.schema.embeddings import EmbeddingAnswer, EmbeddingRequest

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """Finds the target that answers a request; `sleep` waits between attempts, `rng` spreads them."""

    calls: Calls
    attempting: Attempting
    trails: TrailLog
    rng: Random
    sleep: Sleep

    def answer(
        self, order: Order[ChatRequest], candidates: Sequence[Candidate]
    ) -> Coroutine[Any, Any, Served[ChatAnswer]]:
        """Returns the first whole answer; raises GatewayError where there is none."""
        return self._whole(order, Search(self, order, candidates, self.calls.ask))

    def embed(
        self, order: Order[EmbeddingRequest], candidates: Sequence[Candidate]
    ) -> Coroutine[Any, Any, Served[EmbeddingAnswer]]:
        """Returns the first vectors; raises GatewayError where there are none."""
        return self._whole(order, Search(self, order, candidates, self.calls.embed))

    async def open(self, order: Order[ChatRequest], candidates: Sequence[Candidate]) -> Served[RescuedStream]:
        """Returns the first stream that delivers content; raises GatewayError where none does."""
        search = Search(self, order, candidates, self.calls.start)
        served, attempt = await search.run()
        self.attempting.accept(order, attempt)
        start = served.result
        leg = Leg(start.stream, attempt)
        stream = RescuedStream(order, self.calls, self.attempting, leg, start.first_chunks, search.remaining)
        return Served(stream, served.candidate, served.limits, served.dropped)

    async def _whole(self, order: Order[Request], search: "Search[Request, Result]") -> Served[Result]:
        served, attempt = await search.run()
        self.attempting.accept(order, attempt)
        self.attempting.finish(attempt)
        return served


class Search(Generic[Request, Result]):
    """The search for the one answer to one request; `remaining` are the targets that were not asked yet."""

    def __init__(
        self,
        failover: Failover,
        order: Order[Request],
        candidates: Sequence[Candidate],
        call: Call[Request, Result],
    ) -> None:
        self._failover = failover
        self._health = failover.attempting.health
        self._order: Order[Request] = order
        self._call: Call[Request, Result] = call
        self._first = candidates[0]
        self.remaining = list(candidates)
        self._failures: list[ProviderFailure] = []
        self._last_failed: Attempt | None = None

    async def run(self) -> tuple[Served[Result], Attempt]:
        """Returns the answer and the attempt that brought it; raises GatewayError where there is none."""
        hedge_after_s = self._order.chain.hedge_after_s
        while choice := self._next():
            try:
                if hedge_after_s is None:
                    return await self._ask(choice)
                return await self._race(choice, hedge_after_s)
            except ProviderError as error:
                if not self._moves_on(error.failure):
                    raise
        raise outcome_of(self._failures, self._order.chain.triggers)

    def _next(self) -> Choice | None:
        """Chooses whom to ask: the first that is well, else one that is left alone; never one that wants to rest."""
        for place, candidate in enumerate(self.remaining, 1):
            match self._health.admits(candidate):
                case "freely":
                    return self._chosen(candidate, "primary" if candidate is self._first else "fallback")
                case "as_trial" if trial := self._health.begin_trial(candidate):
                    return self._chosen(candidate, "trial", trial)
                case _ if not self._moves_on(self._health.cause(candidate)):
                    return self._last_resort(self.remaining[:place])
        return self._last_resort(self.remaining)

    def _next_well(self) -> Choice | None:
        """Chooses whom to ask besides one that takes its time: nobody who is left alone."""
        for candidate in self.remaining:
            if self._health.admits(candidate) == "freely":
                return self._chosen(candidate, "hedge")
        return None

    def _last_resort(self, left_alone: Sequence[Candidate]) -> Choice | None:
        for candidate in left_alone:
            if self._health.admits(candidate) == "resting":
                continue
            if trial := self._health.begin_trial(candidate):
                return self._chosen(candidate, "last_resort", trial)
        self._failures += [self._health.why(candidate) for candidate in left_alone]
        self._pass_over(left_alone)
        self.remaining = []
        return None

    def _chosen(self, candidate: Candidate, decision: Decision, trial: Trial | None = None) -> Choice:
        place = self.remaining.index(candidate)
        if place:
            self._pass_over(self.remaining[:place])
        if self._last_failed and decision != "hedge":
            self._failover.trails.note_fallback(self._order.trail, self._last_failed, candidate)
        del self.remaining[place]
        return Choice(candidate, decision, trial)

    def _pass_over(self, candidates: Iterable[Candidate]) -> None:
        """Notes those who are left alone, once; they stay in the list as a last resort."""
        noted = {id(attempt.candidate) for attempt in self._order.trail.attempts}
        for candidate in candidates:
            if id(candidate) not in noted:
                self._last_failed = self._order.trail.pass_over(candidate, self._health.why(candidate))

    async def _ask(self, choice: Choice) -> tuple[Served[Result], Attempt]:
        """Asks one target, again if that is configured and may help; raises ProviderError."""
        retries = 0
        while True:
            try:
                return await self._failover.attempting.make(self._order, choice, self._call)
            except ProviderError as error:
                self._last_failed = self._order.trail.latest_of(choice.candidate)
                again = await self._again(choice.candidate, error.failure, retries)
                if again is None:
                    self._failures.append(error.failure)
                    raise
                choice, retries = again

    async def _again(
        self, candidate: Candidate, failure: ProviderFailure, retries: int
    ) -> tuple[Choice, int] | None:
        """Waits until the same target may be asked again; None where it may not, or where that would not help."""
        while (wait_s := self._wait_before_retry_s(failure, retries)) is not None:
            await self._failover.sleep(wait_s)
            retries += 1
            admission = self._health.admits(candidate)
            if admission != "resting":
                trial = self._health.permit(candidate)
                is_tried_by_others = admission != "freely" and trial is None
                if is_tried_by_others and self._somebody_is_well():
                    return None
                return Choice(candidate, "retry", trial), retries
            failure = self._health.why(candidate)  # meanwhile it has told others to wait for longer
        return None

    def _wait_before_retry_s(self, failure: ProviderFailure, retries: int) -> float | None:
        settings = self._order.chain.retries
        if retries >= settings.attempts:
            return None
        others_left = self._somebody_is_well()
        return next_wait_s(
            failure, failure.wait_s, retries, settings, self._failover.rng, others_left=others_left
        )

    async def _race(self, choice: Choice, hedge_after_s: float) -> tuple[Served[Result], Attempt]:
        """Asks one target, and the next one too where the first takes its time; whoever answers first wins."""
        attempting = self._failover.attempting
        runners = [asyncio.create_task(self._ask(choice))]
        try:
            winner = await self._winner(runners, hedge_after_s)
            self._blame_the_slower(winner.result()[1])
            await withdraw([runner for runner in runners if runner is not winner], attempting)
        except BaseException:  # the caller's leaving too, after which even the winner's answer is not wanted
            await withdraw(runners, attempting)
            raise
        return winner.result()

    async def _winner(self, runners: list[Runner[Result]], hedge_after_s: float) -> Runner[Result]:
        """Waits for an answer, and adds runners: one that is too slow gets company, one that fails a successor.

        A failure by which nobody else may be asked ends the race if it is the first one's, who would have been asked
        alone otherwise. Raises ProviderError where everyone has failed.
        """
        running = list(runners)
        patience_s: float | None = hedge_after_s
        while True:
            may_hedge = patience_s is not None and len(running) == 1 and self._somebody_is_well()
            ended = await next_to_end(running, patience_s if may_hedge else None)
            for runner in ended:
                error = runner.exception()
                if error is None:
                    return runner
                running.remove(runner)
                if not running or not isinstance(error, ProviderError):
                    raise error
                moves_on = self._moves_on(error.failure)
                if runner is runners[0] and not moves_on:
                    raise error
                patience_s = 0 if moves_on else None
            if not ended and (hedge := self._next_well()):
                running.append(asyncio.create_task(self._ask(hedge)))
                runners.append(running[-1])

    def _blame_the_slower(self, winner: Attempt) -> None:
        """Notes that whoever was asked before the winner has let itself be overtaken."""
        if not self._order.chain.triggers.timeout:
            return
        for attempt in self._order.trail.attempts:
            if attempt.outcome == "open" and attempt.number < winner.number:
                self._health.note_slow(attempt)

    def _somebody_is_well(self) -> bool:
        return any(self._health.admits(candidate) == "freely" for candidate in self.remaining)

    def _moves_on(self, failure: ProviderFailure) -> bool:
        return moves_on(failure, self._order.chain.triggers)
