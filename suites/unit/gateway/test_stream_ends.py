"""What every decoder makes of a body that breaks off: a whole answer once it has finished, and never before."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from fixtures.simulators import aws_event_stream
from gateway.dialects import DIALECTS, StreamDecoder
from gateway.schema.chat import Native, check_chat
from gateway.schema.deltas import ChatChunk, StreamEvent, StreamFault
from suites.unit.gateway import wire_texts
from suites.unit.gateway.stamped import STAMP
from suites.unit.gateway.wire_texts import chunk, line

JSON = {"content-type": "application/json"}


def sse(*bodies: dict[str, Any]) -> bytes:
    return b"".join(b"data: %b\r\n\r\n" % orjson.dumps(body) for body in bodies)


def named(kind: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), orjson.dumps({"type": kind, **fields}))


def frame(kind: str, **body: Any) -> bytes:
    return aws_event_stream.event(kind, orjson.dumps(body))


def piece(text: str, **more: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "index": 0, **more}]}


def call(arguments: str, **more: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, "function": {"arguments": arguments, **more}}]}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A streamed answer: all up to its finish reason, and what comes after it."""

    dialect: str
    said: bytes
    finish: bytes
    rest: bytes = b""
    headers: Any = None
    asked: Any = None

    def decoder(self) -> StreamDecoder:
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        request = check_chat(body | (self.asked or {}), Native("anthropic", {}) if self.asked == {} else None)
        return DIALECTS[self.dialect].stream_decoder(request, STAMP, self.headers or {})

    @property
    def choices(self) -> int:
        return int((self.asked or {}).get("n", 1))

    @property
    def whole(self) -> bytes:
        return self.said + self.finish + self.rest


