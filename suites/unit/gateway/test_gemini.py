import json
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.dialects.gemini import GeminiDialect
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError
from gateway.kernel.quirks import Quirks
from gateway.schema.chat import ChatAnswer
from gateway.schema.embeddings import EmbeddingRequest, parse_embeddings
from gateway.schema.exchange import Endpoint, UpstreamAnswer
from gateway.schema.usage import Usage
from suites.unit.gateway.stamped import STAMP, stamped_completion

DIALECT = GeminiDialect()
ENDPOINT = Endpoint(base_url="http://h/v1beta", api_key="key-example")
COUNTS = {
    "promptTokenCount": 9,
    "candidatesTokenCount": 2,
    "thoughtsTokenCount": 3,
    "cachedContentTokenCount": 4,
    "totalTokenCount": 14,
}


def answer(body: Any, status: int = 200) -> UpstreamAnswer:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return UpstreamAnswer(status=status, headers={}, body=payload)


def candidate(*parts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"content": {"role": "model", "parts": list(parts)}, "finishReason": "STOP", "index": 0, **changes}


def decode(*candidates: Any, **changes: Any) -> ChatAnswer:
    return DIALECT.decode_chat(answer({"candidates": list(candidates), **changes}), STAMP)


def choice_of(*parts: dict[str, Any], **changes: Any) -> Any:
    (choice,) = decode(candidate(*parts, **changes)).body["choices"]
    return choice


def test_answer_becomes_openais() -> None:
    """A whole answer of Gemini reads like one of OpenAI; thoughts count as part of the answer."""
    decoded = decode(candidate({"text": "Hel"}, {"text": "lo"}), usageMetadata=COUNTS)

    assert decoded.usage == Usage(9, 5, cached_tokens=4, reasoning_tokens=3)
    assert decoded.body == stamped_completion(
        "Hello",
        prompt_tokens=9,
        completion_tokens=5,
        total_tokens=14,
        prompt_tokens_details={"cached_tokens": 4},
        completion_tokens_details={"reasoning_tokens": 3},
    )


@pytest.mark.parametrize("usage", [None, {}, {"promptTokenCount": "9"}])
def test_usage_that_is_not_reported_is_not_made_up(usage: Any) -> None:
    """Without counts there is no usage."""
    decoded = decode(candidate({"text": "Hi"}), usageMetadata=usage)

    assert (decoded.usage, "usage" in decoded.body) == (None, False)


@pytest.mark.parametrize(
    ("stated", "finish_reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("SPII", "content_filter"),
    ],
)
def test_finish_reason_is_translated(stated: str, finish_reason: str) -> None:
    """Every way in which an answer ends as it may has its reason."""
    assert choice_of({"text": "Hi"}, finishReason=stated)["finish_reason"] == finish_reason


@pytest.mark.parametrize("stated", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER", "UNHEARD_OF"])
def test_answer_that_broke_off_is_a_failure(stated: str) -> None:
    """An answer that ends for another reason is not whole, and never passed off as one."""
    with pytest.raises(ProviderError, match=stated) as caught:
        decode(candidate({"text": "Hi"}, finishReason=stated))

    assert caught.value.code is ReasonCode.PROVIDER_DEGRADED


def test_unsafe_answer_may_be_empty() -> None:
    """A candidate without content is an empty message with its reason."""
    (choice,) = decode({"finishReason": "SAFETY"}).body["choices"]

    assert (choice["message"]["content"], choice["finish_reason"]) == ("", "content_filter")


def test_calls_thoughts_and_signatures_are_translated() -> None:
    """Calls get an id where they have none, and keep it where they have; signatures are kept as Google does."""
    choice = choice_of(
        {"text": "Hm", "thought": True},
        {"functionCall": {"id": "own", "name": "add", "args": {"a": 1}}, "thoughtSignature": "Yw=="},
        {"functionCall": {"name": "now"}},
        {"text": "", "thoughtSignature": "dA=="},
    )

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {
        "role": "assistant",
        "content": None,
        "reasoning_content": "Hm",
        "tool_calls": [
            {
                "id": "own",
                "type": "function",
                "function": {"name": "add", "arguments": '{"a":1}'},
                "extra_content": {"google": {"thought_signature": "Yw=="}},
            },
            {"id": "call_ours_0_1", "type": "function", "function": {"name": "now", "arguments": "{}"}},
        ],
        "extra_content": {"google": {"thought_signature": "dA=="}},
    }


def test_logprobs_are_translated() -> None:
    """The likelihoods of the tokens become OpenAI's, those of others included."""
    chosen = [{"token": "Hé", "tokenId": 1, "logProbability": -0.5}, {"token": "y", "logProbability": -1}]
    choice = choice_of(
        {"text": "Héy"},
        logprobsResult={"chosenCandidates": chosen, "topCandidates": [{"candidates": chosen[:1]}]},
    )

    first = {"token": "Hé", "logprob": -0.5, "bytes": [72, 195, 169]}
    second = {"token": "y", "logprob": -1, "bytes": [121], "top_logprobs": []}
    assert choice["logprobs"] == {"content": [{**first, "top_logprobs": [first]}, second], "refusal": None}


def test_several_candidates_are_choices() -> None:
    """Each candidate is a choice."""
    choices = decode(candidate({"text": "a"}), candidate({"text": "b"}, index=1)).body["choices"]

    assert [(choice["index"], choice["message"]["content"]) for choice in choices] == [(0, "a"), (1, "b")]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", ReasonCode.INVALID_RESPONSE),
        (b"<html>", ReasonCode.INVALID_RESPONSE),
        ({}, ReasonCode.INVALID_RESPONSE),
        ({"candidates": []}, ReasonCode.INVALID_RESPONSE),
        ({"candidates": [5]}, ReasonCode.INVALID_RESPONSE),
        ({"candidates": [{"index": "0"}]}, ReasonCode.INVALID_RESPONSE),
        ({"candidates": [candidate({"text": "Hi"}, finishReason=None)]}, ReasonCode.INVALID_RESPONSE),
        ({"candidates": [candidate({"text": 5})]}, ReasonCode.INVALID_RESPONSE),
        ({"candidates": [candidate({"inlineData": {}})]}, ReasonCode.INVALID_RESPONSE),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, ReasonCode.CONTENT_FILTERED),
        ({"error": {"code": 503, "message": "overloaded"}}, ReasonCode.PROVIDER_DEGRADED),
    ],
    ids=[
        "empty", "no JSON", "nothing", "no candidates", "odd candidate", "odd index", "not finished", "odd text",
        "picture", "blocked", "error",
    ],
)  # fmt: skip
def test_improper_answer_is_a_failure(body: Any, reason: ReasonCode) -> None:
    """An answer that is cut, odd, blocked or an error is none, though its status is 200."""
    with pytest.raises(ProviderError) as caught:
        DIALECT.decode_chat(answer(body), STAMP)

    assert caught.value.code is reason


