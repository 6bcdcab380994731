from starlette.routing import BaseRoute, Route

from gateway.web.attempts import Attempts
from gateway.web.catalog import Catalog
from gateway.web.governance import Governance
from gateway.web.inference import Inference
from gateway.web.liveness import Liveness
from gateway.web.openapi import OpenApi
from gateway.web.providers import Providers
from gateway.web.reason_catalog import ReasonCatalog


def build_routes(  # noqa: PLR0913, PLR0917  one for every group of routes
    liveness: Liveness,
    inference: Inference,
    catalog: Catalog,
    providers: Providers,
    reasons: ReasonCatalog,
    openapi: OpenApi,
    governance: Governance,
    attempts: Attempts,
) -> list[BaseRoute]:
    """Lists every URL of the gateway."""
    return [
        Route("/_health/live", liveness.live),
        Route("/_health/ready", liveness.ready),
        Route("/health", liveness.health),
        *(Route(path, endpoint, methods=["POST"]) for path, endpoint in inference.endpoints.items()),
        Route("/v1/models", catalog.list_models),
        Route("/v1/models/{model:path}", catalog.show_model),
        Route("/api/v1/providers", providers.list_providers),
        Route("/api/v1/providers/{provider}", providers.show_provider),
        Route("/api/v1/providers/{provider}/test-connection", providers.test_connection, methods=["POST"]),
        Route("/api/v1/providers/{provider}/preflight", providers.preflight, methods=["POST"]),
        Route("/api/v1/providers/{provider}/activate", providers.activate, methods=["POST"]),
        Route("/api/v1/providers/{provider}/activate", providers.deactivate, methods=["DELETE"]),
        Route("/api/v1/governance/status", governance.status),
        Route("/api/v1/requests/{request_id}/attempts", attempts.show),
        Route("/api/v1/errors", reasons.list_reasons),
        Route("/api/v1/errors/{code}", reasons.show_reason),
        Route("/openapi.json", openapi.show),
    ]
