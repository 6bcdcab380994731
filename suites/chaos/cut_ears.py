"""What a caller of any face is told, word for word: text, thoughts and tool calls, as a stream or whole.

Each ear listens to one answer; it is a `fixtures.traffic.face.Face`, so that the traffic's reader can feed it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from fixtures.traffic.face import Said

Json = dict[str, Any]


@dataclass(slots=True)
class Call:
    """One tool call; `pieces` are those of its arguments."""

    name: str = ""
    pieces: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)


@dataclass(slots=True)
class Words:
    """What one answer has told so far; `strays` are events that may not stand where they came."""

    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: dict[int, Call] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def thinking(self) -> str:
        return "".join(self.thoughts)

    @property
    def tools(self) -> tuple[tuple[str, str], ...]:
        """The calls in their order, each with its arguments as they were told."""
        return tuple((call.name, call.arguments) for _index, call in sorted(self.calls.items()))

    def call(self, index: int) -> Call:
        """Return the call at an index, begun where it was not."""
        return self.calls.setdefault(index, Call())


class ChatEar:
    """Listens to `POST /v1/chat/completions`."""

    path = "/v1/chat/completions"
    request_id_header = "x-request-id"
    defaults: Mapping[str, Any] = {}

    def __init__(self) -> None:
        self.words = Words()

    def headers(self, key: str) -> Mapping[str, str]:
        return {"authorization": f"Bearer {key}"}

    def hear_event(self, said: Said, data: bytes) -> None:
        if data == b"[DONE]":
            said.ended = True
            return
        match orjson.loads(data):
            case {"error": error} if error:
                said.refuse(error)
            case {"choices": [{"delta": {**delta}, **choice}]}:
                self._take(delta)
                said.finish(choice.get("finish_reason"))
            case {"choices": []}:
                pass  # the usage, and what Azure finds in a prompt
            case event:
                self.words.strays.append(str(event))

    def hear_whole(self, said: Said, body: Any) -> None:
        match body:
            case {"choices": [{"message": {**message}, "finish_reason": reason}]}:
                self._take(message)
                said.finish(reason)
                said.ended = True

    def _take(self, told: Mapping[Any, Any]) -> None:
        self.words.texts.append(told.get("content") or "")
        self.words.thoughts.append(told.get("reasoning_content") or "")
        for position, each in enumerate(told.get("tool_calls") or ()):
            call, function = self.words.call(each.get("index", position)), each.get("function") or {}
            call.name += function.get("name") or ""
            call.pieces.append(function.get("arguments") or "")


class MessagesEar:
    """Listens to `POST /v1/messages`."""

    path = "/v1/messages"
    request_id_header = "request-id"
    defaults: Mapping[str, Any] = {"max_tokens": 1024}

    def __init__(self) -> None:
        self.words = Words()

    def headers(self, key: str) -> Mapping[str, str]:
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}

    def hear_event(self, said: Said, data: bytes) -> None:
        match orjson.loads(data):
            case {"type": "content_block_start", "index": index, "content_block": block}:
                self._begin(index, block)
            case {"type": "content_block_delta", "index": index, "delta": delta}:
                self._grow(index, delta)
            case {"type": "message_delta", "delta": {"stop_reason": reason}}:
                said.finish(reason)
            case {"type": "message_stop"}:
                said.ended = True
            case {"type": "error", "error": error}:
                said.refuse(error)

    def hear_whole(self, said: Said, body: Any) -> None:
        match body:
            case {"type": "message", "content": [*blocks], "stop_reason": reason}:
                for index, block in enumerate(blocks):
                    self._begin(index, block)
                    if block["type"] == "tool_use":
                        self.words.call(index).pieces.append(_written(block["input"]))
                said.finish(reason)
                said.ended = True

    def _begin(self, index: int, block: Json) -> None:
        self.words.texts.append(block.get("text") or "")
        self.words.thoughts.append(block.get("thinking") or "")
        if block["type"] == "tool_use":
            self.words.call(index).name = block["name"]

    def _grow(self, index: int, delta: Json) -> None:
        self.words.texts.append(delta.get("text") or "")
        self.words.thoughts.append(delta.get("thinking") or "")
        if piece := delta.get("partial_json"):
            self.words.call(index).pieces.append(piece)


class ResponsesEar:
    """Listens to `POST /v1/responses`; an `error` may be followed by the `response.failed` that it leads to."""

    path = "/v1/responses"
    request_id_header = "x-request-id"
    defaults: Mapping[str, Any] = {}

    def __init__(self) -> None:
        self.words = Words()
        self._error: Any = None

    def headers(self, key: str) -> Mapping[str, str]:
        return {"authorization": f"Bearer {key}"}

    def hear_event(self, said: Said, data: bytes) -> None:
        event = orjson.loads(data)
        match event:
            case {"type": "response.failed", "response": {"error": error}}:
                said.refuse(self._error or error)
            case _ if self._error is not None:
                self.words.strays.append(str(event))
            case {"type": "error"}:
                self._error = event
            case {"type": "response.completed" | "response.incomplete", "response": response}:
                said.finish(response["status"])
                said.ended = True
            case _:
                self._take(event)

    def hear_whole(self, said: Said, body: Any) -> None:
        match body:
            case {"output": [*items], "status": "completed" | "incomplete" as status}:
                for index, item in enumerate(items):
                    self._take_item(index, item)
                said.finish(status)
                said.ended = True

    def _take(self, event: Json) -> None:
        match event:
            case {"type": "response.output_text.delta", "delta": piece}:
                self.words.texts.append(piece)
            case {"type": "response.reasoning_summary_text.delta", "delta": piece}:
                self.words.thoughts.append(piece)
            case {"type": "response.output_item.added", "item": {"type": "function_call"} as item}:
                self.words.call(event["output_index"]).name = item["name"]
            case {"type": "response.function_call_arguments.delta", "delta": piece}:
                self.words.call(event["output_index"]).pieces.append(piece)

    def _take_item(self, index: int, item: Json) -> None:
        match item:
            case {"type": "function_call", "name": name, "arguments": arguments}:
                self.words.calls[index] = Call(name, [arguments])
            case {"type": "reasoning", "summary": [*parts]}:
                self.words.thoughts += (part["text"] for part in parts)
            case {"type": "message", "content": [*parts]}:
                self.words.texts += (part["text"] for part in parts)


Ear = ChatEar | MessagesEar | ResponsesEar

EARS: Mapping[str, type[Ear]] = {"chat": ChatEar, "messages": MessagesEar, "responses": ResponsesEar}


def body_of(face: str, model: str, question: str, *, stream: bool) -> Json:
    """Return how a face is asked."""
    asked = (
        {"input": question} if face == "responses" else {"messages": [{"role": "user", "content": question}]}
    )
    return {"model": model, "stream": stream, **EARS[face].defaults, **asked}


def _written(value: Any) -> str:
    return orjson.dumps(value).decode()
