from dataclasses import replace

import pytest

from gateway.config.registry import Registry
from gateway.config.resilience import Triggers
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ExhaustedError, ProviderError, ProviderFailure
from gateway.policy.fallback import candidates_for, outcome_of
from suites.unit.gateway.conftest import registry_of


def chained(chains: dict[str, list[str]], *, enabled: bool = True) -> Registry:
    models = {name: {"provider": "openai"} for name in "abcd"} | {"x": {"provider": "ollama"}}
    return registry_of({"openai": {}, "ollama": {"enabled": enabled}}, models, chains)


def names(model: str, registry: Registry) -> list[str]:
    return [candidate.model.name for candidate in candidates_for(model, registry)]


def failed(*codes: ReasonCode) -> list[ProviderFailure]:
    return [ProviderFailure(reason=code, detail="") for code in codes]


def test_candidates_follow_the_chain() -> None:
    """The model comes first, then its fallbacks, each followed by its own, every one once."""
    registry = chained({"a": ["b", "c"], "b": ["d"], "c": ["d", "x"]})

    assert names("a", registry) == ["a", "b", "d", "c", "x"]
    assert names("d", registry) == ["d"]


def test_disabled_provider_is_passed_over() -> None:
    """A disabled provider answers for nobody, but the fallbacks of its models still do."""
    registry = chained({"x": ["a"]}, enabled=False)

    assert names("x", registry) == ["a"]


def test_unknown_model_has_no_candidates() -> None:
    """Nobody answers for a model that is not configured."""
    assert names("z", chained({})) == []


def test_two_failures_exhaust_the_chain() -> None:
    """Several failures are told as one: the chain is exhausted."""
    assert isinstance(outcome_of(failed(ReasonCode.TIMEOUT, ReasonCode.TIMEOUT), Triggers()), ExhaustedError)


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ((ReasonCode.TIMEOUT,), ReasonCode.TIMEOUT),
        ((ReasonCode.TIMEOUT, ReasonCode.INVALID_REQUEST), ReasonCode.INVALID_REQUEST),
        ((ReasonCode.CONTEXT_LENGTH_EXCEEDED,) * 2, ReasonCode.CONTEXT_LENGTH_EXCEEDED),
    ],
    ids=["the only one", "the caller's fault", "shared by all"],
)
def test_telling_failure_is_told_itself(codes: tuple[ReasonCode, ...], told: ReasonCode) -> None:
    """An only failure, the caller's own fault, and a fault of the request that all agree on are told as they are."""
    outcome = outcome_of(failed(*codes), Triggers())

    assert isinstance(outcome, ProviderError)
    assert outcome.code is told


def test_failure_whose_trigger_is_off_is_told_itself() -> None:
    """Where a failure was not to move on, it is what the caller is told, whatever came before it."""
    outcome = outcome_of(failed(ReasonCode.TIMEOUT, ReasonCode.AUTH_ERROR), Triggers(auth=False))

    assert outcome.code is ReasonCode.AUTH_ERROR


def test_busiest_chain_tells_the_shortest_wait() -> None:
    """Where every provider is too busy, the caller learns when the first of them is not."""
    waits = [
        replace(failure, wait_s=wait_s, retry_after=str(wait_s))
        for failure, wait_s in zip(failed(*[ReasonCode.RATE_LIMITED] * 3), (9, 4, None), strict=True)
    ]

    outcome = outcome_of(waits, Triggers())

    assert isinstance(outcome, ProviderError)
    assert (outcome.code, outcome.failure.retry_after) == (ReasonCode.RATE_LIMITED, "4")


def test_exhausted_chain_tells_when_to_come_back() -> None:
    """Of the waits that providers have stated the shortest is told with an exhausted chain."""
    offline, busy = failed(ReasonCode.PROVIDER_OFFLINE, ReasonCode.RATE_LIMITED)

    outcome = outcome_of([replace(offline, wait_s=2.2), replace(busy, wait_s=7)], Triggers())

    assert isinstance(outcome, ExhaustedError)
    assert outcome.retry_after == "3"


def test_order_of_providers_follows_the_chain() -> None:
    """At the end of a model's own chain come the other providers in their order, each with the model nearest to it."""
    registry = registry_of(
        {
            name: {"vendor": "openai", "base_url": f"http://{name}.example"}
            for name in ("one", "two", "three")
        },
        {
            "a": {"provider": "one", "upstream_model": "m"},
            "b": {"provider": "two"},
            "c": {"provider": "three"},
            "d": {"provider": "three", "upstream_model": "m"},
            "v": {"provider": "two", "capabilities": ["embeddings"]},
        },
        {"b": ["c"]},
        {"fallback_order": ["three", "two", "one"]},
    )

    assert names("a", registry) == ["a", "d", "b"]
    assert names("b", registry) == ["b", "c", "a"]
