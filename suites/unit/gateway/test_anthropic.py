import json
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.dialects.anthropic import AnthropicDialect
from gateway.dialects.anthropic_stream import AnthropicStreamDecoder
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError
from gateway.kernel.limits import Limits, Window
from gateway.kernel.quirks import Quirks
from gateway.schema.chat import Native, check_chat, parse_chat
from gateway.schema.embeddings import parse_embeddings
from gateway.schema.exchange import Endpoint, UpstreamAnswer
from gateway.schema.usage import Usage
from suites.unit.gateway.stamped import STAMP, stamped_completion

DIALECT = AnthropicDialect()
ENDPOINT = Endpoint(base_url="http://h/v1", api_key="sk-example-not-a-key")
CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
NATIVE: dict[str, Any] = {
    "model": "m",
    "max_tokens": 5,
    "messages": [{"role": "user", "content": "Hi", "cache_control": {"type": "ephemeral"}}],
    "container": "c",
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def answer(body: Any, status: int = 200, **headers: str) -> UpstreamAnswer:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return UpstreamAnswer(status=status, headers=headers, body=payload)


def message(*content: Any, **changes: Any) -> dict[str, Any]:
    """Gives a whole answer of Anthropic."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": list(content),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "cache_read_input_tokens": 2, "output_tokens": 1},
        **changes,
    }


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def error(kind: str, message: str = "Oh", code: str | None = None) -> dict[str, Any]:
    details = {"error_code": code} if code else None
    return {
        "type": "error",
        "error": {"details": details, "type": kind, "message": message},
        "request_id": "r",
    }


def test_call_has_key_and_version() -> None:
    """Chat goes to the Messages API, with the key in its own header and the version of the interface."""
    call = DIALECT.encode_chat(check_chat(CHAT), "claude", ENDPOINT)

    assert (call.method, call.url, call.dropped) == ("POST", "http://h/v1/messages", ())
    assert dict(call.headers) == {
        "x-api-key": "sk-example-not-a-key",
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
    }
    assert json.loads(call.body or b"")["model"] == "claude"


def test_newer_version_is_not_steered() -> None:
    """Where a newer version of the API is configured, what that one lacks falls short."""
    newer = Endpoint(base_url="http://h", api_version="2026-10-21", drops_unsupported=True)
    request = check_chat({**CHAT, "temperature": 0.5, "top_p": 1, "seed": 1})
    call = DIALECT.encode_chat(request, "claude", newer)

    assert call.headers["anthropic-version"] == "2026-10-21"
    assert call.dropped == ("temperature", "top_p", "seed")


def test_native_request_is_passed_on() -> None:
    """What was asked in this very format reaches the provider as it was, but for the name of the model."""
    request = check_chat(CHAT, Native("anthropic", NATIVE))
    call = DIALECT.encode_chat(request, "claude", ENDPOINT)
    foreign = DIALECT.encode_chat(check_chat(CHAT, Native("other", NATIVE)), "claude", ENDPOINT)

    assert json.loads(call.body or b"") == {**NATIVE, "model": "claude", "stream": False}
    assert "container" not in json.loads(foreign.body or b"")


def test_version_of_the_native_caller_is_passed_on() -> None:
    """The version and the features on trial that a caller of the same format means are those that Anthropic is told."""
    told = {"anthropic-version": "2026-10-21", "anthropic-beta": "files-api-2025-04-14"}
    asked = check_chat(CHAT, Native("anthropic", NATIVE, told))
    headers = DIALECT.encode_chat(asked, "claude", ENDPOINT).headers
    assert {name: headers[name] for name in told} == told


def test_native_events_are_kept_for_the_native_caller_only() -> None:
    """The decoder keeps the original events where the caller speaks the format."""
    native = DIALECT.stream_decoder(check_chat(CHAT, Native("anthropic", NATIVE)), STAMP, {})
    neutral = DIALECT.stream_decoder(check_chat(CHAT), STAMP, {})
    note = b'data: {"type":"message_start","message":{}}\n\ndata: {"type":"note"}\n\n'

    assert isinstance(native, AnthropicStreamDecoder)
    assert [len(decoder.feed(note)) for decoder in (native, neutral)] == [2, 1]


def test_answer_becomes_openais() -> None:
    """A whole answer reads like one of OpenAI, and brings its original along."""
    decoded = DIALECT.decode_chat(answer(message(text("Hel"), text("lo"))), STAMP)

    assert decoded.usage == Usage(5, 1, 2)
    assert decoded.body == stamped_completion(
        "Hello",
        prompt_tokens=5,
        completion_tokens=1,
        total_tokens=6,
        prompt_tokens_details={"cached_tokens": 2},
    )
    assert decoded.native == Native("anthropic", message(text("Hel"), text("lo")))


def test_thoughts_and_calls_are_translated() -> None:
    """Thinking becomes reasoning, calls become tool calls; what OpenAI has no place for is in the original only."""
    content = (
        {"type": "thinking", "thinking": "Hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}},
    )
    [choice] = DIALECT.decode_chat(answer(message(*content, stop_reason="tool_use")), STAMP).body["choices"]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {
        "role": "assistant",
        "content": None,
        "reasoning_content": "Hm",
        "tool_calls": [
            {"id": "toolu_1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
        ],
    }


def test_refusal_is_translated() -> None:
    """A refusal is filtered content, and says why where the provider does."""
    details = {"type": "refusal", "category": None, "explanation": "Not this."}
    refused = message(stop_reason="refusal", stop_details=details)
    [choice] = DIALECT.decode_chat(answer(refused), STAMP).body["choices"]

    assert choice["finish_reason"] == "content_filter"
    assert choice["message"] == {"role": "assistant", "content": "", "refusal": "Not this."}


@pytest.mark.parametrize("usage", [None, {}, {"output_tokens": "1"}], ids=str)
def test_usage_that_is_not_reported_is_not_made_up(usage: Any) -> None:
    """Without counts there is no usage."""
    decoded = DIALECT.decode_chat(answer(message(text("Hi"), usage=usage)), STAMP)

    assert decoded.usage is None
    assert "usage" not in decoded.body


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", ReasonCode.INVALID_RESPONSE),
        (b"<html>", ReasonCode.INVALID_RESPONSE),
        (message(content="Hi"), ReasonCode.INVALID_RESPONSE),
        (message(text("Hi"), stop_reason=None), ReasonCode.INVALID_RESPONSE),
        (message({"type": "tool_use", "input": {}}), ReasonCode.INVALID_RESPONSE),
        (error("overloaded_error"), ReasonCode.PROVIDER_DEGRADED),
    ],
    ids=["empty", "no JSON", "no content", "no stop reason", "call without name", "error"],
)
def test_improper_answer_is_a_failure(body: Any, reason: ReasonCode) -> None:
    """An answer that is cut, odd or an error is none, though its status is 200."""
    with pytest.raises(ProviderError) as caught:
        DIALECT.decode_chat(answer(body), STAMP)

    assert caught.value.code is reason


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, error("invalid_request_error"), ReasonCode.INVALID_REQUEST),
        (
            400,
            error("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
            ReasonCode.CONTEXT_LENGTH_EXCEEDED,
        ),
        (
            400,
            error("invalid_request_error", "input length and `max_tokens` exceed context limit: 9 > 8"),
            ReasonCode.CONTEXT_LENGTH_EXCEEDED,
        ),
        (
            400,
            error("invalid_request_error", "Your credit balance is too low to access the API."),
            ReasonCode.QUOTA_EXHAUSTED,
        ),
        (
            400,
            error("invalid_request_error", "You have reached your specified API usage limits."),
            ReasonCode.QUOTA_EXHAUSTED,
        ),
        (
            400,
            error("invalid_request_error", "Output blocked by content filtering policy"),
            ReasonCode.CONTENT_FILTERED,
        ),
        (400, error("invalid_request_error", code="organization_on_hold"), ReasonCode.AUTH_ERROR),
        (401, error("authentication_error"), ReasonCode.AUTH_ERROR),
        (402, error("billing_error"), ReasonCode.QUOTA_EXHAUSTED),
        (403, error("permission_error"), ReasonCode.AUTH_ERROR),
        (404, error("not_found_error", "model: claude-x"), ReasonCode.MODEL_UNAVAILABLE),
        (408, b"", ReasonCode.TIMEOUT),
        (413, error("request_too_large"), ReasonCode.CONTEXT_LENGTH_EXCEEDED),
        (413, b"<html>413</html>", ReasonCode.HTTP_ERROR),
        (418, b"{}", ReasonCode.HTTP_ERROR),
        (429, error("rate_limit_error"), ReasonCode.RATE_LIMITED),
        (429, error("rate_limit_error", code="ramp_limit_exceeded"), ReasonCode.RATE_LIMITED),
        (429, error("rate_limit_error", code="enforced_spend_limit_reached"), ReasonCode.QUOTA_EXHAUSTED),
        (429, error("rate_limit_error", code="contract_spend_limit_reached"), ReasonCode.QUOTA_EXHAUSTED),
        (500, error("api_error"), ReasonCode.PROVIDER_DEGRADED),
        (502, b"<html>502</html>", ReasonCode.PROVIDER_DEGRADED),
        (503, b"oh", ReasonCode.PROVIDER_DEGRADED),
        (504, error("timeout_error"), ReasonCode.TIMEOUT),
        (504, b"<html>504</html>", ReasonCode.TIMEOUT),
        (529, error("overloaded_error"), ReasonCode.PROVIDER_DEGRADED),
        (529, b"", ReasonCode.PROVIDER_DEGRADED),
        (409, {"type": "error", "error": "busy"}, ReasonCode.PROVIDER_DEGRADED),
    ],
    ids=str,
)
def test_error_is_classified(status: int, body: Any, reason: ReasonCode) -> None:
    """Code, words and type of an error say what it means, and the status where they say nothing."""
    failure = DIALECT.classify(answer(body, status))

    assert (failure.reason, failure.status, failure.retry_after) == (reason, status, None)


def test_error_keeps_its_words_and_its_wait() -> None:
    """The provider's own words are kept, and how long it wants to be left alone."""
    body = error("rate_limit_error", "This request would exceed your limit.")
    failure = DIALECT.classify(answer(body, 429, **{"retry-after": "7"}))

    assert (failure.detail, failure.retry_after) == ("This request would exceed your limit.", "7")


def test_limits_are_read() -> None:
    """Every limit is told by itself, and its reset as a time."""
    limits = DIALECT.limits_in(
        {
            "anthropic-ratelimit-requests-limit": "50",
            "anthropic-ratelimit-requests-remaining": "0",
            "anthropic-ratelimit-requests-reset": "2026-01-01T00:01:30Z",
            "anthropic-ratelimit-tokens-remaining": "many",
            "anthropic-ratelimit-tokens-reset": "2026-01-01T00:00:30",
            "anthropic-ratelimit-input-tokens-reset": "2025-12-31T23:59:30Z",
            "anthropic-ratelimit-output-tokens-limit": "8000",
            "anthropic-ratelimit-output-tokens-reset": "soon",
        },
        NOW,
        Quirks(),
    )

    assert limits == Limits(
        requests=Window(50, 0, 90.0),
        tokens=None,
        input_tokens=Window(reset_s=0.0),
        output_tokens=Window(limit=8000),
    )
    assert DIALECT.limits_in({"x-ratelimit-limit-requests": "5"}, NOW, Quirks()) is None


def test_there_are_no_embeddings() -> None:
    """The provider has no embeddings, which is told before anything is sent."""
    request = parse_embeddings(b'{"model": "m", "input": "Hi"}')
    with pytest.raises(ProviderError) as caught:
        DIALECT.encode_embeddings(request, "claude", ENDPOINT)
    assert caught.value.code is ReasonCode.UNSUPPORTED_OPERATION
    with pytest.raises(ProviderError):
        DIALECT.decode_embeddings(answer({}), request)


def test_probe_lists_models() -> None:
    """The probe costs no tokens, and shows whether the key is right."""
    call = DIALECT.encode_probe(ENDPOINT, "/models?limit=1000")
    models = DIALECT.read_probe(answer({"data": [{"id": "a"}, {"id": "b"}, {}, "c"], "has_more": False}))
    keyless = DIALECT.encode_probe(Endpoint(base_url="http://h"), "/models")

    assert (call.method, call.url) == ("GET", "http://h/v1/models?limit=1000")
    assert call.headers["x-api-key"] == "sk-example-not-a-key"
    assert "x-api-key" not in keyless.headers
    assert models == {"a", "b"}
    with pytest.raises(ProviderError):
        DIALECT.read_probe(answer({"models": []}))


def test_body_of_a_stream_asks_for_one() -> None:
    """A caller that wants a stream gets one from the provider."""
    request = parse_chat(json.dumps({**CHAT, "stream": True}).encode())

    assert json.loads(DIALECT.encode_chat(request, "claude", ENDPOINT).body or b"")["stream"] is True
