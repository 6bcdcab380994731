from functools import partial
from typing import Any

from gateway.dialects.classification import load_object, unreadable
from gateway.dialects.openai_answer import (
    finish_reason_of,
    is_choice,
    share_an_index,
    stamped,
    unify_reasoning,
)
from gateway.dialects.openai_error import failure_in, is_error
from gateway.dialects.tool_arguments import ToolArguments, says_all
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.schema.chat import AnswerStamp
from gateway.schema.deltas import ChatChunk, StreamEvent, StreamFault
from gateway.schema.sse import SseDecoder, SseEvent
from gateway.schema.usage import Usage

_DONE = b"[DONE]"
_KIND = "chat.completion.chunk"

_is_choice = partial(is_choice, content="delta")


class OpenAIStreamDecoder:
    """Reads OpenAI's stream of chunks: complete after `[DONE]`, if every choice has a finish reason.

    A tool call whose arguments break off is not complete either, unless a limit or a filter has ended the answer. It is
    finished once all of the `choices` have ended; a finish reason that comes with every piece is no end.

    To a caller who has not asked for the usage (`include_usage`) the stream looks as if it had not been asked for: the
    chunk that holds nothing else is hidden, and its usage goes with the chunk before it. That is why the chunks after
    the last finish reason are given out one event late.
    """

    def __init__(self, stamp: AnswerStamp, *, include_usage: bool = True, choices: int = 1) -> None:
        self._wanted = choices
        self._stamp = stamp
        self._include_usage = include_usage
        self._sse = SseDecoder()
        self._arguments = ToolArguments()
        self._has_calls = False
        self._unfinished: set[int] = set()
        self._finished: dict[int, str] = {}
        self._ended: set[int] = set()
        self._held: ChatChunk | None = None
        self._usage: Usage | None = None
        self._done = False
        self._failed = False
        self._began = False

    @property
    def complete(self) -> bool:
        return self._done and not self._failed and bool(self._finished) and not self._unfinished

    @property
    def finished(self) -> bool:
        return (
            len(self._ended) >= self._wanted
            and self._ended == self._finished.keys()
            and not self._unfinished
            and not self._failed
            and not self._has_cut_call
        )

    def feed(self, data: bytes) -> list[StreamEvent]:
        return self._read(self._sse.feed(data))

    def close(self) -> list[StreamEvent]:
        events = self._read(self._sse.close())
        if self.complete or self._failed:
            return events
        if self.finished:
            return [*events, *self.settle()]
        if not self._began:
            return [*events, self._fault(ReasonCode.INVALID_RESPONSE, "The stream is empty.")]
        cut = self._fault(ReasonCode.STREAM_INTERRUPTED, "The stream ended before its end marker.")
        return [*events, *self._released(), cut]

    def settle(self) -> list[StreamEvent]:
        if not self.finished or self._done:
            return []
        self._done = True
        return self._released()

    def _read(self, events: list[SseEvent]) -> list[StreamEvent]:
        read: list[StreamEvent] = []
        for event in events:
            if self._done or self._failed:
                break
            was_finished = self.finished
            try:
                read += self._step(event)
            except ProviderError as error:
                read += self.settle() if was_finished else [self._failure(error.failure)]
        return read

    def _step(self, event: SseEvent) -> list[StreamEvent]:
        text = event.data.strip()
        if not text:
            return []  # no event at all (WHATWG HTML, section 9.2.6), but a sign of life
        self._began = True
        if text == _DONE:
            return self._end()
        body = load_object(text)
        if event.event == "error":
            raise ProviderError(failure_in(body or {"message": text.decode(errors="replace")}, None))
        if body is None:
            raise unreadable("An event of the stream is no JSON object.")
        if is_error(body):
            raise ProviderError(failure_in(body, None))
        return self._chunk(body)

    def _end(self) -> list[StreamEvent]:
        self._done = True
        if not self.complete:
            detail = "The stream ended without a finish reason."
        elif self._has_cut_call:
            detail = "The arguments of a tool call are cut."
        else:
            return self._released()
        return [*self._released(), self._fault(ReasonCode.STREAM_INTERRUPTED, detail)]

    def _chunk(self, body: dict[str, Any]) -> list[StreamEvent]:
        if (delta := self._plain_delta(body)) is None:
            return self._full_chunk(body)
        if not self._include_usage:
            body.pop("usage", None)
        return [ChatChunk(stamped(body, self._stamp, _KIND), _delivers(delta))]

    def _plain_delta(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """Returns the delta of a chunk of which nothing is to be noted, as of nearly all; None of any other.

        Such a chunk only goes on with one choice that has begun; while there is one, no chunk is held back.
        """
        try:
            (choice,) = body["choices"]
            index, delta = choice["index"], choice["delta"]
        except (KeyError, TypeError, ValueError):
            return None
        if not isinstance(index, int) or index not in self._unfinished or not isinstance(delta, dict):
            return None
        if choice.get("finish_reason") is not None or body.get("usage") or "x_groq" in body:
            return None
        if "tool_calls" in delta or delta.get("reasoning") is not None:
            return None
        return delta

    def _full_chunk(self, body: dict[str, Any]) -> list[StreamEvent]:
        choices = body.get("choices")
        if not isinstance(choices, list) or not all(map(_is_choice, choices)):
            raise unreadable("A chunk of the stream holds no proper choices.")
        if share_an_index(choices):
            raise unreadable("Two choices of a chunk have the same index.")
        # Before anything is noted: a chunk of which one choice is no good must leave no trace of the others.
        reasons = [finish_reason_of(choice) for choice in choices]
        delivers = False
        for choice, reason in zip(choices, reasons, strict=True):
            delta = choice.get("delta") or {}
            unify_reasoning(delta)
            brings = _delivers(delta)
            delivers |= brings
            self._note(choice.get("index", 0), reason, delta, brings=brings)
        usage = _usage_in(body)
        if not self._include_usage:
            self._usage = usage or self._usage
            if body.pop("usage", None) and not choices:
                return []
        return self._in_turn(ChatChunk(stamped(body, self._stamp, _KIND), delivers, any(reasons), usage))

    def _note(self, index: int, reason: str | None, delta: dict[str, Any], *, brings: bool) -> None:
        """Notes how far a choice has come."""
        if "tool_calls" in delta:
            self._has_calls = True
            self._arguments.add(index, delta)
        if brings and index in self._finished:
            self._ended.discard(index)
        elif reason and index in self._unfinished:
            self._ended.add(index)
        if reason:
            self._finished[index] = reason
            self._unfinished.discard(index)
        elif index not in self._finished:
            self._unfinished.add(index)

    @property
    def _has_cut_call(self) -> bool:
        return self._has_calls and any(
            says_all(why) and self._arguments.cut_in(index) for index, why in self._finished.items()
        )

    def _in_turn(self, chunk: ChatChunk) -> list[StreamEvent]:
        earlier = self._released() if self._held else []
        if self._include_usage or not self._finished or self._unfinished:
            return [*earlier, chunk]
        self._held = chunk
        return earlier

    def _released(self) -> list[StreamEvent]:
        held, self._held = self._held, None
        return [ChatChunk(held.body, held.delivers, held.finishes, self._usage)] if held else []

    def _fault(self, reason: ReasonCode, detail: str) -> StreamFault:
        return self._failure(ProviderFailure(reason=reason, detail=detail))

    def _failure(self, failure: ProviderFailure) -> StreamFault:
        self._failed = True
        return StreamFault(failure)


def _delivers(delta: dict[str, Any]) -> bool:
    for name, value in delta.items():  # noqa: SIM110  a generator takes three times as long, for every chunk
        if value and name != "role":
            return True
    return False


def _usage_in(body: dict[str, Any]) -> Usage | None:
    # Groq has it in `x_groq` too, and there only where nobody has asked for it.
    reported, groq = body.get("usage"), body.get("x_groq")
    if not reported and isinstance(groq, dict):
        reported = groq.get("usage")
    return Usage.from_openai(reported) if reported else None
