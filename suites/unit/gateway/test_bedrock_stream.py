import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.simulators import aws_event_stream
from gateway.dialects.bedrock_stream import BedrockStreamDecoder
from gateway.kernel.codes import ReasonCode
from gateway.schema.deltas import ChatChunk, StreamEvent, StreamFault
from gateway.schema.usage import Usage
from suites.unit.gateway.stamped import STAMP, stamped_chunk


def frame(headers: dict[str, str], body: Any) -> bytes:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return aws_event_stream.frame(headers, payload)


def event(kind: str, **body: Any) -> bytes:
    return frame({":event-type": kind, ":message-type": "event"}, {**body, "p": "abc"})


def delta(block: Any, **said: Any) -> bytes:
    return event("contentBlockDelta", contentBlockIndex=block, delta=said)


def begun(block: int, **start: Any) -> bytes:
    return event("contentBlockStart", contentBlockIndex=block, start=start)


def tool(block: int, name: str, **more: Any) -> bytes:
    return begun(block, toolUse={"toolUseId": f"tooluse_{name}", "name": name, **more})


def ended(block: int) -> bytes:
    return event("contentBlockStop", contentBlockIndex=block)


def stop(reason: Any = "end_turn") -> bytes:
    return event("messageStop", stopReason=reason)


START = event("messageStart", role="assistant")
HELLO, WORLD = delta(0, text="Hello"), delta(0, text=" world")
COUNTS = {
    "inputTokens": 3,
    "outputTokens": 2,
    "totalTokens": 10,
    "cacheReadInputTokens": 4,
    "cacheWriteInputTokens": 1,
}
METADATA = event("metadata", usage=COUNTS, metrics={"latencyMs": 1})
GOOD = (START, HELLO, WORLD, ended(0), stop(), METADATA)


def decode(*pieces: bytes, include_usage: bool = False) -> tuple[list[StreamEvent], bool]:
    decoder = BedrockStreamDecoder(STAMP, include_usage=include_usage)
    events = [step for piece in pieces for step in decoder.feed(piece)]
    return events + decoder.close(), decoder.complete


def deltas(*pieces: bytes) -> list[Any]:
    events, complete = decode(*pieces)
    assert complete
    assert all(isinstance(step, ChatChunk) for step in events)
    return [step.body["choices"][0]["delta"] for step in events if isinstance(step, ChatChunk)]


def fault(*pieces: bytes) -> StreamFault:
    events, complete = decode(*pieces)
    assert not complete
    assert isinstance(events[-1], StreamFault)
    return events[-1]


def test_events_become_chunks() -> None:
    """The first chunk gives the role, the last one the finish reason and what it cost."""
    assert deltas(*GOOD) == [
        {"role": "assistant", "content": ""},
        {"content": "Hello"},
        {"content": " world"},
        {},
    ]

    last = decode(*GOOD)[0][-1]
    assert isinstance(last, ChatChunk)
    assert last.finishes
    assert last.usage == Usage(8, 2, cached_tokens=4)
    assert last.body == stamped_chunk({}, "stop")


def test_only_content_counts_as_delivered() -> None:
    """The role and the end are nothing that a caller would show."""
    role, hello, _, last = decode(*GOOD)[0]

    assert [isinstance(step, ChatChunk) and step.delivers for step in (role, hello, last)] == [
        False,
        True,
        False,
    ]


def test_usage_comes_last_where_it_is_wanted() -> None:
    """The caller gets the usage as a chunk without choices where asked for; cached tokens are part of the prompt."""
    last = decode(*GOOD, include_usage=True)[0][-1]

    assert isinstance(last, ChatChunk)
    assert last.body["choices"] == []
    assert last.body["usage"] == {
        "prompt_tokens": 8,
        "completion_tokens": 2,
        "total_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 4},
    }


def test_stream_is_complete_only_with_the_metadata() -> None:
    """After the stop the usage is still to come, and so is the finish reason for the caller."""
    decoder = BedrockStreamDecoder(STAMP, include_usage=False)

    assert decoder.feed(b"".join(GOOD[:-1]))[-1] == decode(*GOOD)[0][2]
    assert not decoder.complete
    assert len(decoder.feed(METADATA)) == 1
    assert decoder.complete


def test_proper_end_without_metadata_is_complete_without_usage() -> None:
    """All that the model has said is there, so only the usage is unknown."""
    events, complete = decode(*GOOD[:-1], include_usage=True)

    assert complete
    assert isinstance(events[-1], ChatChunk)
    assert events[-1].finishes
    assert events[-1].usage is None


def test_reasoning_is_content() -> None:
    """Reasoning is passed on; its signature, and what is redacted, have no place in OpenAI's format."""
    pieces = [
        delta(0, reasoningContent={"text": "Hm"}),
        delta(0, reasoningContent={"signature": "abc"}),
        delta(0, reasoningContent={"redactedContent": "YQ=="}),
        ended(0),
        delta(1, citation={"title": "t"}),
        delta(1, text=""),
    ]

    assert deltas(START, *pieces, stop(), METADATA)[1:] == [{"reasoning_content": "Hm"}, {}]
    thought = decode(START, *pieces)[0][1]
    assert isinstance(thought, ChatChunk)
    assert thought.delivers


