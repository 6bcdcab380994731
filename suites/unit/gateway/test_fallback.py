import pytest

from gateway.config.registry import Registry
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ExhaustedError, ProviderError, ProviderFailure
from gateway.policy.fallback import candidates_for, moves_on, outcome_of
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


@pytest.mark.parametrize("code", [ReasonCode.INVALID_REQUEST, ReasonCode.CONTENT_FILTERED])
def test_callers_fault_does_not_move_on(code: ReasonCode) -> None:
    """What the caller did wrong, another provider would not put right."""
    [failure] = failed(code)

    assert not moves_on(failure)


def test_two_failures_exhaust_the_chain() -> None:
    """Several failures are told as one: the chain is exhausted."""
    assert isinstance(outcome_of(failed(ReasonCode.TIMEOUT, ReasonCode.TIMEOUT)), ExhaustedError)


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
    outcome = outcome_of(failed(*codes))

    assert isinstance(outcome, ProviderError)
    assert outcome.code is told
