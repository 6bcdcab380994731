"""Probes providers in the background, by calls that cost no tokens."""

import asyncio
from dataclasses import dataclass
from math import inf
from random import Random

from gateway.config.registry import Provider, Registry
from gateway.config.resilience import HealthChecks
from gateway.engine.health import Health
from gateway.engine.probes import Probe, Prober
from gateway.kernel.clock import Clock
from gateway.kernel.logs import Log

# Gateways that were started together do not probe together for ever.
_SPREAD = 0.1

_LEAST_GAP_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """Checks every active provider at its interval, and more often those of which a target is left alone."""

    registry: Registry
    prober: Prober
    health: Health
    checks: HealthChecks
    clock: Clock
    rng: Random
    log: Log

    async def run(self) -> None:
        """Runs until it is cancelled."""
        active = (provider for provider in self.registry.providers.values() if provider.is_active)
        async with asyncio.TaskGroup() as group:
            for provider in active:
                group.create_task(self._watch(provider))

    async def _watch(self, provider: Provider) -> None:
        check_due_s = self.clock.monotonic_s() if self.checks.enabled else inf
        soonest_s = -inf
        while True:
            due_s = self.health.probe_due_s(provider.name)
            due_s = check_due_s if due_s is None else min(check_due_s, max(due_s, soonest_s))
            if not await self._is_due(provider, due_s):
                continue
            if self.checks.enabled:
                interval_s = self.checks.interval_s * (1 - _SPREAD * self.rng.random())
                check_due_s = self.clock.monotonic_s() + interval_s
            soonest_s = self.clock.monotonic_s() + self._least_gap_s
            # A loop's timer may be early by a millisecond, and a probe counts only once it was due.
            await self._probe(provider, max(due_s, self.clock.monotonic_s()))

    @property
    def _least_gap_s(self) -> float:
        """A probe tells of all models of a provider, so that many of them in trouble need no more of them."""
        return min(_LEAST_GAP_S, self.registry.resilience.breaker.probe_interval_s)

    async def _is_due(self, provider: Provider, due_s: float) -> bool:
        """Waits until then, and returns early, with False, where something has happened that may alter it."""
        wake = self.health.wakes[provider.name]
        wait_s = due_s - self.clock.monotonic_s()
        if wait_s <= 0:
            return True
        try:
            async with asyncio.timeout(None if wait_s == inf else wait_s):
                await wake.wait()
        except TimeoutError:
            return True
        wake.clear()
        return False

    async def _probe(self, provider: Provider, began_s: float) -> None:
        # The next one is due an interval after this one was sent, not after a provider has kept silent.
        timeout_s = min(
            self.checks.timeout_s, max(_LEAST_GAP_S, self.registry.resilience.breaker.probe_interval_s)
        )
        try:
            probe = await self.prober.test(provider, timeout_s)
        except Exception:  # the gateway's own fault, which must neither keep a target away nor end the watch
            self.log.exception("probe failed", provider=provider.name)
            probe = Probe(status="unknown", message="The probe could not be made.")
        self.health.note_probe(provider.name, probe, began_s)
