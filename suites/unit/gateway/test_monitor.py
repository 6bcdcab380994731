import asyncio
import io
import itertools
from collections.abc import Awaitable, Callable
from random import Random

from gateway.config.registry import Model, Provider, Registry
from gateway.engine.attempts import Attempt
from gateway.engine.health import Health
from gateway.engine.monitor import Monitor
from gateway.engine.probes import Probe, Prober
from gateway.kernel.clock import SystemClock
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderFailure
from gateway.kernel.logs import build_log
from gateway.kernel.masking import Scrubber
from gateway.net.upstream import Upstream
from gateway.policy.fallback import Candidate
from suites.unit.gateway.conftest import registry_of

REFUSED = ProviderFailure(reason=ReasonCode.CONNECTION_FAILED, detail="refused")
OFF = {"enabled": False}
SOON = {"probe_interval_s": 0.02}


class ScriptedProber(Prober):
    """Shows what it is told to, and counts how often it was asked."""

    def __init__(self, registry: Registry, clock: SystemClock, *, well: bool = True) -> None:
        super().__init__(Upstream(), registry, clock)
        self.well = well
        self.broken = False
        self.asked: list[str] = []
        self.asked_at_s: list[float] = []

    async def test(self, provider: Provider, timeout_s: float = 0) -> Probe:
        del timeout_s
        self.asked.append(provider.name)
        self.asked_at_s.append(asyncio.get_running_loop().time())
        if self.broken:
            raise KeyError("a fault of the gateway")
        return Probe(
            status="connected" if self.well else "offline", message="", failure=None if self.well else REFUSED
        )


class EarlyTimers(SystemClock):
    """A clock that loses a millisecond whenever it is read, so that every timer comes early by it."""

    def __init__(self) -> None:
        self._readings = 0

    def monotonic_s(self) -> float:
        self._readings += 1
        return super().monotonic_s() - 0.001 * self._readings


class Watched:
    """A monitor at work on a registry, with all that it works with."""

    def __init__(self, registry: Registry, clock: SystemClock | None = None) -> None:
        clock, self.log = clock or SystemClock(), io.StringIO()
        log = build_log("info", self.log, clock, Scrubber([]))
        resilience = registry.resilience
        self.registry = registry
        self.prober = ScriptedProber(registry, clock)
        self.health = Health(resilience.breaker, resilience.health_checks, clock, log)
        self.monitor = Monitor(
            registry=registry,
            prober=self.prober,
            health=self.health,
            checks=resilience.health_checks,
            clock=clock,
            rng=Random(7),  # noqa: S311  it spreads probes
            log=log,
        )

    def target(self, provider: str, model: str = "m") -> Candidate:
        return Candidate(
            Model(name=model, provider=provider, upstream_model=model), self.registry.providers[provider]
        )

    def break_down(self, target: Candidate) -> None:
        now_s = asyncio.get_running_loop().time()
        attempt = Attempt(number=1, candidate=target, decision="primary", began_s=now_s)
        self.health.note_failure(attempt, REFUSED)

    def play(self, story: Callable[[], Awaitable[None]]) -> None:
        """Lets the monitor run while something happens."""

        async def run() -> None:
            watching = asyncio.create_task(self.monitor.run())
            try:
                async with asyncio.timeout(5):
                    await story()
            finally:
                assert not watching.done(), "the monitor has ended"
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

        asyncio.run(run())


async def come_about(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110  what it waits for tells nobody
        await asyncio.sleep(0.001)


def watched(clock: SystemClock | None = None, **resilience: object) -> Watched:
    providers = {"openai": {}, "ollama": {}, "off": {"vendor": "ollama", "enabled": False}}
    return Watched(registry_of(providers, {}, resilience={"breaker": SOON, **resilience}), clock)


def test_active_providers_are_checked_from_the_start() -> None:
    """Every provider that may be asked is checked at once and then again and again; one that is off never is."""
    scene = watched(health_checks={"interval_s": 0.01})

    scene.play(lambda: come_about(lambda: scene.prober.asked.count("openai") > 2))

    assert set(scene.prober.asked) == {"openai", "ollama"}


def test_nobody_is_probed_without_need() -> None:
    """With health checks off, the first probe is that of a target that is left alone, and the last one too."""
    scene = watched(health_checks=OFF)
    target = scene.target("openai")

    async def story() -> None:
        await asyncio.sleep(0)
        assert not scene.prober.asked
        scene.break_down(target)
        await come_about(lambda: scene.health.admits(target) == "as_trial")

    scene.play(story)

    assert scene.prober.asked == ["openai"]


def test_target_that_fails_between_checks_is_probed_soon() -> None:
    """A target that is left alone does not wait for the next health check, however far that is."""
    scene = watched(health_checks={"interval_s": 600})
    target = scene.target("ollama")

    async def story() -> None:
        await come_about(lambda: len(scene.prober.asked) == 2)
        scene.break_down(target)
        await come_about(lambda: scene.health.admits(target) == "as_trial")

    scene.play(story)

    assert scene.prober.asked.count("ollama") == 2


def test_failed_probe_is_repeated() -> None:
    """While a provider stays away it is probed at the interval, until it is back."""
    scene = watched(health_checks=OFF)
    target = scene.target("openai")
    scene.prober.well = False

    async def story() -> None:
        scene.break_down(target)
        await come_about(lambda: len(scene.prober.asked) == 3)
        assert scene.health.admits(target) == "no"
        scene.prober.well = True
        await come_about(lambda: scene.health.admits(target) == "as_trial")

    scene.play(story)


def test_fault_of_the_gateway_keeps_nobody_away() -> None:
    """Where a probe cannot even be made, the target gets its trial all the same; the fault is logged once."""
    scene = watched(health_checks=OFF)
    target = scene.target("openai")
    scene.prober.broken = True

    async def story() -> None:
        scene.break_down(target)
        await come_about(lambda: scene.health.admits(target) == "as_trial")

    scene.play(story)

    assert scene.log.getvalue().count("probe failed") == 1
    assert len(scene.prober.asked) == 1


def test_many_broken_models_cost_few_probes() -> None:
    """One probe tells of all models of a provider, so it is not made for each of them."""
    scene = watched(health_checks=OFF)
    scene.prober.well = False

    async def story() -> None:
        for number in range(40):
            scene.break_down(scene.target("openai", f"m{number}"))
            await asyncio.sleep(0.001)
        await come_about(lambda: len(scene.prober.asked) >= 4)

    scene.play(story)

    times_s = scene.prober.asked_at_s
    assert all(later - sooner >= 0.019 for sooner, later in itertools.pairwise(times_s))


def test_monitor_ends_when_it_is_cancelled() -> None:
    """The end of the gateway is not kept waiting by a check that is due much later."""
    scene = watched(health_checks={"interval_s": 600})

    scene.play(lambda: come_about(lambda: len(scene.prober.asked) == 2))

    assert sorted(scene.prober.asked) == ["ollama", "openai"]


def test_probe_that_a_timer_makes_early_counts() -> None:
    """A timer that comes a millisecond early costs no second probe: the first one brings a target back."""
    scene = watched(EarlyTimers(), health_checks=OFF)
    target = scene.target("openai")

    async def story() -> None:
        scene.break_down(target)
        await come_about(lambda: scene.prober.asked)
        await asyncio.sleep(0)
        assert [each.state for each in scene.health.report("openai")] == ["half_open"]

    scene.play(story)

    assert scene.prober.asked == ["openai"]
