"""What becomes of a stream that breaks after the caller has seen some of it: another target, or an explicit error."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from gateway.engine.attempting import Attempting, Choice
from gateway.engine.attempts import Attempt
from gateway.engine.calls import Calls, Order
from gateway.engine.relay import AnswerStream
from gateway.kernel.errors import ProviderError
from gateway.policy.continuation import continued, may_replay
from gateway.policy.fallback import Candidate
from gateway.policy.splice import Delivered, DivergedError, Splice
from gateway.policy.triggers import moves_on
from gateway.schema.chat import ChatRequest
from gateway.schema.deltas import ChatChunk

Way = Literal["replay", "continue"]


class Joint(Protocol):
    """What joins a new answer to what was delivered."""

    def feed(self, chunk: ChatChunk) -> list[ChatChunk]:
        """Returns what of the new answer goes beyond the delivered; raises DivergedError where it does not fit."""
        ...


@dataclass(slots=True)
class Leg:
    """One target's part of a stream."""

    stream: AnswerStream
    attempt: Attempt
    joint: Joint | None = None

    async def next_chunks(self) -> list[ChatChunk]:
        """Returns the next chunks that are new, none after the proper end; raises ProviderError, DivergedError."""
        while True:
            chunks = await self.stream.next_chunks()
            if new := self.new_of(chunks) if chunks else []:
                return new
            if not chunks:
                return []

    def new_of(self, chunks: Sequence[ChatChunk]) -> list[ChatChunk]:
        if self.joint is None:
            return list(chunks)
        return [new for chunk in chunks for new in self.joint.feed(chunk)]


def ways_of_rescue(
    order: Order[ChatRequest], first: Candidate, others: Sequence[Candidate]
) -> Iterator[tuple[Candidate, Way]]:
    """Tells whom to ask where the stream of `first` breaks off, and for what; nobody where that is not wanted."""
    chain = order.chain
    # The one that broke off is asked again only where retries are configured.
    targets = (first, *others) if chain.retries.attempts else tuple(others)
    match chain.rescue:
        case "replay" | "continue" as way:
            yield from ((candidate, way) for candidate in targets)
        case "auto" if may_replay(order.request):
            wanted = first.model.upstream_model
            alike = (candidate for candidate in targets if candidate.model.upstream_model == wanted)
            yield from ((candidate, "replay") for candidate in alike)


class RescuedStream:
    """A streamed answer that other targets go on with where one breaks off; each is asked once."""

    def __init__(
        self,
        order: Order[ChatRequest],
        calls: Calls,
        attempting: Attempting,
        leg: Leg,
        first_chunks: list[ChatChunk],
        others: Sequence[Candidate],
    ) -> None:
        self._order = order
        self._calls = calls
        self._attempting = attempting
        self._leg = leg
        self._first_chunks: list[ChatChunk] | None = first_chunks
        self._ways = list(ways_of_rescue(order, leg.attempt.candidate, others))
        self._delivered = Delivered()

    async def next_chunks(self) -> list[ChatChunk]:
        """Returns the next chunks, none after the proper end; raises ProviderError where nobody can go on."""
        try:
            chunks, self._first_chunks = self._first_chunks or await self._leg.next_chunks(), None
        except ProviderError as error:
            chunks = await self._rescue(error)
        if not chunks:
            self._attempting.health.note_success(self._leg.attempt)
        elif self._ways:
            for chunk in chunks:
                self._delivered.note(chunk)
        return chunks

    def close(self) -> None:
        """Ends the call to whoever is answering."""
        self._leg.stream.close()

    async def _rescue(self, error: ProviderError) -> list[ChatChunk]:
        self._leg.stream.close()
        self._attempting.fail(self._order, self._leg.attempt, error.failure)
        while self._ways and moves_on(error.failure, self._order.chain.triggers):
            candidate, way = self._ways.pop(0)
            if self._attempting.health.admits(candidate) != "no":
                try:
                    if new := await self._go_on(candidate, way):
                        return new
                except (ProviderError, DivergedError):
                    continue
        raise error

    async def _go_on(self, candidate: Candidate, way: Way) -> list[ChatChunk]:
        """Returns what another target adds to the delivered, none where it cannot be asked to."""
        order: Order[ChatRequest] = self._order
        joint: Joint = Splice(self._delivered)
        if way == "continue":
            continuation = continued(order.request, self._delivered, candidate.provider.vendor.quirks.prefill)
            if continuation is None:
                return []
            order, joint = replace(order, request=continuation.request), continuation.joint
        served, attempt = await self._attempting.make(order, Choice(candidate, way), self._calls.start)
        leg = Leg(served.result.stream, attempt, joint)
        try:
            new = leg.new_of(served.result.first_chunks) or await leg.next_chunks()
        except BaseException as error:  # whatever ends the attempt, the caller's leaving too, ends the call
            leg.stream.close()
            if isinstance(error, ProviderError):
                self._attempting.fail(order, attempt, error.failure)
            else:
                self._attempting.cancel(attempt)
            raise
        self._leg = leg
        return new
