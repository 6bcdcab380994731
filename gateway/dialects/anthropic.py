from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.dialects.anthropic_answer import finish_reason_of, message_of, usage_of
from gateway.dialects.anthropic_errors import failure_in, failure_of
from gateway.dialects.anthropic_request import request_body
from gateway.dialects.anthropic_stream import FORM, AnthropicStreamDecoder
from gateway.dialects.classification import dump, load_object, object_in, unreadable
from gateway.dialects.neutral import whole_answer, whole_choice
from gateway.dialects.protocol import StreamDecoder
from gateway.dialects.shortfall import Shortfall, WithoutEmbeddings
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.kernel.limits import Limits, Window
from gateway.kernel.quirks import Quirks
from gateway.schema.chat import AnswerStamp, ChatAnswer, ChatRequest, Native
from gateway.schema.exchange import Endpoint, UpstreamAnswer, UpstreamCall

# A later version is asked for only where it is configured: it knows less (Claude API, versions).
_VERSION = "2023-06-01"
_VERSION_WITHOUT_SAMPLING = "2026-10-21"
_SAMPLING = frozenset({"temperature", "top_k", "top_p"})
_LIMITS = "anthropic-ratelimit-"


class AnthropicDialect(WithoutEmbeddings):
    """Anthropic's Messages API; what a caller said in this very format is passed on as it is."""

    capabilities = frozenset(
        {"chat", "streaming", "tools", "vision", "structured_output", "reasoning", "model_listing"}
    )

    def encode_chat(self, request: ChatRequest, model: str, endpoint: Endpoint) -> UpstreamCall:
        shortfall = Shortfall(endpoint)
        told: Mapping[str, str] = {}
        if _speaks_it(request):
            assert request.native is not None
            body = {**request.native.body, "model": model, "stream": request.stream}
            told = request.native.headers
        else:
            body = request_body(request.body, model, shortfall, _lacks(endpoint))
        return UpstreamCall(
            method="POST",
            url=f"{endpoint.base_url}/messages",
            headers={**_headers(endpoint), **told, "content-type": "application/json"},
            body=dump(body),
            dropped=shortfall.dropped,
        )

    def decode_chat(self, answer: UpstreamAnswer, stamp: AnswerStamp) -> ChatAnswer:
        body = object_in(answer)
        if body.get("type") == "error" or "error" in body:
            raise ProviderError(failure_in(body, None))
        if not isinstance(body.get("content"), list):
            raise unreadable("The answer holds no content.")
        stop_reason = body.get("stop_reason")
        if not isinstance(stop_reason, str):
            raise unreadable("The answer has no stop_reason, so it may be cut.")
        return _answer(body, finish_reason_of(stop_reason), stamp)

    def stream_decoder(
        self, request: ChatRequest, stamp: AnswerStamp, headers: Mapping[str, str]
    ) -> StreamDecoder:
        del headers
        return AnthropicStreamDecoder(
            stamp, include_usage=request.include_usage, keeps_native=_speaks_it(request)
        )

    def classify(self, answer: UpstreamAnswer) -> ProviderFailure:
        return failure_of(answer)

    def limits_in(self, headers: Mapping[str, str], now: datetime, quirks: Quirks) -> Limits | None:
        del quirks  # every limit tells its own reset
        limits = Limits(
            requests=_window(headers, "requests", now),
            tokens=_window(headers, "tokens", now),
            input_tokens=_window(headers, "input-tokens", now),
            output_tokens=_window(headers, "output-tokens", now),
        )
        return None if limits == Limits() else limits

    def encode_probe(self, endpoint: Endpoint, path: str) -> UpstreamCall:
        return UpstreamCall(method="GET", url=endpoint.base_url + path, headers=_headers(endpoint))

    def read_probe(self, answer: UpstreamAnswer) -> frozenset[str]:
        listed = (load_object(answer.body) or {}).get("data")
        if not isinstance(listed, list):
            raise unreadable("The list of models is not in Anthropic's format.")
        return frozenset(str(model["id"]) for model in listed if isinstance(model, dict) and "id" in model)


def _speaks_it(request: ChatRequest) -> bool:
    return request.native is not None and request.native.form == FORM


def _version(endpoint: Endpoint) -> str:
    return endpoint.api_version or _VERSION


def _lacks(endpoint: Endpoint) -> frozenset[str]:
    retired = _SAMPLING if _version(endpoint) >= _VERSION_WITHOUT_SAMPLING else frozenset()
    return endpoint.quirks.lacks | retired


def _headers(endpoint: Endpoint) -> dict[str, str]:
    key = {"x-api-key": endpoint.api_key} if endpoint.api_key else {}
    return {"anthropic-version": _version(endpoint), **key}


def _answer(body: dict[str, Any], finish_reason: str, stamp: AnswerStamp) -> ChatAnswer:
    choice = whole_choice(message_of(body), finish_reason)
    return whole_answer(stamp, [choice], usage_of(body.get("usage")), Native(FORM, body))


def _window(headers: Mapping[str, str], kind: str, now: datetime) -> Window | None:
    window = Window(
        limit=_number(headers.get(f"{_LIMITS}{kind}-limit")),
        remaining=_number(headers.get(f"{_LIMITS}{kind}-remaining")),
        reset_s=_seconds_to(headers.get(f"{_LIMITS}{kind}-reset"), now),
    )
    return None if window == Window() else window


def _number(stated: str | None) -> int | None:
    return int(stated) if stated and stated.isascii() and stated.isdecimal() else None


def _seconds_to(stated: str | None, now: datetime) -> float | None:
    """Reads a time as RFC 3339 writes it; one that is past is now."""
    try:
        reset = datetime.fromisoformat(stated or "")
    except ValueError:
        return None
    return max(0.0, (reset - now).total_seconds()) if reset.tzinfo else None
