"""OpenAI's chat request as Ollama's native one (Ollama API, generate a chat completion)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.schema.chat import ChatRequest

# Ollama's own fields, which a caller may send along.
_OWN_FIELDS = ("keep_alive", "think")

_OPTIONS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "max_tokens": "num_predict",
    "max_completion_tokens": "num_predict",
}


def request_body(request: ChatRequest, model: str) -> dict[str, Any]:
    """Translates a request; raises ProviderError for what Ollama cannot do.

    `tool_choice` has no counterpart: "none" leaves the tools out, anything else leaves the choice to the model.
    """
    body = request.body
    if (body.get("n") or 1) > 1:
        raise _unsupported("n", "this model gives one choice only")
    translated: dict[str, Any] = {
        "model": model,
        "messages": list(_messages(body["messages"])),
        "stream": request.stream,
        "options": _options(body),
    }
    if body.get("tools") and body.get("tool_choice") != "none":
        translated["tools"] = body["tools"]
    if (form := _format(body.get("response_format"))) is not None:
        translated["format"] = form
    return translated | {name: body[name] for name in _OWN_FIELDS if name in body}


def _options(body: Mapping[str, Any]) -> dict[str, Any]:
    own = body.get("options")
    options = dict(own) if isinstance(own, Mapping) else {}
    options |= {ours: body[theirs] for theirs, ours in _OPTIONS.items() if body.get(theirs) is not None}
    if stop := body.get("stop"):
        options["stop"] = [stop] if isinstance(stop, str) else stop
    return options


def _format(response_format: Any) -> Any:
    if not isinstance(response_format, Mapping):
        return None
    if response_format.get("type") == "json_object":
        return "json"
    schema = response_format.get("json_schema")
    return schema.get("schema") if isinstance(schema, Mapping) else None


def _messages(messages: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    tool_names: dict[str, str] = {}
    for position, message in enumerate(messages):
        text, images = _content(message.get("content"), f"messages.{position}.content")
        role = "system" if message["role"] == "developer" else message["role"]
        translated: dict[str, Any] = {"role": role, "content": text}
        if images:
            translated["images"] = images
        if calls := message.get("tool_calls"):
            translated["tool_calls"] = [_tool_call(call, position) for call in calls]
            tool_names |= {call["id"]: call["function"]["name"] for call in calls}
        if name := tool_names.get(message.get("tool_call_id") or ""):
            translated["tool_name"] = name
        yield translated


def _content(content: Any, where: str) -> tuple[str, list[str]]:
    if not isinstance(content, list):
        return content or "", []
    texts: list[str] = []
    images: list[str] = []
    for index, part in enumerate(content):
        if part["type"] == "text":
            texts.append(part.get("text", ""))
        elif part["type"] == "image_url":
            images.append(_image(part.get("image_url"), f"{where}.{index}.image_url"))
        else:
            raise _unsupported(f"{where}.{index}.type", f"this model takes no {part['type']}")
    return "\n".join(texts), images


def _image(image: Any, where: str) -> str:
    url = image.get("url") if isinstance(image, Mapping) else image
    head, comma, data = str(url).partition(";base64,")
    if not comma or not head.startswith("data:"):
        raise _unsupported(where, "this model takes images as base64 data URLs only")
    return data


def _tool_call(call: Mapping[str, Any], position: int) -> dict[str, Any]:
    where = f"messages.{position}.tool_calls"
    function = call.get("function")
    if not isinstance(function, Mapping):
        raise _unsupported(where, "this model knows functions as tools only")
    try:
        arguments = orjson.loads(function.get("arguments") or "{}")
    except (orjson.JSONDecodeError, TypeError):
        raise _unsupported(where, "the arguments of a tool call are no JSON") from None
    return {"function": {"name": function["name"], "arguments": arguments}}


def _unsupported(param: str, detail: str) -> ProviderError:
    reason = ReasonCode.UNSUPPORTED_PARAMETER
    return ProviderError(ProviderFailure(reason=reason, detail=f"{param}: {detail}.", param=param))
