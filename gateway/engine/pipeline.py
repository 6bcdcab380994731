from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from gateway.config.registry import Registry
from gateway.engine.accounting import Account
from gateway.engine.activation import Activation
from gateway.engine.admission import Admission, Credentials
from gateway.engine.attempts import TrailLog
from gateway.engine.calls import Order, Request, Result, Served
from gateway.engine.candidates import Candidates
from gateway.engine.drain import Drain
from gateway.engine.failover import Failover
from gateway.engine.rescue import RescuedStream
from gateway.kernel.clock import Clock
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import DrainingError, GatewayError, RequestError
from gateway.kernel.logs import Log
from gateway.policy.fallback import Candidate
from gateway.policy.ranking import needs_of
from gateway.schema.chat import ChatAnswer, ChatRequest
from gateway.schema.deltas import ChatChunk
from gateway.schema.embeddings import EmbeddingAnswer, EmbeddingRequest


class ChatStream:
    """A streamed answer on its way to the caller; whoever holds it closes it."""

    def __init__(self, stream: RescuedStream, account: Account) -> None:
        self._stream = stream
        self._account = account

    def next_chunks(self) -> Coroutine[Any, Any, list[ChatChunk]]:
        """Returns the next chunks, none after the proper end; raises ProviderError where it ends otherwise."""
        return self._stream.next_chunks()

    def finish(self, error: GatewayError | None = None) -> None:
        """Notes how the answer has ended for the caller: whole, or with this error."""
        self._account.close(error)

    def close(self) -> None:
        """Ends the call to the provider; before the proper end that means that the caller has left."""
        self._stream.close()
        self._account.close(GeneratorExit())


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The life of a request for inference: admit, choose, attempt, account."""

    registry: Registry
    candidates: Candidates
    admission: Admission
    drain: Drain
    activation: Activation
    failover: Failover
    trails: TrailLog
    clock: Clock
    log: Log
    new_id: Callable[[], str]

    def admit(self, credentials: Credentials) -> None:
        """Lets the caller in before anything of the request is read; raises GatewayError."""
        self.admission.admit_user(credentials)
        if self.drain.begun:
            raise DrainingError

    async def answer(self, request: ChatRequest, request_id: str) -> Served[ChatAnswer]:
        """Answers an admitted chat request whole; raises GatewayError."""
        order, candidates = self._begin("chat", request, request_id, stream=False)
        served = await _watched(order.account, self.failover.answer(order, candidates))
        order.account.note_usage(served.result.usage)
        order.account.close()
        return _told(served, served.result, order)

    async def stream(self, request: ChatRequest, request_id: str) -> Served[ChatStream]:
        """Begins to answer an admitted chat request as a stream; raises GatewayError."""
        order, candidates = self._begin("chat", request, request_id, stream=True)
        served = await _watched(order.account, self.failover.open(order, candidates))
        return _told(served, ChatStream(served.result, order.account), order)

    async def embed(self, request: EmbeddingRequest, request_id: str) -> Served[EmbeddingAnswer]:
        """Answers an admitted request for embeddings; raises GatewayError."""
        order, candidates = self._begin("embeddings", request, request_id, stream=False)
        served = await _watched(order.account, self.failover.embed(order, candidates))
        order.account.note_usage(served.result.usage)
        order.account.close()
        return _told(served, served.result, order)

    def _begin(
        self, kind: str, request: Request, request_id: str, *, stream: bool
    ) -> tuple[Order[Request], tuple[Candidate, ...]]:
        candidates = self.candidates.of(request.model, needs_of(kind, request.body))
        if not candidates:
            text = f"The model {request.model!r} does not exist."
            raise RequestError(ReasonCode.MODEL_NOT_FOUND, text, param="model")
        order = Order(
            request=request,
            answer_id=f"chatcmpl-{self.new_id()}",
            created_s=int(self.clock.now().timestamp()),
            chain=self.registry.chain_of(request.model),
            account=Account(kind, request.model, stream=stream, clock=self.clock, log=self.log),
            trail=self.trails.open(request_id, request.model, stream=stream),
        )
        return order, self.activation.arrange(candidates)


def _told(served: Served[Any], result: Result, order: Order[Any]) -> Served[Result]:
    """Gives a result with what the caller is told of how it came about."""
    return Served(result, served.candidate, served.limits, served.dropped, order.trail.calls)


async def _watched(account: Account, work: Awaitable[Result]) -> Result:
    """Lets every request leave its line in the log where it ends early, one that is left by its caller too."""
    try:
        return await work
    except BaseException as error:  # in whatever way it ends, the caller's leaving too
        account.close(error)
        raise