def embedding_request(**changes: Any) -> EmbeddingRequest:
    return parse_embeddings(json.dumps({"model": "m", "input": ["red", "blue"], **changes}).encode())


def test_texts_are_embedded_in_one_call() -> None:
    """Every text is a request of one batch, with the dimensions that are wanted."""
    call = DIALECT.encode_embeddings(
        embedding_request(dimensions=3, user="ann", encoding_format="base64"),
        "gemini-embedding-001",
        ENDPOINT,
    )

    assert call.url == "http://h/v1beta/models/gemini-embedding-001:batchEmbedContents"
    assert (call.headers["x-goog-api-key"], call.dropped) == ("key-example", ())
    assert json.loads(call.body or b"") == {
        "requests": [
            {
                "model": "models/gemini-embedding-001",
                "content": {"parts": [{"text": text}]},
                "outputDimensionality": 3,
            }
            for text in ("red", "blue")
        ]
    }


@pytest.mark.parametrize(("changes", "param"), [({"input": [1, 2]}, "input"), ({"odd": 1}, "odd")])
def test_embedding_that_gemini_cannot_make_is_refused(changes: dict[str, Any], param: str) -> None:
    """Tokens cannot be embedded, and unknown parameters are refused by name."""
    with pytest.raises(ProviderError) as caught:
        DIALECT.encode_embeddings(embedding_request(**changes), "gemini-embedding-001", ENDPOINT)

    assert (caught.value.code, caught.value.param) == (ReasonCode.UNSUPPORTED_PARAMETER, param)


def test_vectors_are_read() -> None:
    """There is a vector for each text, and the usage where it is told."""
    body = {"embeddings": [{"values": [0.5, 1]}, {"values": [0.25, 0]}]}

    decoded = DIALECT.decode_embeddings(
        answer(body | {"usageMetadata": {"promptTokenCount": 2}}), embedding_request()
    )

    assert decoded.vectors == ((0.5, 1.0), (0.25, 0.0))
    assert decoded.usage == Usage(2, 0)
    assert DIALECT.decode_embeddings(answer(body), embedding_request()).usage is None


@pytest.mark.parametrize(
    "embeddings",
    [
        None,
        [],
        [{"values": [1]}],
        [{"values": [1]}, {}],
        [{"values": [1]}, 5],
        [{"values": [1]}, {"values": ["1"]}],
    ],
)
def test_vectors_that_are_missing_are_a_failure(embeddings: Any) -> None:
    """An answer that does not hold a vector for each text is an invalid one."""
    with pytest.raises(ProviderError) as caught:
        DIALECT.decode_embeddings(answer({"embeddings": embeddings}), embedding_request())

    assert caught.value.code is ReasonCode.INVALID_RESPONSE


def test_probe_lists_models_under_both_names() -> None:
    """Models are listed by a call that costs no tokens; each answers to its name with and without the collection."""
    call = DIALECT.encode_probe(ENDPOINT, "/models?pageSize=1000")
    models = DIALECT.read_probe(answer({"models": [{"name": "models/gemini-3-flash"}, {}, 5]}))

    assert (call.method, call.url) == ("GET", "http://h/v1beta/models?pageSize=1000")
    assert call.headers == {"x-goog-api-key": "key-example"}
    assert DIALECT.encode_probe(Endpoint(base_url="http://h"), "/models").headers == {}
    assert models == {"models/gemini-3-flash", "gemini-3-flash"}


@pytest.mark.parametrize("body", [{"data": []}, b"<html>"])
def test_list_of_another_form_is_refused(body: Any) -> None:
    """An answer without a list of models is an invalid one."""
    with pytest.raises(ProviderError):
        DIALECT.read_probe(answer(body))


def test_headers_tell_no_limits() -> None:
    """Gemini tells its limits nowhere but in refusals."""
    assert DIALECT.limits_in({}, datetime(2026, 1, 1, tzinfo=UTC), Quirks()) is None
