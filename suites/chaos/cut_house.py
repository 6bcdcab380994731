"""The gateway that random cuts are tried on: a chain for each rescue and pair of kinds, before providers that cut."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from fixtures.history.marks import marked_in
from fixtures.simulators.journal import Call
from fixtures.simulators.server import SimulatedProvider, World
from fixtures.targets.protocol import Change, Registry
from suites.chaos.cut_cases import KINDS, PLACES, RESCUES, chain_name, seconds_after
from suites.chaos.cut_judging import Asked
from suites.chaos.cut_steps import CutByMark

UPSTREAM_MODEL = "the-model"
"""One name at every provider, so that they count as serving the same model."""

HASTY_S = 0.25
"""How long a provider that may fall silent is waited for."""

_PATIENT = {"first_byte_s": 8, "whole_s": 8, "idle_s": 8, "total_s": 16}
_HASTY = {"first_byte_s": HASTY_S, "whole_s": HASTY_S, "idle_s": HASTY_S, "total_s": 16}
_RESILIENCE: Mapping[str, Any] = {"breaker": {"enabled": False}, "health_checks": {"enabled": False}}


@dataclass(frozen=True, slots=True)
class House:
    """The providers behind the cuts' gateway, by name: `gemini-1` is the one of this kind that is asked first."""

    world: World
    providers: Mapping[str, SimulatedProvider]

    @classmethod
    def build(cls, world: World, seed: int) -> "House":
        """Add the providers to a world, each of which cuts as the cases of this seed want it."""
        providers = {}
        for kind, place in product(KINDS, PLACES):
            provider = world.add(kind, name=f"{kind}-{place}", models=[UPSTREAM_MODEL])
            provider.always(CutByMark(seed, place), for_="chat")
            providers[provider.name] = provider
        return cls(world, providers)

    @property
    def change(self) -> Change:
        """How the usual gateway is changed, so that it stands before these providers."""
        return Change(registry=self._configure)

    def _configure(self, registry: Registry) -> None:
        registry["resilience"] = dict(_RESILIENCE)
        for name, provider in self.providers.items():
            entry = {**registry["providers"][provider.kind], "vendor": provider.kind}
            entry["base_url"] = provider.base_url
            registry["providers"][name] = {**entry, "timeouts": _PATIENT}
            registry["models"][f"cut-{name}"] = {"provider": name, "upstream_model": UPSTREAM_MODEL}
            if name.endswith("-1"):
                registry["providers"][f"{name}-hasty"] = {**entry, "timeouts": _HASTY}
        for first, rescue, hasty in product(KINDS, RESCUES, (False, True)):
            asked_first = f"{first}-1{'-hasty' if hasty else ''}"
            for second in seconds_after(first, rescue):
                model = chain_name(first, second, rescue, hasty=hasty)
                fallbacks = [f"cut-{second}-2", "cut-openai-3"]
                registry["models"][model] = {"provider": asked_first, "upstream_model": UPSTREAM_MODEL}
                registry["chains"][model] = {"fallbacks": fallbacks, "rescue": rescue}

    def asked(self) -> Mapping[str, Sequence[Asked]]:
        """Return who was asked for each request so far, by the request's id and in the order of the calls."""
        found: dict[str, list[Asked]] = defaultdict(list)
        for call in self.world.journal.since(0):
            if (marked := marked_in(str(call.body))) is not None:
                found[marked].append(_asked(call))
        return found


def _asked(call: Call) -> Asked:
    return Asked(int(call.provider.rpartition("-")[2]), _begun_in(call.body))


def _begun_in(body: Any) -> str:
    """Return the beginning of an answer that a request holds, in any dialect's spelling; empty where it holds none."""
    match body:
        case {"messages": [*_, {"role": "assistant", "content": str(text)}]}:
            return text
        case {"messages": [*_, {"role": "assistant", "content": [*blocks]}]}:
            return "".join(str(block.get("text", "")) for block in blocks)
        case _:
            return ""
