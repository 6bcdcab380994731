import json
from typing import Any

import pytest

from gateway.dialects.ollama_request import request_body
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError
from gateway.schema.chat import parse_chat

HI = {"role": "user", "content": "Hi"}
PIXEL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0="}}
TOOL = {"type": "function", "function": {"name": "add", "parameters": {}}}


def translate(**changes: Any) -> dict[str, Any]:
    return request_body(
        parse_chat(json.dumps({"model": "m", "messages": [HI], **changes}).encode()), "llama3.1"
    )


def test_plain_request_is_translated() -> None:
    """Model, messages and stream are always there: Ollama streams unless told otherwise."""
    assert translate() == {"model": "llama3.1", "messages": [HI], "stream": False, "options": {}}
    assert translate(stream=True)["stream"]


def test_parameters_become_options() -> None:
    """OpenAI's parameters go by Ollama's names."""
    options = translate(temperature=0, top_p=0.5, max_tokens=7, seed=1, stop="x", options={"num_ctx": 9})[
        "options"
    ]

    assert options == {
        "temperature": 0,
        "top_p": 0.5,
        "num_predict": 7,
        "seed": 1,
        "stop": ["x"],
        "num_ctx": 9,
    }


def test_newer_limit_goes_before_the_older() -> None:
    """Where both limits are given, the one that is not deprecated holds."""
    assert translate(max_tokens=7, max_completion_tokens=8, stop=["a", "b"])["options"] == {
        "num_predict": 8,
        "stop": ["a", "b"],
    }


@pytest.mark.parametrize(
    ("response_format", "form"),
    [
        ({"type": "json_object"}, "json"),
        (
            {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}},
            {"type": "object"},
        ),
        ({"type": "text"}, None),
        (None, None),
    ],
)
def test_response_format_is_translated(response_format: Any, form: Any) -> None:
    """JSON, with or without a schema, is asked for in Ollama's way."""
    assert translate(response_format=response_format).get("format") == form


def test_tools_are_passed_on_unless_forbidden() -> None:
    """Tools are offered, but not where the caller forbids their use."""
    assert translate(tools=[TOOL])["tools"] == [TOOL]
    assert "tools" not in translate(tools=[TOOL], tool_choice="none")


def test_conversation_with_tools_is_translated() -> None:
    """Arguments become objects, and the answer of a tool is named by the tool."""
    call = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "2", "tool_call_id": "call_1"},
    ]

    assert translate(messages=messages)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"function": {"name": "add", "arguments": {"a": 1}}}],
        },
        {"role": "tool", "content": "2", "tool_name": "add"},
    ]


def test_images_are_passed_on_as_base64() -> None:
    """Text parts are joined; data URLs become bare base64."""
    content = [{"type": "text", "text": "What"}, {"type": "text", "text": "is it?"}, PIXEL]

    [message] = translate(messages=[{"role": "user", "content": content}])["messages"]

    assert message == {"role": "user", "content": "What\nis it?", "images": ["iVBORw0="]}


def test_own_fields_are_passed_on() -> None:
    """Fields of Ollama itself reach it."""
    assert translate(keep_alive="5m", think=True).items() >= {"keep_alive": "5m", "think": True}.items()


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"n": 2}, "n"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://h/x"}}]}
                ]
            },
            "messages.0.content.0.image_url",
        ),
        (
            {"messages": [HI, {"role": "user", "content": [{"type": "input_audio"}]}]},
            "messages.1.content.0.type",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "1", "type": "custom"}]}]},
            "messages.0.tool_calls",
        ),
        (
            {
                "messages": [
                    {
                        "role": "assistant",
                        "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{"}}],
                    }
                ]
            },
            "messages.0.tool_calls",
        ),
    ],
    ids=["two choices", "remote image", "audio", "custom tool", "broken arguments"],
)
def test_what_ollama_cannot_do_is_told_and_may_move_on(changes: dict[str, Any], param: str) -> None:
    """A request beyond Ollama's format is not silently changed; another provider may serve it."""
    with pytest.raises(ProviderError) as caught:
        translate(**changes)

    assert caught.value.code is ReasonCode.UNSUPPORTED_PARAMETER
    assert caught.value.param == param
    assert caught.value.reason.moves_on
