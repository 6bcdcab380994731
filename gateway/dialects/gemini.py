from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from gateway.dialects.classification import dump, load_object, object_in, unreadable
from gateway.dialects.gemini_answer import (
    candidates_in,
    finish_reason_of,
    index_of,
    logprobs_of,
    said_in,
    signed,
    tool_call,
    usage_of,
    vectors_of,
)
from gateway.dialects.gemini_failure import block_in, failure_in, failure_of
from gateway.dialects.gemini_frames import ArrayFrames, SseFrames
from gateway.dialects.gemini_request import request_body
from gateway.dialects.gemini_stream import GeminiStreamDecoder
from gateway.dialects.neutral import whole_answer
from gateway.dialects.protocol import StreamDecoder
from gateway.dialects.shortfall import Shortfall, asks_nothing, unsupported
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.kernel.limits import Limits
from gateway.kernel.quirks import Quirks
from gateway.schema.chat import AnswerStamp, ChatAnswer, ChatRequest
from gateway.schema.embeddings import EmbeddingAnswer, EmbeddingRequest
from gateway.schema.exchange import Endpoint, UpstreamAnswer, UpstreamCall

_EMBEDDED = frozenset({"model", "input", "dimensions", "encoding_format"})


class GeminiDialect:
    """Google's Gemini API, v1beta: generateContent, whole or streamed, and batchEmbedContents.

    The key goes in a header, never in the address. Gemini tells no limits in its headers.
    """

    capabilities = frozenset(
        {
            "chat",
            "streaming",
            "tools",
            "vision",
            "structured_output",
            "reasoning",
            "embeddings",
            "model_listing",
        }
    )

    def encode_chat(self, request: ChatRequest, model: str, endpoint: Endpoint) -> UpstreamCall:
        shortfall = Shortfall(endpoint)
        body = request_body(request, model, shortfall)
        method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
        return _post(endpoint, f"{_name_of(model)}:{method}", body, shortfall)

    def decode_chat(self, answer: UpstreamAnswer, stamp: AnswerStamp) -> ChatAnswer:
        body = _checked(answer)
        if blocked := block_in(body):
            raise ProviderError(blocked)
        candidates = candidates_in(body)
        if not candidates:
            raise unreadable("The answer holds no candidates.")
        return whole_answer(stamp, [_choice(candidate, stamp) for candidate in candidates], usage_of(body))

    def stream_decoder(
        self, request: ChatRequest, stamp: AnswerStamp, headers: Mapping[str, str]
    ) -> StreamDecoder:
        is_array = headers.get("content-type", "").startswith("application/json")
        frames = ArrayFrames() if is_array else SseFrames()
        choices = request.body.get("n") or 1
        return GeminiStreamDecoder(stamp, frames, include_usage=request.include_usage, choices=choices)

    def classify(self, answer: UpstreamAnswer) -> ProviderFailure:
        return failure_of(answer)

    def encode_embeddings(self, request: EmbeddingRequest, model: str, endpoint: Endpoint) -> UpstreamCall:
        shortfall = Shortfall(endpoint)
        for param, value in request.body.items():
            if param not in _EMBEDDED and not asks_nothing(param, value):
                shortfall.note(param, "this model has no such parameter")
        name = _name_of(model)
        return _post(
            endpoint, f"{name}:batchEmbedContents", {"requests": _requests(request, name)}, shortfall
        )

    def decode_embeddings(self, answer: UpstreamAnswer, request: EmbeddingRequest) -> EmbeddingAnswer:
        body = _checked(answer)
        return EmbeddingAnswer(vectors_of(body.get("embeddings"), len(request.inputs)), usage_of(body))

    def limits_in(self, headers: Mapping[str, str], now: datetime, quirks: Quirks) -> Limits | None:
        del headers, now, quirks
        return None

    def encode_probe(self, endpoint: Endpoint, path: str) -> UpstreamCall:
        return UpstreamCall(method="GET", url=endpoint.base_url + path, headers=_key_headers(endpoint))

    def read_probe(self, answer: UpstreamAnswer) -> frozenset[str]:
        listed = (load_object(answer.body) or {}).get("models")
        if not isinstance(listed, list):
            raise unreadable("The list of models is not in Gemini's format.")
        names = {str(model["name"]) for model in listed if isinstance(model, dict) and "name" in model}
        return frozenset(names | {name.removeprefix("models/") for name in names})


def _post(endpoint: Endpoint, path: str, body: Mapping[str, Any], shortfall: Shortfall) -> UpstreamCall:
    return UpstreamCall(
        method="POST",
        url=f"{endpoint.base_url}/{path}",
        headers=_key_headers(endpoint) | {"content-type": "application/json"},
        body=dump(body),
        dropped=shortfall.dropped,
    )


def _key_headers(endpoint: Endpoint) -> dict[str, str]:
    return {"x-goog-api-key": endpoint.api_key} if endpoint.api_key else {}


def _name_of(model: str) -> str:
    """Gives the name of a model as a resource; one that has its collection already, like tunedModels/x, keeps it."""
    return quote(model if "/" in model else f"models/{model}")


def _checked(answer: UpstreamAnswer) -> dict[str, Any]:
    body = object_in(answer)
    if "error" in body:
        raise ProviderError(failure_in(body["error"], None))
    return body


def _choice(candidate: Mapping[str, Any], stamp: AnswerStamp) -> dict[str, Any]:
    said, index = said_in(candidate), index_of(candidate)
    calls = [tool_call(part, stamp, index, number) for number, part in enumerate(said.calls)]
    message: dict[str, Any] = {"role": "assistant", "content": None if calls and not said.text else said.text}
    if said.reasoning:
        message["reasoning_content"] = said.reasoning
    if calls:
        message["tool_calls"] = calls
    reason = finish_reason_of(candidate, called_tools=bool(calls))
    if reason is None:
        raise unreadable("A candidate has no finishReason, so it may be cut.")
    message |= signed(said.signature)
    return {"index": index, "message": message, "logprobs": logprobs_of(candidate), "finish_reason": reason}


def _requests(request: EmbeddingRequest, name: str) -> list[dict[str, Any]]:
    dimensions = {"outputDimensionality": request.dimensions} if request.dimensions else {}
    texts = [each for each in request.inputs if isinstance(each, str)]
    if len(texts) != len(request.inputs):
        raise unsupported("input", "this model takes texts, not tokens")
    return [{"model": name, "content": {"parts": [{"text": text}]}, **dimensions} for text in texts]
