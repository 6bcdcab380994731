"""OpenAI's messages as Anthropic's system prompt and turns."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.dialects.begun_answer import trim_begun_answer
from gateway.dialects.data_url import DataUrl, address_of, read_data_url
from gateway.dialects.shortfall import ECHOES, Shortfall, unsupported
from gateway.dialects.tool_arguments import read_call

Block = dict[str, Any]

_TRANSLATED = frozenset({"role", "content", "tool_calls", "tool_call_id", "refusal"})
# Thoughts are taken with their signature only.
_ECHOES = ECHOES | {"reasoning_content"}

_IMAGE_TYPES = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
_NOT_OF_AN_ID = re.compile(r"[^A-Za-z0-9_-]")


def conversation(
    messages: Sequence[Mapping[str, Any]], shortfall: Shortfall
) -> tuple[list[Block], list[Block]]:
    """Returns the system prompt and the turns; raises ProviderError for what they cannot hold.

    System messages are gathered in front, wherever they stand. The results of tools are one turn of the user, which
    what the user says beside them joins, for the format wants them first in the turn that follows the calls. Other
    turns of one side in a row stand as they are: the API combines them itself.
    """
    system: list[Block] = []
    turns: list[Block] = []
    for position, message in enumerate(messages):
        where = f"messages.{position}"
        _note_the_rest(message, where, shortfall)
        match message["role"]:
            case "system" | "developer":
                system += _texts(message, where)
            case "assistant":
                _add(turns, "assistant", [*_texts(message, where), *_tool_uses(message, where)])
            case "tool":
                _add(turns, "user", [_tool_result(message, where)])
            case "user":
                _add(turns, "user", list(_blocks(message.get("content"), f"{where}.content")))
            case role:
                raise unsupported(f"{where}.role", f"this provider knows no messages of a {role}")
    if not turns or turns[0]["role"] != "user":
        raise unsupported("messages", "a conversation with this model begins with a message of the user")
    trim_begun_answer(turns)
    return system, turns


def _note_the_rest(message: Mapping[str, Any], where: str, shortfall: Shortfall) -> None:
    # Which tool has answered is told by the id of its call.
    translated = _TRANSLATED | {"name"} if message["role"] == "tool" else _TRANSLATED
    for name, value in message.items():
        if name in translated or not value:
            continue
        if name in _ECHOES:
            shortfall.leave_out(f"{where}.{name}")
        else:
            shortfall.note(f"{where}.{name}", "this provider's messages have no such field")


def _add(turns: list[Block], role: str, blocks: list[Block]) -> None:
    """Adds a turn, or to the last one of the user where results of tools are in it; no blocks are no turn."""
    if not blocks:
        return
    last: Block = turns[-1] if turns else {"role": None}
    if role == last["role"] == "user" and any(map(_is_result, (last["content"][0], blocks[0]))):
        content: list[Block] = last["content"]
        content += blocks
        content.sort(key=lambda block: not _is_result(block))
    else:
        turns.append({"role": role, "content": blocks})


def _is_result(block: Block) -> bool:
    return bool(block["type"] == "tool_result")


def _texts(message: Mapping[str, Any], where: str) -> list[Block]:
    """Returns the texts of who may say nothing else; a refusal is one."""
    blocks = list(_blocks(message.get("content"), f"{where}.content"))
    if any(block["type"] != "text" for block in blocks):
        raise unsupported(f"{where}.content", f"messages of the {message['role']} hold text only")
    refusal = message.get("refusal")
    return [*blocks, *_text(refusal)] if isinstance(refusal, str) else blocks


def _blocks(content: Any, where: str) -> Iterator[Block]:
    if not isinstance(content, list):
        yield from _text(content)
        return
    for index, part in enumerate(content):
        match part:
            case {"type": "text"}:
                yield from _text(part.get("text"))
            case {"type": "refusal", "refusal": str(refusal)}:
                yield from _text(refusal)
            case {"type": "image_url"}:
                yield _image(part.get("image_url"), f"{where}.{index}.image_url")
            case {"type": "file"}:
                yield _document(part.get("file"), f"{where}.{index}.file")
            case _:
                raise unsupported(f"{where}.{index}.type", f"this provider takes no {part['type']}")


def _text(text: str | None) -> list[Block]:
    return [{"type": "text", "text": text}] if text else []


def _image(image: Any, where: str) -> Block:
    url = address_of(image)
    held = read_data_url(url)
    if held and held.media_type in _IMAGE_TYPES:
        return {"type": "image", "source": _source(held)}
    if str(url).startswith(("https://", "http://")):
        return {"type": "image", "source": {"type": "url", "url": url}}
    kinds = ", ".join(sorted(kind.removeprefix("image/") for kind in _IMAGE_TYPES))
    raise unsupported(where, f"this provider takes the address of an image, or a base64 data URL of: {kinds}")


def _document(file: Any, where: str) -> Block:
    stated = file if isinstance(file, Mapping) else {}
    held = read_data_url(stated.get("file_data"))
    if not held or held.media_type != "application/pdf":
        raise unsupported(where, "this provider takes PDF files only, as base64 data URLs in file_data")
    title = {"title": stated["filename"]} if stated.get("filename") else {}
    return {"type": "document", "source": _source(held), **title}


def _source(held: DataUrl) -> Block:
    return {"type": "base64", "media_type": held.media_type, "data": held.data}


def _tool_uses(message: Mapping[str, Any], where: str) -> Iterator[Block]:
    for index, call in enumerate(message.get("tool_calls") or ()):
        yield _tool_use(call, f"{where}.tool_calls.{index}")


def _tool_use(call: Mapping[str, Any], where: str) -> Block:
    name, arguments = read_call(call, where)
    return {"type": "tool_use", "id": _id(call["id"]), "name": name, "input": arguments}


def _tool_result(message: Mapping[str, Any], where: str) -> Block:
    call_id = message.get("tool_call_id")
    if not call_id:
        raise unsupported(f"{where}.tool_call_id", "the answer of a tool has to name its call")
    content = message.get("content")
    told = list(_blocks(content, f"{where}.content")) if isinstance(content, list) else content
    result: Block = {"type": "tool_result", "tool_use_id": _id(call_id)}
    return result | ({"content": told} if told else {})


def _id(call_id: str) -> str:
    """Makes the id of a call fit where it comes from a provider that is freer with ids."""
    return _NOT_OF_AN_ID.sub("_", call_id) or "_"
