"""The choice of who answers: one target after the other, until one does or nobody is left."""

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Generic

from gateway.engine.attempting import Attempting, Call, Choice
from gateway.engine.attempts import Attempt, Decision, TrailLog
from gateway.engine.calls import Calls, Order, Request, Result, Served, StreamStart
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

    async def answer(self, order: Order[ChatRequest], candidates: Sequence[Candidate]) -> Served[ChatAnswer]:
        """Returns the first whole answer; raises GatewayError where there is none."""
        return await self._whole(Search(self, order, candidates, self.calls.ask))

    async def embed(
        self, order: Order[EmbeddingRequest], candidates: Sequence[Candidate]
    ) -> Served[EmbeddingAnswer]:
        """Returns the first vectors; raises GatewayError where there are none."""
        return await self._whole(Search(self, order, candidates, self.calls.embed))

    async def open(self, order: Order[ChatRequest], candidates: Sequence[Candidate]) -> Served[RescuedStream]:
        """Returns the first stream that delivers content; raises GatewayError where none does."""
        search = Search(self, order, candidates, self.calls.start)
        served, attempt = await search.run()
        self.attempting.health.note_answering(attempt)
        start = served.result
        leg = Leg(start.stream, attempt)
        stream = RescuedStream(order, self.calls, self.attempting, leg, start.first_chunks, search.remaining)
        return Served(stream, served.candidate, served.limits, served.dropped)

    async def _whole(self, search: "Search[Request, Result]") -> Served[Result]:
        served, attempt = await search.run()
        self.attempting.health.note_success(attempt)
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
                    break
        raise outcome_of(self._failures, self._order.chain.triggers)

    def _next(self) -> Choice | None:
        """Chooses whom to ask: the first that is well, else one that is left alone; never one that wants to rest."""
        for candidate in self.remaining:
            match self._health.admits(candidate):
                case "freely":
                    return self._chosen(candidate, "primary" if candidate is self._first else "fallback")
                case "as_trial" if trial := self._health.begin_trial(candidate):
                    return self._chosen(candidate, "trial", trial)
                case _:
                    if not self._moves_on(self._health.cause(candidate)):
                        break
        return self._last_resort()

    def _last_resort(self) -> Choice | None:
        for candidate in self.remaining:
            if self._health.admits(candidate) == "resting":
                continue
            if trial := self._health.begin_trial(candidate):
                return self._chosen(candidate, "last_resort", trial)
        self._failures += [self._health.why(candidate) for candidate in self.remaining]
        self._pass_over(self.remaining)
        self.remaining = []
        return None

    def _chosen(self, candidate: Candidate, decision: Decision, trial: Trial | None = None) -> Choice:
        place = self.remaining.index(candidate)
        self._pass_over(self.remaining[:place])
        if self._last_failed:
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
                wait_s = self._wait_before_retry_s(error.failure, retries)
                if wait_s is None:
                    self._failures.append(error.failure)
                    raise
            await self._failover.sleep(wait_s)
            retries += 1
            choice = Choice(choice.candidate, "retry", self._health.permit(choice.candidate))

    def _wait_before_retry_s(self, failure: ProviderFailure, retries: int) -> float | None:
        settings = self._order.chain.retries
        if retries >= settings.attempts:
            return None
        others_left = self._somebody_is_well()
        return next_wait_s(
            failure, failure.wait_s, retries, settings, self._failover.rng, others_left=others_left
        )

    async def _race(self, choice: Choice, hedge_after_s: float) -> tuple[Served[Result], Attempt]:
        """Asks one target, and the next one too where the first takes its time; whoever is first wins."""
        running = {asyncio.create_task(self._ask(choice))}
        patience_s = hedge_after_s
        try:
            while True:
                may_hedge = len(running) == 1 and self._somebody_is_well()
                done, _ = await asyncio.wait(
                    running, timeout=patience_s if may_hedge else None, return_when=FIRST_COMPLETED
                )
                if not done and (next_choice := self._next()):
                    hedge = replace(next_choice, decision="hedge")
                    running.add(asyncio.create_task(self._ask(hedge)))
                for task in done:
                    running.discard(task)
                    error = task.exception()
                    if error is None:
                        self._blame_the_slower(task.result()[1])
                        return task.result()
                    if (
                        not running
                        or not isinstance(error, ProviderError)
                        or not self._moves_on(error.failure)
                    ):
                        raise error
                    patience_s = 0
        finally:
            await _cancel(running)

    def _blame_the_slower(self, winner: Attempt) -> None:
        """Notes that whoever was asked before the winner has let itself be overtaken."""
        for attempt in self._order.trail.attempts:
            if attempt.outcome == "open" and attempt.number < winner.number:
                self._health.note_slow(attempt)

    def _somebody_is_well(self) -> bool:
        return any(self._health.admits(candidate) == "freely" for candidate in self.remaining)

    def _moves_on(self, failure: ProviderFailure) -> bool:
        return moves_on(failure, self._order.chain.triggers)


async def _cancel(tasks: Collection[asyncio.Task[tuple[Served[Any], Attempt]]]) -> None:
    """Ends calls whose answers nobody wants any more, and waits until they have ended."""
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(ended, BaseException) and isinstance(ended[0].result, StreamStart):
            ended[0].result.stream.close()
