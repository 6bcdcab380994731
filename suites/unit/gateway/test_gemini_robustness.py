"""Whatever a caller or a provider sends, it is answered or refused, and never a crash."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects.gemini import GeminiDialect
from gateway.kernel.errors import GatewayError, ProviderError
from gateway.schema.chat import check_chat, parse_chat
from gateway.schema.embeddings import parse_embeddings
from gateway.schema.exchange import Endpoint, UpstreamAnswer
from suites.unit.gateway.stamped import STAMP

DIALECT = GeminiDialect()
REQUEST = parse_chat(b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}')
EMBEDDING = parse_embeddings(b'{"model": "m", "input": "red"}')

SCALARS = st.sampled_from([None, True, 0, -1, 0.5, "", "x", "STOP", "8.5s", "PerDay"])


def nested(names: list[str]) -> st.SearchStrategy[Any]:
    """Draws JSON whose objects have some of these fields."""
    return st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(names), inner, max_size=3)
        ),
        max_leaves=9,
    )


def objects(names: list[str], inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, inner))


PARTS = objects(
    ["text", "thought", "functionCall", "thoughtSignature", "inlineData"], nested(["name", "args", "id"])
)
LOGPROBS = nested(["chosenCandidates", "topCandidates", "candidates", "token", "logProbability"])
CANDIDATES = st.fixed_dictionaries(
    {},
    optional={
        "content": nested(["parts", "text"]) | st.fixed_dictionaries({"parts": st.lists(PARTS, max_size=2)}),
        "finishReason": nested(["x"]),
        "index": SCALARS,
        "logprobsResult": LOGPROBS,
    },
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "candidates": nested(["content", "index"]) | st.lists(CANDIDATES, min_size=1, max_size=2),
        "promptFeedback": nested(["blockReason"]),
        "usageMetadata": nested(["promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount"]),
        "embeddings": nested(["values"]),
        "models": nested(["name"]),
    },
)
DETAILS = st.fixed_dictionaries(
    {
        "@type": st.sampled_from(
            [f"type.googleapis.com/google.rpc.{kind}" for kind in ("QuotaFailure", "RetryInfo")]
        )
    },
    optional={"violations": nested(["quotaId", "quotaValue"]), "retryDelay": nested(["x"])},
)
ERRORS = st.fixed_dictionaries(
    {
        "error": nested(["code", "message", "status", "details"])
        | objects(["code", "details"], st.lists(DETAILS, max_size=2))
    }
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system"])},
    optional={
        "content": st.lists(
            st.fixed_dictionaries(
                {"type": st.sampled_from(["text", "refusal", "image_url", "input_audio", "file"])},
                optional={
                    "refusal": SCALARS,
                    "image_url": nested(["url", "detail"]),
                    "input_audio": nested(["data", "format"]),
                    "file": nested(["file_data"]),
                },
            ),
            max_size=2,
        ),
        "tool_calls": st.lists(
            st.fixed_dictionaries(
                {"id": st.just("1"), "type": st.just("function")},
                optional={
                    "function": objects(["name", "arguments"], SCALARS),
                    "extra_content": nested(["google"]),
                },
            ),
            max_size=2,
        ),
        "tool_call_id": st.sampled_from(["1", "2"]),
        "name": SCALARS,
        "refusal": SCALARS,
        "reasoning_content": nested(["x"]),
    },
)
CHOICES = nested(["type", "function", "name", "allowed_tools", "mode", "tools"])
BODIES = st.fixed_dictionaries(
    {"model": st.just("m"), "messages": st.lists(MESSAGES, min_size=1, max_size=3)},
    optional={
        "tools": st.lists(
            objects(["type", "function"], nested(["name", "strict", "parameters"])), max_size=2
        ),
        "tool_choice": CHOICES,
        "response_format": nested(["type", "json_schema", "schema"]),
        "reasoning_effort": nested(["x"]),
        "top_logprobs": nested(["x"]),
        "logprobs": nested(["x"]),
    },
)


@settings(max_examples=100, deadline=None)
@given(ANSWERS | ERRORS)
def test_every_answer_is_read_or_refused(body: dict[str, Any]) -> None:
    """Nothing that Gemini may say is more than a provider's failure."""
    data = json.dumps(body).encode()
    answer = UpstreamAnswer(status=200, headers={}, body=data)
    DIALECT.classify(UpstreamAnswer(status=429, headers={}, body=data))
    with suppress(ProviderError):
        DIALECT.decode_chat(answer, STAMP)
    with suppress(ProviderError):
        DIALECT.decode_embeddings(answer, EMBEDDING)
    with suppress(ProviderError):
        DIALECT.read_probe(answer)
    decoder = DIALECT.stream_decoder(REQUEST, STAMP, {})
    events = [*decoder.feed(b"data: " + data + b"\n\n"), *decoder.close()]
    assert decoder.complete or events


@settings(max_examples=100, deadline=None)
@given(BODIES)
def test_every_request_is_written_or_refused(body: dict[str, Any]) -> None:
    """Nothing that a caller may send is more than a refused request."""
    with suppress(GatewayError):
        call = DIALECT.encode_chat(check_chat(body), "gemini-3-flash", Endpoint(base_url="http://h"))
        assert json.loads(call.body or b"")["contents"]
