"""A stream in Anthropic's own form with which another provider goes on in the neutral one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway.dialects.anthropic_stream import AnthropicStreamDecoder
from gateway.faces import StreamEncoder
from gateway.faces.messages import MessagesFace
from gateway.kernel.errors import ProviderError
from gateway.policy.splice import Delivered, Splice
from gateway.schema.chat import Native, check_chat
from gateway.schema.deltas import ChatChunk, NativeEvents, StreamEvent
from suites.unit.gateway.neutral import USAGE, call, chunk, events_of
from suites.unit.gateway.stamped import STAMP
from suites.unit.gateway.test_anthropic_stream import START, STOP, THOUGHTS, end, event, grow, start, stop


def encoder() -> StreamEncoder:
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    told = body | {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    return MessagesFace().stream_encoder(check_chat(body, Native("anthropic", told)))


def shown(events: Iterable[StreamEvent]) -> list[ChatChunk]:
    """Gives what of a stream is shown before its end: all up to the last content."""
    chunks = [each for each in events if isinstance(each, ChatChunk)]
    while chunks and not chunks[-1].delivers:
        chunks.pop()
    return chunks


def message_of(events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Reads a stream as strictly as its documentation reads, and gives the message."""
    message: dict[str, Any] = {"content": []}
    told = iter(events)
    assert next(told)["type"] == "message_start"
    for each in _until(told, "message_delta"):
        block = _block(each, told)
        assert each["index"] == len(message["content"])
        message["content"].append(block)
    assert list(told) == [{"type": "message_stop"}]
    return message


def _until(told: Iterator[dict[str, Any]], kind: str) -> Iterator[dict[str, Any]]:
    for each in told:
        if each["type"] == kind:
            assert each["delta"]["stop_reason"]
            return
        assert each["type"] == "content_block_start"
        yield each
    raise AssertionError("the stream has no end")


def _block(begun: dict[str, Any], told: Iterator[dict[str, Any]]) -> tuple[str, str, str]:
    said = ""
    for each in told:
        assert each["index"] == begun["index"]
        if each["type"] == "content_block_stop":
            break
        delta = each["delta"]
        said += delta.get("text") or delta.get("thinking") or delta.get("partial_json") or ""
    block = begun["content_block"]
    empty = "{}" if block["type"] == "tool_use" else ""
    return block["type"], block.get("name", ""), said or empty


WORDS = (
    START,
    start(0, "thinking"),
    grow(0, "thinking_delta", thinking="Hm, well"),
    stop(0),
    start(1),
    grow(1, "text_delta", text="One two "),
    grow(1, "text_delta", text="three"),
    stop(1),
    start(2, "tool_use", id="toolu_1", name="now", input={}),
    stop(2),
    start(3, "tool_use", id="toolu_2", name="add", input={}),
    grow(3, "input_json_delta", partial_json='{"a"'),
    grow(3, "input_json_delta", partial_json=": 1}"),
    stop(3),
    end("tool_use"),
    STOP,
)
NEUTRAL = (
    {"role": "assistant", "content": ""},
    {"reasoning_content": "Hm,"},
    {"reasoning_content": " well"},
    {"content": "One"},
    {"content": " two three"},
    call(0, "{}", id="x", name="now"),
    call(1, "", id="y", name="add"),
    call(1, '{"a": 1'),
    call(1, "}"),
)


def test_another_provider_goes_on_after_every_event() -> None:
    """Wherever the first provider's events break off, the caller reads one proper message."""
    whole = message_of(events_of(b"".join(WORDS)))
    new = [chunk(delta) for delta in NEUTRAL]
    new = [*new, replace(chunk({}, "tool_calls"), finishes=True, usage=USAGE)]

    for cut in range(3, len(WORDS) - 1):
        decoder = AnthropicStreamDecoder(STAMP, include_usage=False, keeps_native=True)
        first = shown(decoder.feed(b"".join(WORDS[:cut])))
        delivered = Delivered()
        for each in first:
            delivered.note(each)
        splice, writer = Splice(delivered), encoder()

        stream = writer.feed(first) + writer.feed([out for each in new for out in splice.feed(each)])

        assert message_of(events_of(stream + writer.close())) == whole


def test_unknown_blocks_in_between_are_counted() -> None:
    """Blocks that have no counterpart in the neutral form keep their numbers."""
    decoder = AnthropicStreamDecoder(STAMP, include_usage=False, keeps_native=True)
    search = start(1, "server_tool_use", id="s", name="web_search", input={})
    hello = (start(0), grow(0, "text_delta", text="a"), stop(0), search, stop(1))
    first = shown(decoder.feed(b"".join((START, *hello, start(2), grow(2, "text_delta", text="b")))))
    writer = encoder()

    stream = writer.feed(first) + writer.feed([chunk({"content": "c"}), chunk({}, "stop")]) + writer.close()

    assert message_of(events_of(stream))["content"] == [
        ("text", "", "a"),
        ("server_tool_use", "web_search", ""),
        ("text", "", "bc"),
    ]


@pytest.mark.parametrize(
    ("passed", "delta"),
    [
        ((start(0, "server_tool_use", id="s", name="x", input={}),), {"content": "a"}),
        ((start(0), grow(0, "text_delta", text="a"), stop(0)), {"content": "b"}),
    ],
    ids=["block of another kind is open", "block has ended"],
)
def test_what_cannot_be_gone_on_with_is_an_error(passed: Sequence[bytes], delta: dict[str, Any]) -> None:
    """An answer whose events leave no place for the rest ends with an error, not with a muddle."""
    decoder = AnthropicStreamDecoder(STAMP, include_usage=False, keeps_native=True)
    writer = encoder()
    first = [each for each in decoder.feed(b"".join((START, *passed))) if isinstance(each, ChatChunk)]
    writer.feed(first)

    with pytest.raises(ProviderError):
        writer.feed([chunk(delta)])


@pytest.mark.parametrize("rest", [b"", STOP[:9], event("ping"), STOP], ids=["none", "half", "ping", "whole"])
def test_missing_end_is_added_to_the_providers_own_events(rest: bytes) -> None:
    """A stop reason without `message_stop` gets it; a stream that has it does not get another."""
    decoder = AnthropicStreamDecoder(STAMP, include_usage=False, keeps_native=True)
    events = decoder.feed(b"".join(THOUGHTS[:-1]) + rest) + decoder.settle()
    writer = encoder()

    stream = writer.feed([each for each in events if isinstance(each, ChatChunk)]) + writer.close()

    kinds = [each["type"] for each in events_of(stream)]
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert (kinds.count("message_delta"), kinds.count("message_stop")) == (1, 1)


def test_events_of_several_kinds_of_end_are_passed_on_alike() -> None:
    """Only a message_delta that names a stop reason is an end."""
    counted = {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 1}}
    started = {"type": "message_start", "message": {"model": "x"}}
    bodies = (
        started,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
        counted,
    )
    native = replace(chunk({"content": "a"}), native=NativeEvents("anthropic", bodies))
    writer = encoder()

    kinds = [each["type"] for each in events_of(writer.feed([native]) + writer.close())]

    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
