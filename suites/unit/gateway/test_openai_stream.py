import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.openai_stream import OpenAIStreamDecoder
from gateway.kernel.codes import ReasonCode
from gateway.schema.chat import AnswerStamp
from gateway.schema.deltas import ChatChunk, StreamEvent, StreamFault
from gateway.schema.usage import Usage
from suites.unit.gateway.wire_texts import DONE, FINISH, GOOD_STREAM, HELLO, ROLE, USAGE, chunk, event

STAMP = AnswerStamp("chatcmpl-ours", "public-name", 5)


def decode(*pieces: bytes) -> tuple[list[StreamEvent], bool]:
    decoder = OpenAIStreamDecoder(STAMP)
    events = [step for piece in pieces for step in decoder.feed(piece)]
    return events + decoder.close(), decoder.complete


def chunks(*pieces: bytes) -> list[ChatChunk]:
    return [step for step in decode(*pieces)[0] if isinstance(step, ChatChunk)]


def fault(*pieces: bytes) -> StreamFault:
    events, complete = decode(*pieces)
    assert not complete
    assert isinstance(events[-1], StreamFault)
    return events[-1]


def test_chunk_says_what_it_carries() -> None:
    """A role alone delivers nothing, text does, a finish reason finishes, usage is read."""
    role, text, finish, usage = chunks(ROLE, HELLO, FINISH, USAGE, DONE)

    assert (role.delivers, role.finishes) == (False, False)
    assert (text.delivers, text.finishes) == (True, False)
    assert (finish.delivers, finish.finishes) == (False, True)
    assert usage.usage == Usage(3, 2)


@given(st.lists(st.integers(1, 60)))
def test_split_does_not_matter(sizes: list[int]) -> None:
    """The same bytes give the same chunks however the network cuts them."""
    text, pieces = b"".join(GOOD_STREAM), []
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]

    assert decode(*pieces, text) == decode(*GOOD_STREAM)


@pytest.mark.parametrize("until", range(len(GOOD_STREAM)))
def test_cut_stream_is_never_complete(until: int) -> None:
    """Wherever a stream is cut, it ends with a fault."""
    whole = b"".join(GOOD_STREAM)

    assert decode(whole)[1]
    fault(*GOOD_STREAM[:until])
    fault(*GOOD_STREAM[:until], GOOD_STREAM[until][:-5])


def test_end_marker_needs_no_blank_line() -> None:
    """A stream whose last blank line is missing is whole all the same: its end marker has come."""
    assert decode(*GOOD_STREAM[:-1], b"data: [DONE]")[1]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[]", ReasonCode.INVALID_RESPONSE),
        ({"id": "x"}, ReasonCode.INVALID_RESPONSE),
        ({"choices": {}}, ReasonCode.INVALID_RESPONSE),
        ({"choices": [5]}, ReasonCode.INVALID_RESPONSE),
        ({"choices": [{"index": "0"}]}, ReasonCode.INVALID_RESPONSE),
        ({"choices": [{"index": 0, "delta": "text"}]}, ReasonCode.INVALID_RESPONSE),
        ({"error": {"message": "busy", "code": 429}}, ReasonCode.RATE_LIMITED),
        ({"error": {"message": "gone", "code": 502}, "choices": []}, ReasonCode.PROVIDER_DEGRADED),
    ],
)
def test_improper_event_is_a_fault(body: object, reason: ReasonCode) -> None:
    """What is no chunk is a fault, and nothing after it counts."""
    assert fault(HELLO, event(body), FINISH, DONE).failure.reason is reason


def test_event_named_error_is_a_fault() -> None:
    """An event may be marked as an error by its name alone."""
    assert fault(b'event: error\ndata: {"message": "busy"}\n\n').failure.detail == "busy"


def test_empty_chunks_are_allowed() -> None:
    """Chunks without choices, or without a delta, are chunks."""
    empty = event({"choices": [], "prompt_filter_results": []})

    assert decode(empty, HELLO, event({"choices": [{"finish_reason": "stop"}]}), DONE)[1]


def test_content_after_the_finish_reason_does_not_reopen_a_choice() -> None:
    """Some vendors send a last empty piece after the finish reason."""
    assert decode(HELLO, FINISH, chunk({}), DONE)[1]
