from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.config.registry import Model, Provider, Registry
from gateway.kernel.errors import ExhaustedError, GatewayError, ProviderError, ProviderFailure
from gateway.kernel.reasons import REASONS
from gateway.policy.ranking import power_level_of, rank

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
    """Lists who may answer for a model, in order: the model itself, then its fallbacks and theirs.

    For `auto` these are the best models for the power level that can do what the request `needs`. Each comes once;
    those of providers that are not active are left out. Empty for a model that does not exist.
    """
    weights = None if name in registry.models else power_level_of(name)
    if weights:
        best = rank(registry.offered_models, weights, needs=needs)[:_MOST_CHOSEN]
        return tuple(Candidate(model, registry.providers[model.provider]) for model in best)
    models = map(registry.model_named, dict.fromkeys(_walk(name, registry)))
    offered = (Candidate(model, registry.providers[model.provider]) for model in models if model)
    return tuple(candidate for candidate in offered if candidate.provider.is_active)


def _walk(name: str, registry: Registry) -> Iterator[str]:
    yield name
    for fallback in registry.chain_of(name).fallbacks:
        yield from _walk(fallback, registry)


def moves_on(failure: ProviderFailure) -> bool:
    """Tells whether another provider may answer after this failure; not where the request itself is at fault."""
    return REASONS[failure.reason].moves_on


def outcome_of(failures: Sequence[ProviderFailure]) -> GatewayError:
    """Says what a caller is told after the last attempt failed.

    A failure that cannot move on, or that all attempts share because the request causes it, is told as it is;
    so is the only one. Otherwise the chain is exhausted.
    """
    last = failures[-1]
    same = all(failure.reason == last.reason for failure in failures)
    if len(failures) == 1 or not moves_on(last) or (same and REASONS[last.reason].detail_is_public):
        return ProviderError(last)
    return ExhaustedError(tuple(failures))
