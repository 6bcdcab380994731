"""What every dialect has to make of its provider's answers: those of OpenAI, under the gateway's own stamp."""

from typing import Any

from gateway.schema.chat import AnswerStamp

STAMP = AnswerStamp("chatcmpl-ours", "public-name", 5)
HEAD = {"id": "chatcmpl-ours", "created": 5, "model": "public-name"}


def stamped_completion(text: str, **usage: Any) -> dict[str, Any]:
    """Gives a whole answer that says this, and its usage."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "logprobs": None,
        "finish_reason": "stop",
    }
    return {**HEAD, "object": "chat.completion", "choices": [choice], "usage": usage}


def stamped_chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    """Gives one chunk of a streamed answer."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {**HEAD, "object": "chat.completion.chunk", "choices": [choice]}
