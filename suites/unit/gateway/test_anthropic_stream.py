import json
from typing import Any

import pytest

from gateway.dialects.anthropic_stream import AnthropicStreamDecoder
from gateway.kernel.codes import ReasonCode
from gateway.schema.deltas import ChatChunk, StreamEvent, StreamFault
from gateway.schema.usage import Usage
from suites.unit.gateway.stamped import STAMP, stamped_chunk


def event(kind: str, **fields: Any) -> bytes:
    body = {"type": kind, **fields}
    return f"event: {kind}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


def start(index: int, kind: str = "text", **fields: Any) -> bytes:
    block = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}}.get(kind, {})
    return event("content_block_start", index=index, content_block={"type": kind, **block, **fields})


def grow(index: int, kind: str, **fields: Any) -> bytes:
    return event("content_block_delta", index=index, delta={"type": kind, **fields})


def stop(index: int) -> bytes:
    return event("content_block_stop", index=index)


def end(stop_reason: str | None, **fields: Any) -> bytes:
    usage = {"output_tokens": 9, "input_tokens": None}
    return event("message_delta", delta={"stop_reason": stop_reason, **fields}, usage=usage)


USAGE = {
    "input_tokens": 5,
    "cache_creation_input_tokens": 3,
    "cache_read_input_tokens": 2,
    "output_tokens": 1,
    "output_tokens_details": {"thinking_tokens": 4},
}
START = event("message_start", message={"id": "msg_1", "type": "message", "content": [], "usage": USAGE})
PING = event("ping")
TEXT = (start(0), PING, grow(0, "text_delta", text="Hé"), grow(0, "text_delta", text="llo"), stop(0))
STOP = event("message_stop")
WHOLE = (START, *TEXT, end("end_turn"), STOP)
THOUGHTS = (
    START,
    start(0, "thinking"),
    grow(0, "thinking_delta", thinking="Hm"),
    grow(0, "signature_delta", signature="sig"),
    stop(0),
    start(1, "redacted_thinking", data="xyz"),
    stop(1),
    start(2, "tool_use", id="toolu_1", name="add", input={}),
    grow(2, "input_json_delta", partial_json=""),
    grow(2, "input_json_delta", partial_json='{"a":'),
    grow(2, "input_json_delta", partial_json=" 1}"),
    stop(2),
    start(3, "tool_use", id="toolu_2", name="now", input={}),
    stop(3),
    end("tool_use"),
    STOP,
)


def decode(
    *pieces: bytes, include_usage: bool = False, keeps_native: bool = False
) -> tuple[list[StreamEvent], bool]:
    decoder = AnthropicStreamDecoder(STAMP, include_usage=include_usage, keeps_native=keeps_native)
    events = [step for piece in pieces for step in decoder.feed(piece)]
    return events + decoder.close(), decoder.complete


def chunks(*pieces: bytes, keeps_native: bool = False) -> list[ChatChunk]:
    events, complete = decode(*pieces, keeps_native=keeps_native)
    assert complete
    return [step for step in events if isinstance(step, ChatChunk)]


def deltas(*pieces: bytes) -> list[Any]:
    return [chunk.body["choices"][0]["delta"] for chunk in chunks(*pieces)]


def fault(*pieces: bytes) -> StreamFault:
    events, complete = decode(*pieces)
    assert not complete
    assert isinstance(events[-1], StreamFault)
    return events[-1]


def tool(*arguments: str) -> tuple[bytes, ...]:
    """Gives a message with one tool call, up to its end."""
    pieces = (grow(0, "input_json_delta", partial_json=each) for each in arguments)
    return (START, start(0, "tool_use", id="toolu_1", name="add", input={}), *pieces, stop(0))


def test_events_become_chunks() -> None:
    """The first chunk gives the role, the last one the finish reason and all that was spent."""
    first, second, third, last = chunks(*WHOLE)

    assert first.body == stamped_chunk({"role": "assistant", "content": ""})
    assert [chunk.body["choices"][0]["delta"] for chunk in (second, third)] == [
        {"content": "Hé"},
        {"content": "llo"},
    ]
    assert [chunk.delivers for chunk in (first, second, third, last)] == [False, True, True, False]
    assert last.body["choices"][0]["finish_reason"] == "stop"
    assert (last.finishes, last.usage) == (True, Usage(10, 9, 2, 4))
    assert first.usage == Usage(10, 1, 2, 4)


