from collections.abc import Iterable

from gateway.dialects import StreamDecoder
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.net.upstream import UpstreamStream
from gateway.policy.fallback import Candidate
from gateway.schema.deltas import ChatChunk, StreamEvent, StreamFault


class AnswerStream:
    """The answer of one provider as it comes.

    What carries no content (the role, the finish reason, the usage) is held back until content or the proper
    end follows it. So before the first content nothing has been shown, and a finish reason is never followed by
    an error.
    """

    def __init__(self, candidate: Candidate, stream: UpstreamStream, decoder: StreamDecoder) -> None:
        self.candidate = candidate
        self._stream = stream
        self._decoder = decoder
        self._held: list[ChatChunk] = []
        self._failure: ProviderFailure | None = None
        self._ended = False

    async def next_chunks(self) -> list[ChatChunk]:
        """Returns the next chunks that may be shown, none after the proper end; raises ProviderError."""
        while True:
            if self._failure:
                raise ProviderError(self._failure)
            if self._ended:
                return []
            if released := self._release(await self._read()):
                return released

    def close(self) -> None:
        """Ends the call to the provider."""
        self._stream.close()

    async def _read(self) -> list[StreamEvent]:
        data = await self._stream.read()
        events = self._decoder.feed(data) if data else self._decoder.close()
        if events:
            self._stream.mark_progress()
        return events

    def _release(self, events: Iterable[StreamEvent]) -> list[ChatChunk]:
        released: list[ChatChunk] = []
        for event in events:
            if isinstance(event, StreamFault):
                self._failure = event.failure
                return released
            self._held.append(event)
            if event.delivers and not event.finishes:
                released += self._held
                self._held = []
        if self._decoder.complete:
            self._ended = True
            released += self._held
        return released
