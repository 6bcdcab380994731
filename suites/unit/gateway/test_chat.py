import json
from typing import Any

import pytest

from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import RequestError
from gateway.schema.chat import parse_chat

HI = {"role": "user", "content": "Hi"}


def parse(**changes: Any) -> Any:
    return parse_chat(json.dumps({"model": "m", "messages": [HI], **changes}).encode())


def test_body_is_carried_untouched() -> None:
    """Fields that the gateway does not know, and those that it knows, stay as they were sent."""
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"x": 1}}, "cache": True}]

    request = parse(tools=tools, temperature=1, unknown={"deep": [None, 1.5]})

    assert request.body == {
        "model": "m",
        "messages": [HI],
        "tools": tools,
        "temperature": 1,
        "unknown": {"deep": [None, 1.5]},
    }
    assert (request.model, request.stream, request.include_usage) == ("m", False, False)


def test_stream_and_usage_are_noticed() -> None:
    """A request says whether it wants a stream, and the usage at its end."""
    request = parse(stream=True, stream_options={"include_usage": True})

    assert request.stream
    assert request.include_usage


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f"}}]},
        {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f"}}]},
        {"role": "tool", "content": "4", "tool_call_id": "1"},
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]},
    ],
    ids=["calls a tool", "has no content", "tool", "parts", "unknown part"],
)
def test_every_kind_of_message_is_taken(message: dict[str, Any]) -> None:
    """Every form of message that OpenAI documents is valid."""
    assert parse(messages=[message]).body["messages"] == [message]


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": [HI, {"role": "robot", "content": "Hi"}]}, "messages.1.role"),
        ({"messages": [{"content": "Hi"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": {"x": 1}}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}, "messages.0.content.0.type"),
        ({"messages": ["Hi"]}, "messages.0"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"stop": [1]}, "stop.0"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools.0.function.name"),
    ],
)
def test_wrong_field_is_named(changes: dict[str, Any], param: str) -> None:
    """One message names the one field at fault."""
    with pytest.raises(RequestError) as caught:
        parse(**changes)

    assert caught.value.param == param
    assert caught.value.user_message.startswith(f"{param}: ")


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"{", "line 1, column 2"),
        (b"", "not valid JSON"),
        (b"[]", "JSON object"),
        (b"\xff", "not valid JSON"),
    ],
    ids=["cut", "empty", "list", "not UTF-8"],
)
def test_what_is_no_json_object_is_refused(payload: bytes, text: str) -> None:
    """A body that cannot be read is refused, and the message says where reading stopped."""
    with pytest.raises(RequestError) as caught:
        parse_chat(payload)

    assert caught.value.code is ReasonCode.INVALID_REQUEST
    assert text in caught.value.user_message
