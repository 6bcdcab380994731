"""Answers in OpenAI's form, made alike where vendors differ."""

from collections.abc import Iterator
from types import NoneType
from typing import Any

from gateway.dialects.classification import unreadable
from gateway.dialects.openai_error import failure_in, is_error
from gateway.dialects.tool_arguments import is_cut, says_all
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.schema.chat import AnswerStamp

# How the answers of text-generation-inference, older Together, DeepSeek and vLLM end.
_FINISH_REASONS = {"eos": "stop", "eos_token": "stop", "stop_sequence": "stop", "max_tokens": "length"}
_OBJECT_OR_NULL = (dict, NoneType)
_BROKEN = frozenset({"error", "abort", "insufficient_system_resource"})


def stamped(body: dict[str, Any], stamp: AnswerStamp, kind: str) -> dict[str, Any]:
    """Gives an answer the model name that the caller knows, and a proper id where the provider's is none."""
    answer_id = body.get("id")
    own = isinstance(answer_id, str) and answer_id.startswith("chatcmpl-")
    # In this order, wherever they stand in the provider's answer.
    told = {"id": "", "object": kind, "created": stamp.created_s, **body}
    told["id"] = answer_id if own else stamp.answer_id
    told["object"] = kind
    told["model"] = stamp.model
    return told


def finish_reason_of(choice: dict[str, Any]) -> str | None:
    """Reads how a choice ended, None where it has not; raises ProviderError where it broke off."""
    reason = choice.get("finish_reason")
    if reason is None:
        return None
    if not isinstance(reason, str):
        raise unreadable("A finish_reason is no text.")
    if reason in _BROKEN:
        detail = f"The answer finished with {reason!r}."
        raise ProviderError(ProviderFailure(reason=ReasonCode.PROVIDER_DEGRADED, detail=detail))
    if not reason:
        return None
    choice["finish_reason"] = named = _FINISH_REASONS.get(reason, reason)
    return named


def unify_reasoning(message: dict[str, Any]) -> None:
    """Gives a message or a delta its thoughts as `reasoning_content`; vLLM, Groq and OpenRouter say `reasoning`."""
    if not isinstance(message.get("reasoning"), str):
        return
    thoughts = message.pop("reasoning")
    if message.get("reasoning_content") is None:
        message["reasoning_content"] = thoughts


def check_answer(body: dict[str, Any]) -> None:
    """Checks a whole answer and makes its choices alike; raises ProviderError where it is an error or cut."""
    if is_error(body):
        raise ProviderError(failure_in(body, None))
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        raise unreadable("The answer holds no choices.")
    for choice in choices:
        _check_choice(choice)
    if share_an_index(choices):
        raise unreadable("Two choices have the same index.")


def is_choice(choice: Any, content: str) -> bool:
    """Tells whether something is a choice whose content, a `message` or `delta`, is an object or absent."""
    return (
        isinstance(choice, dict)
        and isinstance(choice.get("index", 0), int)
        and isinstance(choice.get(content), _OBJECT_OR_NULL)
    )


def share_an_index(choices: list[dict[str, Any]]) -> bool:
    """Tells whether two choices cannot be told apart; one without an index is the first."""
    if len(choices) == 1:
        return False
    return len({choice.get("index", 0) for choice in choices}) < len(choices)


def _check_choice(choice: Any) -> None:
    if not is_choice(choice, "message") or choice.get("message") is None:
        raise unreadable("A choice holds no message.")
    reason = finish_reason_of(choice)
    if reason is None:
        raise unreadable("A choice has no finish_reason, so it may be cut.")
    unify_reasoning(choice["message"])
    if says_all(reason) and any(map(is_cut, _arguments_in(choice["message"]))):
        raise unreadable("The arguments of a tool call are cut.")


def _arguments_in(message: dict[str, Any]) -> Iterator[str]:
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        arguments = function.get("arguments") if isinstance(function, dict) else None
        if isinstance(arguments, str):
            yield arguments
