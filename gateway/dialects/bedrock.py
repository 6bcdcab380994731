"""Amazon Bedrock's Converse: the same requests and answers for all of its models (Amazon Bedrock API reference)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from gateway.dialects.bedrock_answer import finish_reason_of, message_of, usage_of
from gateway.dialects.bedrock_errors import exception_in, failure_of, message_in
from gateway.dialects.bedrock_request import request_body
from gateway.dialects.bedrock_stream import BedrockStreamDecoder
from gateway.dialects.classification import dump, failure_of_page, load_object, object_in, unreadable
from gateway.dialects.neutral import whole_answer, whole_choice
from gateway.dialects.protocol import StreamDecoder
from gateway.dialects.shortfall import Shortfall, WithoutEmbeddings
from gateway.dialects.sigv4 import Signer
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.kernel.limits import Limits
from gateway.kernel.quirks import Quirks
from gateway.schema.chat import AnswerStamp, ChatAnswer, ChatRequest
from gateway.schema.exchange import Endpoint, UpstreamAnswer, UpstreamCall

_JSON = {"content-type": "application/json"}
_AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")

# The geographies whose inference profiles the models of a region are called by, and `global` for all of them.
_GEOGRAPHIES = {
    "us": ("us",),
    "us-gov": ("us-gov",),
    "ca": ("us", "ca"),
    "eu": ("eu",),
    "ap": ("apac", "jp", "au"),
}
_GOVERNMENT = "us-gov-"


class BedrockDialect(WithoutEmbeddings):
    """Bedrock over Converse and ConverseStream.

    Requests are signed where the endpoint has a `key_id`; else its key is a Bedrock API key, and stands in them as
    it is. There are no embeddings: Bedrock has them only through InvokeModel, in another format for each model.
    """

    capabilities = frozenset(
        {"chat", "streaming", "tools", "vision", "structured_output", "reasoning", "model_listing"}
    )

    def encode_chat(self, request: ChatRequest, model: str, endpoint: Endpoint) -> UpstreamCall:
        shortfall = Shortfall(endpoint)
        body = dump(request_body(request.body, model, shortfall))
        operation = "converse-stream" if request.stream else "converse"
        url = f"{endpoint.base_url}/model/{quote(model, safe='')}/{operation}"
        return UpstreamCall(
            method="POST",
            url=url,
            headers=_authorized("POST", url, _JSON, body, endpoint),
            body=body,
            dropped=shortfall.dropped,
        )

    def decode_chat(self, answer: UpstreamAnswer, stamp: AnswerStamp) -> ChatAnswer:
        body = object_in(answer)
        if "output" not in body and (exception := exception_in(answer.headers, body)):
            raise ProviderError(failure_of(exception, message_in(body), None))
        return _answer(body, stamp)

    def stream_decoder(
        self, request: ChatRequest, stamp: AnswerStamp, headers: Mapping[str, str]
    ) -> StreamDecoder:
        del headers
        return BedrockStreamDecoder(stamp, include_usage=request.include_usage)

    def classify(self, answer: UpstreamAnswer) -> ProviderFailure:
        if page := failure_of_page(answer):
            return page
        body = load_object(answer.body) or {}
        exception = exception_in(answer.headers, body)
        return failure_of(exception, message_in(body), answer.status, answer.retry_after)

    def limits_in(self, headers: Mapping[str, str], now: datetime, quirks: Quirks) -> Limits | None:
        del headers, now, quirks
        return None

    def encode_probe(self, endpoint: Endpoint, path: str) -> UpstreamCall:
        url = control_plane(endpoint.base_url) + path
        return UpstreamCall(method="GET", url=url, headers=_authorized("GET", url, {}, b"", endpoint))

    def read_probe(self, answer: UpstreamAnswer) -> frozenset[str]:
        listed = (load_object(answer.body) or {}).get("modelSummaries")
        if not isinstance(listed, list):
            raise unreadable("The list of models is not in Bedrock's format.")
        return frozenset(name for model in listed if isinstance(model, dict) for name in _names_of(model))


def control_plane(base_url: str) -> str:
    """Gives the address at which models are listed: AWS has a host of its own for it, others have one for all.

    An endpoint in a private network is left as it is: the name of its counterpart cannot be derived.
    """
    parts = urlsplit(base_url)
    if not parts.netloc.startswith("bedrock-runtime") or not parts.netloc.endswith(_AWS_HOSTS):
        return base_url
    return urlunsplit(parts._replace(netloc="bedrock" + parts.netloc.removeprefix("bedrock-runtime")))


def _authorized(
    method: str, url: str, headers: Mapping[str, str], body: bytes, endpoint: Endpoint
) -> dict[str, str]:
    if not endpoint.key_id:
        return {**headers, **endpoint.bearer_headers}
    if not endpoint.api_key or not endpoint.region:
        # The key id alone says nothing, and the secret must never leave as it is.
        detail = "A signature needs the secret key and the region."
        raise ProviderError(ProviderFailure(reason=ReasonCode.MISSING_API_KEY, detail=detail))
    signer = Signer(
        key_id=endpoint.key_id,
        secret=endpoint.api_key,
        session_token=endpoint.session_token,
        region=endpoint.region,
        service="bedrock",
    )
    return signer.sign(method, url, headers, body, endpoint.now)


def _answer(body: dict[str, Any], stamp: AnswerStamp) -> ChatAnswer:
    output = body.get("output")
    said = output.get("message") if isinstance(output, dict) else None
    message = message_of(said.get("content") if isinstance(said, dict) else None)
    reason = finish_reason_of(body.get("stopReason"), called_tools="tool_calls" in message)
    return whole_answer(stamp, [whole_choice(message, reason)], usage_of(body.get("usage")))


def _names_of(model: Mapping[str, Any]) -> set[str]:
    """Gives the names that a model is called by: its own, its ARN, and those of its inference profiles."""
    name, arn = (str(model.get(field) or "") for field in ("modelId", "modelArn"))
    region = arn.split(":")[3] if arn.count(":") > 3 else ""  # noqa: PLR2004  arn:partition:service:region:...
    geography = "us-gov" if region.startswith(_GOVERNMENT) else region.partition("-")[0]
    profiles = (f"{prefix}.{name}" for prefix in (*_GEOGRAPHIES.get(geography, ()), "global"))
    has_profiles = "INFERENCE_PROFILE" in str(model.get("inferenceTypesSupported"))
    return {name, arn, *(profiles if has_profiles else ())} - {""}
