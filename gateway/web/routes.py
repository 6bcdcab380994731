from starlette.routing import BaseRoute, Route

from gateway.web.catalog import Catalog
from gateway.web.inference import Inference
from gateway.web.liveness import Liveness
from gateway.web.providers import Providers


def build_routes(
    liveness: Liveness, inference: Inference, catalog: Catalog, providers: Providers
) -> list[BaseRoute]:
    """Lists every URL of the gateway."""
    return [
        Route("/_health/live", liveness.live),
        Route("/_health/ready", liveness.ready),
        Route("/health", liveness.health),
        Route("/v1/chat/completions", inference.chat, methods=["POST"]),
        Route("/v1/models", catalog.list_models),
        Route("/v1/models/{model:path}", catalog.show_model),
        Route("/api/v1/providers", providers.list_providers),
        Route("/api/v1/providers/{provider}", providers.show_provider),
        Route("/api/v1/providers/{provider}/test-connection", providers.test_connection, methods=["POST"]),
        Route("/api/v1/providers/{provider}/preflight", providers.preflight, methods=["POST"]),
    ]
