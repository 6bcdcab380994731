import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware

from gateway.config.registry import Registry
from gateway.config.settings import Settings
from gateway.engine.activation import Activation
from gateway.engine.admission import Admission
from gateway.engine.attempting import Attempting
from gateway.engine.attempts import TrailLog
from gateway.engine.calls import Calls
from gateway.engine.candidates import Candidates
from gateway.engine.drain import Drain
from gateway.engine.failover import Failover
from gateway.engine.health import Health
from gateway.engine.monitor import Monitor
from gateway.engine.pipeline import Pipeline
from gateway.engine.probes import Prober
from gateway.kernel.clock import Clock, SystemClock, sleep_in_full
from gateway.kernel.errors import GatewayError
from gateway.kernel.ids import id_source
from gateway.kernel.logs import Log, build_log
from gateway.kernel.masking import Scrubber
from gateway.net.upstream import Upstream
from gateway.web.attempts import Attempts
from gateway.web.catalog import Catalog
from gateway.web.governance import Governance
from gateway.web.inference import Inference
from gateway.web.liveness import Liveness
from gateway.web.openapi import OpenApi
from gateway.web.problems import Problems
from gateway.web.providers import Providers
from gateway.web.reason_catalog import ReasonCatalog
from gateway.web.request_id import RequestIdMiddleware
from gateway.web.routes import build_routes
from gateway.web.shortcut import ShortcutMiddleware


def scrubber_for(settings: Settings, registry: Registry) -> Scrubber:
    """Builds the scrubber that knows every secret of this process."""
    keys = [secret for provider in registry.providers.values() for secret in provider.secrets]
    return Scrubber([*settings.user_keys, *settings.admin_keys, *keys])


def create_app(
    settings: Settings,
    registry: Registry,
    *,
    clock: Clock | None = None,
    log: Log | None = None,
    drain: Drain | None = None,
    new_id: Callable[[], str] | None = None,
) -> Starlette:
    """Builds the application: the only place that knows all the parts and joins them."""
    rng = Random()  # noqa: S311  it spreads retries and probes
    clock, drain, scrubber = clock or SystemClock(), drain or Drain(), scrubber_for(settings, registry)
    new_id = new_id or id_source()
    log = log or build_log(settings.log_level, sys.stderr, clock, scrubber)
    admission = Admission(settings.user_keys, settings.admin_keys)
    problems = Problems(scrubber, clock)
    upstream, resilience = Upstream(), registry.resilience
    health = Health(resilience.breaker, resilience.health_checks, clock, log)
    trails, activation = TrailLog(clock), Activation()
    prober = Prober(upstream, registry, clock)
    monitor = Monitor(
        registry=registry,
        prober=prober,
        health=health,
        checks=resilience.health_checks,
        clock=clock,
        rng=rng,
        log=log,
    )
    failover = Failover(
        calls=Calls(upstream, clock),
        attempting=Attempting(health, clock),
        trails=trails,
        rng=rng,
        sleep=sleep_in_full,
    )
    pipeline = Pipeline(
        registry=registry,
        candidates=Candidates(registry),
        admission=admission,
        drain=drain,
        activation=activation,
        failover=failover,
        trails=trails,
        clock=clock,
        log=log,
        new_id=new_id,
    )
    inference = Inference(pipeline, problems)
    app = Starlette(
        routes=build_routes(
            Liveness(drain, upstream),
            inference,
            Catalog(registry, admission, int(clock.now().timestamp())),
            Providers(registry, admission, prober, health, activation, problems, log),
            ReasonCatalog(admission),
            OpenApi(),
            Governance(registry, admission, trails, problems),
            Attempts(admission, trails, problems),
        ),
        lifespan=_lifespan(upstream, monitor),
    )
    app.router.redirect_slashes = False
    handlers = {GatewayError: problems.of_gateway, HTTPException: problems.of_http}
    routed = ExceptionMiddleware(app.router, handlers)
    served = ShortcutMiddleware(routed, endpoints=inference.endpoints, problems=problems)
    # Starlette would put around it what answers unexpected errors, which the outermost of ours does better.
    app.middleware_stack = RequestIdMiddleware(served, clock=clock, log=log, problems=problems, new_id=new_id)
    return app


def _lifespan(
    upstream: Upstream, monitor: Monitor
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await upstream.open()
        watching = asyncio.create_task(monitor.run())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await upstream.close()

    return lifespan
