import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.faces import StreamEncoder
from gateway.faces.messages import MessagesFace
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError
from gateway.kernel.limits import Limits, Window
from gateway.schema.chat import ChatRequest, Native
from gateway.schema.deltas import ChatChunk, NativeEvents
from suites.unit.gateway.neutral import PROBLEM, USAGE, answer, call, chunk, events_of, usage_chunk

FACE = MessagesFace()
TOOL_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
THINKING = {"type": "adaptive"}


def request(**changes: Any) -> ChatRequest:
    messages = [{"role": "user", "content": "Hi"}]
    return FACE.parse(
        json.dumps({"model": "m", "max_tokens": 9, "messages": messages, **changes}).encode(), {}
    )


def streamed(chunks: Sequence[ChatChunk], encoder: StreamEncoder | None = None) -> list[dict[str, Any]]:
    encoder = encoder or FACE.stream_encoder(request(thinking=THINKING))
    return events_of(encoder.feed(chunks) + encoder.close())


def test_whole_message() -> None:
    """An answer has the blocks in Anthropic's order, its stop reason, and the usage with the cache apart."""
    told = {"content": "Well", "reasoning_content": "Hm", "tool_calls": [TOOL_CALL]}

    message = FACE.encode_answer(answer(told, "tool_calls"), request(thinking=THINKING))

    assert message == {
        "id": "msg_x1",
        "type": "message",
        "role": "assistant",
        "model": "first",
        "content": [
            {"type": "thinking", "thinking": "Hm", "signature": ""},
            {"type": "text", "text": "Well"},
            {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 8,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 4,
            "output_tokens": 7,
            "output_tokens_details": {"thinking_tokens": 2},
        },
    }


@pytest.mark.parametrize(
    ("message", "reason", "stop_reason"),
    [
        ({"content": "a"}, "stop", "end_turn"),
        ({"content": "a"}, "length", "max_tokens"),
        ({"content": "a"}, "content_filter", "refusal"),
        ({"content": None, "refusal": "No."}, "stop", "refusal"),
        ({"tool_calls": [TOOL_CALL]}, "tool_calls", "tool_use"),
        ({"tool_calls": [TOOL_CALL]}, "stop", "tool_use"),
        ({"content": "a"}, "eos", "end_turn"),
    ],
    ids=["stop", "length", "filter", "refusal", "calls", "forced call", "unknown"],
)
def test_stop_reason(message: dict[str, Any], reason: str, stop_reason: str) -> None:
    """Each way to end has Anthropic's name, whole and streamed; a forced call counts as one."""
    whole = FACE.encode_answer(answer(message, reason), request())
    events = streamed([chunk(message), chunk({}, reason)])

    assert whole["stop_reason"] == stop_reason
    assert events[-2]["delta"] == {"stop_reason": stop_reason, "stop_sequence": None}


@pytest.mark.parametrize(
    "thinking",
    [None, {"type": "disabled"}, {"type": "adaptive", "display": "omitted"}],
    ids=["not asked for", "disabled", "omitted"],
)
def test_thoughts_are_shown_to_those_who_ask(thinking: Any) -> None:
    """A caller who has not asked for thoughts finds the text where it always is: in the first block."""
    asked = request(thinking=thinking)
    told = {"content": "Well", "reasoning_content": "Hm"}

    assert FACE.encode_answer(answer(told), asked)["content"] == [{"type": "text", "text": "Well"}]
    events = streamed([chunk(told), chunk({}, "stop")], FACE.stream_encoder(asked))
    assert [event["content_block"]["type"] for event in events if "content_block" in event] == ["text"]


def test_cut_off_call_is_left_out() -> None:
    """Nobody can make a call whose arguments are cut off; the stop reason says why it is missing."""
    cut = {"id": "c1", "function": {"name": "f", "arguments": '{"a"'}}

    message = FACE.encode_answer(answer({"content": "Well", "tool_calls": [cut]}, "length"), request())

    assert [block["type"] for block in message["content"]] == ["text"]
    assert message["stop_reason"] == "max_tokens"


def test_call_that_makes_no_sense_is_an_error() -> None:
    """A broken call is never told as a whole one."""
    broken = {"id": "c1", "function": {"name": "f", "arguments": '{"a"'}}

    with pytest.raises(ProviderError):
        FACE.encode_answer(answer({"tool_calls": [broken]}, "tool_calls"), request())


def test_usage_that_was_not_reported_is_zero() -> None:
    """Clients of Anthropic stumble over a missing usage."""
    usage = FACE.encode_answer(answer({"content": "a"}, usage=None), request())["usage"]

    assert (usage["input_tokens"], usage["output_tokens"]) == (0, 0)


def test_stream_in_full() -> None:
    """The events come in the order and form in which Anthropic sends them."""
    events = streamed(
        [
            chunk({"role": "assistant", "content": ""}),
            chunk({"reasoning_content": "Hm"}),
            chunk({"content": "Well"}),
            chunk(call(0, '{"a":', id="c1", name="f")),
            chunk(call(0, "1}")),
            chunk({"content": "another choice"}, index=1),
            chunk({}, "tool_calls"),
            usage_chunk(),
        ]
    )

    start, *others, delta, stop = events
    assert start["message"] == {
        "id": "msg_x1",
        "type": "message",
        "role": "assistant",
        "model": "first",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": start["message"]["usage"],
    }
    assert others == [
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": ""}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Well"}},
        {"type": "content_block_stop", "index": 1},
        {
            "type": "content_block_start",
            "index": 2,
            "content_block": {"type": "tool_use", "id": "c1", "name": "f", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 2,
            "delta": {"type": "input_json_delta", "partial_json": '{"a":'},
        },
        {
            "type": "content_block_delta",
            "index": 2,
            "delta": {"type": "input_json_delta", "partial_json": "1}"},
        },
        {"type": "content_block_stop", "index": 2},
    ]
    assert (delta["type"], delta["usage"]["output_tokens"]) == ("message_delta", USAGE.completion_tokens)
    assert stop == {"type": "message_stop"}


