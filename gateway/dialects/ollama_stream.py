from typing import Any

from gateway.dialects.classification import load_object
from gateway.dialects.neutral import delta_body, usage_chunk
from gateway.dialects.ollama_answer import finish_reason_of, message_of, tool_calls_of, usage_of
from gateway.dialects.openai_error import failure_in
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.schema.chat import AnswerStamp
from gateway.schema.deltas import ChatChunk, StreamEvent, StreamFault
from gateway.schema.ndjson import NdjsonDecoder


class OllamaStreamDecoder:
    """Reads Ollama's lines of JSON: finished and complete with the object that says `"done": true`."""

    def __init__(self, stamp: AnswerStamp, *, include_usage: bool) -> None:
        self._stamp = stamp
        self._include_usage = include_usage
        self._lines = NdjsonDecoder()
        self._began = False
        self._done = False
        self._failed = False
        self._tool_calls = 0

    @property
    def complete(self) -> bool:
        return self._done and not self._failed

    @property
    def finished(self) -> bool:
        return self.complete

    def feed(self, data: bytes) -> list[StreamEvent]:
        return self._read(self._lines.feed(data))

    def close(self) -> list[StreamEvent]:
        events = self._read(self._lines.close())
        if self._done or self._failed:
            return events
        if not self._began:
            return [*events, self._fault(ReasonCode.INVALID_RESPONSE, "The stream is empty.")]
        return [
            *events,
            self._fault(ReasonCode.STREAM_INTERRUPTED, "The stream ended before its last object."),
        ]

    def settle(self) -> list[StreamEvent]:
        return []

    def _read(self, lines: list[bytes]) -> list[StreamEvent]:
        read: list[StreamEvent] = []
        for line in lines:
            if self._done or self._failed:
                break
            try:
                read += self._step(line)
            except ProviderError as error:
                self._failed = True
                read.append(StreamFault(error.failure))
        return read

    def _step(self, line: bytes) -> list[StreamEvent]:
        body = load_object(line)
        if body is None:
            return [self._fault(ReasonCode.INVALID_RESPONSE, "A line of the stream is no JSON object.")]
        if "error" in body:
            self._failed = True
            return [StreamFault(failure_in(body, None))]
        if "message" not in body and not body.get("done"):
            return [self._fault(ReasonCode.INVALID_RESPONSE, "An object of the stream holds no message.")]
        return self._chunks(body)

    def _chunks(self, body: dict[str, Any]) -> list[StreamEvent]:
        delta = self._delta(body)
        delivers = any(value for name, value in delta.items() if name != "role")
        chunks: list[StreamEvent] = []
        if delta:
            chunks.append(ChatChunk(delta_body(self._stamp, delta), delivers=delivers))
        if body.get("done"):
            self._done = True
            chunks += self._last(body)
        return chunks

    def _delta(self, body: dict[str, Any]) -> dict[str, Any]:
        message = message_of(body)
        delta: dict[str, Any] = {}
        if not self._began:
            self._began = True
            delta = {"role": "assistant", "content": ""}
        if content := message.get("content"):
            delta["content"] = content
        if thinking := message.get("thinking"):
            delta["reasoning_content"] = thinking
        if calls := tool_calls_of(message, self._stamp, self._tool_calls):
            delta["tool_calls"] = [
                {"index": index, **call} for index, call in enumerate(calls, start=self._tool_calls)
            ]
            self._tool_calls += len(calls)
        return delta

    def _last(self, body: dict[str, Any]) -> list[StreamEvent]:
        reason, usage = finish_reason_of(body, called_tools=self._tool_calls > 0), usage_of(body)
        ended = delta_body(self._stamp, {}, reason)
        last: list[StreamEvent] = [ChatChunk(ended, finishes=True, usage=usage)]
        if self._include_usage and usage:
            last.append(usage_chunk(self._stamp, usage))
        return last

    def _fault(self, reason: ReasonCode, detail: str) -> StreamFault:
        self._failed = True
        return StreamFault(ProviderFailure(reason=reason, detail=detail))
