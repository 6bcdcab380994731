"""What a caller hears, through whichever face it asked: brought to one form, so that all can be judged alike."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from fixtures.client import Answer, GatewayClient, StreamedAnswer, TargetError

Json = dict[str, Any]


class End(Enum):
    """How an answer ended for its caller.

    `ANSWER`: as a whole one. `ERROR`: with an error that is told. `BROKEN`: the connection failed, which no client
    takes for an answer. `CUT`: cleanly, without terminal event, finish reason or error; many clients take that for an
    answer.
    """

    ANSWER = auto()
    ERROR = auto()
    BROKEN = auto()
    CUT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One answer as its caller heard it; `tools` are the arguments of all calls, `sent_s` is monotonic."""

    end: End
    sent_s: float
    took_s: float
    status: int | None = None
    text: str = ""
    tools: str = ""
    code: str | None = None
    told_error: str = ""
    has_usage: bool = False
    model: str | None = None
    headers: Mapping[str, str]

    @property
    def provider(self) -> str | None:
        """The provider that the gateway says has answered."""
        return self.headers.get("x-gateway-provider")

    @property
    def request_id(self) -> str:
        return self.headers.get("x-request-id", "")

    @property
    def ended_s(self) -> float:
        return self.sent_s + self.took_s

    def is_answer(self, text: str) -> bool:
        """Whether this is the whole answer that says `text`, and nothing else."""
        return self.end is End.ANSWER and self.text == text

    def __str__(self) -> str:
        told = f" {self.code} {self.told_error[:120]}" if self.end is End.ERROR else ""
        return f"{self.end.name} {self.status}{told}, {len(self.text)} characters after {self.took_s:.2f} s"


@dataclass(frozen=True, slots=True)
class Pieces:
    """What the events or the body of one answer hold, read by a face."""

    text: str = ""
    tools: str = ""
    finished: bool = False
    error: Json | None = None
    has_usage: bool = False
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Face:
    """One interface of the gateway: how it is asked, and how its answers are read."""

    name: str
    path: str
    body: Callable[[str, str], Json]
    whole: Callable[[Json], Pieces]
    streamed: Callable[[StreamedAnswer], Pieces]

    def __str__(self) -> str:
        return self.name

    def ask(self, client: GatewayClient, model: str, question: str, *, stream: bool, **more: Any) -> Heard:
        """Ask once and return what was heard, whatever it was: a connection that fails is heard as well."""
        body = {**self.body(model, question), **more}
        sent_s = time.monotonic()
        try:
            if stream:
                streamed = client.stream_post(self.path, {**body, "stream": True})
                return _heard_stream(streamed, self.streamed(streamed), sent_s)
            answer = client.post(self.path, body)
        except TargetError as error:
            took_s = time.monotonic() - sent_s
            return Heard(end=End.BROKEN, sent_s=sent_s, took_s=took_s, told_error=str(error), headers={})
        read = self.whole(answer.body) if isinstance(answer.body, dict) else Pieces()
        return _heard_whole(answer, read, sent_s)


def _heard_whole(answer: Answer, read: Pieces, sent_s: float) -> Heard:
    error = _error_in(answer.body)
    if answer.status == 200 and error is None:
        end = End.ANSWER if read.finished else End.CUT
    else:
        end = End.ERROR if error is not None else End.CUT
    return _heard(end, read, error, answer, sent_s)


def _heard_stream(answer: StreamedAnswer, read: Pieces, sent_s: float) -> Heard:
    error = read.error
    if error is not None:
        end = End.ERROR
    elif answer.broken is not None:
        end = End.BROKEN
    else:
        end = End.ANSWER if answer.status == 200 and read.finished else End.CUT
    return _heard(end, read, error, answer, sent_s)


def _heard(
    end: End, read: Pieces, error: Json | None, answer: Answer | StreamedAnswer, sent_s: float
) -> Heard:
    told = error or {}
    return Heard(
        end=end,
        sent_s=sent_s,
        took_s=answer.duration_s,
        status=answer.status,
        text=read.text,
        tools=read.tools,
        code=told.get("code") or told.get("type"),
        told_error=str(told.get("message") or getattr(answer, "broken", None) or ""),
        has_usage=read.has_usage,
        model=read.model,
        headers=answer.headers,
    )


