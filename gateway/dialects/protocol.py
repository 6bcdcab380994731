from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from gateway.kernel.errors import ProviderFailure
from gateway.kernel.limits import Limits
from gateway.kernel.quirks import Quirks
from gateway.schema.chat import AnswerStamp, ChatAnswer, ChatRequest
from gateway.schema.deltas import StreamEvent
from gateway.schema.embeddings import EmbeddingAnswer, EmbeddingRequest
from gateway.schema.exchange import Endpoint, UpstreamAnswer, UpstreamCall


class StreamDecoder(Protocol):
    """Reads one streamed answer."""

    @property
    def complete(self) -> bool:
        """Whether nothing more can come: the answer is whole, and the stream has ended, properly or by `settle`."""
        ...

    @property
    def finished(self) -> bool:
        """Whether the answer is whole: every choice has its finish reason, and no tool call is cut.

        Only the usage and the end of the stream may be missing then, and no fault comes any more.
        """
        ...

    def feed(self, data: bytes) -> list[StreamEvent]:
        """Takes the next bytes, split anywhere, and returns what they complete."""
        ...

    def close(self) -> list[StreamEvent]:
        """Takes the proper end of the body; the last event is a StreamFault unless the answer is whole."""
        ...

    def settle(self) -> list[StreamEvent]:
        """Gives up the rest of the body of a finished answer, and returns what is still held; else nothing."""
        ...


class Dialect(Protocol):
    """One wire format of providers, without I/O: requests and answers to bytes and back.

    `capabilities` are of: chat, streaming, tools, vision, structured_output, reasoning, embeddings, model_listing.
    """

    capabilities: frozenset[str]

    def encode_chat(self, request: ChatRequest, model: str, endpoint: Endpoint) -> UpstreamCall:
        """Writes a chat request for `model`, the provider's own name of it.

        Raises ProviderError where the format cannot express the request; what the endpoint allows to be left out is
        named in `dropped` instead.
        """
        ...

    def decode_chat(self, answer: UpstreamAnswer, stamp: AnswerStamp) -> ChatAnswer:
        """Reads a whole answer of status 200; raises ProviderError where it is none."""
        ...

    def stream_decoder(
        self, request: ChatRequest, stamp: AnswerStamp, headers: Mapping[str, str]
    ) -> StreamDecoder:
        """Begins to read a stream of status 200; `headers` are the answer's, in lower case."""
        ...

    def classify(self, answer: UpstreamAnswer) -> ProviderFailure:
        """Says why an answer of another status than 200 is a failure."""
        ...

    def encode_embeddings(self, request: EmbeddingRequest, model: str, endpoint: Endpoint) -> UpstreamCall:
        """Writes a request for embeddings; raises ProviderError where the provider has none."""
        ...

    def decode_embeddings(self, answer: UpstreamAnswer, request: EmbeddingRequest) -> EmbeddingAnswer:
        """Reads an answer of status 200; raises ProviderError where it does not hold a vector for each input."""
        ...

    def limits_in(self, headers: Mapping[str, str], now: datetime, quirks: Quirks) -> Limits | None:
        """Reads the limits that an answer of any status tells in its headers."""
        ...

    def encode_probe(self, endpoint: Endpoint, path: str) -> UpstreamCall:
        """Writes a call that costs no tokens and lists the models."""
        ...

    def read_probe(self, answer: UpstreamAnswer) -> frozenset[str]:
        """Reads the names of the models; raises ProviderError where the answer holds no list."""
        ...
