import base64
import json
import struct
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from gateway.faces.chat import ChatCompletionsFace
from gateway.faces.embeddings import EmbeddingsFace
from gateway.faces.openai_form import duration
from gateway.kernel.limits import Limits, Window
from gateway.schema.embeddings import EmbeddingAnswer
from gateway.schema.sse import encode_sse
from gateway.schema.usage import Usage
from suites.unit.gateway.neutral import PROBLEM, answer, chunk, usage_chunk

CHAT = ChatCompletionsFace()
EMBEDDINGS = EmbeddingsFace()
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def ask_chat(**changes: Any) -> Any:
    messages = [{"role": "user", "content": "Hi"}]
    return CHAT.parse(json.dumps({"model": "m", "messages": messages, **changes}).encode(), {})


def test_neutral_form_is_the_answer() -> None:
    """An answer is passed on as it is."""
    whole = answer({"content": "Well"})

    assert CHAT.encode_answer(whole, ask_chat()) is whole.body


def test_chunks_are_the_stream() -> None:
    """Chunks are passed on as they are, and `[DONE]` ends them."""
    encoder = CHAT.stream_encoder(ask_chat(stream=True, stream_options={"include_usage": True}))
    chunks = [chunk({"content": "a"}), usage_chunk()]

    events = (encoder.feed(chunks) + encoder.close()).decode().split("\n\n")

    assert [json.loads(event.removeprefix("data: ")) for event in events[:2]] == [c.body for c in chunks]
    assert events[2:] == ["data: [DONE]", ""]


def test_chunks_are_events_one_by_one() -> None:
    """Several chunks at once are the events that each would be, line breaks in their texts included."""
    encoder = CHAT.stream_encoder(ask_chat(stream=True))
    chunks = [chunk({"content": text}) for text in ("a\n\nb", "\r", "\u2028", "")]

    assert encoder.feed(chunks) == b"".join(encode_sse(orjson.dumps(each.body)) for each in chunks)


def test_usage_is_for_those_who_ask() -> None:
    """The gateway asks for the usage for its own sake; the caller sees it only on demand."""
    encoder = CHAT.stream_encoder(ask_chat(stream=True))
    plain = chunk({"content": "a"})
    counted = replace(plain, body={**plain.body, "usage": None})
    azure = replace(plain, body={**plain.body, "choices": [], "prompt_filter_results": [], "usage": None})

    events = encoder.feed([plain, counted, azure, usage_chunk()]).decode().split("\n\n")

    bodies = [json.loads(event.removeprefix("data: ")) for event in events[:-1]]
    assert bodies[:2] == [plain.body, plain.body]
    assert (len(bodies), bodies[2]["prompt_filter_results"], "usage" in bodies[2]) == (3, [], False)


def test_failure_is_an_error_object() -> None:
    """A stream that fails ends with OpenAI's error object and without `[DONE]`."""
    event = CHAT.stream_encoder(ask_chat(stream=True)).fail(PROBLEM).decode()

    assert json.loads(event.removeprefix("data: ")) == CHAT.error_body(PROBLEM)
    assert CHAT.error_body(PROBLEM)["error"] == {
        "message": "The answer broke off.",
        "type": "api_error",
        "param": None,
        "code": "STREAM_INTERRUPTED",
        "request_id": "req-1",
    }


def test_limits_have_openais_names() -> None:
    """Limits are told with the time that is left; what is not known is not told."""
    limits = Limits(requests=Window(50, 49, 1.5), tokens=Window(None, 7, None), input_tokens=Window(1, 1, 1))

    assert CHAT.limit_headers(limits, NOW) == {
        "x-ratelimit-limit-requests": "50",
        "x-ratelimit-remaining-requests": "49",
        "x-ratelimit-reset-requests": "1.5s",
        "x-ratelimit-remaining-tokens": "7",
    }
    assert CHAT.limit_headers(Limits(), NOW) == {}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (-3, "0s"),
        (0.12, "120ms"),
        (1, "1s"),
        (59.9, "59.9s"),
        (60, "1m0s"),
        (360, "6m0s"),
        (86_341, "23h59m1s"),
    ],
)
def test_duration_is_written_as_openai_does(seconds: float, text: str) -> None:
    """The clients read Go's durations."""
    assert duration(seconds) == text


@pytest.mark.parametrize(("usage", "tokens"), [(Usage(5, 0), 5), (None, 0)], ids=["told", "not told"])
def test_embeddings_are_listed(usage: Usage | None, tokens: int) -> None:
    """Each input has its vector, in order."""
    asked = EMBEDDINGS.parse(b'{"model": "m", "input": ["a", "b"]}')

    body = EMBEDDINGS.encode_answer(EmbeddingAnswer(((0.5, 1.0), (0.25, 2.0)), usage), asked, "first")

    assert body == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5, 1.0]},
            {"object": "embedding", "index": 1, "embedding": [0.25, 2.0]},
        ],
        "model": "first",
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def test_embeddings_are_packed_on_demand() -> None:
    """SDKs ask for little-endian floats of 32 bits in base64."""
    asked = EMBEDDINGS.parse(b'{"model": "m", "input": "a", "encoding_format": "base64"}')

    body = EMBEDDINGS.encode_answer(EmbeddingAnswer(((0.5, -1.25),), None), asked, "first")

    assert struct.unpack("<2f", base64.b64decode(body["data"][0]["embedding"])) == (0.5, -1.25)