def test_thoughts_and_calls_become_openais() -> None:
    """Thoughts become reasoning; calls are counted by themselves, and one without arguments has none of its own."""
    assert deltas(*THOUGHTS) == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "Hm"},
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "toolu_1",
                    "type": "function",
                    "function": {"name": "add", "arguments": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": " 1}"}}]},
        {
            "tool_calls": [
                {
                    "index": 1,
                    "id": "toolu_2",
                    "type": "function",
                    "function": {"name": "now", "arguments": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
        {},
    ]
    assert chunks(*THOUGHTS)[-1].body["choices"][0]["finish_reason"] == "tool_calls"


def test_blocks_may_begin_with_content() -> None:
    """What already stands at the beginning of a block is not lost."""
    blocks = (
        start(0, "thinking", thinking="Hm"),
        stop(0),
        start(1, "text", text="So"),
        stop(1),
        start(2, "tool_use", id="toolu_1", name="add", input={"a": 1}),
        stop(2),
    )
    _, thought, text, call, _ = deltas(START, *blocks, end("tool_use"), STOP)

    assert (thought, text) == ({"reasoning_content": "Hm"}, {"content": "So"})
    assert call["tool_calls"][0]["function"]["arguments"] == '{"a":1}'


def test_usage_comes_last_where_it_is_wanted() -> None:
    """The caller gets the usage as a chunk without choices where asked for."""
    *_, finish, usage = decode(*WHOLE, include_usage=True)[0]

    assert isinstance(finish, ChatChunk)
    assert isinstance(usage, ChatChunk)
    assert (usage.body["choices"], usage.body["usage"]["total_tokens"]) == ([], 19)
    assert len(decode(*WHOLE)[0]) == len(decode(*WHOLE, include_usage=True)[0]) - 1
    assert len(decode(*WHOLE, include_usage=True, keeps_native=True)[0]) == len(
        chunks(*WHOLE, keeps_native=True)
    )


@pytest.mark.parametrize("stream", [WHOLE, THOUGHTS], ids=["text", "thoughts and calls"])
def test_every_event_is_kept_for_who_speaks_the_format(stream: tuple[bytes, ...]) -> None:
    """All events but pings ride on the chunks, as they were and in their order; the chunks say the same."""
    native = [
        body
        for chunk in chunks(*stream, keeps_native=True)
        if chunk.native and chunk.native.form == "anthropic"
        for body in chunk.native.bodies
    ]
    said = [json.loads(each.split(b"data: ")[1]) for each in stream if each != PING]
    meaningful = [
        chunk.body
        for chunk in chunks(*stream, keeps_native=True)
        if chunk.finishes or chunk.body["choices"][0]["delta"]
    ]

    assert native == said
    assert meaningful == [chunk.body for chunk in chunks(*stream)]
    assert all(chunk.native is None for chunk in chunks(*stream))


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("something_new", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ],
)
def test_stop_reason_is_translated(stop_reason: str, finish_reason: str) -> None:
    """Every reason to stop has a counterpart."""
    assert (
        chunks(START, *TEXT, end(stop_reason), STOP)[-1].body["choices"][0]["finish_reason"] == finish_reason
    )


def test_refusal_is_explained() -> None:
    """What the provider says about a refusal reaches the caller."""
    details = {"type": "refusal", "category": "cyber", "explanation": "Not this."}
    last = chunks(START, end("refusal", stop_details=details), STOP)[-1]

    assert last.body["choices"][0]["delta"] == {"refusal": "Not this."}
    assert last.delivers


def test_end_may_come_in_several_events() -> None:
    """Counts may come before the reason to stop and after it; the last ones hold."""
    more = event("message_delta", delta={}, usage={"output_tokens": 12})
    last = chunks(START, *TEXT, end(None), end("end_turn"), more, STOP)[-1]

    assert last.usage == Usage(10, 12, 2, 4)


def test_new_kinds_of_events_are_let_through() -> None:
    """The provider may add events and deltas at any time, which are no reason to fail."""
    unknown = event("content_block_note", note="x")
    odd = (start(0), grow(0, "citations_delta", citation={}), grow(0, "text_delta", text=""), stop(0))

    assert deltas(START, unknown, *odd, end("end_turn"), STOP) == [{"role": "assistant", "content": ""}, {}]


def test_call_may_be_cut_where_the_answer_is() -> None:
    """An answer that reached its limit within a call ends within it, and says so."""
    last = chunks(*tool('{"a":'), end("max_tokens"), STOP)[-1]

    assert last.body["choices"][0]["finish_reason"] == "length"


def test_split_does_not_matter() -> None:
    """The same bytes give the same chunks wherever the network cuts them, in one place or after every byte."""
    stream = b"".join(THOUGHTS[:7]) + b"".join(WHOLE[2:3]) + b"".join(THOUGHTS[7:])
    expected = decode(stream)

    assert expected[1]
    assert all(decode(stream[:cut], stream[cut:]) == expected for cut in range(len(stream)))
    assert decode(*(stream[at : at + 1] for at in range(len(stream)))) == expected


@pytest.mark.parametrize("keeps_native", [False, True], ids=["neutral", "native"])
def test_framing_does_not_matter(*, keeps_native: bool) -> None:
    """Line ends of other kinds, a byte order mark, comments and a missing blank line change nothing."""
    stream = b"".join(WHOLE)
    expected = decode(stream, keeps_native=keeps_native)

    for framed in (
        stream.replace(b"\n", b"\r\n"),
        stream.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + stream,
        stream.replace(b"event: content", b": comment\nevent: content"),
        stream.removesuffix(b"\n\n"),
        stream.replace(b"event: ", b"event:"),
    ):
        assert decode(framed, keeps_native=keeps_native) == expected


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ((), ReasonCode.INVALID_RESPONSE),
        ((b": comment\n\n",), ReasonCode.INVALID_RESPONSE),
        (TEXT, ReasonCode.INVALID_RESPONSE),
        ((START, START), ReasonCode.INVALID_RESPONSE),
        ((START, b"data: {}\n\n"), ReasonCode.INVALID_RESPONSE),
        ((event("message_start"),), ReasonCode.INVALID_RESPONSE),
        ((START, *TEXT, STOP), ReasonCode.STREAM_INTERRUPTED),
        ((START, *TEXT, end(None), STOP), ReasonCode.STREAM_INTERRUPTED),
        ((START, *TEXT[:3]), ReasonCode.STREAM_INTERRUPTED),
        ((START, b"data: nonsense\n\n", STOP), ReasonCode.INVALID_RESPONSE),
        ((START, b'data: ["x"]\n\n', STOP), ReasonCode.INVALID_RESPONSE),
        ((START, start(1), STOP), ReasonCode.INVALID_RESPONSE),
        ((START, *TEXT, *TEXT, end("end_turn"), STOP), ReasonCode.INVALID_RESPONSE),
        ((START, start(0), start(1)), ReasonCode.INVALID_RESPONSE),
        ((START, grow(0, "text_delta", text="x")), ReasonCode.INVALID_RESPONSE),
        ((START, start(0), grow(1, "text_delta", text="x")), ReasonCode.INVALID_RESPONSE),
        ((START, *TEXT, stop(0)), ReasonCode.INVALID_RESPONSE),
        ((START, start(0), end("end_turn"), STOP), ReasonCode.INVALID_RESPONSE),
        ((START, *TEXT, end("end_turn"), start(1)), ReasonCode.INVALID_RESPONSE),
        ((START, start(0, "tool_use")), ReasonCode.INVALID_RESPONSE),
        ((*tool('{"a":'), end("tool_use"), STOP), ReasonCode.INVALID_RESPONSE),
        ((*tool('{"a":'), end("end_turn"), STOP), ReasonCode.INVALID_RESPONSE),
        ((*tool("[1]"), end("tool_use"), STOP), ReasonCode.INVALID_RESPONSE),
        (
            (START, event("error", error={"type": "overloaded_error", "message": "Overloaded"})),
            ReasonCode.PROVIDER_DEGRADED,
        ),
        ((event("error", error={"type": "rate_limit_error", "message": "Slow"}),), ReasonCode.RATE_LIMITED),
        ((START, b"event: error\ndata: {}\n\n"), ReasonCode.PROVIDER_DEGRADED),
    ],
    ids=[
        "nothing",
        "comment alone",
        "no start",
        "two starts",
        "no type",
        "empty start",
        "no stop reason",
        "null as stop reason",
        "cut",
        "nonsense",
        "list",
        "index too high",
        "index again",
        "two blocks at once",
        "delta without block",
        "delta of another block",
        "stop again",
        "block never ended",
        "block after the end",
        "call without name",
        "cut call",
        "cut call, other reason",
        "arguments as list",
        "error",
        "error at once",
        "error without words",
    ],
)
def test_broken_stream_ends_with_a_fault(pieces: tuple[bytes, ...], reason: ReasonCode) -> None:
    """A stream that ends early, errs or makes no sense is never complete."""
    assert fault(*pieces).failure.reason is reason


def test_what_comes_after_the_end_is_ignored() -> None:
    """After `message_stop`, or after a fault, nothing is part of the answer."""
    assert deltas(*WHOLE, *WHOLE) == deltas(*WHOLE)
    assert len(decode(START, STOP, *WHOLE)[0]) == 2
