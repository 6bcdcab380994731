import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.gemini import GeminiDialect
from gateway.dialects.protocol import StreamDecoder
from gateway.kernel.codes import ReasonCode
from gateway.schema.chat import parse_chat
from gateway.schema.deltas import ChatChunk, StreamEvent, StreamFault
from gateway.schema.usage import Usage
from suites.unit.gateway.stamped import STAMP, stamped_chunk

SSE, ARRAY = "text/event-stream", "application/json; charset=UTF-8"


def piece(
    *parts: dict[str, Any], index: int = 0, finish: str | None = None, **changes: Any
) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": index}
    return {"candidates": [candidate | ({"finishReason": finish} if finish else {})], **changes}


def counts(said: int) -> dict[str, Any]:
    return {"usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": said}}


HELLO = piece({"text": 'Hé"{llo\\'}, **counts(1))
WORLD = piece({"text": " wor]ld"}, **counts(2))
LAST = piece({"text": ""}, finish="STOP", **counts(2))


def sse(*bodies: Any) -> bytes:
    return b"".join(b"data: %b\r\n\r\n" % json.dumps(body).encode() for body in bodies)


def array(*bodies: Any) -> bytes:
    return b"[" + b",\r\n".join(json.dumps(body, indent=1).encode() for body in bodies) + b"\n]\n"


FRAMINGS = pytest.mark.parametrize(
    ("content_type", "framed"), [(SSE, sse), (ARRAY, array)], ids=["SSE", "array"]
)
Framed = Callable[..., bytes]


def decoder_for(content_type: str = SSE, *, include_usage: bool = False) -> StreamDecoder:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    body["stream_options"] = {"include_usage": include_usage}
    request = parse_chat(json.dumps(body).encode())
    return GeminiDialect().stream_decoder(request, STAMP, {"content-type": content_type})


def decode(
    *pieces: bytes, content_type: str = SSE, include_usage: bool = False
) -> tuple[list[StreamEvent], bool]:
    decoder = decoder_for(content_type, include_usage=include_usage)
    events = [step for data in pieces for step in decoder.feed(data)]
    assert not decoder.complete
    return events + decoder.close(), decoder.complete


def choices(*pieces: bytes) -> list[Any]:
    events, complete = decode(*pieces)
    assert complete
    return [choice for event in events if isinstance(event, ChatChunk) for choice in event.body["choices"]]


def fault(*pieces: bytes, content_type: str = SSE) -> StreamFault:
    events, complete = decode(*pieces, content_type=content_type)
    assert not complete
    assert isinstance(events[-1], StreamFault)
    return events[-1]


@FRAMINGS
def test_pieces_become_chunks(content_type: str, framed: Framed) -> None:
    """The first chunk gives the role, the last one the finish reason; each tells what has been used until then."""
    events, complete = decode(framed(HELLO, WORLD, LAST), content_type=content_type)
    first, second, last = (event for event in events if isinstance(event, ChatChunk))

    assert complete
    assert first.body == stamped_chunk({"role": "assistant", "content": 'Hé"{llo\\'})
    assert second.body["choices"][0]["delta"] == {"content": " wor]ld"}
    assert last.body["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]
    assert [(chunk.delivers, chunk.finishes) for chunk in (first, second, last)] == [
        (True, False), (True, False), (False, True),
    ]  # fmt: skip
    assert [chunk.usage for chunk in (first, second, last)] == [Usage(3, 1), Usage(3, 2), Usage(3, 2)]


@FRAMINGS
def test_split_at_any_byte_does_not_matter(content_type: str, framed: Framed) -> None:
    """The same bytes give the same chunks wherever the network cuts them."""
    text = framed(HELLO, WORLD, LAST)
    expected = decode(text, content_type=content_type)

    assert expected[1]
    for at in range(1, len(text)):
        assert decode(text[:at], text[at:], content_type=content_type) == expected
    assert decode(*(text[at : at + 1] for at in range(len(text))), content_type=content_type) == expected


@FRAMINGS
@given(sizes=st.lists(st.integers(1, 60)))
def test_split_into_many_does_not_matter(content_type: str, framed: Framed, sizes: list[int]) -> None:
    """Nor does it matter how often."""
    text, pieces = framed(HELLO, WORLD, LAST), []
    whole = decode(text, content_type=content_type)
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]

    assert decode(*pieces, text, content_type=content_type) == whole


