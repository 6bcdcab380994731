from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from gateway.engine.drain import Drain
from gateway.net.upstream import Upstream
from gateway.web.json_response import JsonResponse


@dataclass(frozen=True, slots=True)
class Liveness:
    """What load balancers and orchestrators ask; nothing here tells a stranger what runs behind it."""

    drain: Drain
    upstream: Upstream

    async def live(self, _request: Request) -> Response:
        return JsonResponse({"status": "alive"})

    async def health(self, _request: Request) -> Response:
        return JsonResponse({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        checks = {
            "accepting": "draining" if self.drain.begun else "ok",
            "upstream_client": "ok" if self.upstream.is_open else "closed",
        }
        ready = all(state == "ok" for state in checks.values())
        return JsonResponse(
            {"status": "ready" if ready else "not_ready", "checks": checks}, 200 if ready else 503
        )
