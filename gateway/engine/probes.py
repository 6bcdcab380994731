from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from gateway.config.registry import Provider, Registry, Timeouts
from gateway.engine.targets import capabilities_of, dialect_of, endpoint_of
from gateway.kernel.clock import Clock
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.net.upstream import Upstream

ConnectionStatus = Literal["connected", "degraded", "offline", "unknown"]

_OK = 200
_LONGEST_PROBE_S = 10.0
_SLOW_S = {"local": 2.0, "cloud": 5.0}
_DEFAULT_PORTS = {"http": 80, "https": 443}

# The provider is there and answers, if badly.
_DEGRADED = frozenset({ReasonCode.PROVIDER_DEGRADED, ReasonCode.RATE_LIMITED, ReasonCode.QUOTA_EXHAUSTED})
_AWAY = frozenset(
    {
        ReasonCode.CONNECTION_FAILED,
        ReasonCode.TIMEOUT,
        ReasonCode.STREAM_INTERRUPTED,
        ReasonCode.INVALID_RESPONSE,
        ReasonCode.PROVIDER_DEGRADED,
        ReasonCode.AUTH_ERROR,
        ReasonCode.MISSING_API_KEY,
        ReasonCode.NO_ENDPOINT,
    }
)
_REJECTED_KEY = frozenset({ReasonCode.AUTH_ERROR, ReasonCode.MISSING_API_KEY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What one call that costs no tokens has shown; `models` is None where none were listed."""

    status: ConnectionStatus
    message: str
    latency_ms: float | None = None
    failure: ProviderFailure | None = None
    models: frozenset[str] | None = None

    @property
    def is_well(self) -> bool:
        """Whether the provider can be called with what the gateway has; it may be busy or lack the list of models."""
        return self.models is not None or self.failure is None or self.failure.reason not in _AWAY


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a preflight."""

    passed: bool
    message: str
    reason: ReasonCode | None = None


@dataclass(frozen=True, slots=True)
class Preflight:
    """Whether a provider may take traffic, and what speaks against it; `warning` does not."""

    checks: dict[str, Check]
    warning: ProviderFailure | None

    @property
    def ready(self) -> bool:
        return all(check.passed for check in self.checks.values())


class Prober:
    """Makes real calls to providers, and remembers what the last one showed."""

    def __init__(self, upstream: Upstream, registry: Registry, clock: Clock) -> None:
        self._upstream = upstream
        self._registry = registry
        self._clock = clock
        self._last: dict[str, ConnectionStatus] = {}

    def last_status(self, provider: Provider) -> ConnectionStatus:
        return self._last.get(provider.name, "unknown")

    async def test(self, provider: Provider, timeout_s: float = _LONGEST_PROBE_S) -> Probe:
        """Calls a provider once."""
        probe = await self._probe(provider, timeout_s)
        self._last[provider.name] = probe.status
        return probe

    async def preflight(self, provider: Provider) -> Preflight:
        """Checks step by step what a provider needs to take traffic."""
        endpoint = await self._check_endpoint(provider)
        probe = await self.test(provider)
        checks = {
            "endpoint": endpoint,
            "connection": _check_connection(probe),
            "credentials": _check_credentials(provider, probe),
            "capabilities": self._check_capabilities(provider, probe),
        }
        return Preflight(checks, probe.failure if probe.status == "degraded" else None)

    async def _probe(self, provider: Provider, timeout_s: float) -> Probe:
        if missing := _missing(provider):
            return Probe(status="offline", message=missing.detail, failure=missing)
        began_s = self._clock.monotonic_s()
        try:
            models = await self._list_models(provider, timeout_s)
        except ProviderError as error:
            return _failed(error.failure, self._elapsed_ms(began_s))
        return _answered(provider, models, self._elapsed_ms(began_s))

    async def _list_models(self, provider: Provider, timeout_s: float) -> frozenset[str]:
        dialect = dialect_of(provider)
        call = dialect.encode_probe(endpoint_of(provider, self._clock.now()), provider.vendor.probe_path)
        answer = await self._upstream.fetch(call, _probe_timeouts(provider, timeout_s))
        if answer.status != _OK:
            raise ProviderError(dialect.classify(answer))
        return dialect.read_probe(answer)

    def _elapsed_ms(self, began_s: float) -> float:
        return round((self._clock.monotonic_s() - began_s) * 1000, 3)

    async def _check_endpoint(self, provider: Provider) -> Check:
        if not provider.base_url:
            return _failing(_missing(provider))
        address = urlsplit(provider.base_url)
        port = address.port or _DEFAULT_PORTS[address.scheme]
        try:
            await self._upstream.connect(address.hostname or "", port, provider.timeouts.connect_s)
        except ProviderError as error:
            return _failing(error.failure)
        return Check(passed=True, message="The address accepts connections.")

    def _check_capabilities(self, provider: Provider, probe: Probe) -> Check:
        if probe.models is None:
            return Check(passed=False, message="The models could not be listed.", reason=_reason_of(probe))
        wanted = [model.upstream_model for model in self._registry.models_of(provider.name)]
        if "model_listing" not in capabilities_of(provider):
            return Check(
                passed=True, message="The provider answers; it does not list what is deployed there."
            )
        lacking = [model for model in wanted if model not in probe.models]
        if lacking:
            text = f"The provider does not list {', '.join(lacking)}."
            return Check(passed=False, message=text, reason=ReasonCode.MODEL_UNAVAILABLE)
        return Check(passed=True, message=f"All configured models are there ({len(wanted)}).")


def _probe_timeouts(provider: Provider, timeout_s: float) -> Timeouts:
    configured = provider.timeouts
    bound_s = min(configured.total_s, timeout_s)
    return Timeouts(
        connect_s=min(configured.connect_s, bound_s),
        first_byte_s=min(configured.first_byte_s, bound_s),
        whole_s=min(configured.first_byte_s, bound_s),
        idle_s=min(configured.idle_s, bound_s),
        total_s=bound_s,
    )


def _missing(provider: Provider) -> ProviderFailure | None:
    if not provider.base_url:
        variable = provider.vendor.base_url_env or provider.vendor.region_env
        detail = f"Neither base_url nor the variable {variable} is set."
        return ProviderFailure(reason=ReasonCode.NO_ENDPOINT, detail=detail)
    if provider.lacks_key:
        detail = f"The variable {' and '.join(provider.missing)} is not set."
        return ProviderFailure(reason=ReasonCode.MISSING_API_KEY, detail=detail)
    return None


def _answered(provider: Provider, models: frozenset[str], latency_ms: float) -> Probe:
    limit_s = _SLOW_S[provider.runtime]
    if latency_ms <= limit_s * 1000:
        message = f"{provider.vendor.display_name} answers."
        return Probe(status="connected", message=message, latency_ms=latency_ms, models=models)
    detail = f"The answer took {latency_ms:.0f} ms; the limit is {limit_s:g} s."
    failure = ProviderFailure(reason=ReasonCode.PROVIDER_DEGRADED, detail=detail)
    return Probe(status="degraded", message=detail, latency_ms=latency_ms, failure=failure, models=models)


def _failed(failure: ProviderFailure, latency_ms: float) -> Probe:
    status: ConnectionStatus = "degraded" if failure.reason in _DEGRADED else "offline"
    return Probe(status=status, message=failure.detail, latency_ms=latency_ms, failure=failure)


def _reason_of(probe: Probe) -> ReasonCode | None:
    return probe.failure.reason if probe.failure else None


def _failing(failure: ProviderFailure | None) -> Check:
    assert failure is not None
    return Check(passed=False, message=failure.detail, reason=failure.reason)


def _check_connection(probe: Probe) -> Check:
    if probe.models is None:
        return _failing(probe.failure)
    return Check(passed=True, message=f"The provider answered in {probe.latency_ms:.0f} ms.")


def _check_credentials(provider: Provider, probe: Probe) -> Check:
    if probe.failure and probe.failure.reason in _REJECTED_KEY:
        return _failing(probe.failure)
    if provider.api_key is None and not provider.lacks_key:
        return Check(passed=True, message="The provider needs no key.")
    if probe.models is None:
        return Check(passed=False, message="The key could not be tried.", reason=_reason_of(probe))
    return Check(passed=True, message=f"The key in {provider.api_key_env} was accepted.")
