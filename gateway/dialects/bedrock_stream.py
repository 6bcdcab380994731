"""Bedrock's ConverseStream as OpenAI's chunks (Amazon Bedrock API reference, ConverseStreamOutput)."""

from typing import Any

from gateway.dialects.bedrock_answer import call_of, finish_reason_of, is_call, refuse_foreign, usage_of
from gateway.dialects.bedrock_errors import failure_of, message_in
from gateway.dialects.classification import load_object, unreadable
from gateway.dialects.neutral import delta_body, usage_chunk
from gateway.dialects.tool_arguments import ToolArguments, says_all
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.schema.aws_event_stream import EventMessage, EventStreamDecoder, FrameFault
from gateway.schema.chat import AnswerStamp
from gateway.schema.deltas import ChatChunk, StreamEvent, StreamFault
from gateway.schema.usage import Usage


class BedrockStreamDecoder:
    """Reads the messages of a stream: finished with `messageStop`, complete with the `metadata` that follows it.

    The finish reason waits for the usage, which only `metadata` tells.
    """

    def __init__(self, stamp: AnswerStamp, *, include_usage: bool) -> None:
        self._stamp = stamp
        self._include_usage = include_usage
        self._messages = EventStreamDecoder()
        self._calls: dict[int, int | None] = {}
        self._without_arguments: set[int] = set()
        self._told_arguments = ToolArguments()
        self._finish_reason: str | None = None
        self._began = False
        self._done = False
        self._failed = False

    @property
    def complete(self) -> bool:
        return self._done and not self._failed

    @property
    def finished(self) -> bool:
        return self._finish_reason is not None

    def feed(self, data: bytes) -> list[StreamEvent]:
        return self._read(self._messages.feed(data))

    def close(self) -> list[StreamEvent]:
        events = self._read(self._messages.close())
        if self._done or self._failed:
            return events
        if self.finished:
            return [*events, *self.settle()]
        if not self._began:
            return [*events, self._fault(ReasonCode.INVALID_RESPONSE, "The stream is empty.")]
        detail = "The stream ended before its end was told."
        return [*events, self._fault(ReasonCode.STREAM_INTERRUPTED, detail)]

    def settle(self) -> list[StreamEvent]:
        return self._end(None) if self.finished and not self._done else []

    def _read(self, messages: list[EventMessage | FrameFault]) -> list[StreamEvent]:
        read: list[StreamEvent] = []
        for message in messages:
            if self._done or self._failed:
                break
            try:
                read += self._step(message)
            except ProviderError as error:
                read += self.settle() if self.finished else [self._failure(error.failure)]
        return read

    def _step(self, message: EventMessage | FrameFault) -> list[StreamEvent]:
        if isinstance(message, FrameFault):
            reason = ReasonCode.STREAM_INTERRUPTED if message.is_cut else ReasonCode.INVALID_RESPONSE
            raise ProviderError(ProviderFailure(reason=reason, detail=message.detail))
        began, self._began = self._began, True
        kind = message.text(":message-type")
        if kind == "error":
            raise ProviderError(failure_of(message.text(":error-code"), message.text(":error-message"), None))
        body = load_object(message.payload)
        if kind == "exception":
            raise ProviderError(failure_of(message.text(":exception-type"), message_in(body or {}), None))
        if kind != "event" or body is None:
            raise unreadable("A message of the stream is no event with a JSON object.")
        if began:
            return self._chunks(message.text(":event-type"), body)
        role = ChatChunk(delta_body(self._stamp, {"role": "assistant", "content": ""}))
        return [role, *self._chunks(message.text(":event-type"), body)]

    def _chunks(self, event: str, body: dict[str, Any]) -> list[StreamEvent]:
        if event == "metadata":
            return self._end(usage_of(body.get("usage")))
        if self._finish_reason is not None:
            return self._repeat(event, body)
        match event:
            case "contentBlockStart":
                delta = self._begin_block(body)
            case "contentBlockDelta":
                delta = self._continue_block(body)
            case "contentBlockStop":
                delta = self._end_block(body.get("contentBlockIndex"))
            case "messageStop":
                reason = self._reason_in(body)
                self._check_arguments(reason)
                self._finish_reason = reason
                return []
            case _:
                # The beginning of the message, and what later versions may add.
                return []
        self._told_arguments.add(0, delta)
        return [ChatChunk(delta_body(self._stamp, delta), delivers=True)] if delta else []

    def _reason_in(self, body: dict[str, Any]) -> str:
        called = any(index is not None for index in self._calls.values())
        return finish_reason_of(body.get("stopReason"), called_tools=called)

    def _check_arguments(self, finish_reason: str) -> None:
        if says_all(finish_reason) and self._told_arguments.cut_in(0):
            raise unreadable("The arguments of a tool call are cut.")

    def _repeat(self, event: str, body: dict[str, Any]) -> list[StreamEvent]:
        """Bears with an end that is told twice, but with nothing else after it."""
        if event != "messageStop" or self._reason_in(body) != self._finish_reason:
            self._finish_reason = None
            raise unreadable("The stream goes on after its end was told.")
        return []

    def _begin_block(self, body: dict[str, Any]) -> dict[str, Any]:
        start, block = body.get("start"), body.get("contentBlockIndex")
        if not isinstance(start, dict) or not isinstance(block, int):
            raise unreadable("A block of the stream has no proper beginning.")
        refuse_foreign(start)
        tool_use = start.get("toolUse")
        if tool_use is None:
            return {}
        if not is_call(tool_use):
            self._calls[block] = None
            return {}
        index = self._calls[block] = sum(other is not None for other in self._calls.values())
        self._without_arguments.add(block)
        return {"tool_calls": [{"index": index, **call_of(tool_use, "")}]}

    def _continue_block(self, body: dict[str, Any]) -> dict[str, Any]:
        match body.get("delta"):
            case {"text": str(text)}:
                return {"content": text} if text else {}
            case {"reasoningContent": {"text": str(text)}}:
                return {"reasoning_content": text} if text else {}
            case {"toolUse": {"input": str(arguments)}}:
                return self._arguments(body.get("contentBlockIndex"), arguments)
            case dict() as delta:
                refuse_foreign(delta)
                return {}
            case _:
                raise unreadable("A block of the stream goes on without anything.")

    def _arguments(self, block: Any, arguments: str) -> dict[str, Any]:
        if not isinstance(block, int) or block not in self._calls:
            raise unreadable("The stream holds arguments of a tool call that has not begun.")
        index = self._calls[block]
        if index is None or not arguments:
            return {}
        self._without_arguments.discard(block)
        return {"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}

    def _end_block(self, block: Any) -> dict[str, Any]:
        # A call without arguments streams none, but OpenAI's callers read an object.
        lacks_them = isinstance(block, int) and block in self._without_arguments
        return self._arguments(block, "{}") if lacks_them else {}

    def _end(self, usage: Usage | None) -> list[StreamEvent]:
        if self._finish_reason is None:
            raise unreadable("The stream told its usage before its end.")
        self._done = True
        last = [ChatChunk(delta_body(self._stamp, {}, self._finish_reason), finishes=True, usage=usage)]
        if self._include_usage and usage:
            last.append(usage_chunk(self._stamp, usage))
        return [*last]

    def _fault(self, reason: ReasonCode, detail: str) -> StreamFault:
        return self._failure(ProviderFailure(reason=reason, detail=detail))

    def _failure(self, failure: ProviderFailure) -> StreamFault:
        self._failed = True
        return StreamFault(failure)
