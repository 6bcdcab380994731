import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects.openai_stream import OpenAIStreamDecoder
from gateway.kernel.codes import ReasonCode
from gateway.schema.deltas import ChatChunk, StreamEvent, StreamFault
from gateway.schema.usage import Usage
from suites.unit.gateway import splits
from suites.unit.gateway.stamped import STAMP
from suites.unit.gateway.wire_texts import DONE, FINISH, GOOD_STREAM, HELLO, ROLE, USAGE, WORLD, chunk, event

# The caller has not asked for the usage, or has.
SILENT, ASKED = False, True


def decode(*pieces: bytes, include_usage: bool = ASKED) -> tuple[list[StreamEvent], bool]:
    return splits.decode(OpenAIStreamDecoder(STAMP, include_usage=include_usage), pieces)


def chunks(*pieces: bytes, include_usage: bool = ASKED) -> list[ChatChunk]:
    events, _ = decode(*pieces, include_usage=include_usage)
    return [step for step in events if isinstance(step, ChatChunk)]


def text_of(*pieces: bytes) -> str:
    events, complete = decode(*pieces)
    assert complete
    deltas = [step.body["choices"][0]["delta"] for step in events if isinstance(step, ChatChunk)]
    return "".join(delta.get("content") or "" for delta in deltas)


def tool_call(arguments: str, index: int = 0, choice: int = 0) -> bytes:
    call = {"index": index, "function": {"arguments": arguments}}
    return chunk({"tool_calls": [call]}, index=choice)


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


def test_chunk_says_what_any_of_its_choices_carries() -> None:
    """A chunk delivers and finishes where one of its choices does, whichever it is."""
    text, end = {"index": 0, "delta": {"content": "Hi"}}, {"index": 1, "delta": {}, "finish_reason": "stop"}

    for choices in ([text, end], [end, text]):
        (both,) = chunks(event({"choices": choices}))
        assert (both.delivers, both.finishes) == (True, True)


@given(st.lists(st.integers(1, 60)))
def test_split_does_not_matter(sizes: list[int]) -> None:
    """The same bytes give the same chunks however the network cuts them."""
    text, pieces = b"".join(GOOD_STREAM), []
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]

    assert decode(*pieces, text) == decode(*GOOD_STREAM)


@pytest.mark.parametrize("until", range(GOOD_STREAM.index(FINISH)))
def test_cut_stream_is_never_complete(until: int) -> None:
    """Wherever a stream is cut before its finish reason, it ends with a fault."""
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


@pytest.mark.parametrize(
    "late",
    [
        {"error": {"message": "busy"}},
        {"choices": [{"index": 0, "finish_reason": 5}]},
        {"choices": [{"index": 1, "delta": {}}, {"index": 0, "finish_reason": 5}]},
    ],
    ids=["error", "broken chunk", "another choice in it"],
)
def test_finished_answer_ends_with_what_makes_no_sense(late: object) -> None:
    """An answer that was finished is whole, and nothing of what is broken, or comes after it, belongs to it."""
    assert text_of(HELLO, FINISH, event(late), WORLD) == "Hello"


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


@pytest.mark.parametrize("include_usage", [SILENT, ASKED], ids=["silent", "asked"])
def test_cut_at_every_byte_does_not_matter(include_usage: bool) -> None:  # noqa: FBT001  it is the case itself
    """A stream with everything in it reads the same wherever it is cut."""
    multibyte = chunk({"content": "\u00e4\u6f22\U0001f600"}).replace(b"\\u00e4", "\u00e4".encode())
    body = b"\xef\xbb\xbf: alive\n\n" + b"".join((ROLE, multibyte, tool_call("{}"), FINISH, USAGE, DONE))

    splits.assert_splits_do_not_matter(
        lambda: OpenAIStreamDecoder(STAMP, include_usage=include_usage), body.replace(b"\n", b"\r\n")
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(min_size=1), min_size=1, max_size=8))
def test_text_comes_out_as_it_went_in(texts: list[str]) -> None:
    """Whatever a model says, the pieces of it arrive unchanged and in order."""
    pieces = [chunk({"content": text}) for text in texts]

    assert text_of(*pieces, FINISH, DONE) == "".join(texts)