@FRAMINGS
def test_cut_stream_is_never_complete(content_type: str, framed: Framed) -> None:
    """Wherever a stream is cut before its last object is whole, it ends with a fault."""
    text = framed(HELLO, WORLD, LAST)
    end = text.rindex(b"}") + 1
    for until in range(end):
        # What is left of the last but one event is whole, and so is nothing else.
        fault(text[:until], content_type=content_type)
    assert decode(text[:end], content_type=content_type)[1]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(sse(HELLO, WORLD, LAST).replace(b"\r\n", b"\n"), id="LF"),
        pytest.param(sse(HELLO, WORLD, LAST).replace(b"\r\n", b"\r"), id="CR"),
        pytest.param(b"\xef\xbb\xbf" + sse(HELLO, WORLD, LAST), id="BOM"),
        pytest.param(
            b": ping\r\n\r\n" + sse(HELLO) + b": ping\r\n" + sse(WORLD, LAST) + b": end", id="comments"
        ),
        pytest.param(
            sse(HELLO, WORLD, LAST).replace(b'"index"', b'\r\ndata: "index"'), id="several data lines"
        ),
        pytest.param(b"event: x\r\nid: 1\r\n" + sse(HELLO, WORLD, LAST), id="other fields"),
    ],
)
def test_framing_is_read_in_every_form(text: bytes) -> None:
    """Line ends, marks of order, comments and other fields change nothing."""
    assert decode(text) == decode(sse(HELLO, WORLD, LAST))


def test_event_cut_in_its_name_is_noticed() -> None:
    """The beginning of an event that breaks off before its colon is not passed over.

    Where a finish reason comes with every piece, it may be the next piece.
    """
    text = sse(piece({"text": "a"}, finish="STOP"))

    assert fault(text + b"da").failure.reason is ReasonCode.STREAM_INTERRUPTED
    assert fault(text + b"data").failure.reason is ReasonCode.INVALID_RESPONSE
    assert fault(text + b"data: {").failure.reason is ReasonCode.INVALID_RESPONSE


def test_array_may_begin_with_a_mark_of_order() -> None:
    """A byte order mark before the array changes nothing."""
    text = array(HELLO, LAST)

    assert decode(b"\xef\xbb\xbf" + text, content_type=ARRAY) == decode(text, content_type=ARRAY)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(array(HELLO).rstrip()[:-1], ReasonCode.STREAM_INTERRUPTED, id="no bracket"),
        pytest.param(b"[]", ReasonCode.INVALID_RESPONSE, id="empty"),
        pytest.param(b"{}", ReasonCode.INVALID_RESPONSE, id="no array"),
        pytest.param(b"[oops," + array(HELLO, LAST)[1:], ReasonCode.INVALID_RESPONSE, id="word"),
        pytest.param(b'["oops",' + array(HELLO, LAST)[1:], ReasonCode.INVALID_RESPONSE, id="text"),
        pytest.param(b"<html>" + array(HELLO, LAST), ReasonCode.INVALID_RESPONSE, id="before"),
        pytest.param(array(HELLO).rstrip()[:-1] + b"1]", ReasonCode.INVALID_RESPONSE, id="after"),
        pytest.param(array(HELLO, [LAST]), ReasonCode.INVALID_RESPONSE, id="array in it"),
        pytest.param(array(HELLO, {"error": {"code": 503}}), ReasonCode.PROVIDER_DEGRADED, id="error"),
    ],
)
def test_broken_array_ends_with_a_fault(text: bytes, reason: ReasonCode) -> None:
    """An array that is not one of answers, whole to its last bracket, is a fault."""
    assert fault(text, content_type=ARRAY).failure.reason is reason