GEMINI = (piece("Hello"), piece(" world"), piece("", finishReason="STOP"))
GEMINI_LATE = {"usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2}}
ANTHROPIC = {
    "said": named("message_start", message={"usage": {"input_tokens": 3}})
    + named("content_block_start", index=0, content_block={"type": "text", "text": ""})
    + named("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hello world"})
    + named("content_block_stop", index=0),
    "finish": named("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 2}),
    "rest": named("message_stop"),
}
OPENAI_REST = wire_texts.USAGE + wire_texts.DONE

ANSWERS = {
    "openai": Answer(
        dialect="openai",
        said=wire_texts.ROLE + wire_texts.HELLO + wire_texts.WORLD,
        finish=wire_texts.FINISH,
        rest=OPENAI_REST,
    ),
    "openai, usage asked for": Answer(
        dialect="openai",
        said=wire_texts.ROLE + wire_texts.HELLO,
        finish=wire_texts.FINISH,
        rest=OPENAI_REST,
        asked={"stream_options": {"include_usage": True}},
    ),
    "openai, call": Answer(
        dialect="openai",
        said=chunk(call("", name="add")) + chunk(call('{"a":')) + chunk(call("1}")),
        finish=chunk({}, "tool_calls"),
        rest=OPENAI_REST,
    ),
    "openai, call cut by a limit": Answer(
        dialect="openai",
        said=chunk(call('{"a":', name="add")),
        finish=chunk({}, "length"),
        rest=OPENAI_REST,
    ),
    "openai, two choices": Answer(
        dialect="openai",
        said=wire_texts.HELLO + chunk({}, "stop") + chunk({"content": "Hi"}, index=1),
        finish=chunk({}, "length", index=1),
        rest=OPENAI_REST,
        asked={"n": 2},
    ),
    "anthropic": Answer(dialect="anthropic", **ANTHROPIC),
    "anthropic, native": Answer(dialect="anthropic", asked={}, **ANTHROPIC),
    "bedrock": Answer(
        dialect="bedrock",
        said=frame("messageStart", role="assistant")
        + frame("contentBlockDelta", contentBlockIndex=0, delta={"text": "Hello world"}),
        finish=frame("messageStop", stopReason="end_turn"),
        rest=frame("metadata", usage={"inputTokens": 3, "outputTokens": 2}),
    ),
    "gemini": Answer(
        dialect="gemini", said=sse(*GEMINI[:2]), finish=sse(GEMINI[2]), rest=sse(GEMINI_LATE) + b": bye"
    ),
    "gemini, array": Answer(
        dialect="gemini",
        said=b"[" + orjson.dumps(GEMINI[0]) + b",\n" + orjson.dumps(GEMINI[1]),
        finish=b",\n" + orjson.dumps(GEMINI[2]),
        rest=b",\n" + orjson.dumps(GEMINI_LATE) + b"]",
        headers=JSON,
    ),
    "ollama": Answer(
        dialect="ollama",
        said=line({"message": {"content": "Hello"}, "done": False}),
        finish=line({"message": {"content": ""}, "done": True, "done_reason": "stop"}),
    ),
}
EACH = pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
End = Callable[[StreamDecoder], list[StreamEvent]]
ENDS = pytest.mark.parametrize(
    "end", [lambda decoder: decoder.close(), lambda decoder: decoder.settle()], ids=["end", "given up"]
)


def told(events: list[StreamEvent]) -> list[Any]:
    """Gives what the choices of a stream say, which must be free of faults."""
    assert all(isinstance(event, ChatChunk) for event in events)
    bodies = [event.body for event in events if isinstance(event, ChatChunk)]
    return [
        (choice.get("index", 0), choice["delta"], choice["finish_reason"])
        for body in bodies
        for choice in body["choices"]
    ]


@ENDS
@EACH
def test_finished_answer_is_whole_wherever_the_body_ends(answer: Answer, end: End) -> None:
    """After the finish reason neither usage nor end marker is needed, nor does half of one harm."""
    complete = answer.decoder()
    expected = told(complete.feed(answer.whole) + complete.close())

    for cut in range(len(answer.rest) + 1):
        decoder = answer.decoder()
        events = decoder.feed(answer.said + answer.finish + answer.rest[:cut])
        assert decoder.finished
        assert told(events + end(decoder)) == expected
        assert decoder.complete
        assert decoder.finished


@EACH
def test_unfinished_answer_is_never_whole(answer: Answer) -> None:
    """Before the finish reason has come to its last byte, the end of the body is a fault, and nothing is made up."""
    text = answer.said + answer.finish

    for cut in range(len(text.rstrip())):
        decoder = answer.decoder()
        events = decoder.feed(text[:cut])
        assert not decoder.finished
        assert decoder.settle() == []
        closing = decoder.close()
        assert isinstance(closing[-1], StreamFault)
        assert sum(reason is not None for *_, reason in told(events + closing[:-1])) < answer.choices
        assert not decoder.complete
        assert not decoder.finished


@pytest.mark.parametrize("late", [b"data: nonsense\n\n", b'data: {"error": {"message": "x"}}\n\n'])
@EACH
def test_no_fault_follows_the_finish(answer: Answer, late: bytes) -> None:
    """An error, or what makes no sense, ends the stream of a finished answer as its end marker does."""
    decoder = answer.decoder()
    events = decoder.feed(answer.said + answer.finish)
    events += decoder.feed(late) + decoder.feed(answer.rest) + decoder.close()

    assert not [event for event in events if isinstance(event, StreamFault)]
    assert decoder.complete


@EACH
def test_nothing_is_told_twice(answer: Answer) -> None:
    """What was given out when the rest was given up does not come again."""
    decoder = answer.decoder()
    decoder.feed(answer.said + answer.finish)
    decoder.settle()

    assert (decoder.settle(), decoder.feed(answer.rest), decoder.close()) == ([], [], [])


@pytest.mark.parametrize(
    "answer",
    [
        Answer(dialect="openai", said=chunk(call('{"a":', name="add")), finish=chunk({}, "tool_calls")),
        Answer(dialect="openai", said=wire_texts.HELLO, finish=wire_texts.FINISH, asked={"n": 2}),
        Answer(
            dialect="openai",
            said=chunk({"content": "a"}, "stop"),
            finish=chunk({"content": "b"}, "stop"),
        ),
        Answer(
            dialect="openai",
            said=chunk({"content": "a"}) + chunk({}, "stop"),
            finish=chunk({"content": "b"}),
        ),
        Answer(
            dialect="gemini",
            said=sse(piece("a", finishReason="STOP")),
            finish=sse(piece("b", finishReason="STOP")),
        ),
        Answer(dialect="gemini", said=sse(*GEMINI), finish=sse(piece("b", finishReason="STOP"))),
        Answer(dialect="gemini", said=sse(*GEMINI[:2]), finish=sse(GEMINI[2]), asked={"n": 2}),
        Answer(
            dialect="anthropic",
            said=ANTHROPIC["said"] + ANTHROPIC["finish"],
            finish=named("content_block_start", index=1, content_block={"type": "text", "text": ""}),
        ),
        Answer(
            dialect="bedrock",
            said=ANSWERS["bedrock"].said + ANSWERS["bedrock"].finish,
            finish=frame("contentBlockDelta", contentBlockIndex=0, delta={"text": "x"}),
        ),
    ],
    ids=[
        "cut call",
        "a choice is missing",
        "reason with every piece",
        "text after the reason",
        "gemini: reason with every piece",
        "gemini: text after the reason",
        "gemini: a candidate is missing",
        "anthropic: block after the reason",
        "bedrock: text after the reason",
    ],
)
def test_finish_reason_that_is_no_end_is_not_trusted(answer: Answer) -> None:
    """What goes on after its finish reason, or lacks a part, is whole only if the stream ends properly."""
    decoder = answer.decoder()
    decoder.feed(answer.said + answer.finish)

    assert not decoder.finished
    assert decoder.settle() == []


def test_native_end_lacks_only_what_did_not_come() -> None:
    """Events in the provider's own form are held with the finish reason, and none is made up."""
    decoder = ANSWERS["anthropic, native"].decoder()
    decoder.feed(ANTHROPIC["said"] + ANTHROPIC["finish"])

    (last,) = decoder.settle()

    assert isinstance(last, ChatChunk)
    assert last.finishes
    assert last.native is not None
    assert [body["type"] for body in last.native.bodies] == ["message_delta"]
