from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, NotRequired

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import RequestError
from gateway.schema.usage import Usage

# Unknown fields are let through: what this gateway does not know, the provider may.
_strict = with_config(ConfigDict(strict=True, extra="ignore"))


# The body is only checked, and checked as the dicts that it is: to make models of it took three times as long.
@_strict
class _Function(TypedDict):
    name: str


@_strict
class _ToolCall(TypedDict):
    id: str
    type: NotRequired[str]
    function: NotRequired[_Function | None]


@_strict
class _Tool(TypedDict):
    type: str
    function: NotRequired[_Function | None]


@_strict
class _Part(TypedDict):
    type: str
    text: NotRequired[str]


@_strict
class _Message(TypedDict):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: NotRequired[str | list[_Part] | None]
    tool_calls: NotRequired[list[_ToolCall] | None]
    tool_call_id: NotRequired[str | None]


@_strict
class _StreamOptions(TypedDict):
    include_usage: NotRequired[bool | None]


_Count = Annotated[int, Field(ge=1)]


@_strict
class _ChatBody(TypedDict):
    """What the gateway itself relies on in OpenAI's chat request."""

    model: Annotated[str, Field(min_length=1)]
    messages: Annotated[list[_Message], Field(min_length=1)]
    stream: NotRequired[bool | None]
    stream_options: NotRequired[_StreamOptions | None]
    temperature: NotRequired[Annotated[float, Field(ge=0, le=2)] | None]
    top_p: NotRequired[Annotated[float, Field(ge=0, le=1)] | None]
    n: NotRequired[_Count | None]
    max_tokens: NotRequired[_Count | None]
    max_completion_tokens: NotRequired[_Count | None]
    stop: NotRequired[str | list[str] | None]
    seed: NotRequired[int | None]
    tools: NotRequired[list[_Tool] | None]


_CHAT_BODY = TypeAdapter(_ChatBody)


@dataclass(frozen=True, slots=True)
class Native:
    """A request or an answer in its original format, named by `form`: "anthropic".

    It is passed on as it is where caller and provider speak the same format; so are those of a request's `headers`
    (names in lower case) that say how its body is to be read.
    """

    form: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class ChatRequest(NamedTuple):
    """A validated chat request; `body` is in OpenAI's format (create chat completion), as the caller sent it.

    `native` is what the caller really sent where it was in another format, out of which `body` was translated.
    """

    body: Mapping[str, Any]
    model: str
    stream: bool
    include_usage: bool
    native: Native | None = None


class AnswerStamp(NamedTuple):
    """What every answer carries in the gateway's name, whichever provider gives it."""

    answer_id: str
    model: str
    created_s: int


class ChatAnswer(NamedTuple):
    """A whole answer; `body` is a `chat.completion` of OpenAI, `native` the original where the provider's differs."""

    body: dict[str, Any]
    usage: Usage | None
    native: Native | None = None


def parse_chat(payload: bytes) -> ChatRequest:
    """Reads and validates a chat request.

    Raises RequestError that names the field at fault.
    """
    return check_chat(load_body(payload))


def check_chat(body: dict[str, Any], native: Native | None = None) -> ChatRequest:
    """Validates a chat request in OpenAI's format; raises RequestError that names the field at fault."""
    try:
        _CHAT_BODY.validate_python(body)
    except ValidationError as error:
        raise complaint(error, body) from None
    options = body.get("stream_options")
    return ChatRequest(
        body=body,
        model=body["model"],
        stream=bool(body.get("stream")),
        include_usage=bool(options and options.get("include_usage")),
        native=native,
    )


def load_body(payload: bytes) -> dict[str, Any]:
    """Reads a JSON object; raises RequestError that says where it is none."""
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise RequestError(
            ReasonCode.INVALID_REQUEST, f"The body is not valid JSON: {error.msg} ({where})."
        ) from None
    if not isinstance(body, dict):
        raise RequestError(ReasonCode.INVALID_REQUEST, "The body must be a JSON object.")
    return body


def complaint(error: ValidationError, body: Any) -> RequestError:
    """Words pydantic's complaint about a body for its sender, with the path of the field at fault."""
    # Of a union's complaints the one that reaches deepest is about what the caller meant.
    problems = [(_field(problem["loc"], problem["type"], body), problem["msg"]) for problem in error.errors()]
    field, text = max(problems, key=lambda problem: len(problem[0]))
    param = ".".join(map(str, field))
    return RequestError(ReasonCode.INVALID_REQUEST, f"{param}: {text}.", param=param)


def _field(location: Sequence[str | int], problem: str, body: Any) -> list[str | int]:
    """Drops from pydantic's location what names a member of a union and not a part of the body."""
    path: list[str | int] = []
    node = body
    for step in location:
        if isinstance(node, dict) and (step in node or problem == "missing"):
            node = node.get(step)
        elif isinstance(node, list) and isinstance(step, int):
            node = node[step]
        else:
            continue
        path.append(step)
    return path
