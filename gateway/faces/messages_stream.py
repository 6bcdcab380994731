from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from gateway.faces.blocks import Began, Block, Ended, Grew, Step
from gateway.faces.messages_answer import empty, opening, stop_reason_of, usage_of
from gateway.faces.progress import Progress
from gateway.faces.protocol import Problem
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.schema.deltas import ChatChunk
from gateway.schema.sse import encode_sse

FORM = "anthropic"

Event = Mapping[str, Any]

_KINDS = {"text": "text", "thinking": "reasoning", "tool_use": "tool"}


class _Passed:
    """How far the events of a provider have come that were passed on as they came."""

    def __init__(self) -> None:
        self.blocks = 0
        self.open_kind: str | None = None
        self.has_stopped = False
        self.is_over = False

    def note(self, event: Event) -> None:
        match event:
            case {"type": "content_block_start", "content_block": {"type": kind}}:
                self.blocks += 1
                self.open_kind = _KINDS.get(kind, kind)
            case {"type": "content_block_stop"}:
                self.open_kind = None
            case {"type": "message_delta", "delta": {"stop_reason": str()}}:
                self.has_stopped = True
            case {"type": "message_stop"}:
                self.is_over = True


class _Numbers:
    """Numbers the blocks of an answer that begins with `passed` events, of which `told` is what is known."""

    def __init__(self, passed: _Passed, told: Sequence[Block]) -> None:
        self._offset = passed.blocks - len(told)
        self._ended = told[-1] if told and passed.open_kind is None else None
        if passed.open_kind is not None and [passed.open_kind] != [block.kind for block in told[-1:]]:
            raise _lost()

    def numbered(self, step: Step) -> Iterator[Event]:
        """Writes a step; raises ProviderError where it would go on with a block that has ended."""
        if step.block is not self._ended:
            yield from ({**event, "index": event["index"] + self._offset} for event in _events_of(step))
        elif not isinstance(step, Ended):
            raise _lost()


def _lost() -> ProviderError:
    detail = "The answer broke off where no other provider can go on."
    return ProviderError(ProviderFailure(reason=ReasonCode.STREAM_INTERRUPTED, detail=detail))


class MessagesStreamEncoder:
    """Writes Anthropic's events: a start, one block after the other, the stop reason and `message_stop`.

    The events of a provider who speaks this format itself are passed on as they came. Another one may go on after them,
    in the block that they have begun; an end that they lack is added, if only their stop reason has come.
    """

    def __init__(self, error_body: Callable[[Problem], dict[str, Any]], *, shows_thinking: bool) -> None:
        self._error_body = error_body
        self._progress = Progress(reasoning=shows_thinking)
        self._began = False
        self._passed: _Passed | None = None
        self._numbers: _Numbers | None = None

    def feed(self, chunks: Sequence[ChatChunk]) -> bytes:
        return _written(event for chunk in chunks for event in self._events(chunk))

    def close(self) -> bytes:
        if self._passed and self._passed.is_over:
            return b""
        if self._passed and self._passed.has_stopped:
            return _written([{"type": "message_stop"}])
        return _written(self._last_events())

    def fail(self, problem: Problem) -> bytes:
        return _written([self._error_body(problem)])

    def _events(self, chunk: ChatChunk) -> Iterator[Event]:
        if chunk.native and chunk.native.form == FORM:
            self._progress.feed(chunk)
            yield from self._passed_on(chunk.native.bodies, chunk.body["model"])
            return
        if self._passed and not self._numbers:
            self._numbers = _Numbers(self._passed, self._progress.blocks)
        steps = self._progress.feed(chunk)
        if not self._began:
            self._began = True
            yield {"type": "message_start", "message": opening(chunk.body, chunk.usage)}
        yield from self._told(steps)

    def _passed_on(self, events: Iterable[Event], model: str) -> Iterator[Event]:
        self._began = True
        self._passed = self._passed or _Passed()
        for event in events:
            self._passed.note(event)
            if event["type"] == "message_start":
                yield {**event, "message": {**event["message"], "model": model}}
            else:
                yield event

    def _last_events(self) -> Iterator[Event]:
        yield from self._told(self._progress.end())
        yield {
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason_of(self._progress), "stop_sequence": None},
            "usage": usage_of(self._progress.usage),
        }
        yield {"type": "message_stop"}

    def _told(self, steps: Iterable[Step]) -> Iterator[Event]:
        for step in steps:
            yield from self._numbers.numbered(step) if self._numbers else _events_of(step)


def _events_of(step: Step) -> Iterator[Event]:
    block = step.block
    if isinstance(step, Began):
        yield {"type": "content_block_start", "index": block.index, "content_block": empty(block)}
    elif isinstance(step, Grew):
        yield _delta(block, _growth(block, step.piece))
    else:
        if block.kind == "reasoning":
            yield _delta(block, {"type": "signature_delta", "signature": ""})
        yield {"type": "content_block_stop", "index": block.index}


def _delta(block: Block, delta: Event) -> Event:
    return {"type": "content_block_delta", "index": block.index, "delta": delta}


def _growth(block: Block, piece: str) -> Event:
    match block.kind:
        case "tool":
            return {"type": "input_json_delta", "partial_json": piece}
        case "reasoning":
            return {"type": "thinking_delta", "thinking": piece}
        case _:
            return {"type": "text_delta", "text": piece}


def _written(events: Iterable[Event]) -> bytes:
    return b"".join(encode_sse(orjson.dumps(event), event["type"]) for event in events)
