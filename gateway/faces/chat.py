from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gateway.faces.openai_form import OpenAIForm
from gateway.faces.protocol import Problem, StreamEncoder
from gateway.schema.chat import ChatAnswer, ChatRequest, parse_chat
from gateway.schema.deltas import ChatChunk
from gateway.schema.sse import encode_sse

_DONE = encode_sse(b"[DONE]")


class ChatCompletionsFace(OpenAIForm):
    """OpenAI's chat completions, which is the neutral form itself."""

    path = "/v1/chat/completions"

    def parse(self, payload: bytes, headers: Mapping[str, str]) -> ChatRequest:
        del headers
        return parse_chat(payload)

    def encode_answer(self, answer: ChatAnswer, request: ChatRequest) -> dict[str, Any]:
        del request
        return answer.body

    def stream_encoder(self, request: ChatRequest) -> StreamEncoder:
        return ChatStreamEncoder(self, include_usage=request.include_usage)


class ChatStreamEncoder:
    """Writes chunks as they are, and `[DONE]` after the proper end; usage only for a caller who has asked for it."""

    def __init__(self, form: OpenAIForm, *, include_usage: bool) -> None:
        self._form = form
        self._include_usage = include_usage

    def feed(self, chunks: Sequence[ChatChunk]) -> bytes:
        events: list[bytes] = []
        for chunk in chunks:
            body = chunk.body if self._include_usage else _without_usage(chunk.body)
            if body:
                # As encode_sse does, which looks for line breaks first: this JSON has none.
                events += (b"data: ", orjson.dumps(body), b"\n\n")
        return b"".join(events)

    def close(self) -> bytes:
        return _DONE

    def fail(self, problem: Problem) -> bytes:
        return encode_sse(orjson.dumps(self._form.error_body(problem)))


def _without_usage(body: dict[str, Any]) -> Mapping[str, Any]:
    """Leaves the usage out of a chunk, and nothing of a chunk that is there for the usage alone."""
    if "usage" not in body:
        return body
    if not body.get("choices") and body["usage"] is not None:
        return {}
    return {name: value for name, value in body.items() if name != "usage"}
