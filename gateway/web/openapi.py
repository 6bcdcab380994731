from collections.abc import Mapping
from http import HTTPStatus
from importlib import resources
from typing import Any

import orjson
import yaml
from starlette.requests import Request
from starlette.responses import Response

from gateway.kernel.codes import ReasonCode
from gateway.kernel.reasons import REASONS

_REFUSED_TO = {"none": (), "user": (401,), "admin": (401, 403)}
_SECURITY: Mapping[str, list[dict[str, list[str]]]] = {
    "none": [],
    "user": [{"userKey": []}, {"adminKey": []}],
    "admin": [{"adminKey": []}, {"adminBearer": []}],
}
_HEADERS = {
    401: {"WWW-Authenticate": "Challenge"},
    429: {"Retry-After": "RetryAfter", "X-Should-Retry": "ShouldRetry"},
    502: {"Retry-After": "RetryAfter", "X-Should-Retry": "ShouldRetry"},
    503: {"Retry-After": "RetryAfter", "X-Should-Retry": "ShouldRetry"},
    504: {"X-Should-Retry": "ShouldRetry"},
}


_OF_MODELS = ["Inference"]
_PROVENANCE = {
    "X-Gateway-Provider": "Provider",
    "X-Gateway-Model": "Model",
    "X-Gateway-Attempts": "Attempts",
    "X-Gateway-Dropped-Params": "Dropped",
}


class OpenApi:
    """The description of the gateway for machines, the same for everybody."""

    def __init__(self) -> None:
        self._body = orjson.dumps(build_document())

    async def show(self, _request: Request) -> Response:
        return Response(self._body, media_type="application/json")


def build_document() -> dict[str, Any]:
    """Builds the OpenAPI 3.1 document out of `openapi.yaml` and the table of reasons."""
    text = resources.files("gateway.web").joinpath("openapi.yaml").read_text(encoding="utf-8")
    # libyaml, where PyYAML was built with it, is ten times as fast; both load plain values only.
    source = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    components = source["components"]
    components["schemas"]["ReasonCode"] = {"type": "string", "enum": [str(code) for code in ReasonCode]}
    return {
        "openapi": "3.1.0",
        "info": source["info"],
        "servers": [{"url": "/", "description": "This gateway"}],
        "tags": source["tags"],
        "paths": {
            path: {method: _operation(**stated) for method, stated in methods.items()}
            for path, methods in source["paths"].items()
        },
        "components": components,
    }


def _operation(
    *,
    access: str,
    answers: Mapping[int, Any],
    form: str = "openai",
    errors: tuple[int, ...] = (),
    parameters: tuple[Any, ...] = (),
    **stated: Any,
) -> dict[str, Any]:
    told = _PROVENANCE if stated["tags"] == _OF_MODELS and "requestBody" in stated else {}
    failures = sorted({*_REFUSED_TO[access], *errors, HTTPStatus.INTERNAL_SERVER_ERROR})
    return {
        **stated,
        "security": _SECURITY[access],
        "parameters": [*parameters, {"$ref": "#/components/parameters/RequestId"}],
        "responses": {str(status): _answer(status, answer, told) for status, answer in answers.items()}
        | {str(int(status)): _failure(status, form) for status in failures},
    }


def _answer(status: int, answer: str | dict[str, Any], told: Mapping[str, str]) -> dict[str, Any]:
    if isinstance(answer, str):
        schema = {"$ref": f"#/components/schemas/{answer}"}
        answer = {"description": answer, "content": {"application/json": {"schema": schema}}}
    return {**answer, "headers": _headers(status, told)}


def _failure(status: int, form: str) -> dict[str, Any]:
    codes = ", ".join(f"`{code}`" for code, reason in REASONS.items() if reason.status == status)
    schema = {"$ref": f"#/components/schemas/{form}Error"}
    return {
        "description": f"{HTTPStatus(status).phrase}: {codes}",
        "headers": _headers(status, {}),
        "content": {"application/json": {"schema": schema}},
    }


def _headers(status: int, told: Mapping[str, str]) -> dict[str, Any]:
    named = {"X-Request-ID": "RequestId", **_HEADERS.get(status, {}), **told}
    return {header: {"$ref": f"#/components/headers/{name}"} for header, name in named.items()}
