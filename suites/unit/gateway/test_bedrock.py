import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.dialects.bedrock import BedrockDialect, control_plane
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError
from gateway.kernel.quirks import Quirks
from gateway.schema.chat import ChatRequest, parse_chat
from gateway.schema.embeddings import parse_embeddings
from gateway.schema.exchange import Endpoint, UpstreamAnswer
from gateway.schema.usage import Usage
from suites.unit.gateway.stamped import STAMP, stamped_completion

DIALECT = BedrockDialect()
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
HOST = "https://bedrock-runtime.eu-west-1.amazonaws.com"
SIGNING = Endpoint(
    base_url=HOST,
    api_key="secret-example",
    key_id="AKIDEXAMPLE",
    session_token="tok",
    region="eu-west-1",
    now=NOW,
)
ENDLESS = b'{"output":{"message":{"content":[{"toolUse":{"input":' + b"[" * 300 + b"]" * 300 + b"}}]}}}"
ORIGIN = "http://internal.amazon.com/coral/com.amazon.bedrock/"


def request(**changes: Any) -> ChatRequest:
    return parse_chat(
        json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}], **changes}).encode()
    )


def answer(body: Any, status: int = 200, **headers: str) -> UpstreamAnswer:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return UpstreamAnswer(status=status, headers=headers, body=payload)


def said(*blocks: Any, **changes: Any) -> dict[str, Any]:
    return {
        "output": {"message": {"role": "assistant", "content": list(blocks)}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4},
        "metrics": {"latencyMs": 7},
        **changes,
    }


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku-20240307-v1%3A0"),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
            "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.amazon.nova-lite-v1%3A0",
        ),
    ],
    ids=["model", "inference profile"],
)
def test_call_is_signed_and_posted_to_the_model(model: str, path: str) -> None:
    """The model stands in the address, encoded to the last colon, and the whole call is signed."""
    call = DIALECT.encode_chat(request(), model, SIGNING)
    streamed = DIALECT.encode_chat(request(stream=True), model, SIGNING)

    assert (call.method, call.url) == ("POST", f"{HOST}/model/{path}/converse")
    assert streamed.url == f"{HOST}/model/{path}/converse-stream"
    assert json.loads(call.body or b"") == {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    assert call.headers["authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-west-1/bedrock/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature="
    )
    assert call.headers["x-amz-date"] == "20261121T093000Z"
    assert "secret-example" not in str(dict(call.headers))


def test_key_without_an_id_is_a_bearer_token() -> None:
    """A Bedrock API key is sent as it is, and nothing where there is no key."""
    with_key = DIALECT.encode_chat(request(), "m", Endpoint(base_url="http://h", api_key="bedrock-example"))
    without = DIALECT.encode_chat(request(), "m", Endpoint(base_url="http://h"))

    assert with_key.headers["authorization"] == "Bearer bedrock-example"
    assert dict(without.headers) == {"content-type": "application/json"}


@pytest.mark.parametrize(
    "endpoint",
    [replace(SIGNING, api_key=None), replace(SIGNING, region=None)],
    ids=["no secret", "no region"],
)
def test_half_a_key_is_not_sent(endpoint: Endpoint) -> None:
    """An id without its secret, or without a region to sign for, sends nothing."""
    with pytest.raises(ProviderError) as caught:
        DIALECT.encode_chat(request(), "m", endpoint)

    assert caught.value.code is ReasonCode.MISSING_API_KEY


def test_what_is_left_out_is_named() -> None:
    """Where fields may be left out, the call names them."""
    endpoint = Endpoint(base_url="http://h", drops_unsupported=True)

    assert DIALECT.encode_chat(request(seed=1), "m", endpoint).dropped == ("seed",)


def test_answer_becomes_openais() -> None:
    """A whole answer of Converse reads like one of OpenAI."""
    decoded = DIALECT.decode_chat(answer(said({"text": "Hel"}, {"text": "lo"})), STAMP)

    assert decoded.usage == Usage(3, 1)
    assert decoded.body == stamped_completion("Hello", prompt_tokens=3, completion_tokens=1, total_tokens=4)


def test_every_kind_of_block_is_translated() -> None:
    """Reasoning, cited text and calls have their places; what has none, and tools of the provider, are left out."""
    blocks = (
        {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "abc"}}},
        {"reasoningContent": {"redactedContent": "YQ=="}},
        {"toolUse": {"toolUseId": "s", "name": "search", "input": {}, "type": "server_tool_use"}},
        {"citationsContent": {"content": [{"text": "Cited."}], "citations": []}},
        {"toolUse": {"toolUseId": "t1", "name": "add", "input": {"a": 1}}},
        {"toolUse": {"toolUseId": "t2", "name": "now", "input": {}}},
    )

    [choice] = DIALECT.decode_chat(answer(said(*blocks, stopReason="tool_use")), STAMP).body["choices"]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {
        "role": "assistant",
        "content": "Cited.",
        "reasoning_content": "Hm",
        "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}},
            {"id": "t2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
        ],
    }


