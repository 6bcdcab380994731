"""Two providers that serve the same model, and say the same to the same question at an even pace."""

from dataclasses import dataclass

from fixtures.simulators.protocol import Plan
from fixtures.simulators.server import SimulatedProvider, World
from fixtures.simulators.steps import Chain, Say, Scene, Slow
from suites.chaos.lanes import Track, Wish

TTFT_MS, GAP_MS = 20.0, 20.0
"""So slow that a death finds answers half delivered, and so fast that not too many are under way at a time."""


@dataclass(frozen=True, slots=True)
class InTheWordsOf:
    """Says what another provider would say to the same request."""

    provider: SimulatedProvider

    def alter(self, plan: Plan, scene: Scene) -> Plan:
        body = scene.query.body
        return Say(self.provider.reply_to(body)).alter(plan, scene) if isinstance(body, dict) else plan


def lay_replicas(world: World) -> Track:
    """Return a lane whose two providers are replicas of one another."""
    track = Track.lay(world, "replica", Wish(same_model=True))
    for provider in track.providers:
        provider.always(Chain(InTheWordsOf(track.providers[0]), Slow(TTFT_MS, gap_ms=GAP_MS)), for_="chat")
    return track
