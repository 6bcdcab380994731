"""The choice among models for a caller who names none: by cost, quality and speed, weighed by a power level."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gateway.config.registry import Model, Rating

AUTO = "auto"
"""The name that callers ask for; a level may follow, as in `auto:eco`."""

_COSTLIEST_USD = 0.02
"""From here on, per 1,000 tokens, a model scores nothing for its cost."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What a power level cares for; the three add up to 1."""

    cost: float
    quality: float
    speed: float

    def score(self, rating: Rating) -> float:
        cheapness = max(0.0, 1 - rating.cost_per_1k_tokens_usd / _COSTLIEST_USD)
        return self.cost * cheapness + self.quality * rating.quality + self.speed * rating.speed


POWER_LEVELS: Mapping[str, Weights] = MappingProxyType(
    {
        "eco": Weights(cost=0.7, quality=0.2, speed=0.1),
        "balanced": Weights(cost=0.3, quality=0.4, speed=0.3),
        "precision": Weights(cost=0.1, quality=0.7, speed=0.2),
    }
)


def power_level_of(name: str) -> Weights | None:
    """Reads the name of a model that stands for the choice among all; None for any other name."""
    auto, _, level = name.partition(":")
    return POWER_LEVELS.get(level or "balanced") if auto == AUTO and name != f"{AUTO}:" else None


def rank(
    models: Iterable[Model], weights: Weights, *, needs: frozenset[str] = frozenset()
) -> tuple[Model, ...]:
    """Orders models from the best to the least, ties by name.

    Left out are those without a rating, and those that lack one of `needs` (words of `Model.capabilities`).
    """
    scored = [
        (-weights.score(model.rating), model.name, model)
        for model in models
        if model.rating is not None and needs <= model.capabilities
    ]
    return tuple(model for _score, _name, model in sorted(scored, key=lambda each: each[:2]))


def needs_of(kind: str, body: Mapping[str, Any]) -> frozenset[str]:
    """Tells what a request in OpenAI's format asks a model to be able to do; `kind` is chat or embeddings."""
    needs = [kind]
    if body.get("tools"):
        needs.append("tools")
    if any(map(_shows_something, body.get("messages") or ())):
        needs.append("vision")
    return frozenset(needs)


def _shows_something(message: Mapping[str, Any]) -> bool:
    content = message.get("content")
    return isinstance(content, list) and any(part.get("type") == "image_url" for part in content)