def test_call_without_a_text_has_no_content() -> None:
    """Where nothing but a call is said, the content is null, and the model has stopped to call."""
    blocks = said({"toolUse": {"toolUseId": "t1", "name": "add", "input": {}}})

    [choice] = DIALECT.decode_chat(answer(blocks), STAMP).body["choices"]

    assert (choice["message"]["content"], choice["finish_reason"]) == (None, "tool_calls")


@pytest.mark.parametrize(
    ("reported", "usage"),
    [
        (None, None),
        ({"inputTokens": 1}, None),
        (
            {"inputTokens": 1, "outputTokens": 2, "cacheReadInputTokens": 4, "cacheWriteInputTokens": 8},
            Usage(13, 2, cached_tokens=4),
        ),
    ],
    ids=["none", "half", "cached"],
)
def test_usage_is_read(reported: Any, usage: Usage | None) -> None:
    """Tokens of the cache belong to the prompt; what is not reported is not made up."""
    decoded = DIALECT.decode_chat(answer(said({"text": "x"}, usage=reported)), STAMP)

    assert decoded.usage == usage
    assert ("usage" in decoded.body) == (usage is not None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", ReasonCode.INVALID_RESPONSE),
        (b"<html>", ReasonCode.INVALID_RESPONSE),
        ({}, ReasonCode.INVALID_RESPONSE),
        ({"output": {"message": {"content": ["text"]}}}, ReasonCode.INVALID_RESPONSE),
        (said({"text": "x"}, stopReason=None), ReasonCode.INVALID_RESPONSE),
        (said({"text": "x"}, stopReason="new"), ReasonCode.INVALID_RESPONSE),
        (said({"image": {"format": "png"}}), ReasonCode.INVALID_RESPONSE),
        (said({"toolUse": {"name": "f"}}), ReasonCode.INVALID_RESPONSE),
        (said({"citationsContent": {"content": 5}}, stopReason={}), ReasonCode.INVALID_RESPONSE),
        (ENDLESS, ReasonCode.INVALID_RESPONSE),
        (said(stopReason="malformed_model_output"), ReasonCode.PROVIDER_DEGRADED),
        ({"__type": "a.b#ThrottlingException", "message": "x"}, ReasonCode.RATE_LIMITED),
    ],
    ids=[
        "empty", "no JSON", "no output", "odd block", "unfinished", "unknown end", "image", "nameless call",
        "odd end", "endless arguments",
        "malformed", "exception",
    ],
)  # fmt: skip
def test_improper_answer_is_a_failure(body: Any, reason: ReasonCode) -> None:
    """An answer that is cut, odd or an error is none, though its status is 200."""
    with pytest.raises(ProviderError) as caught:
        DIALECT.decode_chat(answer(body), STAMP)

    assert caught.value.code is reason


@pytest.mark.parametrize(
    ("status", "exception", "message", "reason"),
    [
        (400, "ValidationException", "Malformed input request.", ReasonCode.INVALID_REQUEST),
        (400, "ValidationException", "Input is too long for requested model.", ReasonCode.CONTEXT_LENGTH_EXCEEDED),
        (400, "ValidationException", "prompt is too long: 9 tokens > 5 maximum", ReasonCode.CONTEXT_LENGTH_EXCEEDED),
        (400, "ValidationException", "The provided model identifier is invalid.", ReasonCode.MODEL_UNAVAILABLE),
        (400, "ServiceQuotaExceededException", "", ReasonCode.QUOTA_EXHAUSTED),
        (400, "IncompleteSignatureException", "", ReasonCode.AUTH_ERROR),
        (403, "AccessDeniedException", "", ReasonCode.AUTH_ERROR),
        (403, "ExpiredTokenException", "", ReasonCode.AUTH_ERROR),
        (403, "UnrecognizedClientException", "", ReasonCode.AUTH_ERROR),
        (403, "InvalidSignatureException", "", ReasonCode.AUTH_ERROR),
        (404, "ResourceNotFoundException", "", ReasonCode.MODEL_UNAVAILABLE),
        (408, "ModelTimeoutException", "", ReasonCode.TIMEOUT),
        (424, "ModelErrorException", "", ReasonCode.PROVIDER_DEGRADED),
        (429, "ThrottlingException", "Too many requests, please wait.", ReasonCode.RATE_LIMITED),
        (429, "ThrottlingException", "Too many tokens per day, please wait.", ReasonCode.QUOTA_EXHAUSTED),
        (429, "ModelNotReadyException", "", ReasonCode.RATE_LIMITED),
        (500, "InternalServerException", "", ReasonCode.PROVIDER_DEGRADED),
        (503, "ServiceUnavailableException", "", ReasonCode.PROVIDER_DEGRADED),
        (529, "", "", ReasonCode.PROVIDER_DEGRADED),
        (403, "", "", ReasonCode.AUTH_ERROR),
        (418, "NewException", "", ReasonCode.HTTP_ERROR),
    ],
)  # fmt: skip
def test_exception_is_classified(status: int, exception: str, message: str, reason: ReasonCode) -> None:
    """Bedrock's exceptions mean the same whether the header names them or the body; unknown ones go by their status."""
    by_header = answer(
        {"message": message}, status, **({"x-amzn-errortype": f"{exception}:{ORIGIN}"} if exception else {})
    )
    by_body = answer({"Message": message, "__type": f"com.amazon.coral.service#{exception}"}, status)

    for told in (by_header, by_body):
        failure = DIALECT.classify(told)
        assert (failure.reason, failure.status, failure.retry_after) == (reason, status, None)
        assert message in failure.detail
        assert exception in failure.detail