@pytest.mark.parametrize(
    ("bodies", "reason"),
    [
        pytest.param((), ReasonCode.INVALID_RESPONSE, id="nothing"),
        pytest.param((HELLO, WORLD), ReasonCode.STREAM_INTERRUPTED, id="no finish reason"),
        pytest.param((HELLO, [], LAST), ReasonCode.INVALID_RESPONSE, id="no object"),
        pytest.param((HELLO, {}, LAST), ReasonCode.INVALID_RESPONSE, id="no candidates"),
        pytest.param((HELLO, {"candidates": [5]}, LAST), ReasonCode.INVALID_RESPONSE, id="odd candidate"),
        pytest.param((HELLO, piece({"fileData": {}}), LAST), ReasonCode.INVALID_RESPONSE, id="file"),
        pytest.param(
            (HELLO, piece(finish="MALFORMED_FUNCTION_CALL")),
            ReasonCode.PROVIDER_DEGRADED,
            id="malformed call",
        ),
        pytest.param(
            (HELLO, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}),
            ReasonCode.RATE_LIMITED,
            id="limit",
        ),
        pytest.param(
            ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **counts(0)},),
            ReasonCode.CONTENT_FILTERED,
            id="blocked",
        ),
        pytest.param(
            (HELLO, LAST, piece({"text": "a"}, index=1)),
            ReasonCode.STREAM_INTERRUPTED,
            id="one is not finished",
        ),
    ],
)
def test_broken_stream_ends_with_a_fault(bodies: tuple[Any, ...], reason: ReasonCode) -> None:
    """A stream that ends early, errs or makes no sense is never complete."""
    assert fault(sse(*bodies)).failure.reason is reason


def test_nothing_follows_a_fault() -> None:
    """What comes after a fault does not count."""
    decoder = decoder_for()

    assert len(decoder.feed(sse({}, HELLO))) == 1
    assert [*decoder.feed(sse(LAST)), *decoder.close()] == []
    assert not decoder.complete


def test_usage_comes_last_where_it_is_wanted() -> None:
    """The caller gets the last usage as a chunk without choices only where asked for, even where it comes late."""
    late = {"usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "thoughtsTokenCount": 4}}
    *_, finish, usage = decode(sse(HELLO, piece(finish="STOP"), late), include_usage=True)[0]

    assert isinstance(finish, ChatChunk)
    assert isinstance(usage, ChatChunk)
    assert finish.usage == usage.usage == Usage(3, 6, reasoning_tokens=4)
    assert (usage.body["choices"], usage.body["usage"]["total_tokens"]) == ([], 9)
    unreported = decode(sse(piece({"text": "a"}, finish="STOP")), include_usage=True)[0]
    assert len(unreported) == 2


def test_finish_reason_of_every_piece_is_told_once() -> None:
    """Older models give a finish reason with each piece; callers get it once, after the text."""
    told = choices(sse(piece({"text": "a"}, finish="STOP"), piece({"text": "b"}, finish="MAX_TOKENS")))

    assert [choice["finish_reason"] for choice in told] == [None, None, "length"]


def test_calls_are_numbered_through() -> None:
    """Calls of several pieces get numbers and ids that do not repeat, and keep their signatures."""
    call = {"functionCall": {"name": "now"}}
    first, second, last = choices(
        sse(piece({**call, "thoughtSignature": "Yw=="}, call), piece(call), piece(finish="STOP"))
    )

    calls = [*first["delta"]["tool_calls"], *second["delta"]["tool_calls"]]
    assert [call["index"] for call in calls] == [0, 1, 2]
    assert [call["id"] for call in calls] == ["call_ours_0_0", "call_ours_0_1", "call_ours_0_2"]
    assert calls[0]["extra_content"] == {"google": {"thought_signature": "Yw=="}}
    assert last["finish_reason"] == "tool_calls"


def test_thoughts_are_content() -> None:
    """Thoughts become reasoning and count as delivered; the signature of a text is kept, and shows nothing."""
    events, _ = decode(
        sse(
            piece({"text": "Hm", "thought": True}),
            piece({"text": "", "thoughtSignature": "dA=="}, finish="STOP"),
        )
    )
    thought, signature, _finish = (event for event in events if isinstance(event, ChatChunk))

    assert (thought.delivers, signature.delivers) == (True, False)
    assert thought.body["choices"][0]["delta"]["reasoning_content"] == "Hm"
    assert signature.body["choices"][0]["delta"] == {
        "extra_content": {"google": {"thought_signature": "dA=="}}
    }


def test_candidates_are_kept_apart() -> None:
    """Each candidate has its own role and finish reason, told together at the end."""
    other = piece({"text": "b"}, index=1, finish="MAX_TOKENS")
    first, second, *last = choices(sse(piece({"text": "a"}, finish="STOP"), other))

    assert [first["delta"]["role"], second["delta"]["role"]] == ["assistant"] * 2
    assert [(choice["index"], choice["finish_reason"]) for choice in last] == [(0, "stop"), (1, "length")]
