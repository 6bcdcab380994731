import json
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.dialects.openai import OpenAIDialect
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError
from gateway.kernel.limits import Limits, Window
from gateway.kernel.quirks import Quirks
from gateway.schema.chat import parse_chat
from gateway.schema.deltas import ChatChunk
from gateway.schema.exchange import Endpoint, UpstreamAnswer
from gateway.schema.usage import Usage
from suites.unit.gateway.stamped import STAMP
from suites.unit.gateway.wire_texts import USAGE, completion

DIALECT = OpenAIDialect()


def answer(body: Any, status: int = 200) -> UpstreamAnswer:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return UpstreamAnswer(status=status, headers={}, body=payload)


def test_answer_keeps_everything_but_the_models_name() -> None:
    """A whole answer is passed on as it came, under the model name that the caller knows."""
    upstream = completion(system_fingerprint="fp", extra=[1])

    decoded = DIALECT.decode_chat(answer(upstream), STAMP)

    assert decoded.body == {**upstream, "model": "public-name"}
    assert decoded.usage == Usage(3, 1)


@pytest.mark.parametrize("upstream_id", ["gen-123", None, 5])
def test_answer_without_a_proper_id_gets_ours(upstream_id: object) -> None:
    """Every answer has an id of OpenAI's form, and a time."""
    upstream = completion(id=upstream_id)
    del upstream["created"]

    decoded = DIALECT.decode_chat(answer(upstream), STAMP)

    assert (decoded.body["id"], decoded.body["created"]) == ("chatcmpl-ours", 5)


def test_key_is_sent_only_where_there_is_one() -> None:
    """A provider without a key gets no authorization header."""
    with_key = DIALECT.encode_probe(Endpoint(base_url="http://h/v1", api_key="k"), "/models")
    without = DIALECT.encode_probe(Endpoint(base_url="http://h/v1"), "/models")

    assert (with_key.method, with_key.url) == ("GET", "http://h/v1/models")
    assert with_key.headers == {"authorization": "Bearer k"}
    assert without.headers == {}


@pytest.mark.parametrize(
    "body",
    [{"object": "list", "data": [{"id": "a"}, {"id": "b"}, {}, 5]}, [{"id": "a"}, {"id": "b"}]],
    ids=["object", "bare list"],
)
def test_models_are_listed(body: Any) -> None:
    """The list of models is read in OpenAI's form and in Together's."""
    assert DIALECT.read_probe(answer(body)) == {"a", "b"}


@pytest.mark.parametrize("body", [{"models": []}, b"<html>", "text"])
def test_list_of_another_form_is_refused(body: Any) -> None:
    """An answer that holds no list of models is an invalid one."""
    with pytest.raises(ProviderError) as caught:
        DIALECT.read_probe(answer(body))

    assert caught.value.code is ReasonCode.INVALID_RESPONSE


@pytest.mark.parametrize(
    ("body", "detail", "param"),
    [
        ({"error": {"message": "No.", "param": "n", "code": 5}}, "No.", "n"),
        ({"object": "error", "message": "No.", "param": None}, "No.", None),
        ({"error": "No."}, "No.", None),
        ({"detail": "No."}, "No.", None),
        ({"error": ["No.", "Really."]}, "No.", None),
        ({"detail": [{"loc": ["body", "n"], "msg": "No.", "type": "int_type"}]}, "No.", None),
        ({"detail": {"error": "No."}}, "No.", None),
        ({"error": {"message": "No", "metadata": {"raw": "broken"}}}, "No (broken)", None),
        ({"error": []}, "The provider answered with status 503.", None),
        (b"upstream connect error", "upstream connect error", None),
        (b"", "The provider answered with status 503.", None),
        (b"<html>", "A page of HTML came with status 503, so a proxy has answered.", None),
    ],
    ids=[
        "OpenAI",
        "flat",
        "text",
        "detail",
        "list of texts",
        "FastAPI",
        "nested detail",
        "OpenRouter",
        "empty list",
        "plain text",
        "nothing",
        "page",
    ],
)
def test_error_body_is_read_in_every_form(body: Any, detail: str, param: str | None) -> None:
    """The vendors' forms of OpenAI's error object are all read."""
    failure = DIALECT.classify(answer(body, 503))

    assert (failure.reason, failure.status) == (ReasonCode.PROVIDER_DEGRADED, 503)
    assert (failure.detail, failure.param) == (detail, param)


