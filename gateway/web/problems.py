"""The only place that writes an error."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ExhaustedError, GatewayError, ProviderError, RequestError
from gateway.kernel.masking import Scrubber
from gateway.web.identity import request_id_of
from gateway.web.json_response import JsonResponse

_MANAGEMENT = "/api/"

_BY_STATUS = {
    HTTPStatus.NOT_FOUND: ReasonCode.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: ReasonCode.METHOD_NOT_ALLOWED,
}


class Problems:
    """Writes errors in the form that the face of the gateway has: OpenAI's, or that of the management API."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber

    async def of_gateway(self, request: Request, error: Exception) -> Response:
        """Handles GatewayError for Starlette."""
        assert isinstance(error, GatewayError)
        return self.response(error, request.url.path, request_id_of(request))

    async def of_http(self, request: Request, error: Exception) -> Response:
        """Handles Starlette's own errors: no such route, or not with this method."""
        assert isinstance(error, HTTPException)
        code = _BY_STATUS.get(HTTPStatus(error.status_code), ReasonCode.INVALID_REQUEST)
        response = self.response(RequestError(code), request.url.path, request_id_of(request))
        response.headers.update(error.headers or {})
        return response

    def response(self, error: GatewayError, path: str, request_id: str) -> Response:
        management = path.startswith(_MANAGEMENT)
        body = self._detail(error, request_id) if management else self.openai_body(error, request_id)
        return JsonResponse(body, error.reason.status, _headers(error))

    def openai_body(self, error: GatewayError, request_id: str) -> dict[str, Any]:
        """Writes OpenAI's error object; its `code` is our reason code."""
        return {
            "error": {
                "message": self._scrubber.text(error.user_message),
                "type": error.reason.openai_type,
                "param": error.param,
                "code": error.code,
                "request_id": request_id,
            }
        }

    def stream_event(self, error: GatewayError, request_id: str) -> bytes:
        """Writes the data of the event with which a stream ends that cannot end properly."""
        return orjson.dumps(self.openai_body(error, request_id))

    def error_info(self, error: GatewayError) -> dict[str, Any]:
        """Writes what an administrator is told of a provider's failure."""
        return {
            "reason_code": error.code,
            "user_message": error.user_message,
            "admin_message": self._scrubber.text(error.admin_message),
            "recovery_hint": error.reason.recovery_hint,
            "runbook": error.reason.runbook,
            "severity": error.reason.severity,
        }

    def _detail(self, error: GatewayError, request_id: str) -> dict[str, Any]:
        return {
            "detail": {
                "error": error.code,
                "message": self._scrubber.text(error.user_message),
                "reason_code": error.code,
                "request_id": request_id,
                "recovery_hint": error.reason.recovery_hint,
                "runbook": error.reason.runbook,
            }
        }


def _headers(error: GatewayError) -> Mapping[str, str]:
    headers = {}
    if error.reason.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, ProviderError | ExhaustedError):
        # The chain has been tried already: an SDK that tries again would only multiply the calls.
        headers["x-should-retry"] = "false"
    if isinstance(error, ProviderError) and error.failure.retry_after and error.code in _WAITING:
        headers["retry-after"] = error.failure.retry_after
    return headers


_WAITING = frozenset({ReasonCode.RATE_LIMITED, ReasonCode.PROVIDER_DEGRADED})
