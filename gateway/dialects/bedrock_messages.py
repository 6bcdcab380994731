"""OpenAI's messages as Converse's: the system apart, and turns of user and assistant that alternate."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.dialects.begun_answer import trim_begun_answer
from gateway.dialects.data_url import address_of, read_data_url
from gateway.dialects.shortfall import ECHOES, Shortfall, unsupported
from gateway.dialects.tool_arguments import read_call

_IMAGE_FORMATS = frozenset({"png", "jpeg", "gif", "webp"})

# The ids of calls; other providers are freer with them.
_NOT_OF_AN_ID = re.compile(r"[^A-Za-z0-9_.:-]")
_LONGEST_ID = 64

_ROLES = {"user": "user", "tool": "user", "assistant": "assistant"}

_PLAIN_FIELDS = frozenset({"role", "content"})
_FIELDS: Mapping[str, frozenset[str]] = {
    # Which tool has answered is told by the id of its call.
    "tool": _PLAIN_FIELDS | {"tool_call_id", "name"},
    "assistant": _PLAIN_FIELDS | {"tool_calls", "refusal"},
}
_ECHOES = ECHOES | {"reasoning_content"}

Blocks = list[dict[str, Any]]


def conversation(messages: Sequence[Mapping[str, Any]], shortfall: Shortfall) -> tuple[Blocks, Blocks]:
    """Splits messages into the blocks of the system and the turns.

    Messages of the same side that follow one another are one turn: so the results of parallel calls stand together,
    as Converse wants them. What the system says in between goes to the beginning.
    """
    system: Blocks = []
    turns: Blocks = []
    for position, message in enumerate(messages):
        where = f"messages.{position}"
        _note_unknown(message, where, shortfall)
        if message["role"] in {"system", "developer"}:
            system += _system(message.get("content"), where)
            continue
        role = _ROLES.get(message["role"])
        if role is None:
            raise unsupported(f"{where}.role", f"Converse has no {message['role']} messages")
        blocks = _blocks(message, where)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    trim_begun_answer(turns)
    return system, turns


def _note_unknown(message: Mapping[str, Any], where: str, shortfall: Shortfall) -> None:
    known = _FIELDS.get(message["role"], _PLAIN_FIELDS)
    for name, value in message.items():
        if not value or name in known:
            continue
        if name in _ECHOES:
            shortfall.leave_out(f"{where}.{name}")
        else:
            shortfall.note(f"{where}.{name}", "Converse has no such field")


def _system(content: Any, where: str) -> Blocks:
    blocks = _content(content, f"{where}.content")
    if any("text" not in block for block in blocks):
        raise unsupported(f"{where}.content", "the system can only say texts to Converse")
    return blocks


def _blocks(message: Mapping[str, Any], where: str) -> Blocks:
    if message["role"] == "tool":
        return [_tool_result(message, where)]
    if message["role"] == "user":
        return _content(message.get("content"), f"{where}.content")
    refusal = message.get("refusal")
    content = message.get("content") or (refusal if isinstance(refusal, str) else None)
    said = _content(content, f"{where}.content")
    calls = enumerate(message.get("tool_calls") or ())
    return said + [_tool_use(call, f"{where}.tool_calls.{index}") for index, call in calls]


def _content(content: Any, where: str) -> Blocks:
    """Translates a text or a list of parts; blank texts are left out, Converse refuses them."""
    if not isinstance(content, list):
        return [{"text": content}] if content and content.strip() else []
    parts = ((part, f"{where}.{index}") for index, part in enumerate(content))
    return [block for part, place in parts for block in _part(part, place)]


def _part(part: Mapping[str, Any], where: str) -> Iterator[dict[str, Any]]:
    match part["type"]:
        case "text" | "refusal" as kind:
            text = str(part.get(kind) or "")
            if text.strip():
                yield {"text": text}
        case "image_url":
            image = _image(part.get("image_url"))
            if image is None:
                detail = "Converse takes images as base64 data URLs, as png, jpeg, gif or webp"
                raise unsupported(f"{where}.image_url", detail)
            yield {"image": image}
        case kind:
            raise unsupported(f"{where}.type", f"the gateway cannot hand {kind} to Converse")


def _image(image: Any) -> dict[str, Any] | None:
    held = read_data_url(address_of(image))
    family, _, form = held.media_type.partition("/") if held else ("", "", "")
    if held is None or family != "image" or form not in _IMAGE_FORMATS:
        return None
    return {"format": form, "source": {"bytes": held.data}}


def _tool_use(call: Mapping[str, Any], where: str) -> dict[str, Any]:
    name, arguments = read_call(call, where)
    return {"toolUse": {"toolUseId": _id(call["id"]), "name": name, "input": arguments}}


def _tool_result(message: Mapping[str, Any], where: str) -> dict[str, Any]:
    call_id = message.get("tool_call_id")
    if not call_id:
        raise unsupported(f"{where}.tool_call_id", "the answer of a tool has to name its call")
    told = _content(message.get("content"), f"{where}.content") or [{"text": ""}]
    return {"toolResult": {"toolUseId": _id(call_id), "content": told}}


def _id(call_id: str) -> str:
    """Makes the id of a call fit; of one that is too long the end is what tells it from others."""
    return _NOT_OF_AN_ID.sub("_", call_id)[-_LONGEST_ID:] or "_"
