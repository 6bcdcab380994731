"""What is heard: an answer, an error, a break and a silent end are told apart on every face."""

import json
from typing import Any

import pytest

from fixtures.client import Answer, Event, GatewayClient, StreamedAnswer, TargetError
from suites.chaos.hearing import CHAT, FACES, MESSAGES, RESPONSES, End, Face, Heard

TEXT = "The Loire."
ERROR = {"message": "it broke", "code": "STREAM_INTERRUPTED"}

CHAT_EVENTS: list[Any] = [
    {"model": "m", "choices": [{"delta": {"role": "assistant", "content": ""}}]},
    {"model": "m", "choices": [{"delta": {"content": "The"}}]},
    {"model": "m", "choices": [{"delta": {"content": " Loire."}}]},
    {"model": "m", "choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"total_tokens": 3}},
    "[DONE]",
]
MESSAGES_EVENTS: list[Any] = [
    {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 1}}},
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "The"}},
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": " Loire."}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]
RESPONSES_EVENTS: list[Any] = [
    {"type": "response.created", "response": {"model": "m"}},
    {"type": "response.output_text.delta", "delta": "The"},
    {"type": "response.output_text.delta", "delta": " Loire."},
    {"type": "response.completed", "response": {"model": "m", "usage": {"total_tokens": 3}}},
]
STREAMS = {CHAT: CHAT_EVENTS, MESSAGES: MESSAGES_EVENTS, RESPONSES: RESPONSES_EVENTS}
ERRORS: dict[Face, dict[str, Any]] = {
    CHAT: {"error": ERROR},
    MESSAGES: {"type": "error", "error": ERROR},
    RESPONSES: {"type": "error", **ERROR},
}
WHOLE: dict[Face, dict[str, Any]] = {
    CHAT: {
        "model": "m",
        "choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}],
        "usage": {"total_tokens": 3},
    },
    MESSAGES: {
        "model": "m",
        "content": [{"text": TEXT}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1},
    },
    RESPONSES: {
        "model": "m",
        "status": "completed",
        "output": [{"content": [{"text": TEXT}]}],
        "usage": {"total_tokens": 3},
    },
}


class Told(GatewayClient):
    """A client to whom an answer is told, whatever it asks."""

    def __init__(self, answer: Answer | StreamedAnswer | TargetError) -> None:
        self._answer = answer

    def post(self, path: str, body: Any = None, headers: Any = None) -> Answer:
        del path, body, headers
        assert isinstance(self._answer, Answer)
        return self._answer

    def stream_post(self, path: str, body: Any) -> StreamedAnswer:
        del path, body
        if isinstance(self._answer, TargetError):
            raise self._answer
        assert isinstance(self._answer, StreamedAnswer)
        return self._answer


def stream(events: list[Any], *, broken: str | None = None, status: int = 200, body: Any = None) -> Told:
    told = (each if isinstance(each, str) else json.dumps(each) for each in events)
    return Told(StreamedAnswer(status, {}, tuple(Event(data, 0.0) for data in told), broken, 1.0, body))


def whole(body: Any, status: int = 200) -> Told:
    return Told(Answer(status, {}, json.dumps(body), body, 1.0))


def hear(face: Face, client: Told, *, streamed: bool = True) -> Heard:
    return face.ask(client, "m", "Which river?", stream=streamed)


@pytest.mark.parametrize("face", FACES, ids=str)
def test_whole_answer_is_heard(face: Face) -> None:
    """A stream with its finish reason and its terminal event is an answer, and so is a body that has finished."""
    for heard in (hear(face, stream(STREAMS[face])), hear(face, whole(WHOLE[face]), streamed=False)):
        assert heard.is_answer(TEXT)
        assert (heard.has_usage, heard.model) == (True, "m")


@pytest.mark.parametrize("face", FACES, ids=str)
@pytest.mark.parametrize("missing", [1, 2, 3])
def test_stream_without_its_end_is_cut(face: Face, missing: int) -> None:
    """A stream that ends cleanly before its terminal event is no answer, be its text complete or not."""
    assert hear(face, stream(STREAMS[face][:-missing])).end is End.CUT


def test_end_without_a_finish_reason_is_cut() -> None:
    """A terminal event alone does not make an answer: the finish reason may have been lost with some of the text."""
    assert hear(CHAT, stream([*CHAT_EVENTS[:2], "[DONE]"])).end is End.CUT
    assert hear(MESSAGES, stream([*MESSAGES_EVENTS[:2], MESSAGES_EVENTS[-1]])).end is End.CUT


@pytest.mark.parametrize("face", FACES, ids=str)
def test_error_in_a_stream_is_heard(face: Face) -> None:
    """An error event makes an error of the stream, with its code, even where it then ends as if it were whole."""
    events = STREAMS[face]
    for told in ([*events[:2], ERRORS[face]], [*events[:2], ERRORS[face], *events[2:]]):
        heard = hear(face, stream(told))
        assert (heard.end, heard.code) == (End.ERROR, "STREAM_INTERRUPTED")


def test_failed_response_is_an_error() -> None:
    """A response that has failed is an error without an event of its own for it."""
    failed = {"type": "response.failed", "response": {"error": ERROR}}
    assert hear(RESPONSES, stream([*RESPONSES_EVENTS[:2], failed])).end is End.ERROR


@pytest.mark.parametrize("face", FACES, ids=str)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_error_status_is_heard(face: Face, *, streamed: bool) -> None:
    """An error status with an error object is an error, with its code, whether or not a stream was asked for."""
    client = stream([], status=502, body={"error": ERROR}) if streamed else whole({"error": ERROR}, 502)
    heard = hear(face, client, streamed=streamed)
    assert (heard.end, heard.status, heard.code) == (End.ERROR, 502, "STREAM_INTERRUPTED")


def test_error_status_without_an_error_is_cut() -> None:
    """A status without a word tells its caller nothing."""
    assert hear(CHAT, whole({}, 500), streamed=False).end is End.CUT
    assert hear(CHAT, whole({}), streamed=False).end is End.CUT


def test_failed_connection_is_broken() -> None:
    """A connection that fails is heard as that, before the answer or within it; what came before is kept."""
    within = hear(CHAT, stream(CHAT_EVENTS[:2], broken="ReadError: reset"))
    assert (within.end, within.text, within.told_error) == (End.BROKEN, "The", "ReadError: reset")
    before = hear(CHAT, Told(TargetError("refused")))
    assert (before.end, before.status, before.text) == (End.BROKEN, None, "")


def test_arguments_of_tools_are_heard() -> None:
    """The arguments of tool calls are read apart from the text, whole or in fragments."""
    call = {"index": 0, "function": {"arguments": '{"city":'}}
    heard = hear(CHAT, stream([{"choices": [{"delta": {"tool_calls": [call]}}]}]))
    assert (heard.text, heard.tools) == ("", '{"city":')
    message = {"content": None, "tool_calls": [{"function": {"arguments": "{}"}}]}
    body = {"choices": [{"message": message, "finish_reason": "tool_calls"}]}
    assert hear(CHAT, whole(body), streamed=False).tools == "{}"


def test_another_text_is_not_the_answer() -> None:
    """A whole answer that says something else, or less, is not the one that was expected."""
    heard = hear(CHAT, stream(CHAT_EVENTS))
    assert not heard.is_answer("The Loire")
    assert str(heard) == "ANSWER 200, 10 characters after 1.00 s"
