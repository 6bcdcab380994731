from dataclasses import dataclass
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.config.registry import Registry
from gateway.config.resilience import Chain
from gateway.engine.admission import Admission
from gateway.engine.attempts import Fallback, TrailLog
from gateway.web.identity import credentials_of
from gateway.web.json_response import JsonResponse
from gateway.web.problems import Problems

_LATEST = 10


@dataclass(frozen=True, slots=True)
class Governance:
    """What the gateway does when providers fail, and what it has done lately."""

    registry: Registry
    admission: Admission
    trails: TrailLog
    problems: Problems

    async def status(self, request: Request) -> Response:
        self.admission.admit_user(credentials_of(request))
        latest = islice(self.trails.latest_fallbacks(), _LATEST)
        return JsonResponse(
            {
                "status": "success",
                "fallback_policy": self._policy(),
                "recent_fallbacks": [self._fallback(fallback) for fallback in latest],
            }
        )

    def _policy(self) -> dict[str, Any]:
        resilience = self.registry.resilience
        return {
            "triggers": resilience.triggers.model_dump(),
            "order": list(resilience.fallback_order),
            "chains": {name: _chain(chain) for name, chain in self.registry.chains.items()},
            "retries": resilience.retries.model_dump(),
            "breaker": resilience.breaker.model_dump(),
            "health_checks": resilience.health_checks.model_dump(),
            "rescue": resilience.rescue,
            "hedge_after_s": resilience.hedge_after_s,
        }

    def _fallback(self, fallback: Fallback) -> dict[str, Any]:
        return {
            "timestamp": fallback.at.isoformat(),
            "request_id": fallback.request_id,
            "from_provider": fallback.from_candidate.provider.name,
            "from_model": fallback.from_candidate.model.name,
            "to_provider": fallback.to_candidate.provider.name,
            "to_model": fallback.to_candidate.model.name,
            "reason_code": fallback.failure.reason,
            "message": self.problems.shown(fallback.failure.detail),
        }


def _chain(chain: Chain) -> dict[str, Any]:
    return {**chain.model_dump(), "fallbacks": list(chain.fallbacks)}
