from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from gateway.config.registry import Model, Provider, Registry
from gateway.config.resilience import Triggers
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ExhaustedError, GatewayError, ProviderError, ProviderFailure
from gateway.kernel.reasons import REASONS
from gateway.policy.ranking import power_level_of, rank
from gateway.policy.triggers import moves_on

# The best, and the next three in case it fails.
_MOST_CHOSEN = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model at one provider that may answer a request."""

    model: Model
    provider: Provider


def candidates_for(
    name: str, registry: Registry, needs: frozenset[str] = frozenset()
) -> tuple[Candidate, ...]:
    """Lists who may answer for a model, in order: the model itself, its fallbacks and theirs, then other providers.

    For `auto` these are the best models for the power level that can do what the request `needs`. Each comes once;
    those of providers that are not active are left out. Empty for a model that does not exist.
    """
    weights = None if name in registry.models else power_level_of(name)
    if weights:
        best = rank(registry.offered_models, weights, needs=needs)[:_MOST_CHOSEN]
        return tuple(Candidate(model, registry.providers[model.provider]) for model in best)
    chain = [model for each in dict.fromkeys(_walk(name, registry)) if (model := registry.model_named(each))]
    models = [*chain, *_elsewhere(chain, registry, needs)] if chain else []
    offered = (Candidate(model, registry.providers[model.provider]) for model in models)
    return tuple(candidate for candidate in offered if candidate.provider.is_active)


def _elsewhere(chain: Sequence[Model], registry: Registry, needs: frozenset[str]) -> Iterator[Model]:
    """Finds in the order of providers those that are not asked yet, and at each the model that comes nearest."""
    asked = {model.provider for model in chain}
    for provider in registry.resilience.fallback_order:
        able = [model for model in registry.models_of(provider) if needs <= model.capabilities]
        if provider not in asked and able:
            # The very same model is better than the one that happens to stand first.
            yield min(able, key=lambda model: model.upstream_model != chain[0].upstream_model)


def _walk(name: str, registry: Registry) -> Iterator[str]:
    yield name
    for fallback in registry.chain_of(name).fallbacks:
        yield from _walk(fallback, registry)


def outcome_of(failures: Sequence[ProviderFailure], triggers: Triggers) -> GatewayError:
    """Says what a caller is told after the last attempt failed.

    A failure that cannot move on, or that all attempts share because the request causes it, is told as it is;
    so is the only one. Where everybody is too busy, the caller is told of the one that is so for the shortest time.
    Otherwise the chain is exhausted.
    """
    last = failures[-1]
    same = all(failure.reason == last.reason for failure in failures)
    if len(failures) == 1 or not moves_on(last, triggers):
        return ProviderError(last)
    if same and REASONS[last.reason].detail_is_public:
        return ProviderError(last)
    if same and last.reason is ReasonCode.RATE_LIMITED:
        return ProviderError(min(failures, key=_wait_s))
    return ExhaustedError(tuple(failures))


def _wait_s(failure: ProviderFailure) -> float:
    return inf if failure.wait_s is None else failure.wait_s