def test_parallel_calls_are_numbered_through() -> None:
    """Blocks of calls get numbers of their own; one without arguments gets an empty object at its end."""
    first, more, second, empty = deltas(
        *(START, HELLO, ended(0)),
        *(tool(1, "f"), delta(1, toolUse={"input": ""}), delta(1, toolUse={"input": '{"a": 1}'}), ended(1)),
        *(tool(2, "g"), delta(2, toolUse={"input": ""}), ended(2)),
        *(stop("tool_use"), METADATA),
    )[2:-1]

    assert first == {
        "tool_calls": [
            {"index": 0, "id": "tooluse_f", "type": "function", "function": {"name": "f", "arguments": ""}}
        ]
    }
    assert more == {"tool_calls": [{"index": 0, "function": {"arguments": '{"a": 1}'}}]}
    assert [second["tool_calls"][0][name] for name in ("index", "id")] == [1, "tooluse_g"]
    assert empty == {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]}


def test_tools_of_the_provider_are_not_the_callers() -> None:
    """A call that the provider runs itself is not passed on, nor are its arguments."""
    pieces = (
        *(tool(0, "search", type="server_tool_use"), delta(0, toolUse={"input": '{"q": 1}'}), ended(0)),
        *(begun(1, toolResult={"toolUseId": "x"}), delta(1, toolResult=[{"text": "found"}]), ended(1)),
    )

    assert deltas(START, *pieces, WORLD, stop(), METADATA)[1:] == [{"content": " world"}, {}]


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_calls"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
    ],
)
def test_stop_reason_is_translated(stop_reason: str, finish_reason: str) -> None:
    """Every reason that Bedrock documents for an answer has its counterpart."""
    last = decode(START, HELLO, stop(stop_reason), METADATA)[0][-1]

    assert isinstance(last, ChatChunk)
    assert last.body["choices"][0]["finish_reason"] == finish_reason


def test_calls_end_with_tool_calls() -> None:
    """Models that stop in another way after a call have called nevertheless."""
    last = decode(START, tool(0, "f"), stop(), METADATA)[0][-1]

    assert isinstance(last, ChatChunk)
    assert last.body["choices"][0]["finish_reason"] == "tool_calls"


def test_split_anywhere_gives_the_same() -> None:
    """The same bytes give the same chunks wherever the network cuts them."""
    data, whole = b"".join(GOOD), decode(*GOOD)

    assert all(decode(data[:at], data[at:]) == whole for at in range(1, len(data)))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 60)))
def test_any_split_gives_the_same(sizes: list[int]) -> None:
    """Nor does it matter into how many pieces."""
    data, pieces = b"".join(GOOD), []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]

    assert decode(*pieces, data) == decode(*GOOD)


def test_cut_stream_is_never_a_short_answer() -> None:
    """Wherever the body ends before its stop, the stream fails; afterwards nothing but the usage is lacking."""
    data, without_metadata = b"".join(GOOD), len(b"".join(GOOD[:-1]))

    for length in range(len(data)):
        events, complete = decode(data[:length])
        assert complete == (length >= without_metadata)
        assert isinstance(events[-1], ChatChunk if complete else StreamFault)


@pytest.mark.parametrize(
    ("reason", "whole"),
    [("tool_use", False), ("end_turn", False), ("max_tokens", True), ("guardrail_intervened", True)],
)
def test_call_may_be_cut_only_where_the_answer_is(reason: str, whole: bool) -> None:  # noqa: FBT001  it is the expectation
    """Arguments that break off make the stream fail, unless a limit or a filter has ended it."""
    pieces = (START, tool(0, "f"), delta(0, toolUse={"input": '{"a": "b'}), ended(0), stop(reason), METADATA)

    events, complete = decode(*pieces)

    assert complete == whole
    assert isinstance(events[-1], StreamFault) != whole


def test_flipped_byte_is_never_a_short_answer() -> None:
    """A byte that has changed on the way makes the stream fail; after the stop it costs the usage."""
    data, end = b"".join(GOOD), len(GOOD[-1])

    for at, byte in enumerate(data):
        spoilt = data[:at] + bytes((byte ^ 0x20,)) + data[at + 1 :]
        if at < len(data) - end:
            assert fault(spoilt).failure.reason is ReasonCode.INVALID_RESPONSE
        else:
            assert deltas(spoilt) == deltas(data)


def exception(kind: str, **body: Any) -> bytes:
    return frame({":exception-type": kind, ":message-type": "exception"}, body)


