"""The providers behind the gateway under load: some that are always the same, and a pair for each kind of fault."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from fixtures.faults import Link, Proxies
from fixtures.load.voices import Speaker
from fixtures.simulators.latency import LATENCIES, Latency
from fixtures.simulators.server import SimulatedProvider, World
from fixtures.simulators.steps import Cut, Stall, Status, Step
from fixtures.targets.protocol import Change, Registry

QUICK, PACED, SLOW = "load-quick", "load-paced", "load-slow"
"""The models that answer soon, at a steady pace, and after more than 5 s."""

Worlds = tuple[World, World]

FAULTS: Mapping[str, Step | None] = {
    "refused": None,
    "reset": Cut("before headers", "rst"),
    "error": Status(503),
    "silent": Stall("before headers"),
    "cut": Cut(3, "rst"),
    "busy": Status(429, retry_after_s=2),
}
"""What befalls the first provider of each pair; None: connections to it are refused, on the way."""

KEY_VARIABLE = "LOAD_PROVIDERS_KEY"
KEY = "sk-simulated-load-not-a-secret"

_LATENCIES: Mapping[str, Latency] = {
    QUICK: Latency(ttft_ms=15, gap_ms=8),
    PACED: Latency(ttft_ms=50, gap_ms=20),
    SLOW: Latency(ttft_ms=5_300),
}
_OF_PAIRS = Latency(ttft_ms=40, gap_ms=4)

_RESILIENCE: Mapping[str, Any] = {"breaker": {"probe_interval_s": 0.5}, "health_checks": {"enabled": False}}
_PATIENCE: Mapping[str, float] = {"first_byte_s": 1, "whole_s": 1, "idle_s": 1, "total_s": 10}
"""The waits before the pairs: a silent provider costs its caller a second."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two providers of one model: the second one stands in for the first, and says the same."""

    model: str
    first: SimulatedProvider
    second: SimulatedProvider
    link: Link | None = None

    @property
    def first_name(self) -> str:
        """What the gateway calls the first of them."""
        return f"{self.model}-1"

    @property
    def speaker(self) -> Speaker:
        """Who answers: what a simulator says follows from its name, which both have."""
        return Speaker(self.first.name, self.model)

    @classmethod
    def lay(
        cls, worlds: Worlds, model: str, proxies: Proxies | None = None, latency: Latency | None = None
    ) -> "Pair":
        """Add a provider to each of two worlds, the first behind a link where a fault is made on the way."""
        first, second = (
            world.add("vllm", name=model, models=[model], api_key=KEY, latency=latency or _OF_PAIRS)
            for world in worlds
        )
        link = proxies.create(urlsplit(first.base_url).netloc) if proxies else None
        return cls(model, first, second, link)

    def add_to(self, registry: Registry) -> None:
        """Add the pair to a gateway's configuration."""
        second, following = f"{self.model}-2", f"{self.model}-next"
        for name, provider, model in (
            (self.first_name, self.first, self.model),
            (second, self.second, following),
        ):
            registry["providers"][name] = {**_entry(provider), "timeouts": dict(_PATIENCE)}
            registry["models"][model] = {"provider": name, "upstream_model": self.model}
        if self.link is not None:
            entry = registry["providers"][self.first_name]
            entry["base_url"] = urlsplit(entry["base_url"])._replace(netloc=self.link.address).geturl()
        registry["chains"][self.model] = [following]

    def ill(self, fault: Step | None) -> AbstractContextManager[None]:
        """Hold the first provider in a fault."""
        return self.link.down() if self.link is not None else _spoilt(self.first, fault)


@contextmanager
def _spoilt(provider: SimulatedProvider, fault: Step | None) -> Iterator[None]:
    assert fault is not None  # only a link can refuse connections
    provider.always(fault, for_="any")
    try:
        yield
    finally:
        provider.heal()


@dataclass(frozen=True, slots=True)
class House:
    """All providers that the load suite adds to those that every gateway of the harness has."""

    world: World
    singles: Mapping[str, SimulatedProvider]
    pairs: Mapping[str, Pair]

    @classmethod
    def lay(cls, worlds: Worlds, proxies: Proxies) -> "House":
        """Add them to two worlds, all but those who stand in for others to the first."""
        world = worlds[0]
        singles = {
            model: world.add("vllm", name=model, models=[model], api_key=KEY, latency=latency)
            for model, latency in _LATENCIES.items()
        }
        pairs = {
            name: Pair.lay(worlds, f"load-{name}", None if step else proxies) for name, step in FAULTS.items()
        }
        return cls(world, singles, pairs)

    def change(self) -> Change:
        """Return the change by which a gateway has them, and by which its other providers take their usual time."""

        def configure(registry: Registry) -> None:
            registry["resilience"] = dict(_RESILIENCE)
            for model, provider in self.singles.items():
                registry["providers"][provider.name] = _entry(provider)
                registry["models"][model] = {"provider": provider.name}
            for pair in self.pairs.values():
                pair.add_to(registry)

        latencies = {name: {"latency": warm(latency)} for name, latency in _by_provider().items()}
        return Change(registry=configure, environment={KEY_VARIABLE: KEY}, simulators=latencies)

    def speakers_for(self, model: str) -> tuple[Speaker, ...]:
        """Return whoever may answer for a model, nobody where it is none of these providers'."""
        if model in self.singles:
            return (Speaker(self.singles[model].name, model),)
        return tuple(pair.speaker for pair in self.pairs.values() if pair.model == model)


def warm(latency: Latency) -> Latency:
    """Return a latency without the cold start, which comes once and is none of the load's."""
    return replace(latency, cold_start_ms=0)


def _by_provider() -> dict[str, Latency]:
    """Return the profiles by the names that the harness gives the providers themselves."""
    named = {name: latency for name, latency in LATENCIES.items() if name != "instant"}
    return {"vllm" if name == "local vllm" else name: latency for name, latency in named.items()}


def _entry(provider: SimulatedProvider) -> dict[str, Any]:
    return {"vendor": provider.kind, "base_url": provider.base_url, "api_key_env": KEY_VARIABLE}
