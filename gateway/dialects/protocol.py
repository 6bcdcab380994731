from typing import Protocol

from gateway.kernel.errors import ProviderFailure
from gateway.schema.chat import AnswerStamp, ChatAnswer, ChatRequest
from gateway.schema.deltas import StreamEvent
from gateway.schema.exchange import Endpoint, UpstreamAnswer, UpstreamCall


class StreamDecoder(Protocol):
    """Reads one streamed answer."""

    @property
    def complete(self) -> bool:
        """Whether the terminal event and every finish reason have come, and no error."""
        ...

    def feed(self, data: bytes) -> list[StreamEvent]:
        """Takes the next bytes, split anywhere, and returns what they complete."""
        ...

    def close(self) -> list[StreamEvent]:
        """Takes the end of the body; the last event is a StreamFault unless the stream was complete."""
        ...


class Dialect(Protocol):
    """One wire format of providers, without I/O: requests and answers to bytes and back."""

    capabilities: frozenset[str]

    def encode_chat(self, request: ChatRequest, model: str, endpoint: Endpoint) -> UpstreamCall:
        """Writes a chat request for `model`, the provider's own name of it.

        Raises ProviderError where the format cannot express the request.
        """
        ...

    def decode_chat(self, answer: UpstreamAnswer, stamp: AnswerStamp) -> ChatAnswer:
        """Reads a whole answer of status 200; raises ProviderError where it is none."""
        ...

    def stream_decoder(self, request: ChatRequest, stamp: AnswerStamp) -> StreamDecoder: ...

    def classify(self, answer: UpstreamAnswer) -> ProviderFailure:
        """Says why an answer of another status than 200 is a failure."""
        ...

    def encode_probe(self, endpoint: Endpoint, path: str) -> UpstreamCall:
        """Writes a call that costs no tokens and lists the models."""
        ...

    def read_probe(self, answer: UpstreamAnswer) -> frozenset[str]:
        """Reads the names of the models; raises ProviderError where the answer holds no list."""
        ...