def test_usage_that_nobody_asked_for_is_hidden() -> None:
    """The gateway learns the usage, but a caller who did not ask for it sees neither its chunk nor its field."""
    null = chunk({"content": "!"}, usage=None)
    shown = chunks(ROLE, HELLO, null, FINISH, USAGE, DONE, include_usage=SILENT)

    assert [step.body["choices"][0]["finish_reason"] for step in shown] == [None, None, None, "stop"]
    assert not any("usage" in step.body for step in shown)
    assert (shown[-1].delivers, shown[-1].finishes, shown[-1].usage) == (False, True, Usage(3, 2))


def test_usage_that_was_asked_for_is_shown() -> None:
    """A caller who asks gets the chunk of usage as it came."""
    *_, last = chunks(HELLO, FINISH, USAGE, DONE)

    assert (last.body["choices"], last.body["usage"]["prompt_tokens"]) == ([], 3)


@pytest.mark.parametrize("include_usage", [SILENT, ASKED], ids=["silent", "asked"])
@pytest.mark.parametrize(
    "pieces",
    [
        (USAGE, HELLO, FINISH, DONE),
        (HELLO, USAGE, USAGE, FINISH, DONE),
        (HELLO, FINISH, USAGE, USAGE, DONE),
        (chunk({"content": "Hi"}, usage={"prompt_tokens": 3, "completion_tokens": 1}), FINISH, USAGE, DONE),
        (HELLO, chunk({}, "stop", usage={"prompt_tokens": 3, "completion_tokens": 2}), DONE),
        (HELLO, chunk({}, "stop", x_groq={"usage": {"prompt_tokens": 3, "completion_tokens": 2}}), DONE),
        (HELLO, FINISH, chunk({}), USAGE, DONE),
    ],
    ids=[
        "first",
        "before the end",
        "twice",
        "on every chunk",
        "with the end",
        "Groq",
        "after an empty chunk",
    ],
)
def test_last_usage_wins(pieces: tuple[bytes, ...], include_usage: bool) -> None:  # noqa: FBT001  as above
    """Wherever a vendor tells the usage, and however often, the last word counts and nothing is summed."""
    events, complete = decode(*pieces, include_usage=include_usage)

    reported = [step.usage for step in events if isinstance(step, ChatChunk) and step.usage]
    assert complete
    assert reported[-1] == Usage(3, 2)


def test_details_of_the_usage_are_read() -> None:
    """Cached and reasoned tokens are told apart."""
    spent = {
        "prompt_tokens": 9,
        "completion_tokens": 8,
        "prompt_tokens_details": {"cached_tokens": 7},
        "completion_tokens_details": {"reasoning_tokens": 6},
    }

    last = chunks(HELLO, FINISH, event({"choices": [], "usage": spent}), DONE)[-1]

    assert last.usage == Usage(9, 8, cached_tokens=7, reasoning_tokens=6)


@pytest.mark.parametrize(
    ("pieces", "marks"),
    [
        ((FINISH,), (False, True)),
        ((chunk({"content": "!"}, "stop"),), (True, True)),
        ((FINISH, WORLD), (True, False)),
        ((FINISH, chunk({})), (False, False)),
    ],
    ids=["end", "text with the end", "text after the end", "nothing after the end"],
)
def test_held_chunk_says_what_it_carries(pieces: tuple[bytes, ...], marks: tuple[bool, bool]) -> None:
    """What is given out late is told to deliver and to finish as if it were given out at once."""
    decoder = OpenAIStreamDecoder(STAMP, include_usage=SILENT)
    for piece in (HELLO, *pieces):
        decoder.feed(piece)

    (held,) = decoder.feed(DONE)

    assert isinstance(held, ChatChunk)
    assert (held.delivers, held.finishes) == marks


