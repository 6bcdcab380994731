from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gateway.dialects import Dialect
from gateway.engine.accounting import Account
from gateway.engine.relay import AnswerStream
from gateway.engine.targets import dialect_of, endpoint_of
from gateway.kernel.errors import ProviderError
from gateway.net.upstream import Upstream, UpstreamStream
from gateway.policy.fallback import Candidate, moves_on, outcome_of
from gateway.schema.chat import AnswerStamp, ChatAnswer, ChatRequest
from gateway.schema.deltas import ChatChunk

Result = TypeVar("Result")

_OK = 200


@dataclass(frozen=True, slots=True)
class StreamStart:
    """A stream whose first content has come, and with it the point of no return."""

    stream: AnswerStream
    first_chunks: list[ChatChunk]


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of every candidate alike, and the account that is kept of it."""

    request: ChatRequest
    answer_id: str
    created_s: int
    account: Account

    def stamp_for(self, candidate: Candidate) -> AnswerStamp:
        return AnswerStamp(self.answer_id, candidate.model.name, self.created_s)


class Failover:
    """The attempt loop: asks one candidate after the other until one answers."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def answer(self, order: Order, candidates: Sequence[Candidate]) -> ChatAnswer:
        """Returns the first whole answer; raises GatewayError where there is none."""
        return await self._first(order, candidates, self._ask)

    async def open(self, order: Order, candidates: Sequence[Candidate]) -> StreamStart:
        """Returns the first stream that delivers content; raises GatewayError where none does."""
        return await self._first(order, candidates, self._start)

    async def _first(
        self,
        order: Order,
        candidates: Sequence[Candidate],
        attempt: Callable[[Order, Candidate], Awaitable[Result]],
    ) -> Result:
        failures = []
        for candidate in candidates:
            order.account.note_attempt()
            try:
                result = await attempt(order, candidate)
            except ProviderError as error:
                order.account.note_failure(candidate, error.failure)
                failures.append(error.failure)
                if not moves_on(error.failure):
                    break
            else:
                order.account.note_answer(candidate)
                return result
        raise outcome_of(failures)

    async def _ask(self, order: Order, candidate: Candidate) -> ChatAnswer:
        provider = candidate.provider
        dialect = dialect_of(provider)
        call = dialect.encode_chat(order.request, candidate.model.upstream_model, endpoint_of(provider))
        answer = await self._upstream.fetch(call, provider.timeouts)
        if answer.status != _OK:
            raise ProviderError(dialect.classify(answer))
        return dialect.decode_chat(answer, order.stamp_for(candidate))

    async def _start(self, order: Order, candidate: Candidate) -> StreamStart:
        provider = candidate.provider
        dialect = dialect_of(provider)
        call = dialect.encode_chat(order.request, candidate.model.upstream_model, endpoint_of(provider))
        upstream = await self._upstream.send(call, provider.timeouts)
        try:
            await _refuse_errors(upstream, dialect)
            decoder = dialect.stream_decoder(order.request, order.stamp_for(candidate))
            stream = AnswerStream(candidate, upstream, decoder)
            return StreamStart(stream, await stream.next_chunks())
        except BaseException:  # whatever ends the attempt, the caller's leaving too, ends the call
            upstream.close()
            raise


async def _refuse_errors(upstream: UpstreamStream, dialect: Dialect) -> None:
    if upstream.status != _OK:
        raise ProviderError(dialect.classify(await upstream.read_all()))
