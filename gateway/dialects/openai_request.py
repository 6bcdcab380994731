"""Requests in OpenAI's form, fitted to what a vendor takes."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from gateway.dialects.shortfall import ECHOES, Shortfall, asks_nothing
from gateway.kernel.quirks import Quirks
from gateway.schema.chat import ChatRequest

_IN_MESSAGES = "messages."

# What a model thought in earlier turns, and notes on what it said: other providers discard it, so nobody misses it.
_ECHOES = ECHOES | {"reasoning_content"}
_EXTRA = "extra_content"
# Where in a message more of what is lacked may hide.
_HOLDERS = frozenset({"tool_calls"})


def chat_body(request: ChatRequest, model: str, quirks: Quirks, shortfall: Shortfall) -> dict[str, Any]:
    """Writes the body of a chat request; raises ProviderError for what the vendor lacks.

    The usage of a stream is asked for even where the caller has not done so: the gateway needs it, and the caller does
    not see it.
    """
    body = fitted(request.body, quirks, shortfall)
    body["model"] = model
    body["messages"] = _messages(request.body["messages"], quirks, shortfall)
    if request.stream and quirks.stream_usage:
        body["stream_options"] = {**(request.body.get("stream_options") or {}), "include_usage": True}
    return body


def fitted(body: Mapping[str, Any], quirks: Quirks, shortfall: Shortfall) -> dict[str, Any]:
    """Leaves out the fields that a vendor lacks, and gives it the others by its own names for them."""
    if quirks.lacks.isdisjoint(body) and quirks.renames.keys().isdisjoint(body):
        return dict(body)
    kept: dict[str, Any] = {}
    renamed: dict[str, Any] = {}
    for name, value in body.items():
        if name in quirks.lacks:
            if not asks_nothing(name, value):
                shortfall.note(name, "the provider of this model does not take it")
        elif name in quirks.renames:
            renamed[quirks.renames[name]] = value
        else:
            kept[name] = value
    return kept | renamed


def _messages(messages: list[dict[str, Any]], quirks: Quirks, shortfall: Shortfall) -> list[dict[str, Any]]:
    lacked = _lacked_in_messages(quirks.lacks)
    if all(map((lacked | _HOLDERS).isdisjoint, messages)):
        return messages
    return [
        _without(lacked, message, f"messages.{position}", shortfall)
        for position, message in enumerate(messages)
    ]


@cache
def _lacked_in_messages(lacks: frozenset[str]) -> frozenset[str]:
    return frozenset(name.removeprefix(_IN_MESSAGES) for name in lacks if name.startswith(_IN_MESSAGES))


def _without(
    lacked: frozenset[str], message: dict[str, Any], where: str, shortfall: Shortfall
) -> dict[str, Any]:
    for name in sorted(lacked & message.keys()):
        if message[name] is None:
            continue
        # Which tool has answered is told by the id of its call.
        if name in _ECHOES or (name, message["role"]) == ("name", "tool"):
            shortfall.leave_out(f"{where}.{name}")
        else:
            shortfall.note(f"{where}.{name}", "the provider of this model does not take it")
    kept = {name: value for name, value in message.items() if name not in lacked}
    calls = message.get("tool_calls")
    if calls and lacked & {_EXTRA}:
        # Gemini's signatures stand beside the calls too.
        kept["tool_calls"] = [
            _unsigned(call, f"{where}.tool_calls.{i}", shortfall) for i, call in enumerate(calls)
        ]
    return kept


def _unsigned(call: dict[str, Any], where: str, shortfall: Shortfall) -> dict[str, Any]:
    if call.get(_EXTRA):
        shortfall.leave_out(f"{where}.{_EXTRA}")
    return {name: value for name, value in call.items() if name != _EXTRA}
