from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.dialects.anthropic_answer import finish_reason_of, refusal_in, usage_of
from gateway.dialects.anthropic_errors import failure_in
from gateway.dialects.classification import load_object, unreadable
from gateway.dialects.neutral import delta_body, usage_chunk
from gateway.dialects.tool_arguments import says_all, write_arguments
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.schema.chat import AnswerStamp
from gateway.schema.deltas import ChatChunk, NativeEvents, StreamEvent, StreamFault
from gateway.schema.sse import SseDecoder, SseEvent

FORM = "anthropic"
"""The name of Anthropic's format, as native requests, answers and events bear it."""


@dataclass(slots=True)
class _Block:
    """The block that is being told; `call` counts the tool calls of the answer, None for other blocks."""

    index: int
    call: int | None = None
    arguments: str = ""


class AnthropicStreamDecoder:
    """Reads Anthropic's events: finished with the stop reason, complete with the `message_stop` that follows it.

    Where the caller speaks Anthropic's format too (`keeps_native`), every event but pings rides on a chunk in its
    original form, on an empty one where OpenAI has no counterpart. The chunk with the finish reason is held until
    `message_stop`, or until the rest is given up.
    """

    def __init__(self, stamp: AnswerStamp, *, include_usage: bool, keeps_native: bool = False) -> None:
        self._stamp = stamp
        self._include_usage = include_usage
        self._keeps_native = keeps_native
        self._sse = SseDecoder()
        self._began = False
        self._started = False
        self._done = False
        self._failed = False
        self._blocks = 0
        self._calls = 0
        self._open: _Block | None = None
        self._has_cut_call = False
        self._usage: dict[str, Any] = {}
        self._closing: list[dict[str, Any]] = []

    @property
    def complete(self) -> bool:
        return self._done and not self._failed

    @property
    def finished(self) -> bool:
        return bool(self._closing)

    def feed(self, data: bytes) -> list[StreamEvent]:
        return self._read(self._sse.feed(data))

    def close(self) -> list[StreamEvent]:
        events = self._read(self._sse.close())
        if self._done or self._failed:
            return events
        if self.finished:
            return [*events, *self.settle()]
        if not self._began:
            return [*events, self._fault(ReasonCode.INVALID_RESPONSE, "The stream is empty.")]
        detail = "The stream ended before its last event, message_stop."
        return [*events, self._fault(ReasonCode.STREAM_INTERRUPTED, detail)]

    def settle(self) -> list[StreamEvent]:
        return [*self._last()] if self.finished and not self._done else []

    def _read(self, events: list[SseEvent]) -> list[StreamEvent]:
        read: list[StreamEvent] = []
        for event in events:
            if self._done or self._failed:
                break
            try:
                read += self._step(event)
            except ProviderError as error:
                read += self.settle() if self.finished else [self._failure(error.failure)]
        return read

    def _step(self, event: SseEvent) -> list[ChatChunk]:
        self._began = True
        body = load_object(event.data)
        if body is None:
            raise unreadable("An event of the stream is no JSON object.")
        kind = body.get("type")
        if "error" in (kind, event.event):
            raise ProviderError(failure_in(body, None))
        if not isinstance(kind, str):
            raise unreadable("An event of the stream has no type.")
        if kind == "ping":
            return []
        if self._started == (kind == "message_start"):
            raise unreadable("A stream begins with message_start, and only once.")
        if kind == "message_stop":
            return self._stop(body)
        return self._chunk(body, self._delta(kind, body))

    def _delta(self, kind: Any, body: dict[str, Any]) -> dict[str, Any] | None:
        """Takes an event and returns what it adds; None where the chunk has to wait. New kinds may come at any time."""
        match kind:
            case "message_start":
                return self._start(body)
            case "content_block_start":
                return self._start_block(body)
            case "content_block_delta":
                return self._grow_block(body)
            case "content_block_stop":
                return self._stop_block(body)
            case "message_delta":
                return self._end(body)
            case _:
                return {}

    def _start(self, body: dict[str, Any]) -> dict[str, Any]:
        self._started = True
        self._note_usage(_object(body, "message").get("usage"))
        return {"role": "assistant", "content": ""}

    def _start_block(self, body: dict[str, Any]) -> dict[str, Any]:
        if self._open is not None or self._closing or body.get("index") != self._blocks:
            raise self._disorder("A block of the stream is out of order.")
        told = _object(body, "content_block")
        self._open = _Block(self._blocks)
        self._blocks += 1
        match told:
            case {"type": "text", "text": str(text)} if text:
                return {"content": text}
            case {"type": "thinking", "thinking": str(thinking)} if thinking:
                return {"reasoning_content": thinking}
            case {"type": "tool_use", "id": str(call_id), "name": str(name)}:
                return self._start_call(self._open, call_id, name, told.get("input"))
            case {"type": "tool_use"}:
                raise unreadable("A tool call of the stream has no id or no name.")
            case _:
                return {}

    def _start_call(self, block: _Block, call_id: str, name: str, given: Any) -> dict[str, Any]:
        block.call = self._calls
        self._calls += 1
        block.arguments = write_arguments(given) if given else ""
        function = {"name": name, "arguments": block.arguments}
        return _calls({"index": block.call, "id": call_id, "type": "function", "function": function})

    def _grow_block(self, body: dict[str, Any]) -> dict[str, Any]:
        block = self._block_of(body)
        match _object(body, "delta"):
            case {"type": "text_delta", "text": str(text)}:
                return {"content": text} if text else {}
            case {"type": "thinking_delta", "thinking": str(thinking)}:
                return {"reasoning_content": thinking} if thinking else {}
            case {"type": "input_json_delta", "partial_json": str(piece)} if piece and block.call is not None:
                block.arguments += piece
                return _calls({"index": block.call, "function": {"arguments": piece}})
            case _:
                return {}

    def _stop_block(self, body: dict[str, Any]) -> dict[str, Any]:
        block = self._block_of(body)
        self._open = None
        if block.call is None:
            return {}
        if not block.arguments:
            return _calls({"index": block.call, "function": {"arguments": "{}"}})
        self._has_cut_call |= load_object(block.arguments.encode()) is None
        return {}

    def _block_of(self, body: dict[str, Any]) -> _Block:
        if self._open is None or body.get("index") != self._open.index:
            raise self._disorder("An event of the stream belongs to no open block.")
        return self._open

    def _disorder(self, detail: str) -> ProviderError:
        self._closing.clear()  # what goes on has not ended, whatever was said
        return unreadable(detail)

    def _end(self, body: dict[str, Any]) -> dict[str, Any] | None:
        self._note_usage(body.get("usage"))
        stop_reason = _object(body, "delta").get("stop_reason")
        if not self._closing:
            if not isinstance(stop_reason, str):
                return {}
            self._check_end(finish_reason_of(stop_reason))
        self._closing.append(body)
        return None

    def _check_end(self, finish_reason: str) -> None:
        if self._open is not None:
            raise unreadable("The last block of the stream was not ended.")
        if self._has_cut_call and says_all(finish_reason):
            raise unreadable("The arguments of a tool call are cut.")

    def _stop(self, body: dict[str, Any]) -> list[ChatChunk]:
        if not self._closing:
            detail = "The stream ended without a stop reason."
            raise ProviderError(ProviderFailure(reason=ReasonCode.STREAM_INTERRUPTED, detail=detail))
        return self._last(body)

    def _last(self, *end: dict[str, Any]) -> list[ChatChunk]:
        self._done = True
        last = self._closing[0]["delta"]
        refusal = refusal_in(last)
        delta, usage = {"refusal": refusal} if refusal else {}, usage_of(self._usage)
        chunks = [
            ChatChunk(
                delta_body(self._stamp, delta, finish_reason_of(last["stop_reason"])),
                delivers=bool(delta),
                finishes=True,
                usage=usage,
                native=self._native(*self._closing, *end),
            )
        ]
        if self._include_usage and usage and not self._keeps_native:
            chunks.append(usage_chunk(self._stamp, usage))
        return chunks

    def _chunk(self, body: dict[str, Any], delta: dict[str, Any] | None) -> list[ChatChunk]:
        if delta is None or not (delta or self._keeps_native):
            return []
        delivers = any(value for name, value in delta.items() if name != "role")
        usage = usage_of(self._usage) if "role" in delta else None
        told = delta_body(self._stamp, delta)
        return [ChatChunk(told, delivers=delivers, usage=usage, native=self._native(body))]

    def _native(self, *bodies: dict[str, Any]) -> NativeEvents | None:
        return NativeEvents(FORM, bodies) if self._keeps_native else None

    def _note_usage(self, reported: Any) -> None:
        """Takes counts over those that came before, for they add up already."""
        if isinstance(reported, Mapping):
            self._usage |= {name: count for name, count in reported.items() if count is not None}

    def _fault(self, reason: ReasonCode, detail: str) -> StreamFault:
        return self._failure(ProviderFailure(reason=reason, detail=detail))

    def _failure(self, failure: ProviderFailure) -> StreamFault:
        self._failed = True
        return StreamFault(failure)


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    if not isinstance(value, Mapping):
        raise unreadable(f"An event of the stream has no proper {name}.")
    return value


def _calls(call: dict[str, Any]) -> dict[str, Any]:
    return {"tool_calls": [call]}
