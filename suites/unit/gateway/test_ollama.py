import json
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.dialects.ollama import OllamaDialect
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError
from gateway.kernel.quirks import Quirks
from gateway.schema.chat import parse_chat
from gateway.schema.embeddings import EmbeddingAnswer, parse_embeddings
from gateway.schema.exchange import Endpoint, UpstreamAnswer
from gateway.schema.usage import Usage
from suites.unit.gateway.stamped import STAMP, stamped_completion
from suites.unit.gateway.wire_texts import ollama_answer

DIALECT = OllamaDialect()


def answer(body: Any, status: int = 200) -> UpstreamAnswer:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return UpstreamAnswer(status=status, headers={"retry-after": "3"}, body=payload)


def test_answer_becomes_openais() -> None:
    """A whole answer of Ollama reads like one of OpenAI."""
    decoded = DIALECT.decode_chat(answer(ollama_answer()), STAMP)

    assert decoded.usage == Usage(3, 1)
    assert decoded.body == stamped_completion("Hello", prompt_tokens=3, completion_tokens=1, total_tokens=4)


@pytest.mark.parametrize(
    ("changes", "finish_reason"),
    [({}, "stop"), ({"done_reason": "length"}, "length"), ({"done_reason": None}, "stop")],
)
def test_finish_reason_is_translated(changes: dict[str, Any], finish_reason: str) -> None:
    """A limit that was reached is told; an old version without a reason has stopped."""
    decoded = DIALECT.decode_chat(answer(ollama_answer(**changes)), STAMP)

    assert decoded.body["choices"][0]["finish_reason"] == finish_reason


def test_tool_calls_and_thinking_are_translated() -> None:
    """Tool calls get an id each and their arguments as text; thinking becomes reasoning."""
    calls = [{"function": {"name": "add", "arguments": {"a": 1}}}, {"function": {"name": "now"}}]
    message = {"role": "assistant", "content": "", "thinking": "Hm", "tool_calls": calls}

    [choice] = DIALECT.decode_chat(answer(ollama_answer(message=message)), STAMP).body["choices"]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {
        "role": "assistant",
        "content": None,
        "reasoning_content": "Hm",
        "tool_calls": [
            {"id": "call_ours_0", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}},
            {"id": "call_ours_1", "type": "function", "function": {"name": "now", "arguments": "{}"}},
        ],
    }


def test_usage_that_is_not_reported_is_not_made_up() -> None:
    """Without counts there is no usage."""
    decoded = DIALECT.decode_chat(answer(ollama_answer(eval_count=None)), STAMP)

    assert decoded.usage is None
    assert "usage" not in decoded.body


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", ReasonCode.INVALID_RESPONSE),
        (b"<html>", ReasonCode.INVALID_RESPONSE),
        (ollama_answer(done=False), ReasonCode.INVALID_RESPONSE),
        (ollama_answer(message=None), ReasonCode.INVALID_RESPONSE),
        ({"error": "out of memory"}, ReasonCode.PROVIDER_DEGRADED),
    ],
    ids=["empty", "no JSON", "not done", "no message", "error"],
)
def test_improper_answer_is_a_failure(body: Any, reason: ReasonCode) -> None:
    """An answer that is cut, odd or an error is none, though its status is 200."""
    with pytest.raises(ProviderError) as caught:
        DIALECT.decode_chat(answer(body), STAMP)

    assert caught.value.code is reason


@pytest.mark.parametrize(
    ("status", "body", "reason", "detail"),
    [
        (404, {"error": 'model "x" not found'}, ReasonCode.MODEL_UNAVAILABLE, 'model "x" not found'),
        (503, {"error": "server busy"}, ReasonCode.PROVIDER_DEGRADED, "server busy"),
        (400, b"oh", ReasonCode.INVALID_REQUEST, "oh"),
        (400, b"", ReasonCode.INVALID_REQUEST, "The provider answered with status 400."),
    ],
)
def test_error_is_classified(status: int, body: Any, reason: ReasonCode, detail: str) -> None:
    """Ollama's errors are mere texts; the status says what they mean."""
    failure = DIALECT.classify(answer(body, status))

    assert (failure.reason, failure.detail, failure.retry_after) == (reason, detail, "3")


