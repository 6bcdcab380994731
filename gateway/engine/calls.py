"""One call to one target: a request to bytes, an answer back, every failure classified."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

from gateway.config.resilience import Chain
from gateway.dialects import Dialect
from gateway.engine.accounting import Account
from gateway.engine.attempts import Trail
from gateway.engine.relay import AnswerStream
from gateway.engine.targets import dialect_of, endpoint_of
from gateway.kernel.clock import Clock
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.kernel.limits import Limits
from gateway.net.upstream import Upstream, UpstreamStream
from gateway.policy.fallback import Candidate
from gateway.policy.stated_wait import stated_wait_s
from gateway.schema.chat import AnswerStamp, ChatAnswer, ChatRequest
from gateway.schema.deltas import ChatChunk
from gateway.schema.embeddings import EmbeddingAnswer, EmbeddingRequest
from gateway.schema.exchange import Endpoint, UpstreamAnswer, UpstreamCall

Result = TypeVar("Result")
Request = TypeVar("Request", bound=ChatRequest | EmbeddingRequest)

_OK = 200
# What is held back takes memory; no model says as much.
_MOST_HELD = 100_000


class Served(NamedTuple, Generic[Result]):
    """What a provider answered, and what the caller is told of how it came about; `attempts` counts the calls."""

    result: Result
    candidate: Candidate
    limits: Limits | None
    dropped: tuple[str, ...]
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class StreamStart:
    """A stream whose first content has come, and with it the point of no return."""

    stream: AnswerStream
    first_chunks: list[ChatChunk]


class Order(NamedTuple, Generic[Request]):
    """What is asked of every candidate alike, how failures are gone about, and what is written down of it."""

    request: Request
    answer_id: str
    created_s: int
    chain: Chain
    account: Account
    trail: Trail

    def stamp_for(self, candidate: Candidate) -> AnswerStamp:
        return AnswerStamp(self.answer_id, candidate.model.name, self.created_s)


class Calls:
    """Calls to providers; each is one attempt, and raises ProviderError where it fails."""

    def __init__(self, upstream: Upstream, clock: Clock) -> None:
        self._upstream = upstream
        self._clock = clock
        self._endpoints: dict[str, Endpoint] = {}

    async def ask(self, order: Order[ChatRequest], candidate: Candidate) -> Served[ChatAnswer]:
        """Returns a whole answer."""
        dialect = dialect_of(candidate.provider)
        call = dialect.encode_chat(order.request, candidate.model.upstream_model, self._endpoint(candidate))
        answer = await self._fetch(call, candidate, dialect)
        whole = dialect.decode_chat(answer, order.stamp_for(candidate))
        return self._served(whole, candidate, answer.headers, call)

    async def embed(self, order: Order[EmbeddingRequest], candidate: Candidate) -> Served[EmbeddingAnswer]:
        """Returns vectors."""
        dialect = dialect_of(candidate.provider)
        endpoint = self._endpoint(candidate)
        call = dialect.encode_embeddings(order.request, candidate.model.upstream_model, endpoint)
        answer = await self._fetch(call, candidate, dialect)
        vectors = dialect.decode_embeddings(answer, order.request)
        return self._served(vectors, candidate, answer.headers, call)

    async def start(self, order: Order[ChatRequest], candidate: Candidate) -> Served[StreamStart]:
        """Returns a stream as soon as it delivers content; where it is to be held, once all of it is there."""
        provider = candidate.provider
        dialect = dialect_of(provider)
        call = dialect.encode_chat(order.request, candidate.model.upstream_model, self._endpoint(candidate))
        upstream = await self._upstream.send(call, provider.timeouts)
        try:
            await self._refuse_errors(upstream, candidate, dialect)
            decoder = dialect.stream_decoder(order.request, order.stamp_for(candidate), upstream.headers)
            stream = AnswerStream(upstream, decoder)
            chunks = await stream.next_chunks()
            if order.chain.rescue == "hold":
                await _hold(stream, chunks)
        except BaseException:  # whatever ends the attempt, the caller's leaving too, ends the call
            upstream.close()
            raise
        return self._served(StreamStart(stream, chunks), candidate, upstream.headers, call)

    async def _fetch(self, call: UpstreamCall, candidate: Candidate, dialect: Dialect) -> UpstreamAnswer:
        answer = await self._upstream.fetch(call, candidate.provider.timeouts)
        if answer.status != _OK:
            raise self._failed(answer, candidate, dialect)
        return answer

    async def _refuse_errors(self, upstream: UpstreamStream, candidate: Candidate, dialect: Dialect) -> None:
        if upstream.status != _OK:
            raise self._failed(await upstream.read_all(), candidate, dialect)

    def _failed(self, answer: UpstreamAnswer, candidate: Candidate, dialect: Dialect) -> ProviderError:
        failure = dialect.classify(answer)
        limits = self._limits(answer.headers, candidate)
        wait_s = failure.wait_s
        if wait_s is None:
            wait_s = stated_wait_s(answer.headers, failure.retry_after, self._clock.now(), limits)
        return ProviderError(replace(failure, limits=limits, wait_s=wait_s))

    def _served(
        self, result: Result, candidate: Candidate, headers: Mapping[str, str], call: UpstreamCall
    ) -> Served[Result]:
        return Served(result, candidate, self._limits(headers, candidate), call.dropped)

    def _limits(self, headers: Mapping[str, str], candidate: Candidate) -> Limits | None:
        provider = candidate.provider
        return dialect_of(provider).limits_in(headers, self._clock.now(), provider.vendor.quirks)

    def _endpoint(self, candidate: Candidate) -> Endpoint:
        """Joins what is known of a provider once, as its configuration stays; only what signs needs the time."""
        provider = candidate.provider
        endpoint = self._endpoints.get(provider.name)
        if endpoint is None:
            endpoint = self._endpoints[provider.name] = endpoint_of(provider, self._clock.now())
        return replace(endpoint, now=self._clock.now()) if endpoint.key_id else endpoint


async def _hold(stream: AnswerStream, chunks: list[ChatChunk]) -> None:
    """Adds the rest of an answer to its first chunks; raises ProviderError where it is endless."""
    while len(chunks) <= _MOST_HELD:
        more = await stream.next_chunks()
        if not more:
            return
        chunks += more
    detail = f"The stream has brought more than {_MOST_HELD} events, too many to be held back."
    raise ProviderError(ProviderFailure(reason=ReasonCode.INVALID_RESPONSE, detail=detail))