def choice(
    message: dict[str, Any] | None = None, finish_reason: str = "stop", **changes: Any
) -> dict[str, Any]:
    content = {"role": "assistant", "content": "Hello"}
    return {"index": 0, "message": {**content, **(message or {})}, "finish_reason": finish_reason, **changes}


def tool_call(arguments: Any) -> dict[str, Any]:
    return {
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]
    }


@pytest.mark.parametrize(
    ("theirs", "ours"), [("eos", "stop"), ("max_tokens", "length"), ("tool_calls", "tool_calls")]
)
def test_finish_reasons_have_one_name(theirs: str, ours: str) -> None:
    """However a vendor calls the end of an answer, the caller hears OpenAI's word for it."""
    decoded = DIALECT.decode_chat(answer(completion(choices=[choice(finish_reason=theirs)])), STAMP)

    assert decoded.body["choices"][0]["finish_reason"] == ours


def test_thoughts_have_one_name() -> None:
    """Reasoning is called the same whichever vendor sends it."""
    upstream = completion(choices=[choice({"reasoning": "Hm"})])

    message = DIALECT.decode_chat(answer(upstream), STAMP).body["choices"][0]["message"]

    assert message == {"role": "assistant", "content": "Hello", "reasoning_content": "Hm"}


@pytest.mark.parametrize(
    ("choices", "reason"),
    [
        ([choice(), choice()], ReasonCode.INVALID_RESPONSE),
        ([choice(tool_call('{"a": '), "tool_calls")], ReasonCode.INVALID_RESPONSE),
        ([choice(finish_reason="abort")], ReasonCode.PROVIDER_DEGRADED),
        ([choice(finish_reason="")], ReasonCode.INVALID_RESPONSE),
        ([{"index": 0, "finish_reason": "stop"}], ReasonCode.INVALID_RESPONSE),
        ([], ReasonCode.INVALID_RESPONSE),
    ],
    ids=["index twice", "cut tool call", "abort", "no finish reason", "no message", "no choices"],
)
def test_improper_choices_are_refused(choices: list[Any], reason: ReasonCode) -> None:
    """An answer that is cut, or is not clear, is none; the decision is the same as in a stream."""
    with pytest.raises(ProviderError) as caught:
        DIALECT.decode_chat(answer(completion(choices=choices)), STAMP)

    assert caught.value.code is reason


@pytest.mark.parametrize(
    ("message", "finish_reason"),
    [
        (tool_call('{"a": '), "length"),
        (tool_call("{a}"), "tool_calls"),
        (tool_call({"a": 1}), "tool_calls"),
        ({"tool_calls": [5, {"type": "custom"}]}, "tool_calls"),
        ({"tool_calls": None}, "stop"),
    ],
    ids=["cut by the limit", "not JSON", "no text", "no functions", "none"],
)
def test_tool_calls_are_passed_on_as_they_are(message: dict[str, Any], finish_reason: str) -> None:
    """Only what has lost its end is refused: the rest is the caller's to judge."""
    upstream = completion(choices=[choice(message, finish_reason)])

    assert DIALECT.decode_chat(answer(upstream), STAMP).body["choices"] == upstream["choices"]


def test_stream_is_read_as_the_caller_wants_it() -> None:
    """Whether the usage is shown is for the caller to say."""
    request = parse_chat(
        b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}],'
        b' "stream": true, "stream_options": {"include_usage": true}}'
    )

    decoder = DIALECT.stream_decoder(request, STAMP, {})

    assert [step.body["choices"] for step in decoder.feed(USAGE) if isinstance(step, ChatChunk)] == [[]]


def test_limits_are_read_from_headers() -> None:
    """An answer of any status tells the state of the account's limits."""
    limits = DIALECT.limits_in(
        {"x-ratelimit-remaining-requests": "0"}, datetime(2026, 1, 1, tzinfo=UTC), Quirks()
    )

    assert limits == Limits(requests=Window(None, 0, 60))