def test_page_of_a_proxy_says_nothing_of_the_model() -> None:
    """A page of HTML is not Bedrock's, so its 404 does not mean that the model is not there."""
    failure = DIALECT.classify(answer(b"\n<!DOCTYPE html>", 404))

    assert (failure.reason, failure.status) == (ReasonCode.HTTP_ERROR, 404)


def test_error_that_is_no_json_is_classified_by_its_status() -> None:
    """What a balancer in between says is judged by its status alone."""
    failure = DIALECT.classify(answer(b"Bad gateway", 502))

    assert (failure.reason, failure.detail) == (
        ReasonCode.PROVIDER_DEGRADED,
        "The provider answered with status 502.",
    )


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        (HOST, "https://bedrock.eu-west-1.amazonaws.com"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "https://bedrock-fips.us-gov-west-1.amazonaws.com"),
        ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn/", "https://bedrock.cn-north-1.amazonaws.com.cn/"),
        (
            "https://vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com",
            "https://vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com",
        ),
        ("http://127.0.0.1:8080/w/1/bedrock", "http://127.0.0.1:8080/w/1/bedrock"),
    ],
    ids=["public", "fips", "China", "private", "elsewhere"],
)  # fmt: skip
def test_models_are_listed_by_the_control_plane(base_url: str, expected: str) -> None:
    """AWS lists models at another host than it runs them; everybody else has one for both."""
    assert control_plane(base_url) == expected


def test_probe_is_a_signed_listing() -> None:
    """The probe costs no tokens, and shows whether the key is right."""
    call = DIALECT.encode_probe(SIGNING, "/foundation-models")

    assert (call.method, call.url, call.body) == (
        "GET",
        "https://bedrock.eu-west-1.amazonaws.com/foundation-models",
        None,
    )
    assert call.headers["host"] == "bedrock.eu-west-1.amazonaws.com"
    assert "SignedHeaders=host;x-amz-date;x-amz-security-token" in call.headers["authorization"]


@pytest.mark.parametrize(
    ("region", "profiles"),
    [
        ("us-east-1", {"us.a.b-v1:0", "global.a.b-v1:0"}),
        ("us-gov-west-1", {"us-gov.a.b-v1:0", "global.a.b-v1:0"}),
        ("ap-northeast-1", {"apac.a.b-v1:0", "jp.a.b-v1:0", "au.a.b-v1:0", "global.a.b-v1:0"}),
        ("il-central-1", {"global.a.b-v1:0"}),
    ],
)
def test_models_have_several_names(region: str, profiles: set[str]) -> None:
    """A model answers to its name, its ARN and, where it has them, its inference profiles in the region's geography."""
    arn = f"arn:aws:bedrock:{region}::foundation-model/a.b-v1:0"
    with_profiles = {"modelId": "a.b-v1:0", "modelArn": arn, "inferenceTypesSupported": ["INFERENCE_PROFILE"]}
    listed = [with_profiles, {"modelId": "c.d"}, "odd"]

    assert DIALECT.read_probe(answer({"modelSummaries": listed})) == {"a.b-v1:0", arn, "c.d"} | profiles


def test_list_of_another_form_is_refused() -> None:
    """An answer without a list of models is an invalid one."""
    with pytest.raises(ProviderError):
        DIALECT.read_probe(answer({"data": []}))


def test_there_are_no_embeddings_and_no_limits() -> None:
    """Converse knows no embeddings, and its answers tell no limits."""
    wanted = parse_embeddings(b'{"model": "m", "input": "x"}')

    for refused in (
        lambda: DIALECT.encode_embeddings(wanted, "m", SIGNING),
        lambda: DIALECT.decode_embeddings(answer({}), wanted),
    ):
        with pytest.raises(ProviderError) as caught:
            refused()
        assert caught.value.code is ReasonCode.UNSUPPORTED_OPERATION
    assert DIALECT.limits_in({}, NOW, Quirks()) is None
    assert "embeddings" not in DIALECT.capabilities


def test_stream_is_read_as_the_caller_wants_it() -> None:
    """The decoder of a stream begins with nothing."""
    decoder = DIALECT.stream_decoder(request(stream=True), STAMP, {})

    assert not decoder.complete
    assert len(decoder.close()) == 1
