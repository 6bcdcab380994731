"""Answers of providers, as they stand on the wire."""

import json
from typing import Any


def completion(text: str = "Hello", **changes: Any) -> dict[str, Any]:
    """Gives a whole answer of OpenAI."""
    return {
        "id": "chatcmpl-upstream",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "upstream-model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
        **changes,
    }


def event(data: Any) -> bytes:
    return b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n"


def chunk(delta: dict[str, Any], finish_reason: str | None = None, index: int = 0, **changes: Any) -> bytes:
    """Gives one event of OpenAI's stream."""
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason}
    body = {"id": "chatcmpl-upstream", "object": "chat.completion.chunk", "created": 1_700_000_000}
    return event({**body, "model": "upstream-model", "choices": [choice], **changes})


ROLE = chunk({"role": "assistant", "content": ""})
HELLO = chunk({"content": "Hello"})
WORLD = chunk({"content": " world"})
FINISH = chunk({}, "stop")
USAGE = event(
    {"id": "chatcmpl-upstream", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
)
DONE = event(b"[DONE]")

GOOD_STREAM = (ROLE, HELLO, WORLD, FINISH, DONE)


def line(data: dict[str, Any]) -> bytes:
    """Gives one line of Ollama's stream."""
    return json.dumps({"model": "upstream-model", **data}).encode() + b"\n"


def ollama_answer(text: str = "Hello", **changes: Any) -> dict[str, Any]:
    """Gives a whole answer of Ollama."""
    return {
        "model": "upstream-model",
        "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": text},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 3,
        "eval_count": 1,
        **changes,
    }
