from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.config.registry import Provider, Registry
from gateway.engine.activation import Activation
from gateway.engine.admission import Admission
from gateway.engine.health import Health
from gateway.engine.probes import Check, ConnectionStatus, Prober
from gateway.engine.targets import capabilities_of
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure, RequestError
from gateway.kernel.logs import Log
from gateway.schema.chat import load_body
from gateway.web.callers import read_body
from gateway.web.identity import credentials_of, request_id_of
from gateway.web.json_response import JsonResponse
from gateway.web.problems import Problems


@dataclass(frozen=True, slots=True)
class Providers:
    """The management routes of providers: read with a user key, act with an admin key."""

    registry: Registry
    admission: Admission
    prober: Prober
    health: Health
    activation: Activation
    problems: Problems
    log: Log

    async def list_providers(self, request: Request) -> Response:
        self.admission.admit_user(credentials_of(request))
        providers = list(self.registry.providers.values())
        chosen = self.activation.active
        active = (
            chosen.provider
            if chosen
            else next((provider.name for provider in providers if provider.is_active), None)
        )
        return JsonResponse(
            {
                "status": "success",
                "providers": [self._describe(provider) for provider in providers],
                "active_provider": active,
                "count": len(providers),
            }
        )

    async def show_provider(self, request: Request) -> Response:
        self.admission.admit_user(credentials_of(request))
        return JsonResponse({"status": "success", "provider": self._describe(self._named(request))})

    async def test_connection(self, request: Request) -> Response:
        self.admission.admit_admin(credentials_of(request))
        provider = self._named(request)
        probe = await self.prober.test(provider)
        failure = probe.failure
        return JsonResponse(
            {
                "status": "success" if probe.status == "connected" else "failure",
                "provider": provider.name,
                "connection_status": probe.status,
                "latency_ms": probe.latency_ms,
                "message": self.problems.shown(probe.message),
                "error_info": self.problems.error_info(ProviderError(failure)) if failure else None,
                "request_id": request_id_of(request),
            }
        )

    async def preflight(self, request: Request) -> Response:
        self.admission.admit_admin(credentials_of(request))
        provider = self._named(request)
        report = await self.prober.preflight(provider)
        warnings = [report.warning] if report.warning else []
        return JsonResponse(
            {
                "status": "success",
                "provider": provider.name,
                "overall_status": "ready" if report.ready else "not_ready",
                "checks": {name: self._line(check) for name, check in report.checks.items()},
                "ready_for_activation": report.ready,
                "warnings": [
                    {"code": warning.reason, "message": self.problems.shown(warning.detail)}
                    for warning in warnings
                ],
                "request_id": request_id_of(request),
            }
        )

    async def activate(self, request: Request) -> Response:
        """Lets a provider be asked first, wherever it is among those that may answer; not while it is away."""
        self.admission.admit_admin(credentials_of(request))
        provider = self._named(request)
        model = await self._model_in(request, provider)
        if not provider.is_active:
            raise ProviderError(
                ProviderFailure(
                    reason=ReasonCode.PROVIDER_OFFLINE, detail="It is not active as it is configured."
                )
            )
        probe = await self.prober.test(provider)
        if not probe.is_well and probe.failure:
            detail = f"{probe.failure.reason}: {probe.failure.detail}"
            raise ProviderError(ProviderFailure(reason=ReasonCode.PROVIDER_OFFLINE, detail=detail))
        self.activation.activate(provider.name, model)
        self.health.lift(provider.name)
        self.log.info("provider activated", provider=provider.name, model=model)
        return JsonResponse(
            {
                "status": "success",
                "provider": provider.name,
                "model": model,
                "message": f"{provider.name} is asked first from now on.",
                "request_id": request_id_of(request),
            }
        )

    async def deactivate(self, request: Request) -> Response:
        """Returns to the order that is configured."""
        self.admission.admit_admin(credentials_of(request))
        provider = self._named(request)
        self.activation.deactivate(provider.name)
        self.log.info("provider deactivated", provider=provider.name)
        return JsonResponse(
            {
                "status": "success",
                "provider": provider.name,
                "model": None,
                "message": f"{provider.name} is asked in its place of the configured order.",
                "request_id": request_id_of(request),
            }
        )

    async def _model_in(self, request: Request, provider: Provider) -> str | None:
        payload = await read_body(request)
        model = load_body(payload).get("model") if payload else None
        if model is not None and model not in [each.name for each in self.registry.models_of(provider.name)]:
            text = f"model: {provider.name} has no model {model!r}."
            raise RequestError(ReasonCode.INVALID_REQUEST, text, param="model")
        return model

    def _named(self, request: Request) -> Provider:
        name = request.path_params["provider"]
        provider = self.registry.providers.get(name)
        if provider is None:
            raise RequestError(ReasonCode.UNSUPPORTED_PROVIDER, f"The provider {name!r} does not exist.")
        return provider

    def _describe(self, provider: Provider) -> dict[str, Any]:
        vendor = provider.vendor
        return {
            "name": provider.name,
            "display_name": vendor.display_name,
            "provider_type": vendor.provider_type,
            "runtime": provider.runtime,
            "dialect": vendor.dialect,
            "capabilities": dict.fromkeys(sorted(capabilities_of(provider)), True),
            "connection_status": self._status(provider),
            "left_alone": [
                {
                    "model": each.model,
                    "state": each.state,
                    "for_s": round(each.for_s, 3),
                    "reason_code": each.reason,
                }
                for each in self.health.report(provider.name)
            ],
            "is_active": provider.is_active,
            "missing_variables": list(provider.missing),
            "endpoint": provider.public_url,
            "models": [model.name for model in self.registry.models_of(provider.name)],
        }

    def _status(self, provider: Provider) -> ConnectionStatus:
        return "offline" if self.health.is_offline(provider.name) else self.prober.last_status(provider)

    def _line(self, check: Check) -> dict[str, Any]:
        return {
            "status": "passed" if check.passed else "failed",
            "passed": check.passed,
            "message": self.problems.shown(check.message),
            "reason_code": check.reason,
        }