@pytest.mark.parametrize(
    ("kind", "message", "reason"),
    [
        ("modelStreamErrorException", "Broken.", ReasonCode.PROVIDER_DEGRADED),
        ("throttlingException", "Too many tokens, please wait.", ReasonCode.RATE_LIMITED),
        ("throttlingException", "Too many tokens per day, please wait.", ReasonCode.QUOTA_EXHAUSTED),
        ("internalServerException", "", ReasonCode.PROVIDER_DEGRADED),
        ("serviceUnavailableException", "", ReasonCode.PROVIDER_DEGRADED),
        ("validationException", "Nonsense.", ReasonCode.INVALID_REQUEST),
        ("validationException", "Input is too long for requested model.", ReasonCode.CONTEXT_LENGTH_EXCEEDED),
        ("modelTimeoutException", "", ReasonCode.TIMEOUT),
        ("someNewException", "", ReasonCode.PROVIDER_DEGRADED),
    ],
)
def test_exception_in_the_stream_is_classified(kind: str, message: str, reason: ReasonCode) -> None:
    """An exception frame ends the stream, for its own reason."""
    failure = fault(START, HELLO, exception(kind, message=message), stop(), METADATA).failure

    assert failure.reason is reason
    assert kind[1:] in failure.detail
    assert message in failure.detail


def test_model_speaks_in_words_of_its_own() -> None:
    """An exception without a message is told by the model's."""
    told = exception("modelStreamErrorException", originalMessage="out of memory", originalStatusCode=500)

    assert "out of memory" in fault(START, told).failure.detail


def test_error_frame_is_a_failure() -> None:
    """An error that the service has not described stands in the headers."""
    headers = {":message-type": "error", ":error-code": "InternalFailure", ":error-message": "Oh."}

    failure = fault(START, HELLO, frame(headers, b"")).failure

    assert (failure.reason, failure.detail) == (ReasonCode.PROVIDER_DEGRADED, "InternalFailure: Oh.")


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ((), ReasonCode.INVALID_RESPONSE),
        ((START, HELLO), ReasonCode.STREAM_INTERRUPTED),
        ((START, HELLO, stop()[:-1]), ReasonCode.STREAM_INTERRUPTED),
        ((START, frame({":message-type": "event"}, b"nonsense"), *GOOD), ReasonCode.INVALID_RESPONSE),
        ((START, frame({":message-type": "what"}, {}), *GOOD), ReasonCode.INVALID_RESPONSE),
        ((START, event("contentBlockStart"), *GOOD), ReasonCode.INVALID_RESPONSE),
        ((START, event("contentBlockDelta"), *GOOD), ReasonCode.INVALID_RESPONSE),
        ((START, delta(7, toolUse={"input": "{}"}), *GOOD), ReasonCode.INVALID_RESPONSE),
        ((START, delta([], toolUse={"input": "{}"}), *GOOD), ReasonCode.INVALID_RESPONSE),
        ((START, begun(0, toolUse={"name": "f"}), *GOOD), ReasonCode.INVALID_RESPONSE),
        ((START, stop([]), METADATA), ReasonCode.INVALID_RESPONSE),
        ((START, begun(0, image={"format": "png"}), *GOOD), ReasonCode.INVALID_RESPONSE),
        ((START, delta(0, image={"source": {}}), *GOOD), ReasonCode.INVALID_RESPONSE),
        ((START, METADATA), ReasonCode.INVALID_RESPONSE),
        ((START, stop(), HELLO, METADATA), ReasonCode.INVALID_RESPONSE),
        ((START, stop(), stop("max_tokens"), METADATA), ReasonCode.INVALID_RESPONSE),
        ((START, stop("of_another_kind"), METADATA), ReasonCode.INVALID_RESPONSE),
        ((START, stop("malformed_tool_use"), METADATA), ReasonCode.PROVIDER_DEGRADED),
        ((b"<html>Bad gateway</html>",), ReasonCode.INVALID_RESPONSE),
    ],
    ids=[
        "nothing",
        "cut between frames",
        "cut in a frame",
        "no JSON",
        "unknown kind of message",
        "beginning of nothing",
        "delta of nothing",
        "arguments of no call",
        "arguments of no number",
        "call without an id",
        "odd end",
        "image begins",
        "image",
        "usage before the end",
        "text after the end",
        "another end",
        "unknown end",
        "malformed end",
        "no event stream",
    ],
)
def test_broken_stream_ends_with_a_fault(pieces: tuple[bytes, ...], reason: ReasonCode) -> None:
    """A stream that ends early, errs or makes no sense is never complete."""
    assert fault(*pieces).failure.reason is reason


def test_end_that_is_told_twice_is_one() -> None:
    """A terminal event that comes once more says nothing new."""
    assert deltas(*GOOD[:-1], stop(), METADATA) == deltas(*GOOD)


def test_what_is_new_or_late_is_ignored() -> None:
    """Events of a later version, and what follows the metadata, are no part of the answer."""
    assert deltas(event("somethingNew"), *GOOD, HELLO) == deltas(*GOOD)