def test_hiding_delays_no_content() -> None:
    """Only what follows the last finish reason waits for the next event."""
    decoder = OpenAIStreamDecoder(STAMP, include_usage=SILENT)
    second = chunk({"content": "Hi"}, index=1)

    assert [len(decoder.feed(piece)) for piece in (HELLO, second, FINISH, second)] == [1, 1, 1, 1]
    assert [len(decoder.feed(piece)) for piece in (chunk({}, "stop", index=1), USAGE, DONE)] == [0, 0, 1]


def test_cut_within_a_call_gives_the_held_chunk_out() -> None:
    """A stream whose call is cut is broken in spite of its finish reason, but nothing of it is lost."""
    call = chunk({"tool_calls": [{"index": 0, "function": {"name": "add", "arguments": '{"a":'}}]})
    events, complete = decode(call, FINISH, include_usage=SILENT)

    assert not complete
    assert [type(step) for step in events] == [ChatChunk, ChatChunk, StreamFault]


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_thoughts_have_one_name(field: str) -> None:
    """Reasoning is called the same whichever vendor sends it, and counts as delivered."""
    thought, _ = chunks(chunk({field: "Hm"}), FINISH)

    assert thought.body["choices"][0]["delta"] == {"reasoning_content": "Hm"}
    assert thought.delivers


def test_thoughts_that_are_told_twice_are_told_once() -> None:
    """Some vendors send both names for a while; a null under the old one says nothing and is left as it is."""
    both = chunk({"reasoning": "Hm", "reasoning_content": "Hm"})
    null = chunk({"content": "Hi", "reasoning": None})
    odd = chunk({"reasoning": {"effort": "low"}})

    deltas = [step.body["choices"][0]["delta"] for step in chunks(both, null, odd)]

    assert deltas == [
        {"reasoning_content": "Hm"},
        {"content": "Hi", "reasoning": None},
        {"reasoning": {"effort": "low"}},
    ]


@pytest.mark.parametrize(
    "pieces",
    [
        (b": OPENROUTER PROCESSING\n\n", HELLO, b": keep-alive\n\n", FINISH, DONE),
        (b"\n\ndata:\n\n", HELLO, FINISH, DONE),
        (HELLO, FINISH, DONE, DONE),
        (HELLO, FINISH, DONE, WORLD, b"data: nonsense\n\n"),
        (b"\xef\xbb\xbf", HELLO, FINISH, DONE),
        (event({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}), HELLO, FINISH, DONE),
        (HELLO, FINISH, event({"choices": [{"index": 0, "content_filter_offsets": {}}]}), DONE),
        (HELLO, chunk({}, "eos"), DONE),
    ],
    ids=[
        "comments",
        "empty events",
        "two ends",
        "words after the end",
        "BOM",
        "Azure",
        "late filter",
        "Together",
    ],
)
@pytest.mark.parametrize("include_usage", [SILENT, ASKED], ids=["silent", "asked"])
def test_habits_of_vendors_do_no_harm(pieces: tuple[bytes, ...], include_usage: bool) -> None:  # noqa: FBT001  as above
    """What vendors send beside the answer changes nothing about it."""
    events, complete = decode(*pieces, include_usage=include_usage)

    contents = [
        choice.get("delta", {}).get("content")
        for step in events
        if isinstance(step, ChatChunk)
        for choice in step.body["choices"]
    ]
    assert complete
    assert [content for content in contents if content] == ["Hello"]


