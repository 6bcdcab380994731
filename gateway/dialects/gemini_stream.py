from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.dialects.classification import load_object, unreadable
from gateway.dialects.gemini_answer import (
    candidates_in,
    finish_reason_of,
    index_of,
    logprobs_of,
    said_in,
    signed,
    tool_call,
    usage_of,
)
from gateway.dialects.gemini_failure import block_in, failure_in
from gateway.dialects.gemini_frames import Frames
from gateway.dialects.neutral import chunk_body, usage_chunk
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.schema.chat import AnswerStamp
from gateway.schema.deltas import ChatChunk, StreamEvent, StreamFault
from gateway.schema.usage import Usage

_SHOWN = ("content", "reasoning_content", "tool_calls")


@dataclass(slots=True)
class _Choice:
    """How far one candidate has come.

    `ended`: its finish reason came after pieces without one, and nothing has followed; only then is it the end.
    """

    began: bool = False
    calls: int = 0
    finish_reason: str | None = None
    ended: bool = False

    def note(self, reason: str | None, *, had_begun: bool, says_more: bool) -> None:
        """Takes the finish reason of a piece, if it has one."""
        if self.finish_reason is None:
            self.ended = had_begun and reason is not None
        elif says_more:
            self.ended = False
        self.finish_reason = reason or self.finish_reason


class GeminiStreamDecoder:
    """Reads Gemini's stream, which has no terminal event: complete at a proper end, if every candidate has finished.

    Finish reasons are told at the end, as some models give one with each piece, which is then no sign that the answer
    is finished. The last usage counts. `choices` is how many candidates there shall be.
    """

    def __init__(self, stamp: AnswerStamp, frames: Frames, *, include_usage: bool, choices: int = 1) -> None:
        self.complete = False
        self._wanted = choices
        self._stamp = stamp
        self._frames = frames
        self._include_usage = include_usage
        self._choices: dict[int, _Choice] = {}
        self._usage: Usage | None = None
        self._failed = False

    @property
    def finished(self) -> bool:
        return (
            len(self._choices) >= self._wanted
            and all(choice.ended for choice in self._choices.values())
            and not self._failed
        )

    def feed(self, data: bytes) -> list[StreamEvent]:
        return self._read(self._frames.feed(data))

    def close(self) -> list[StreamEvent]:
        events = self._read(self._frames.close())
        if self._failed or self.complete:
            return events
        if self.finished:
            return [*events, *self.settle()]
        if not self._choices:
            return [*events, self._fault(ReasonCode.INVALID_RESPONSE, "The stream is empty.")]
        if not self._frames.whole or not all(choice.finish_reason for choice in self._choices.values()):
            detail = "The stream ended without a finish reason, or in the middle of an object."
            return [*events, self._fault(ReasonCode.STREAM_INTERRUPTED, detail)]
        return [*events, *self._last(self._usage)]

    def settle(self) -> list[StreamEvent]:
        return self._last(self._usage) if self.finished and not self.complete else []

    def _read(self, objects: list[bytes]) -> list[StreamEvent]:
        read: list[StreamEvent] = []
        for text in objects:
            if self._failed or self.complete:
                break
            was_finished = self.finished
            try:
                read += self._chunks(text)
            except ProviderError as error:
                read += self.settle() if was_finished else [self._failure(error.failure)]
        return read

    def _chunks(self, text: bytes) -> list[StreamEvent]:
        body = load_object(text)
        if body is None:
            raise unreadable("An event of the stream is no JSON object.")
        if "error" in body:
            raise ProviderError(failure_in(body["error"], None))
        if blocked := block_in(body):
            raise ProviderError(blocked)
        candidates = candidates_in(body)
        usage = usage_of(body)
        if not candidates and usage is None:
            raise unreadable("An event of the stream holds no candidates.")
        self._usage = usage or self._usage
        choices = [choice for candidate in candidates if (choice := self._choice(candidate))]
        if not choices:
            return []
        delivers = any(choice["delta"].get(name) for choice in choices for name in _SHOWN)
        return [ChatChunk(chunk_body(self._stamp, choices), delivers=delivers, usage=usage)]

    def _choice(self, candidate: Mapping[str, Any]) -> dict[str, Any] | None:
        index = index_of(candidate)
        state = self._choices.setdefault(index, _Choice())
        had_begun = state.began
        delta = self._delta(candidate, index, state)
        reason = finish_reason_of(candidate, called_tools=state.calls > 0)
        state.note(reason, had_begun=had_begun, says_more=any(delta.get(name) for name in _SHOWN))
        if not delta:
            return None
        return {"index": index, "delta": delta, "logprobs": logprobs_of(candidate), "finish_reason": None}

    def _delta(self, candidate: Mapping[str, Any], index: int, state: _Choice) -> dict[str, Any]:
        said = said_in(candidate)
        delta: dict[str, Any] = {} if state.began else {"role": "assistant", "content": ""}
        state.began = True
        if said.text:
            delta["content"] = said.text
        if said.reasoning:
            delta["reasoning_content"] = said.reasoning
        if said.calls:
            delta["tool_calls"] = [
                {"index": number, **tool_call(part, self._stamp, index, number)}
                for number, part in enumerate(said.calls, start=state.calls)
            ]
            state.calls += len(said.calls)
        return delta | signed(said.signature)

    def _last(self, usage: Usage | None) -> list[StreamEvent]:
        self.complete = True
        choices: list[dict[str, Any]] = [
            {"index": index, "delta": {}, "logprobs": None, "finish_reason": choice.finish_reason}
            for index, choice in sorted(self._choices.items())
        ]
        last = ChatChunk(chunk_body(self._stamp, choices), finishes=True, usage=usage)
        return [last, usage_chunk(self._stamp, usage)] if self._include_usage and usage else [last]

    def _fault(self, reason: ReasonCode, detail: str) -> StreamFault:
        return self._failure(ProviderFailure(reason=reason, detail=detail))

    def _failure(self, failure: ProviderFailure) -> StreamFault:
        self._failed = True
        return StreamFault(failure)
