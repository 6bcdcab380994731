"""Answers of OpenAI's family and of Ollama in which, one after the other, something odd stands at every place."""

import json
from contextlib import suppress
from typing import Any

import pytest

from gateway.dialects import DIALECTS
from gateway.kernel.errors import ProviderError
from gateway.schema.chat import parse_chat
from gateway.schema.embeddings import parse_embeddings
from gateway.schema.exchange import UpstreamAnswer
from suites.unit.gateway import splits
from suites.unit.gateway.stamped import STAMP
from suites.unit.gateway.wire_texts import DONE, chunk, completion, event, line, ollama_answer

CHAT = parse_chat(b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": true}')
INPUTS = parse_embeddings(b'{"model": "m", "input": ["a"]}')

CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}}
ERROR = {
    "message": "No.",
    "type": "x",
    "code": "x",
    "param": "x",
    "innererror": {"code": "x"},
    "metadata": {"raw": "x", "error_type": "x", "retry_after_seconds": 1},
}
MESSAGE = {"role": "assistant", "content": "Hi", "reasoning": "Hm", "tool_calls": [CALL]}
BODIES = {
    "completion": completion(choices=[{"index": 0, "message": MESSAGE, "finish_reason": "tool_calls"}]),
    "chunk": json.loads(
        chunk(MESSAGE, "tool_calls", usage=USAGE, x_groq={"usage": USAGE}).removeprefix(b"data: ")
    ),
    "error": {"error": ERROR, "error_type": "x"},
    "flat error": {"object": "error", **ERROR},
    "detail": {"detail": [{"loc": ["body"], "msg": "No."}]},
    "vectors": {"data": [{"index": 0, "embedding": [1.0]}], "embeddings": [[1.0]], "usage": USAGE},
    "ollama": ollama_answer(message=MESSAGE | {"thinking": "Hm"}),
    "models": {"data": [{"id": "m"}], "models": [{"name": "m"}]},
}

ODD: tuple[Any, ...] = (None, True, 0, -1, 1.5, "", "x", [], [1], [[]], {}, {"x": 1})


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path, *(place for key, child in children for place in places(child, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


def spoilt(body: Any) -> list[Any]:
    return [replaced(body, place, odd) for place in places(body) for odd in ODD]


@pytest.mark.parametrize("name", ["openai", "ollama"])
@pytest.mark.parametrize("kind", BODIES)
def test_whole_answer_is_understood_or_refused(name: str, kind: str) -> None:
    """Whatever stands in an answer, it is read or refused as the provider's failure; nothing else comes of it."""
    dialect = DIALECTS[name]

    for body in spoilt(BODIES[kind]):
        answer = UpstreamAnswer(status=200, headers={}, body=json.dumps(body).encode())
        with suppress(ProviderError):
            dialect.decode_chat(answer, STAMP)
        with suppress(ProviderError):
            dialect.decode_embeddings(answer, INPUTS)
        with suppress(ProviderError):
            dialect.read_probe(answer)
        assert dialect.classify(answer).detail


@pytest.mark.parametrize("name", ["openai", "ollama"])
@pytest.mark.parametrize("kind", BODIES)
def test_stream_is_understood_or_refused(name: str, kind: str) -> None:
    """Whatever stands in a stream, it is read or ends with a fault."""
    for body in spoilt(BODIES[kind]):
        written = (
            event(body) + DONE
            if name == "openai"
            else json.dumps(body).encode() + b"\n" + line({"done": True})
        )

        events, complete = splits.decode(DIALECTS[name].stream_decoder(CHAT, STAMP, {}), (written,))

        assert complete or events
