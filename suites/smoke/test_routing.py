"""Routing: each model leads to its provider, and to the next one where that fails."""

from contextlib import ExitStack

import pytest

from fixtures.simulators.steps import Status
from fixtures.stage import FACTS, OPTIONS, Connection
from fixtures.targets.protocol import Bench, Change, Registry, TargetStartError
from suites.smoke.conversation import ask, expected_text

MOST_MODELS = 20
"""How many listed models are asked where nobody named any: each call may cost money."""


@pytest.mark.item("UB-045")
@pytest.mark.needs("chat", "models")
def test_every_model_answers(gateway: Connection) -> None:
    """Each model that is offered answers a request."""
    models = list(gateway.target.models)
    if len(models) > MOST_MODELS or not models:
        pytest.skip(
            f"NOT RUN: the target lists {len(models)} models; name those to be asked with --target-model"
        )
    found = {model: ask(gateway, model, stream=False)[1] for model in models}
    unanswered = {model: findings for model, findings in found.items() if findings}
    assert not unanswered, f"models without a proper answer: {unanswered}"


@pytest.mark.needs("chat", "configuration", "upstreams")
@pytest.mark.parametrize(
    "provider",
    [
        pytest.param("ollama", marks=pytest.mark.item("UB-032")),
        pytest.param("vllm", marks=pytest.mark.item("UB-033")),
        pytest.param("openai", marks=pytest.mark.item("UB-004")),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_model_leads_to_its_provider(gateway: Connection, provider: str, *, stream: bool) -> None:
    """A request for a model is answered by the provider that it is mapped to, and by no other."""
    model = next(model for model, name in gateway.target.models.items() if name == provider)
    journal = gateway.target.providers[provider].world.journal
    mark = journal.mark()
    text, findings = ask(gateway, model, stream=stream)
    assert not findings, "; ".join(findings)
    assert [call.provider for call in journal.since(mark)] == [provider], "another provider was asked"
    assert text == expected_text(gateway, model), "the text is not the provider's"


@pytest.mark.item("UB-035")
@pytest.mark.needs("chat", "fallback", "upstreams")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", ["down", "failing"])
def test_next_of_the_chain_answers(gateway: Connection, fault: str, *, stream: bool) -> None:
    """When the first provider of a chain is down or failing, the next one answers, and the caller sees no error."""
    model, (following, *_rest) = next(iter(gateway.target.chains.items()))
    _break(gateway, model, fault)
    text, findings = ask(gateway, model, stream=stream)
    assert not findings, f"the caller was not answered: {'; '.join(findings)}"
    assert text == expected_text(gateway, following), "the text is not that of the next provider of the chain"


@pytest.mark.item("UB-035")
@pytest.mark.needs("chat", "fallback", "upstreams")
def test_chain_is_followed_in_its_order(gateway: Connection) -> None:
    """When all but the last of a chain fail, each is asked once, in the chain's order, and the last one answers."""
    model, fallbacks = next(iter(gateway.target.chains.items()))
    *broken, last = (model, *fallbacks)
    for name in broken:
        _break(gateway, name, "failing")
    journal = gateway.target.provider_of(model).world.journal
    mark = journal.mark()
    text, findings = ask(gateway, model, stream=False)
    assert not findings, f"the caller was not answered: {'; '.join(findings)}"
    asked = [call.provider for call in journal.since(mark)]
    wanted = [gateway.target.models[name] for name in (model, *fallbacks)]
    assert asked == wanted, "the chain was not followed in its order"
    assert text == expected_text(gateway, last), "the text is not that of the last of the chain"


@pytest.mark.item("UB-005")
@pytest.mark.needs("fallback", "configuration")
@pytest.mark.parametrize("length", [1, 2, 3])
def test_circular_chain_is_refused(
    request: pytest.FixtureRequest, gateway: Connection, bench: Bench, length: int
) -> None:
    """A gateway whose chain leads back to where it began does not start, and names the models of the circle."""
    assert gateway.target.chains, "no chain is configured"
    models = list(gateway.target.models)[:length]
    circle = dict(zip(models, [*models[1:], models[0]], strict=True))

    def close_circle(registry: Registry) -> None:
        registry["chains"] = {model: [following] for model, following in circle.items()}

    config = request.config
    target = config.stash[OPTIONS].chosen_target()
    with ExitStack() as stack:
        try:
            stack.enter_context(target.start(bench, config.stash[FACTS], Change(registry=close_circle)))
        except TargetStartError as error:
            refusal = str(error)
        else:
            pytest.fail("the gateway has started with a chain that runs in a circle")
    unnamed = [model for model in models if model not in refusal]
    assert not unnamed, f"the refusal does not name {unnamed}: {refusal}"


def _break(gateway: Connection, model: str, fault: str) -> None:
    simulator = gateway.target.provider_of(model)
    if fault == "down":
        simulator.down()
    else:
        simulator.always(Status(500))
