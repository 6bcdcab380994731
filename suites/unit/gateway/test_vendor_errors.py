"""What every vendor of OpenAI's family means by its errors: one line for each body that is known of it."""

import json
from typing import Any

import pytest

from gateway.config.vendors import load_vendors
from gateway.dialects import DIALECTS
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError
from gateway.schema.exchange import UpstreamAnswer
from suites.unit.gateway.stamped import STAMP

VENDORS = load_vendors()

AUTH = ReasonCode.AUTH_ERROR
BAD = ReasonCode.INVALID_REQUEST
BUSY = ReasonCode.RATE_LIMITED
DEGRADED = ReasonCode.PROVIDER_DEGRADED
FILTERED = ReasonCode.CONTENT_FILTERED
HTTP = ReasonCode.HTTP_ERROR
LONG = ReasonCode.CONTEXT_LENGTH_EXCEEDED
MODEL = ReasonCode.MODEL_UNAVAILABLE
PARAMETER = ReasonCode.UNSUPPORTED_PARAMETER
SPENT = ReasonCode.QUOTA_EXHAUSTED
TIMEOUT = ReasonCode.TIMEOUT

HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


def openai(
    code: str | int | None = None, kind: str = "invalid_request_error", message: str = "No."
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def openrouter(code: int, message: str = "No.", **metadata: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "metadata": metadata}, "user_id": "user_1"}


def fireworks(kind: str, message: str = "No.") -> dict[str, Any]:
    return {"error": {"object": "error", "type": kind, "code": kind, "message": message}}


AZURE_FILTER = {
    "error": {
        "message": "The response was filtered due to the prompt triggering the content management policy.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}},
    }
}
AZURE_INNER = {
    "error": {"message": "No.", "code": "400", "innererror": {"code": "ResponsibleAIPolicyViolation"}}
}

