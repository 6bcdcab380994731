import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects.ollama_stream import OllamaStreamDecoder
from gateway.kernel.codes import ReasonCode
from gateway.schema.deltas import ChatChunk, StreamEvent, StreamFault
from gateway.schema.usage import Usage
from suites.unit.gateway import splits
from suites.unit.gateway.stamped import STAMP, stamped_chunk
from suites.unit.gateway.wire_texts import line

HELLO = line({"message": {"role": "assistant", "content": "Hello"}, "done": False})
WORLD = line({"message": {"role": "assistant", "content": " world"}, "done": False})
COUNTS = {"prompt_eval_count": 3, "eval_count": 2}
LAST = line({"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", **COUNTS})


def decode(*pieces: bytes, include_usage: bool = False) -> tuple[list[StreamEvent], bool]:
    return splits.decode(OllamaStreamDecoder(STAMP, include_usage=include_usage), pieces)


def deltas(*pieces: bytes) -> list[object]:
    events, complete = decode(*pieces)
    assert complete
    return [step.body["choices"][0]["delta"] for step in events if isinstance(step, ChatChunk)]


def fault(*pieces: bytes) -> StreamFault:
    events, complete = decode(*pieces)
    assert not complete
    assert isinstance(events[-1], StreamFault)
    return events[-1]


def test_lines_become_chunks() -> None:
    """The first chunk gives the role, the last one the finish reason."""
    assert deltas(HELLO, WORLD, LAST) == [
        {"role": "assistant", "content": "Hello"},
        {"content": " world"},
        {},
    ]

    last = decode(HELLO, LAST)[0][-1]
    assert isinstance(last, ChatChunk)
    assert last.body == stamped_chunk({}, "stop")


def test_usage_comes_last_where_it_is_wanted() -> None:
    """The caller gets the usage as a chunk without choices only where asked for; we get it always."""
    *_, finish, usage = decode(HELLO, LAST, include_usage=True)[0]
    assert isinstance(finish, ChatChunk)
    assert isinstance(usage, ChatChunk)

    assert finish.usage == Usage(3, 2)
    assert usage.body["choices"] == []
    assert usage.body["usage"]["total_tokens"] == 5
    assert len(decode(HELLO, LAST)[0]) == 2


def test_arguments_that_nobody_can_write_end_the_stream() -> None:
    """JSON that is nested deeper than it can be written is the provider's fault, in a stream as well."""
    deep = (
        b'{"message": {"tool_calls": [{"function": {"name": "f", "arguments": '
        + b"[" * 300
        + b"]" * 300
        + b"}}]}}\n"
    )

    assert fault(HELLO, deep).failure.reason is ReasonCode.INVALID_RESPONSE


def test_tool_calls_are_numbered_through() -> None:
    """Tool calls of several lines get numbers and ids that do not repeat."""
    call = {"message": {"tool_calls": [{"function": {"name": "f", "arguments": {}}}]}, "done": False}

    first, second, _ = deltas(line(call), line(call), LAST)

    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert [first["tool_calls"][0]["index"], second["tool_calls"][0]["index"]] == [0, 1]
    assert [first["tool_calls"][0]["id"], second["tool_calls"][0]["id"]] == ["call_ours_0", "call_ours_1"]
    finish = decode(line(call), LAST)[0][-1]
    assert isinstance(finish, ChatChunk)
    assert finish.body["choices"][0]["finish_reason"] == "tool_calls"


def test_thinking_is_content() -> None:
    """Thinking becomes reasoning, and counts as delivered."""
    first = decode(line({"message": {"thinking": "Hm"}, "done": False}), LAST)[0][0]

    assert isinstance(first, ChatChunk)
    assert first.delivers
    assert first.body["choices"][0]["delta"]["reasoning_content"] == "Hm"


@given(st.lists(st.integers(1, 60)))
def test_split_does_not_matter(sizes: list[int]) -> None:
    """The same bytes give the same chunks however the network cuts them."""
    text, pieces = HELLO + WORLD + LAST.rstrip(), []
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]

    assert decode(*pieces, text) == decode(HELLO, WORLD, LAST)


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ((), ReasonCode.INVALID_RESPONSE),
        ((HELLO,), ReasonCode.STREAM_INTERRUPTED),
        ((HELLO, LAST[:-9]), ReasonCode.INVALID_RESPONSE),
        ((HELLO, b"nonsense\n", LAST), ReasonCode.INVALID_RESPONSE),
        ((HELLO, line({"x": 1}), LAST), ReasonCode.INVALID_RESPONSE),
        ((HELLO, line({"error": "runner died"}), LAST), ReasonCode.PROVIDER_DEGRADED),
    ],
    ids=["nothing", "cut between lines", "cut in a line", "nonsense", "no message", "error"],
)
def test_broken_stream_ends_with_a_fault(pieces: tuple[bytes, ...], reason: ReasonCode) -> None:
    """A stream that ends early, errs or makes no sense is never complete."""
    assert fault(*pieces).failure.reason is reason


def test_lines_after_the_last_are_ignored() -> None:
    """What comes after `done` is no part of the answer."""
    assert deltas(HELLO, LAST, WORLD) == [{"role": "assistant", "content": "Hello"}, {}]


def test_cut_at_every_byte_does_not_matter() -> None:
    """A stream with everything in it reads the same wherever it is cut, without its last newline too."""
    calls = [{"function": {"name": name, "arguments": {"a": [1]}}} for name in ("add", "now")]
    tools = line({"message": {"thinking": "Hm", "content": "\u00e4", "tool_calls": calls}, "done": False})
    body = b"".join((HELLO, tools, b"\r\n", LAST.rstrip()))

    splits.assert_splits_do_not_matter(lambda: OllamaStreamDecoder(STAMP, include_usage=True), body)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(min_size=1), min_size=1, max_size=8))
def test_text_comes_out_as_it_went_in(texts: list[str]) -> None:
    """Whatever a model says, the pieces of it arrive unchanged and in order."""
    lines = [line({"message": {"content": text}, "done": False}) for text in texts]

    said = [delta["content"] for delta in deltas(*lines, LAST) if isinstance(delta, dict) and delta]

    assert said == texts


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("the input exceeds the context length", ReasonCode.CONTEXT_LENGTH_EXCEEDED),
        ({"message": "slow down", "code": 429}, ReasonCode.RATE_LIMITED),
        ("", ReasonCode.PROVIDER_DEGRADED),
    ],
    ids=["words", "object", "nothing"],
)
def test_error_line_says_what_failed(error: object, reason: ReasonCode) -> None:
    """An error in the middle of an answer is told with its reason, and the answer is not whole."""
    assert fault(HELLO, line({"error": error}), LAST).failure.reason is reason
