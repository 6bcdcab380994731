from collections.abc import Callable
from dataclasses import dataclass

from gateway.config.registry import Registry
from gateway.engine.accounting import Account
from gateway.engine.admission import Admission, Credentials
from gateway.engine.drain import Drain
from gateway.engine.failover import Failover, Order, StreamStart
from gateway.kernel.clock import Clock
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import DrainingError, ProviderError, RequestError
from gateway.kernel.logs import Log
from gateway.policy.fallback import Candidate, candidates_for
from gateway.schema.chat import ChatAnswer, ChatRequest, parse_chat
from gateway.schema.deltas import ChatChunk


class ChatStream:
    """A streamed answer on its way to the caller; whoever holds it closes it."""

    def __init__(self, start: StreamStart, account: Account) -> None:
        self._stream = start.stream
        self._first_chunks: list[ChatChunk] | None = start.first_chunks
        self._account = account

    async def next_chunks(self) -> list[ChatChunk]:
        """Returns the next chunks, none after the proper end; raises ProviderError where it ends otherwise."""
        try:
            chunks, self._first_chunks = self._first_chunks or await self._stream.next_chunks(), None
        except ProviderError as error:
            self._account.close(error)
            raise
        for chunk in chunks:
            self._account.note_usage(chunk.usage)
        if not chunks:
            self._account.close()
        return chunks

    def close(self) -> None:
        """Ends the call to the provider; before the proper end that means that the caller has left."""
        self._stream.close()
        self._account.close(GeneratorExit())


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The life of a chat request: admit, choose, attempt, account."""

    registry: Registry
    admission: Admission
    drain: Drain
    failover: Failover
    clock: Clock
    log: Log
    new_id: Callable[[], str]

    def admit(self, credentials: Credentials) -> None:
        """Lets the caller in before anything of the request is read; raises GatewayError."""
        self.admission.admit_user(credentials)
        if self.drain.begun:
            raise DrainingError

    async def answer(self, payload: bytes) -> ChatAnswer | ChatStream:
        """Answers an admitted request, whole or as a stream; raises GatewayError."""
        request = parse_chat(payload)
        candidates = self._choose(request)
        account = Account(request, self.clock, self.log)
        try:
            return await self._attempt(self._order(request, account), candidates)
        except BaseException as error:  # every request leaves its line in the log, one that is left too
            account.close(error)
            raise

    def _choose(self, request: ChatRequest) -> tuple[Candidate, ...]:
        candidates = candidates_for(request.model, self.registry)
        if not candidates:
            text = f"The model {request.model!r} does not exist."
            raise RequestError(ReasonCode.MODEL_NOT_FOUND, text, param="model")
        return candidates

    def _order(self, request: ChatRequest, account: Account) -> Order:
        return Order(request, f"chatcmpl-{self.new_id()}", int(self.clock.now().timestamp()), account)

    async def _attempt(self, order: Order, candidates: tuple[Candidate, ...]) -> ChatAnswer | ChatStream:
        if order.request.stream:
            return ChatStream(await self.failover.open(order, candidates), order.account)
        answer = await self.failover.answer(order, candidates)
        order.account.note_usage(answer.usage)
        order.account.close()
        return answer
