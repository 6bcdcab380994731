from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.engine.admission import Admission
from gateway.engine.attempts import Attempt, Trail, TrailLog
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import RequestError
from gateway.web.identity import credentials_of
from gateway.web.json_response import JsonResponse
from gateway.web.problems import Problems


@dataclass(frozen=True, slots=True)
class Attempts:
    """Who was asked for one of the latest requests, why, and what became of it."""

    admission: Admission
    trails: TrailLog
    problems: Problems

    async def show(self, request: Request) -> Response:
        self.admission.admit_admin(credentials_of(request))
        request_id = request.path_params["request_id"]
        trail = self.trails.find(request_id)
        if trail is None:
            text = f"Nothing is known of the request {request_id!r}: it is none, or too long ago."
            raise RequestError(ReasonCode.NOT_FOUND, text)
        return JsonResponse(
            {
                "request_id": trail.request_id,
                "model": trail.model,
                "stream": trail.stream,
                "attempts": [self._describe(trail, attempt) for attempt in trail.attempts],
            }
        )

    def _describe(self, trail: Trail, attempt: Attempt) -> dict[str, Any]:
        failure = attempt.failure
        return {
            "number": attempt.number,
            "provider": attempt.candidate.provider.name,
            "model": attempt.candidate.model.name,
            "decision": attempt.decision,
            "outcome": attempt.outcome,
            "began_ms": trail.since_start_ms(attempt.began_s),
            "ended_ms": None if attempt.ended_s is None else trail.since_start_ms(attempt.ended_s),
            "reason_code": failure.reason if failure else None,
            "detail": self.problems.shown(failure.detail) if failure else None,
            "upstream_status": failure.status if failure else None,
            "retry_after_s": failure.wait_s if failure else None,
        }