ERRORS = [
    ("openai", 400, openai("context_length_exceeded"), LONG),
    ("openai", 400, openai("content_policy_violation"), FILTERED),
    ("openai", 400, openai("invalid_prompt", message="Your prompt was flagged."), FILTERED),
    ("openai", 400, openai("unsupported_parameter"), PARAMETER),
    ("openai", 400, openai("unknown_parameter"), PARAMETER),
    ("openai", 401, openai("invalid_api_key"), AUTH),
    ("openai", 401, openai(None, message="You didn't provide an API key."), AUTH),
    ("openai", 403, openai("unsupported_country_region_territory", "request_forbidden"), AUTH),
    ("openai", 403, openai("model_not_found"), MODEL),
    ("openai", 404, openai("model_not_found"), MODEL),
    ("openai", 404, openai(None, message="Invalid URL (POST /v1/chat)"), HTTP),
    ("openai", 408, openai(None), TIMEOUT),
    ("openai", 409, openai(None), DEGRADED),
    ("openai", 413, openai(None), LONG),
    ("openai", 422, openai(None), BAD),
    ("openai", 429, openai("rate_limit_exceeded", "requests"), BUSY),
    ("openai", 429, openai("rate_limit_exceeded", "tokens"), BUSY),
    ("openai", 429, openai("rate_limit_exceeded", "tokens", "Request too large for gpt-x."), LONG),
    ("openai", 429, openai("slow_down"), BUSY),
    ("openai", 429, openai("insufficient_quota", "insufficient_quota"), SPENT),
    ("openai", 429, openai("credit_balance_exhausted"), SPENT),
    ("openai", 429, openai("organization_spend_limit_exceeded"), SPENT),
    ("openai", 429, openai("project_spend_limit_exceeded"), SPENT),
    ("openai", 429, openai("organization_usage_limit_exceeded"), SPENT),
    ("openai", 429, openai("billing_not_active"), SPENT),
    ("openai", 500, openai(None, "server_error"), DEGRADED),
    ("openai", 503, openai("server_is_overloaded", "server_error"), DEGRADED),
    ("openai", 504, openai(None, "server_error"), TIMEOUT),
    ("openai", 529, b"", DEGRADED),
    ("openai", 302, b"", HTTP),
    ("openai", 405, b"", HTTP),
    ("openai", 429, b"", BUSY),
    ("openai", 400, HTML, HTTP),
    ("openai", 401, HTML, AUTH),
    ("openai", 403, HTML, HTTP),
    ("openai", 404, HTML, HTTP),
    ("openai", 413, HTML, HTTP),
    ("openai", 429, HTML, BUSY),
    ("openai", 502, HTML, DEGRADED),
    ("openai", 504, HTML, TIMEOUT),
    ("openai", 503, b"upstream connect error", DEGRADED),
    ("azure", 400, AZURE_FILTER, FILTERED),
    ("azure", 400, AZURE_INNER, FILTERED),
    ("azure", 400, openai("OperationNotSupported"), ReasonCode.UNSUPPORTED_OPERATION),
    ("azure", 401, openai("401", message="Access denied due to invalid subscription key."), AUTH),
    ("azure", 401, {"statusCode": 401, "message": "Unauthorized."}, AUTH),
    ("azure", 404, openai("DeploymentNotFound"), MODEL),
    ("azure", 404, openai("404", message="Resource not found"), HTTP),
    ("azure", 408, openai("Timeout"), TIMEOUT),
    ("azure", 429, openai("429", message="Requests have exceeded the call rate limit."), BUSY),
    ("azure", 429, openai("insufficient_quota"), SPENT),
    ("azure", 500, openai("InternalServerError"), DEGRADED),
    ("groq", 400, openai("tool_use_failed"), DEGRADED),
    ("groq", 400, openai("json_validate_failed"), DEGRADED),
    ("groq", 400, openai("model_decommissioned"), MODEL),
    ("groq", 413, openai("rate_limit_exceeded", "tokens", "Request too large for model."), LONG),
    ("groq", 422, openai(None), BAD),
    ("groq", 424, openai(None), DEGRADED),
    ("groq", 429, openai("rate_limit_exceeded", "tokens"), BUSY),
    ("groq", 498, openai("capacity_exceeded"), DEGRADED),
    ("groq", 499, openai(None), HTTP),
    ("openrouter", 400, openrouter(400, "x/y is not a valid model ID"), MODEL),
    ("openrouter", 400, openrouter(400, error_type="context_length_exceeded"), LONG),
    (
        "openrouter",
        400,
        openrouter(400, "Provider returned error", raw="maximum context length is 8192"),
        LONG,
    ),
    ("openrouter", 401, openrouter(401), AUTH),
    ("openrouter", 402, openrouter(402, "Insufficient credits"), SPENT),
    ("openrouter", 402, openrouter(402, limit_source="openrouter_in_flight_budget"), BUSY),
    ("openrouter", 403, openrouter(403, reasons=["violence"], flagged_input="..."), FILTERED),
    ("openrouter", 403, openrouter(403, error_type="content_policy_violation"), FILTERED),
    ("openrouter", 403, openrouter(403, "Your key has no permission."), AUTH),
    ("openrouter", 408, openrouter(408), TIMEOUT),
    ("openrouter", 429, openrouter(429), BUSY),
    ("openrouter", 429, openrouter(429, "Rate limit exceeded: free-models-per-day."), SPENT),
    ("openrouter", 502, openrouter(502, provider_code=500), DEGRADED),
    ("openrouter", 503, openrouter(503), DEGRADED),
    ("together", 402, openai(None), SPENT),
    ("together", 403, openai(None, message="Input token count plus max_tokens must be less."), LONG),
    ("together", 403, openai(None, message="Forbidden."), AUTH),
    ("together", 404, openai("model_not_available"), MODEL),
    ("together", 422, openai(None, message="`inputs` tokens + `max_new_tokens` must be <= 4097"), LONG),
    ("together", 429, {**openai(None), "error_type": "dynamic_token_limited"}, BUSY),
    ("together", 503, openai(None, message="The engine is overloaded."), DEGRADED),
    ("fireworks", 400, fireworks("invalid_request_error", "The prompt is too long: 9 > 8"), LONG),
    ("fireworks", 401, fireworks("UNAUTHORIZED"), AUTH),
    ("fireworks", 402, fireworks("PAYMENT_REQUIRED"), SPENT),
    ("fireworks", 404, fireworks("NOT_FOUND"), MODEL),
    ("fireworks", 412, fireworks("PRECONDITION_FAILED", "Account is suspended."), SPENT),
    ("fireworks", 412, fireworks("PRECONDITION_FAILED", "The adapter failed to load."), HTTP),
    ("fireworks", 413, fireworks("PAYLOAD_TOO_LARGE"), LONG),
    ("fireworks", 504, fireworks("DEADLINE_EXCEEDED"), TIMEOUT),
    ("deepinfra", 402, {"detail": {"error": "Top up."}}, SPENT),
    ("deepinfra", 404, {"detail": {"error": "Model is not available"}}, MODEL),
    ("deepinfra", 422, {"detail": [{"loc": ["body", "n"], "msg": "no integer"}]}, BAD),
    ("deepinfra", 429, openai(None), BUSY),
    ("huggingface", 402, {"error": "You have exceeded your monthly included credits."}, SPENT),
    ("huggingface", 400, openai("model_not_supported"), MODEL),
    ("huggingface", 422, {"error": "too many", "error_type": "validation"}, BAD),
    (
        "huggingface",
        422,
        {"error": "`inputs` tokens + `max_new_tokens` must be <= 9", "error_type": "validation"},
        LONG,
    ),
    ("huggingface", 424, {"error": "failed", "error_type": "generation"}, DEGRADED),
    ("huggingface", 429, {"error": "Model is overloaded", "error_type": "overloaded"}, BUSY),
    ("huggingface", 500, {"error": "cut", "error_type": "incomplete_generation"}, DEGRADED),
    ("huggingface", 503, {"error": "The model is loading", "estimated_time": 20.0}, DEGRADED),
    ("vllm", 400, openai(400, "BadRequestError", "This model's maximum context length is 9."), LONG),
    ("vllm", 400, {"object": "error", "message": "No.", "type": "BadRequestError", "code": 400}, BAD),
    ("vllm", 401, {"error": "Unauthorized"}, AUTH),
    ("vllm", 404, openai(404, "NotFoundError"), MODEL),
    ("vllm", 500, openai(500, "InternalServerError", "EngineCore encountered an issue."), DEGRADED),
    ("vllm", 503, b"", DEGRADED),
    ("llamacpp", 400, openai(400, "exceed_context_size_error"), LONG),
    ("llamacpp", 500, openai(500, "server_error", "Context size has been exceeded."), LONG),
    ("llamacpp", 503, openai(503, "unavailable_error", "Loading model"), DEGRADED),
    ("deepseek", 400, openai(None, message="Content Exists Risk"), FILTERED),
    ("deepseek", 402, openai(None, "unknown_error", "Insufficient Balance"), SPENT),
    ("deepseek", 422, openai(None), BAD),
    ("deepseek", 503, openai(None, "service_unavailable_error"), DEGRADED),
    ("ollama", 400, {"error": "the input length exceeds the context length"}, LONG),
    ("ollama", 400, {"error": "m does not support tools"}, PARAMETER),
    ("ollama", 400, {"error": "m does not support thinking"}, PARAMETER),
    ("ollama", 400, {"error": "m does not support chat"}, ReasonCode.UNSUPPORTED_OPERATION),
    ("ollama", 401, {"error": "unauthorized"}, AUTH),
    ("ollama", 402, {"error": "payment required"}, SPENT),
    ("ollama", 404, {"error": "model 'x' not found, try pulling it first"}, MODEL),
    ("ollama", 404, b"404 page not found", HTTP),
    ("ollama", 413, {"error": "too large"}, LONG),
    ("ollama", 429, {"error": "too many requests"}, BUSY),
    ("ollama", 429, {"error": "you have reached your weekly usage limit"}, SPENT),
    ("ollama", 500, {"error": "llama runner process has terminated"}, DEGRADED),
    ("ollama", 502, {"error": "bad gateway"}, DEGRADED),
    ("ollama", 503, {"error": "server busy, maximum pending requests exceeded"}, DEGRADED),
]