def test_answer_without_content_is_whole() -> None:
    """A model that says nothing still gives a message."""
    events = streamed([chunk({"role": "assistant"}), chunk({}, "stop")])

    assert [event["type"] for event in events] == ["message_start", "message_delta", "message_stop"]


def test_usage_that_is_known_at_the_start_is_told_there() -> None:
    """Clients show the size of the context from the first event, where the provider tells it."""
    start = streamed([chunk({"content": "a"}, usage=USAGE), chunk({}, "stop")])[0]

    assert start["message"]["usage"]["input_tokens"] == 8


def test_failure_is_the_last_event() -> None:
    """After a failure comes no `message_stop`, so that no client takes the message for whole."""
    encoder = FACE.stream_encoder(request())

    events = events_of(encoder.feed([chunk({"content": "a"})]) + encoder.fail(PROBLEM))

    assert events[-1] == {
        "type": "error",
        "error": {"type": "api_error", "message": "The answer broke off."},
        "request_id": "req-1",
    }
    assert "message_stop" not in [event["type"] for event in events]


def test_original_answer_is_passed_on() -> None:
    """What Anthropic itself answers reaches the caller as it was, under the model's name here."""
    original = {
        "id": "msg_01",
        "type": "message",
        "model": "claude-x",
        "content": [{"type": "text"}],
        "new": 1,
    }
    whole = answer({"content": "a"})._replace(native=Native("anthropic", original))

    assert FACE.encode_answer(whole, request()) == {**original, "model": "first"}


def test_original_events_are_passed_on() -> None:
    """The events of Anthropic itself reach the caller as they were, and only once."""
    start = {"type": "message_start", "message": {"id": "msg_01", "model": "claude-x", "content": []}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "new"}}
    stop = {"type": "message_stop"}
    chunks = [
        replace(chunk({}), native=NativeEvents("anthropic", bodies))
        for bodies in ((start, block), (), (stop,))
    ]

    events = streamed(chunks)

    assert events == [{**start, "message": {"id": "msg_01", "model": "first", "content": []}}, block, stop]


def test_form_of_another_face_is_not_passed_on() -> None:
    """Only Anthropic's own form is passed on here."""
    other = Native("responses", {"id": "resp_01"})

    whole = FACE.encode_answer(answer({"content": "a"})._replace(native=other), request())
    events = streamed([replace(chunk({"content": "a"}), native=NativeEvents("responses", ({},)))])

    assert (whole["id"], events[0]["message"]["id"]) == ("msg_x1", "msg_x1")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (405, "invalid_request_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
    ],
)
def test_error_has_the_type_of_its_status(status: int, kind: str) -> None:
    """Anthropic's types follow from the status."""
    assert FACE.error_body(replace(PROBLEM, status=status))["error"]["type"] == kind


def test_conversation_that_is_too_long_is_told_in_anthropics_words() -> None:
    """By these words Claude Code knows that it has to compact the conversation."""
    problem = replace(PROBLEM, code=ReasonCode.CONTEXT_LENGTH_EXCEEDED, status=400, message="9 > 8.")

    assert FACE.error_body(problem)["error"]["message"] == "prompt is too long: 9 > 8."


def test_limits_have_anthropics_names() -> None:
    """Limits are told by time of reset; what is not known is not told."""
    limits = Limits(
        requests=Window(50, 49, 1.2), tokens=None, input_tokens=Window(9, None, None), output_tokens=Window()
    )

    assert FACE.limit_headers(limits, datetime(2026, 1, 1, tzinfo=UTC)) == {
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:01Z",
        "anthropic-ratelimit-input-tokens-limit": "9",
    }


def test_version_of_the_callers_format_is_kept() -> None:
    """Which version and which features on trial a caller means is kept for a provider that speaks the same format."""
    told = {"anthropic-version": "2023-06-01", "anthropic-beta": "files-api-2025-04-14", "x-api-key": "no"}
    messages = [{"role": "user", "content": "Hi"}]
    asked = FACE.parse(json.dumps({"model": "m", "max_tokens": 9, "messages": messages}).encode(), told)
    assert asked.native is not None
    assert dict(asked.native.headers) == {
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "files-api-2025-04-14",
    }