def _error_in(body: Any) -> Json | None:
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else None


def _objects(answer: StreamedAnswer) -> Iterator[Json]:
    yield from (chunk for chunk in answer.chunks if isinstance(chunk, dict))


def _stream_error(answer: StreamedAnswer) -> Json | None:
    """Return the error of a stream: in one of its events, or the body where it never became a stream."""
    return next(filter(None, map(_error_in, _objects(answer))), None) or _error_in(answer.body)


def _list(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _chat_body(model: str, question: str) -> Json:
    return {"model": model, "messages": [{"role": "user", "content": question}]}


def _chat_whole(body: Json) -> Pieces:
    (choice, *_others) = _list(body.get("choices")) or [{}]
    message = choice.get("message") or {}
    calls = _list(message.get("tool_calls"))
    return Pieces(
        text=message.get("content") or "",
        tools="".join(str(call["function"]["arguments"]) for call in calls),
        finished=bool(choice.get("finish_reason")),
        has_usage=bool(body.get("usage")),
        model=body.get("model"),
    )


def _chat_streamed(answer: StreamedAnswer) -> Pieces:
    chunks = list(_objects(answer))
    choices = [choice for chunk in chunks for choice in _list(chunk.get("choices"))]
    deltas = [choice.get("delta") or {} for choice in choices]
    calls = [call for delta in deltas for call in _list(delta.get("tool_calls"))]
    return Pieces(
        text="".join(delta.get("content") or "" for delta in deltas),
        tools="".join((call.get("function") or {}).get("arguments") or "" for call in calls),
        finished=answer.done and any(choice.get("finish_reason") for choice in choices),
        error=_stream_error(answer),
        has_usage=any(chunk.get("usage") for chunk in chunks),
        model=next((chunk["model"] for chunk in chunks if chunk.get("model")), None),
    )


def _messages_body(model: str, question: str) -> Json:
    return {**_chat_body(model, question), "max_tokens": 128}


def _messages_whole(body: Json) -> Pieces:
    return Pieces(
        text="".join(block.get("text") or "" for block in _list(body.get("content"))),
        finished=bool(body.get("stop_reason")),
        has_usage=bool(body.get("usage")),
        model=body.get("model"),
    )


def _messages_streamed(answer: StreamedAnswer) -> Pieces:
    events = list(_objects(answer))
    deltas = [event.get("delta") or {} for event in events]
    last = events[-1] if events else {}
    return Pieces(
        text="".join(delta.get("text") or "" for delta in deltas),
        finished=last.get("type") == "message_stop" and any(delta.get("stop_reason") for delta in deltas),
        error=_stream_error(answer),
        has_usage=any(event.get("usage") for event in events),
        model=next((event["message"].get("model") for event in events if event.get("message")), None),
    )


def _responses_body(model: str, question: str) -> Json:
    return {"model": model, "input": question}


def _responses_whole(body: Json) -> Pieces:
    parts = [part for item in _list(body.get("output")) for part in _list(item.get("content"))]
    return Pieces(
        text="".join(part.get("text") or "" for part in parts),
        finished=body.get("status") == "completed",
        has_usage=bool(body.get("usage")),
        model=body.get("model"),
    )


def _responses_streamed(answer: StreamedAnswer) -> Pieces:
    events = list(_objects(answer))
    texts = [event["delta"] for event in events if event.get("type") == "response.output_text.delta"]
    last = events[-1] if events else {}
    told = next((event for event in events if event.get("type") == "error"), None)
    failed = _error_in(last.get("response")) if last.get("type") == "response.failed" else None
    response = last.get("response") or {}
    return Pieces(
        text="".join(texts),
        finished=last.get("type") == "response.completed",
        error=told or failed or _stream_error(answer),
        has_usage=bool(response.get("usage")),
        model=response.get("model"),
    )


CHAT = Face("chat", "/v1/chat/completions", _chat_body, _chat_whole, _chat_streamed)
MESSAGES = Face("messages", "/v1/messages", _messages_body, _messages_whole, _messages_streamed)
RESPONSES = Face("responses", "/v1/responses", _responses_body, _responses_whole, _responses_streamed)

FACES = (CHAT, MESSAGES, RESPONSES)
