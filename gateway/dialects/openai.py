from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import orjson

from gateway.dialects import openai_limits
from gateway.dialects.classification import dump, object_in, unreadable
from gateway.dialects.openai_answer import check_answer, stamped
from gateway.dialects.openai_embeddings import embeddings_body, read_embeddings
from gateway.dialects.openai_error import failure_of
from gateway.dialects.openai_request import chat_body
from gateway.dialects.openai_stream import OpenAIStreamDecoder
from gateway.dialects.protocol import StreamDecoder
from gateway.dialects.shortfall import Shortfall
from gateway.kernel.errors import ProviderFailure
from gateway.kernel.limits import Limits
from gateway.kernel.quirks import Quirks
from gateway.schema.chat import AnswerStamp, ChatAnswer, ChatRequest
from gateway.schema.embeddings import EmbeddingAnswer, EmbeddingRequest
from gateway.schema.exchange import Endpoint, UpstreamAnswer, UpstreamCall
from gateway.schema.usage import Usage

CAPABILITIES = frozenset(
    {"chat", "streaming", "tools", "vision", "structured_output", "reasoning", "embeddings", "model_listing"}
)


class Address(Protocol):
    """Where the calls of OpenAI's form go, and how the key is shown there."""

    def url(self, endpoint: Endpoint, model: str, path: str) -> str:
        """Names the address of a call that concerns a model; `path` begins with a slash."""
        ...

    def probe_url(self, endpoint: Endpoint, path: str) -> str:
        """Names the address of the list of models."""
        ...

    def headers(self, endpoint: Endpoint) -> dict[str, str]:
        """Shows the key, where there is one."""
        ...


class OpenAIAddress:
    """OpenAI's own: the model stands in the body, the key is a bearer token."""

    def url(self, endpoint: Endpoint, model: str, path: str) -> str:
        del model
        return f"{endpoint.base_url}{path}"

    def probe_url(self, endpoint: Endpoint, path: str) -> str:
        return f"{endpoint.base_url}{path}"

    def headers(self, endpoint: Endpoint) -> dict[str, str]:
        return endpoint.bearer_headers


class OpenAIDialect:
    """OpenAI's chat completions and embeddings, and what the vendors that follow it make of them."""

    def __init__(self, address: Address | None = None, capabilities: frozenset[str] = CAPABILITIES) -> None:
        self.address = address or OpenAIAddress()
        self.capabilities = capabilities

    def encode_chat(self, request: ChatRequest, model: str, endpoint: Endpoint) -> UpstreamCall:
        shortfall = Shortfall(endpoint)
        body = chat_body(request, model, endpoint.quirks, shortfall)
        return UpstreamCall(
            method="POST",
            url=self.address.url(endpoint, model, "/chat/completions"),
            headers=self._headers(endpoint),
            body=dump(body),
            dropped=shortfall.dropped,
        )

    def decode_chat(self, answer: UpstreamAnswer, stamp: AnswerStamp) -> ChatAnswer:
        body = object_in(answer)
        check_answer(body)
        return ChatAnswer(stamped(body, stamp, "chat.completion"), Usage.from_openai(body.get("usage")))

    def stream_decoder(
        self, request: ChatRequest, stamp: AnswerStamp, headers: Mapping[str, str]
    ) -> StreamDecoder:
        del headers
        return OpenAIStreamDecoder(
            stamp, include_usage=request.include_usage, choices=request.body.get("n") or 1
        )

    def classify(self, answer: UpstreamAnswer) -> ProviderFailure:
        return failure_of(answer)

    def encode_embeddings(self, request: EmbeddingRequest, model: str, endpoint: Endpoint) -> UpstreamCall:
        shortfall = Shortfall(endpoint)
        body = embeddings_body(request, model, endpoint.quirks, shortfall)
        return UpstreamCall(
            method="POST",
            url=self.address.url(endpoint, model, "/embeddings"),
            headers=self._headers(endpoint),
            body=dump(body),
            dropped=shortfall.dropped,
        )

    def decode_embeddings(self, answer: UpstreamAnswer, request: EmbeddingRequest) -> EmbeddingAnswer:
        return read_embeddings(answer, request)

    def limits_in(self, headers: Mapping[str, str], now: datetime, quirks: Quirks) -> Limits | None:
        return openai_limits.limits_in(headers, now, quirks)

    def encode_probe(self, endpoint: Endpoint, path: str) -> UpstreamCall:
        return UpstreamCall(
            method="GET",
            url=self.address.probe_url(endpoint, path),
            headers=self.address.headers(endpoint),
        )

    def read_probe(self, answer: UpstreamAnswer) -> frozenset[str]:
        try:
            body = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            body = None
        # Together sends the list itself, everybody else an object around it.
        listed = body.get("data") if isinstance(body, dict) else body
        if not isinstance(listed, list):
            raise unreadable("The list of models is not in OpenAI's format.")
        return frozenset(str(model["id"]) for model in listed if isinstance(model, dict) and "id" in model)

    def _headers(self, endpoint: Endpoint) -> dict[str, str]:
        return self.address.headers(endpoint) | {"content-type": "application/json"}