def test_probe_lists_models_with_and_without_tag() -> None:
    """A model with the tag "latest" answers to its bare name too."""
    call = DIALECT.encode_probe(Endpoint(base_url="http://h"), "/api/tags")
    models = DIALECT.read_probe(answer({"models": [{"name": "llama3.1:latest"}, {"name": "qwen:7b"}, {}]}))

    assert (call.method, call.url, dict(call.headers)) == ("GET", "http://h/api/tags", {})
    assert models == {"llama3.1:latest", "llama3.1", "qwen:7b"}


def test_list_of_another_form_is_refused() -> None:
    """An answer without a list of models is an invalid one."""
    with pytest.raises(ProviderError):
        DIALECT.read_probe(answer({"data": []}))


def test_call_is_posted_to_the_native_address() -> None:
    """Chat goes to Ollama's own API, with the key where there is one."""
    request = parse_chat(b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}')

    call = DIALECT.encode_chat(request, "llama3.1", Endpoint(base_url="http://h", api_key="k"))

    assert (call.method, call.url, call.headers["authorization"]) == ("POST", "http://h/api/chat", "Bearer k")
    assert json.loads(call.body or b"")["model"] == "llama3.1"


TWO_TEXTS = parse_embeddings(b'{"model": "m", "input": ["a", "b"]}')


def test_embeddings_are_asked_for_at_their_address() -> None:
    """Embeddings have an address of their own, and the same key."""
    call = DIALECT.encode_embeddings(TWO_TEXTS, "nomic", Endpoint(base_url="http://h", api_key="k"))

    assert (call.method, call.url, call.headers["authorization"]) == (
        "POST",
        "http://h/api/embed",
        "Bearer k",
    )
    assert json.loads(call.body or b"")["input"] == ["a", "b"]


@pytest.mark.parametrize(("count", "usage"), [(3, Usage(3, 0)), (None, None)], ids=["counted", "not counted"])
def test_vectors_are_read(count: int | None, usage: Usage | None) -> None:
    """There is one vector for each text, in order, and the count of tokens if Ollama gives it."""
    body = {"model": "nomic", "embeddings": [[1, 0.5], [0, 2]], "prompt_eval_count": count}

    assert DIALECT.decode_embeddings(answer(body), TWO_TEXTS) == EmbeddingAnswer(((1, 0.5), (0, 2)), usage)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", ReasonCode.INVALID_RESPONSE),
        ({"embeddings": [[1.0]]}, ReasonCode.INVALID_RESPONSE),
        ({"embeddings": [[1.0], []]}, ReasonCode.INVALID_RESPONSE),
        ({"error": "out of memory"}, ReasonCode.PROVIDER_DEGRADED),
    ],
    ids=["empty", "too few", "empty vector", "error"],
)
def test_improper_vectors_are_a_failure(body: Any, reason: ReasonCode) -> None:
    """An answer without a proper vector for each text is none."""
    with pytest.raises(ProviderError) as caught:
        DIALECT.decode_embeddings(answer(body), TWO_TEXTS)

    assert caught.value.code is reason


def test_what_is_left_out_is_told() -> None:
    """What the endpoint lets be left out of a request is named in the call."""
    request = parse_chat(b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}], "n": 2}')

    call = DIALECT.encode_chat(request, "m", Endpoint(base_url="http://h", drops_unsupported=True))

    assert call.dropped == ("n",)


def test_odd_tool_calls_are_passed_over() -> None:
    """What is no call of a function does not break the reading of the rest."""
    calls = [5, {"function": None}, {"function": {"name": "now", "arguments": '{"a":1}'}}]

    decoded = DIALECT.decode_chat(answer(ollama_answer(message={"tool_calls": calls})), STAMP)

    [call] = decoded.body["choices"][0]["message"]["tool_calls"]
    assert call["function"] == {"name": "now", "arguments": '{"a":1}'}


def test_ollama_tells_no_limits() -> None:
    """There are no headers of limits to be read."""
    assert DIALECT.limits_in({"x-ratelimit-remaining-requests": "0"}, datetime.now(UTC), Quirks()) is None
