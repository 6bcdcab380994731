"""Steps of simulated providers that only the chaos suite needs."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fixtures.simulators.protocol import Plan
from fixtures.simulators.steps import Scene, Status, Step

PREFILL_REFUSED = "This model does not support assistant message prefill."
REFUSAL_WORDS = ("prefill", "INVALID_REQUEST", "invalid_request")
"""By any of these a caller would know the refusal."""

WAITS = (
    "retry-after",
    "retry-after-ms",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
)
"""The headers by which a provider of OpenAI's dialect tells how long to wait."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Tells in these headers alone how long to wait; in none where none are given."""

    headers: Mapping[str, str] = field(default_factory=dict)

    def alter(self, plan: Plan, scene: Scene) -> Plan:
        del scene
        kept = tuple(pair for pair in plan.headers if pair[0] not in WAITS)
        return replace(plan, headers=(*kept, *self.headers.items()))


@dataclass(frozen=True, slots=True)
class RefusePrefill:
    """Refuses a conversation that ends with a message of the assistant, and answers any other well."""

    def alter(self, plan: Plan, scene: Scene) -> Plan:
        messages = scene.query.body.get("messages") if isinstance(scene.query.body, dict) else None
        if messages and messages[-1].get("role") == "assistant":
            return Status(400, PREFILL_REFUSED).alter(plan, scene)
        return plan


@dataclass(frozen=True, slots=True)
class Until:
    """Takes one step until a monotonic moment, and another one from then on."""

    until_s: float
    step: Step
    then: Step

    def alter(self, plan: Plan, scene: Scene) -> Plan:
        return (self.step if time.monotonic() < self.until_s else self.then).alter(plan, scene)


@dataclass(frozen=True, slots=True)
class OfModel:
    """Fails one model alone."""

    model: str
    step: Step

    def alter(self, plan: Plan, scene: Scene) -> Plan:
        asked = scene.query.body.get("model") if isinstance(scene.query.body, dict) else None
        return self.step.alter(plan, scene) if asked == self.model else plan