def test_event_may_be_huge() -> None:
    """An event of a megabyte is one event."""
    assert len(text_of(chunk({"content": "x" * 1_000_000}), FINISH, DONE)) == 1_000_000


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ((event({"error": {"code": "server_error", "message": "x"}, "choices": []}), DONE), "PROVIDER_DEGRADED"),
        ((event({"error": {"code": 502}, "choices": [{"finish_reason": "error"}]}), DONE), "PROVIDER_DEGRADED"),
        ((event({"error": {"message": "x", "type": "BadRequestError", "code": 400}}), DONE), "INVALID_REQUEST"),
        ((chunk({}, "error"), DONE), "PROVIDER_DEGRADED"),
        ((chunk({}, "abort"), DONE), "PROVIDER_DEGRADED"),
        ((chunk({}, "insufficient_system_resource"), DONE), "PROVIDER_DEGRADED"),
        ((b"event: error\ndata: overloaded\n\n", FINISH, DONE), "PROVIDER_DEGRADED"),
        ((b"data: {\x00}\n\n", FINISH, DONE), "INVALID_RESPONSE"),
        ((event({"choices": [{"index": 0}, {"index": 0}]}), FINISH, DONE), "INVALID_RESPONSE"),
        ((DONE,), "STREAM_INTERRUPTED"),
        ((FINISH, chunk({"content": "x"}, index=1), DONE), "STREAM_INTERRUPTED"),
    ],
    ids=[
        "OpenRouter", "OpenRouter with a choice", "vLLM", "error", "abort", "DeepSeek", "event", "NUL",
        "index twice", "no finish reason", "one of two choices",
    ],
)  # fmt: skip
@pytest.mark.parametrize("include_usage", [SILENT, ASKED], ids=["silent", "asked"])
def test_failure_with_a_proper_end_is_a_failure(
    pieces: tuple[bytes, ...],
    reason: str,
    include_usage: bool,  # noqa: FBT001  as above
) -> None:
    """An error that is followed by `[DONE]`, or a wrong end, is never taken for a whole answer."""
    events, complete = decode(HELLO, *pieces, include_usage=include_usage)

    assert not complete
    assert isinstance(events[-1], StreamFault)
    assert events[-1].failure.reason == reason


@pytest.mark.parametrize(
    ("pieces", "finish_reason"),
    [
        (('{"city": "Par',), "tool_calls"),
        (('{"city"', ": "), "tool_calls"),
        (('{"a": 1',), "stop"),
    ],
    ids=["in a text", "in two pieces", "ended with stop"],
)
def test_cut_tool_call_is_a_failure(pieces: tuple[str, ...], finish_reason: str) -> None:
    """Arguments that break off are no tool call, though the stream ends as if they were."""
    calls = [tool_call(piece) for piece in pieces]

    failure = fault(tool_call("{}", index=1), *calls, chunk({}, finish_reason), DONE).failure

    assert failure.reason is ReasonCode.STREAM_INTERRUPTED


@pytest.mark.parametrize(
    ("arguments", "finish_reason"),
    [
        ('{"city": "Paris"}', "tool_calls"),
        ("", "tool_calls"),
        ("{city: Paris}", "tool_calls"),
        ('{"a": 1}}', "tool_calls"),
        ('{"city": "Par', "length"),
        ('{"city": "Par', "content_filter"),
    ],
    ids=["whole", "none", "not JSON", "too much", "cut by the limit", "cut by the filter"],
)
def test_models_own_mistake_is_the_callers_to_see(arguments: str, finish_reason: str) -> None:
    """Wrong JSON of the model's own, or a text that a limit has cut, is passed on with its finish reason."""
    assert decode(tool_call(arguments), chunk({}, finish_reason), DONE)[1]


def test_odd_tool_calls_are_passed_on() -> None:
    """What is no call of a function has no arguments to be joined."""
    odd = chunk({"tool_calls": [5, {"index": 0, "custom": {"input": "{"}}, {"function": {"name": "f"}}]})

    assert decode(odd, chunk({"tool_calls": "none"}), chunk({}, "tool_calls"), DONE)[1]


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.booleans()), min_size=1),
    st.data(),
)
def test_every_cut_of_arguments_is_noticed(arguments: dict[str, object], data: st.DataObject) -> None:
    """Wherever the arguments of a tool call are cut, the answer is not taken for whole."""
    text = json.dumps(arguments)
    until = data.draw(st.integers(1, len(text) - 1))

    assert decode(tool_call(text), chunk({}, "tool_calls"), DONE)[1]
    assert not decode(tool_call(text[:until]), chunk({}, "tool_calls"), DONE)[1]
