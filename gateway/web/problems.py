"""The only place that writes an error."""

from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.faces import FACES, Face, Problem
from gateway.kernel.clock import Clock
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ExhaustedError, GatewayError, ProviderError, ProviderFailure, RequestError
from gateway.kernel.masking import Scrubber
from gateway.web.identity import request_id_of
from gateway.web.json_response import JsonResponse

_MANAGEMENT = "/api/"

_BY_STATUS = {
    HTTPStatus.NOT_FOUND: ReasonCode.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: ReasonCode.METHOD_NOT_ALLOWED,
}


class Problems:
    """Writes errors in the form that the face of the gateway has, or in that of the management API."""

    def __init__(self, scrubber: Scrubber, clock: Clock) -> None:
        self._scrubber = scrubber
        self._clock = clock

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
        if path.startswith(_MANAGEMENT):
            return JsonResponse(self._detail(error, request_id), error.reason.status, _headers(error))
        face = _face_at(path)
        headers = {**_headers(error), **self._limits(error, face), face.request_id_header: request_id}
        return JsonResponse(face.error_body(self.problem(error, request_id)), error.reason.status, headers)

    def problem(self, error: GatewayError, request_id: str) -> Problem:
        """Makes an error fit to be shown to callers."""
        return Problem(
            code=error.code,
            status=error.reason.status,
            kind=error.reason.openai_type,
            message=self._scrubber.text(error.user_message),
            param=error.param,
            request_id=request_id,
        )

    def shown(self, text: str) -> str:
        """Removes secrets from what an administrator is told."""
        return self._scrubber.text(text)

    def error_info(self, error: GatewayError) -> dict[str, Any]:
        """Writes what an administrator is told of a provider's failure."""
        return {
            "reason_code": error.code,
            "user_message": self.shown(error.user_message),
            "admin_message": self.shown(error.admin_message),
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

    def _limits(self, error: GatewayError, face: Face) -> Mapping[str, str]:
        limits = error.failure.limits if isinstance(error, ProviderError) else None
        return face.limit_headers(limits, self._clock.now()) if limits else {}


def _face_at(path: str) -> Face:
    """Finds the face that an address belongs to; what belongs to none is answered in OpenAI's form."""
    return next((face for face in FACES if f"{path}/".startswith(f"{face.path}/")), FACES[0])


def _headers(error: GatewayError) -> Mapping[str, str]:
    headers = {}
    if error.reason.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, ProviderError | ExhaustedError):
        # The chain has been tried already: an SDK that tries again would only multiply the calls.
        headers["x-should-retry"] = "false"
    if retry_after := _retry_after(error):
        headers["retry-after"] = retry_after
    return headers


def _retry_after(error: GatewayError) -> str | None:
    if isinstance(error, ProviderError):
        return _whole_seconds(error.failure) if error.code in _WAITING else None
    return error.retry_after if isinstance(error, ExhaustedError) else None


def _whole_seconds(failure: ProviderFailure) -> str | None:
    """Tells the wait in the one form that every SDK reads, in whichever the provider has told it."""
    return failure.retry_after if failure.wait_s is None else str(ceil(failure.wait_s))


_WAITING = frozenset({ReasonCode.RATE_LIMITED, ReasonCode.PROVIDER_DEGRADED, ReasonCode.PROVIDER_OFFLINE})
