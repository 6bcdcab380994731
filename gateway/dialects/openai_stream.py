from typing import Any

from gateway.dialects.classification import detail_of, load_object, reason_for
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderFailure
from gateway.schema.chat import AnswerStamp
from gateway.schema.deltas import ChatChunk, StreamEvent, StreamFault
from gateway.schema.sse import SseDecoder, SseEvent
from gateway.schema.usage import Usage

_DONE = b"[DONE]"


def is_error(body: dict[str, Any]) -> bool:
    """Tells an error object from an answer, also where it comes with status 200.

    Older vLLM sends it flat, with `"object": "error"`.
    """
    return bool(body.get("error")) or body.get("object") == "error"


def failure_in(body: dict[str, Any], status: int | None, retry_after: str | None = None) -> ProviderFailure:
    """Reads an error in OpenAI's form, its flat form, or as a mere text; an integer `code` is a status."""
    stated = body.get("error") or body.get("detail") or body
    error = stated if isinstance(stated, dict) else {"message": stated}
    code, kind = error.get("code"), error.get("type")
    if status is None and isinstance(code, int):
        status = code
    message = str(error.get("message") or "")
    param = error.get("param")
    return ProviderFailure(
        reason=reason_for(status, (code, kind), message),
        detail=detail_of(message or f"The provider answered with status {status}."),
        status=status,
        param=param if isinstance(param, str) else None,
        retry_after=retry_after,
    )


def stamped(body: dict[str, Any], stamp: AnswerStamp, kind: str) -> dict[str, Any]:
    """Gives an answer the model name that the caller knows, and a proper id where the provider's is none."""
    answer_id = body.get("id")
    own = isinstance(answer_id, str) and answer_id.startswith("chatcmpl-")
    identity = {"id": answer_id if own else stamp.answer_id, "object": kind}
    return {**identity, "created": stamp.created_s, **body, **identity, "model": stamp.model}


class OpenAIStreamDecoder:
    """Reads OpenAI's stream of chunks: complete after `[DONE]`, if every choice has a finish reason."""

    def __init__(self, stamp: AnswerStamp) -> None:
        self._stamp = stamp
        self._sse = SseDecoder()
        self._unfinished: set[int] = set()
        self._finished: set[int] = set()
        self._done = False
        self._failed = False
        self._began = False

    @property
    def complete(self) -> bool:
        return self._done and not self._failed and bool(self._finished) and not self._unfinished

    def feed(self, data: bytes) -> list[StreamEvent]:
        return self._read(self._sse.feed(data))

    def close(self) -> list[StreamEvent]:
        events = self._read(self._sse.close())
        if self.complete or self._failed:
            return events
        if not self._began:
            return [*events, self._fault(ReasonCode.INVALID_RESPONSE, "The stream is empty.")]
        return [
            *events,
            self._fault(ReasonCode.STREAM_INTERRUPTED, "The stream ended before its end marker."),
        ]

    def _read(self, events: list[SseEvent]) -> list[StreamEvent]:
        read: list[StreamEvent] = []
        for event in events:
            if self._done or self._failed:
                break
            step = self._step(event)
            if step is not None:
                read.append(step)
        return read

    def _step(self, event: SseEvent) -> StreamEvent | None:
        self._began = True
        if event.data.strip() == _DONE:
            self._done = True
            if self.complete:
                return None
            return self._fault(ReasonCode.STREAM_INTERRUPTED, "The stream ended without a finish reason.")
        body = load_object(event.data)
        if body is None:
            return self._fault(ReasonCode.INVALID_RESPONSE, "An event of the stream is no JSON object.")
        if is_error(body) or event.event == "error":
            self._failed = True
            return StreamFault(failure_in(body, None))
        return self._chunk(body)

    def _chunk(self, body: dict[str, Any]) -> StreamEvent:
        choices = body.get("choices")
        if not isinstance(choices, list) or not all(_is_choice(choice) for choice in choices):
            return self._fault(ReasonCode.INVALID_RESPONSE, "A chunk of the stream holds no proper choices.")
        reasons = [choice.get("finish_reason") for choice in choices]
        if "error" in reasons:
            return self._fault(ReasonCode.PROVIDER_DEGRADED, "The answer finished with an error.")
        for choice, reason in zip(choices, reasons, strict=True):
            self._note(choice.get("index", 0), finished=bool(reason))
        return ChatChunk(
            body=stamped(body, self._stamp, "chat.completion.chunk"),
            delivers=any(_delivers(choice.get("delta")) for choice in choices),
            finishes=any(reasons),
            usage=Usage.from_openai(body.get("usage")),
        )

    def _note(self, index: int, *, finished: bool) -> None:
        if finished:
            self._finished.add(index)
            self._unfinished.discard(index)
        elif index not in self._finished:
            self._unfinished.add(index)

    def _fault(self, reason: ReasonCode, detail: str) -> StreamFault:
        self._failed = True
        return StreamFault(ProviderFailure(reason=reason, detail=detail))


def _is_choice(choice: Any) -> bool:
    return (
        isinstance(choice, dict)
        and isinstance(choice.get("index", 0), int)
        and isinstance(choice.get("delta") or {}, dict)
    )


def _delivers(delta: dict[str, Any] | None) -> bool:
    return any(value for name, value in (delta or {}).items() if name != "role")
