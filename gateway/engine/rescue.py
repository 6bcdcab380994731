"""What becomes of a stream that breaks after the caller has seen some of it: another target, or an explicit error."""

from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

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

    def next_chunks(self) -> Coroutine[Any, Any, list[ChatChunk]]:
        """Returns the next chunks that are new, none after the proper end; raises ProviderError."""
        return self.stream.next_chunks()


@dataclass(slots=True)
class JoinedLeg(Leg):
    """The part of a target that goes on with what another has begun."""

    joint: Joint

    async def begin(self, first_chunks: Sequence[ChatChunk]) -> list[ChatChunk]:
        """Returns the first chunks that are new; raises ProviderError, and DivergedError where nothing is new."""
        if new := self._new_of(first_chunks) or await self.next_chunks():
            return new
        raise DivergedError("The new answer has nothing to add.")

    async def next_chunks(self) -> list[ChatChunk]:
        while chunks := await self.stream.next_chunks():
            if new := self._new_of(chunks):
                return new
        return []

    def _new_of(self, chunks: Sequence[ChatChunk]) -> list[ChatChunk]:
        return [new for chunk in chunks for new in self.joint.feed(chunk)]


def ways_of_rescue(
    order: Order[ChatRequest], first: Candidate, others: Sequence[Candidate]
) -> Iterator[tuple[Candidate, Way]]:
    """Tells whom to ask where the stream of `first` breaks off, and for what; nobody where that is not wanted."""
    chain = order.chain
    # The one that broke off is asked again only where it has retries left.
    may_retry = order.trail.calls_to(first) <= chain.retries.attempts
    targets = (first, *others) if may_retry else tuple(others)
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
        self._ended = False

    async def next_chunks(self) -> list[ChatChunk]:
        """Returns the next chunks, none after the proper end; raises ProviderError where nobody can go on."""
        try:
            chunks, self._first_chunks = self._first_chunks or await self._leg.next_chunks(), None
        except ProviderError as error:
            chunks = await self._rescue(error)
        if not chunks:
            self._ended = True
            self._attempting.finish(self._leg.attempt)
        for chunk in chunks:
            if chunk.usage:
                self._order.account.note_usage(chunk.usage)
            if self._ways:
                self._delivered.note(chunk)
        return chunks

    def close(self) -> None:
        """Ends the call to whoever is answering; before the proper end that means that the caller has left."""
        self._leg.stream.close()
        if not self._ended:
            self._attempting.cancel(self._leg.attempt)

    async def _rescue(self, error: ProviderError) -> list[ChatChunk]:
        self._leg.stream.close()
        self._attempting.fail(self._order, self._leg.attempt, error.failure)
        while self._ways and moves_on(error.failure, self._order.chain.triggers):
            candidate, way = self._ways.pop(0)
            try:
                if new := await self._go_on(candidate, way):
                    return new
            except (ProviderError, DivergedError):
                continue
        raise error

    async def _go_on(self, candidate: Candidate, way: Way) -> list[ChatChunk]:
        """Returns what another target adds to the delivered, none where it cannot be asked to."""
        asked = self._ask_for(candidate, way)
        choice = self._choice_of(candidate, way) if asked else None
        if not asked or not choice:
            return []
        order, joint = asked
        served, attempt = await self._attempting.make(order, choice, self._calls.start)
        leg = JoinedLeg(served.result.stream, attempt, joint)
        try:
            new = await leg.begin(served.result.first_chunks)
        except BaseException as error:  # whatever ends the attempt, the caller's leaving too, ends the call
            leg.stream.close()
            if isinstance(error, ProviderError):
                self._attempting.fail(order, attempt, error.failure)
            else:
                self._attempting.cancel(attempt)
            raise
        self._leg = leg
        self._attempting.accept(order, attempt)
        return new

    def _ask_for(self, candidate: Candidate, way: Way) -> tuple[Order[ChatRequest], Joint] | None:
        """Says what is asked for and what joins it to the delivered; None where this cannot be asked for."""
        if way == "replay":
            return self._order, Splice(self._delivered)
        prefill = candidate.provider.vendor.quirks.prefill
        continuation = continued(self._order.request, self._delivered, prefill)
        if continuation is None:
            return None
        return self._order._replace(request=continuation.request), continuation.joint

    def _choice_of(self, candidate: Candidate, way: Way) -> Choice | None:
        """Takes the permission to ask a target; None where it is better left alone."""
        match self._attempting.health.admits(candidate):
            case "freely":
                return Choice(candidate, way)
            case "as_trial" if trial := self._attempting.health.begin_trial(candidate):
                return Choice(candidate, way, trial)
            case _:
                return None
