"""Lanes: providers, a model and a chain of its own for every test, all of them behind one gateway.

A breaker that one test has opened is none of another test's business, and a gateway takes longer to start than most
tests take. So the gateway is configured once, with one lane for each collected test that runs on one.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from fixtures.simulators.journal import Call
from fixtures.simulators.server import SimulatedProvider, World
from fixtures.stage import Connection
from fixtures.targets.protocol import Change, Registry
from suites.chaos.hearing import CHAT, Face, Heard
from suites.chaos.pacing import ask_until

QUESTION = "Name a river of Europe."

KEY_VARIABLE = "CHAOS_PROVIDERS_KEY"
KEY = "sk-simulated-chaos-not-a-secret"

PROBE_INTERVAL_S = 0.25
"""How often a provider that is left alone is probed behind the lanes."""

RESILIENCE: Mapping[str, Any] = {
    "breaker": {"probe_interval_s": PROBE_INTERVAL_S},
    "health_checks": {"enabled": False},
}
"""What the gateway of the lanes is told for all of them."""

PATIENT: Mapping[str, float] = {"first_byte_s": 10, "whole_s": 10, "idle_s": 10, "total_s": 20}
"""The waits of a lane unless its test wants others: no healthy answer exceeds them on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a test wants of its lane: `@pytest.mark.lane(kinds=("gemini", "openai"), chain={...}, timeouts={...})`.

    `kinds` are the providers in the chain's order; `chain` are settings of the chain besides its fallbacks; `timeouts`
    are the waits, in a mark those that differ from `PATIENT`. With `same_model` every provider serves the model under
    the same name.
    """

    kinds: tuple[str, ...] = ("openai", "openai")
    chain: Mapping[str, Any] = field(default_factory=dict)
    timeouts: Mapping[str, float] = field(default_factory=dict)
    same_model: bool = False

    @classmethod
    def of(cls, test: pytest.Item) -> "Wish":
        """Return the wish of a test; of several marks the closest says the last word."""
        told: dict[str, Any] = {}
        for mark in reversed(list(test.iter_markers("lane"))):
            told |= mark.kwargs
        return cls(**{**told, "timeouts": {**PATIENT, **told.get("timeouts", {})}})


@dataclass(frozen=True, slots=True)
class Track:
    """A lane as it is configured: `models` are the names that callers use, the first of them the lane's own.

    `sibling` is another model of the first provider, without a chain.
    """

    world: World
    name: str
    wish: Wish
    models: tuple[str, ...]
    upstream_models: tuple[str, ...]
    providers: tuple[SimulatedProvider, ...]

    @classmethod
    def lay(cls, world: World, name: str, wish: Wish) -> "Track":
        """Add the providers of a lane to a world."""
        places = range(1, len(wish.kinds) + 1)
        upstream_models = tuple(f"{name}-model{'' if wish.same_model else place}" for place in places)
        providers = tuple(
            world.add(kind, name=f"{name}-{place}", models=[upstream, f"{name}-sibling"], api_key=KEY)
            for place, kind, upstream in zip(places, wish.kinds, upstream_models, strict=True)
        )
        models = (name, *(f"{name}-next{place}" for place in places[1:]))
        return cls(world, name, wish, models, upstream_models, providers)

    @property
    def sibling(self) -> str:
        return f"{self.name}-sibling"

    def add_to(self, registry: Registry) -> None:
        """Add the lane to a gateway's configuration."""
        for provider, model, upstream in zip(self.providers, self.models, self.upstream_models, strict=True):
            registry["providers"][provider.name] = {
                "vendor": provider.kind,
                "base_url": provider.base_url,
                "api_key_env": KEY_VARIABLE,
                "timeouts": dict(self.wish.timeouts),
            }
            registry["models"][model] = {"provider": provider.name, "upstream_model": upstream}
        registry["models"][self.sibling] = {"provider": self.providers[0].name}
        registry["chains"][self.name] = {"fallbacks": list(self.models[1:]), **self.wish.chain}


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane as its test sees it: the gateway, the model to ask, and the providers in the chain's order.

    `mark` is where the journal of all lanes stood when the test began.
    """

    gateway: Connection
    track: Track
    mark: int = 0

    @property
    def model(self) -> str:
        return self.track.name

    @property
    def primary(self) -> SimulatedProvider:
        return self.track.providers[0]

    @property
    def fallback(self) -> SimulatedProvider:
        return self.track.providers[1]

    def ask(self, face: Face = CHAT, question: str = QUESTION, *, stream: bool, **more: Any) -> Heard:
        """Ask the lane's model."""
        return face.ask(self.gateway.user, self.model, question, stream=stream, **more)

    def ask_sibling(self, *, stream: bool = False) -> Heard:
        """Ask the other model of the first provider, which no chain stands behind."""
        return CHAT.ask(self.gateway.user, self.track.sibling, QUESTION, stream=stream)

    def text_of(self, place: int, question: str = QUESTION) -> str:
        """Return what the provider at a place of the chain, counted from 1, says to a question."""
        messages = [{"role": "user", "content": question}]
        asked = {"model": self.track.upstream_models[place - 1], "messages": messages}
        return self.track.providers[place - 1].answer_to(asked)

    def calls(self) -> list[Call]:
        """Return the calls for chat that the lane's providers have received, in the order of their arrival."""
        names = {provider.name for provider in self.track.providers}
        calls = self.track.world.journal.since(self.mark)
        return [call for call in calls if call.provider in names and call.kind_of_call == "chat"]

    def probes(self) -> list[Call]:
        """Return every other call that they have received."""
        names = {provider.name for provider in self.track.providers}
        calls = self.track.world.journal.since(self.mark)
        return [call for call in calls if call.provider in names and call.kind_of_call != "chat"]

    def asked(self) -> list[int]:
        """Return the places of the chain that were asked for chat, counted from 1, in the order of the calls."""
        return [int(call.provider.rpartition("-")[2]) for call in self.calls()]

    def wait_until_answered_by(self, place: int, within_s: float) -> float:
        """Ask again and again until a provider answers; return how long that took.

        Raises:
            AssertionError: it did not within that time.

        """
        began_s, text = time.monotonic(), self.text_of(place)
        heard, is_back = ask_until(
            lambda: self.ask(stream=False), lambda heard: heard.is_answer(text), began_s + within_s
        )
        took_s = time.monotonic() - began_s
        assert is_back, f"provider {place} does not answer after {took_s:.1f} s, but: {heard}"
        return took_s


def change_for(tracks: Iterable[Track], resilience: Mapping[str, Any]) -> Change:
    """Return the change by which a gateway has these lanes, and copes with faults as it is told."""
    laid = list(tracks)

    def configure(registry: Registry) -> None:
        registry["resilience"] = dict(resilience)
        for track in laid:
            track.add_to(registry)

    return Change(registry=configure, environment={KEY_VARIABLE: KEY})


def lay_all(world: World, tests: Iterable[pytest.Item]) -> dict[str, Track]:
    """Return a lane for each test that runs on one, by the test's node id."""
    on_lanes = [test for test in tests if "lane" in getattr(test, "fixturenames", ())]
    return {
        test.nodeid: Track.lay(world, f"lane{number:03d}", Wish.of(test))
        for number, test in enumerate(on_lanes)
    }