def payload_of(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


@pytest.mark.parametrize(
    ("vendor", "status", "body", "reason"),
    ERRORS,
    ids=[f"{vendor}-{status}-line{line}" for line, (vendor, status, _, _) in enumerate(ERRORS)],
)
def test_error_means_what_the_vendor_means_by_it(
    vendor: str, status: int, body: Any, reason: ReasonCode
) -> None:
    """Of every error of every vendor it is known whether waiting, paying, another model or the caller mends it."""
    answer = UpstreamAnswer(status=status, headers={}, body=payload_of(body))

    failure = DIALECTS[VENDORS[vendor].dialect].classify(answer)

    assert (failure.reason, failure.status) == (reason, status)
    assert failure.detail


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": {"message": "No.", "code": 402}}, SPENT),
        ({"error": {"message": "No.", "code": "429"}}, BUSY),
        ({"error": {"message": "No.", "code": 400, "type": "BadRequestError"}}, BAD),
        ({"error": {"message": "No.", "code": "server_error"}}, DEGRADED),
        ({"error": {"message": "No.", "type": "invalid_request_error"}}, BAD),
        ({"error": {"message": "No.", "type": "timeout"}}, TIMEOUT),
        ({"error": {"message": "No.", "type": "tokens"}}, BUSY),
        ({"error": {"message": "No.", "code": 99999}}, DEGRADED),
        ({"error": {"message": "No.", "code": True}}, DEGRADED),
        ({"error": "maximum context length is 9"}, LONG),
    ],
    ids=["number", "digits", "vLLM", "word", "type", "timeout", "limit", "absurd", "no number", "words"],
)
def test_error_without_a_status_is_known_by_its_code(body: Any, reason: ReasonCode) -> None:
    """Inside a stream, or within an answer of status 200, a number as the code says what the status would."""
    answer = UpstreamAnswer(status=200, headers={}, body=payload_of(body))

    with pytest.raises(ProviderError) as caught:
        DIALECTS["openai"].decode_chat(answer, STAMP)

    assert caught.value.code is reason


@pytest.mark.parametrize(
    ("seconds", "headers", "wait"),
    [
        (16.2, {}, "17"),
        (16.2, {"retry-after": "5"}, "5"),
        (-1, {}, None),
        (True, {}, None),
        ("soon", {}, None),
    ],
    ids=["body", "header first", "negative", "no number", "text"],
)
def test_wait_may_stand_in_the_body(seconds: object, headers: dict[str, str], wait: str | None) -> None:
    """OpenRouter tells the wait that its provider asks for in the error object."""
    body = openrouter(429, retry_after_seconds=seconds)
    answer = UpstreamAnswer(status=429, headers=headers, body=payload_of(body))

    assert DIALECTS["openai"].classify(answer).retry_after == wait
