from collections.abc import Iterable

from gateway.dialects import StreamDecoder
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.net.upstream import UpstreamStream
from gateway.schema.deltas import ChatChunk, StreamEvent, StreamFault

# How long usage and terminal event may take to follow the last finish reason; the answer itself is whole by then.
_CLOSING_S = 2.0
# What is held back is little; a provider that sends such chunks for ever must not take the gateway's memory.
_MOST_HELD = 10_000


class AnswerStream:
    """The answer of one provider as it comes.

    What carries no content (the role, the finish reason, the usage) is held back until content or the proper
    end follows it. So before the first content nothing has been shown, and a finish reason is never followed by
    an error: once every choice has its finish reason the answer is whole, however its body ends.
    """

    def __init__(self, stream: UpstreamStream, decoder: StreamDecoder) -> None:
        self._stream = stream
        self._decoder = decoder
        self._held: list[ChatChunk] = []
        self._failure: ProviderFailure | None = None
        self._began = False
        self._ended = False

    async def next_chunks(self) -> list[ChatChunk]:
        """Returns the next chunks that may be shown, none after the proper end; raises ProviderError."""
        while True:
            if self._failure:
                raise ProviderError(self._failure)
            if self._ended:
                return []
            try:
                data = await self._stream.read()
            except ProviderError:
                if not self._decoder.finished:
                    raise
                data = b""
            if released := self._release(self._feed(data) if data else self._close()):
                return released

    def close(self) -> None:
        """Ends the call to the provider."""
        self._stream.close()

    def _feed(self, data: bytes) -> list[StreamEvent]:
        events = self._decoder.feed(data)
        # The role, or a comment, is no answer: what is waited for first is content.
        if not self._began:
            self._began = any(isinstance(event, ChatChunk) and event.delivers for event in events)
        if self._began and events:
            self._stream.mark_progress()
        if self._decoder.finished:
            self._stream.hurry(_CLOSING_S)
        return events

    def _close(self) -> list[StreamEvent]:
        if not self._decoder.finished:
            return self._decoder.close()
        self._ended = True
        return self._decoder.settle()

    def _release(self, events: Iterable[StreamEvent]) -> list[ChatChunk]:
        released: list[ChatChunk] = []
        for event in events:
            if isinstance(event, StreamFault):
                self._failure = event.failure
                return released
            if event.finishes or not event.delivers:
                self._held.append(event)
                continue
            if self._held:
                released += self._held
                self._held = []
            released.append(event)
        if len(self._held) > _MOST_HELD:
            self._failure = _ENDLESS
        elif self._ended or self._decoder.complete:
            self._ended = True
            released += self._held
        return released


_ENDLESS = ProviderFailure(
    reason=ReasonCode.INVALID_RESPONSE, detail=f"The stream has brought {_MOST_HELD} events without content."
)
