"""What a caller is told, whole or streamed, brought to one form so that both can be compared."""

import json
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from fixtures.client import Answer, StreamedAnswer, TargetError
from fixtures.shapes import completion_findings, stream_findings
from fixtures.simulators.text import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer as its caller understands it: arguments of tools are parsed, tokens None where none are told."""

    text: str
    thoughts: str
    tools: tuple[tuple[str, Any], ...]
    finish_reason: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int = 0


def told_whole(answer: Answer) -> Told:
    """Return what a whole completion tells; AssertionError where it is none."""
    findings = completion_findings(answer)
    assert not findings, "; ".join(findings)
    choice = answer.body["choices"][0]
    message = choice["message"]
    calls = [
        (call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls") or ()
    ]
    return _told(message, calls, choice["finish_reason"], answer.body.get("usage"))


def told_streamed(answer: StreamedAnswer) -> Told:
    """Return what the chunks of a stream tell together; AssertionError where they are no proper stream."""
    findings = stream_findings(answer)
    assert not findings, "; ".join(findings)
    message: dict[str, Any] = {"content": "", "reasoning_content": ""}
    calls: dict[int, list[str]] = {}
    for delta in (choice["delta"] for chunk in answer.chunks for choice in chunk["choices"]):
        for name in message:
            message[name] += delta.get(name) or ""
        for call in delta.get("tool_calls") or ():
            known = calls.setdefault(call["index"], ["", ""])
            function = call.get("function") or {}
            known[0] += function.get("name") or ""
            known[1] += function.get("arguments") or ""
    usages = [chunk["usage"] for chunk in answer.chunks if chunk.get("usage")]
    assert len(usages) <= 1, f"the usage is told {len(usages)} times"
    ordered = [(name, arguments) for _index, (name, arguments) in sorted(calls.items())]
    return _told(message, ordered, answer.finish_reason or "", usages[0] if usages else None)


def told_by(reply: Reply) -> Told:
    """Return what a caller has to be told when the model says this."""
    return Told(
        text=reply.text,
        thoughts=reply.thinking,
        tools=tuple((tool.name, json.loads(tool.arguments)) for tool in reply.tools),
        finish_reason=reply.ending,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        cached_tokens=reply.cached_tokens,
    )


def lasting(value: Any, fleeting: Container[str]) -> Any:
    """Return what a client has read, without the fields that are different every time."""
    if isinstance(value, dict):
        return {name: lasting(each, fleeting) for name, each in value.items() if name not in fleeting}
    return [lasting(each, fleeting) for each in value] if isinstance(value, list) else value


def _told(message: dict[str, Any], calls: list[tuple[str, str]], finish_reason: str, usage: Any) -> Told:
    usage = usage or {}
    details = usage.get("prompt_tokens_details") or {}
    return Told(
        text=message.get("content") or "",
        thoughts=message.get("reasoning_content") or "",
        tools=tuple((name, _parsed(arguments)) for name, arguments in calls),
        finish_reason=finish_reason,
        prompt_tokens=usage.get("prompt_tokens"),
        completion_tokens=usage.get("completion_tokens"),
        cached_tokens=details.get("cached_tokens") or 0,
    )


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except json.JSONDecodeError as error:
        raise TargetError(f"the arguments of a tool call are no JSON: {arguments[:200]!r}") from error
