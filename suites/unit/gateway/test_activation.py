from collections.abc import Callable
from typing import Any

import pytest

from suites.unit.gateway.conftest import ADMIN, Stage, registry_of
from suites.unit.gateway.fake_provider import FakeProvider, hang_up, status
from suites.unit.gateway.lined_up import decisions_of, line_of, state_of
from suites.unit.gateway.wire_texts import completion

ANSWER = status(200, completion())
SLOW_PROBES = {"breaker": {"probe_interval_s": 600}}
URL = "/api/v1/providers/{}/activate"


def activate(stage: Stage, provider: str = "at_second", body: dict[str, Any] | None = None) -> Any:
    return stage.client.post(URL.format(provider), json=body, headers=ADMIN)


def test_active_provider_is_asked_first(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """After its activation a provider is asked first wherever it is in the chain; the others follow as configured."""
    stage = stage_of(line_of(provider, fallback))
    fallback.lists_models = True
    fallback.then(status(500))
    provider.then(ANSWER)

    told = activate(stage).json()
    response = stage.chat()

    assert (told["status"], told["provider"], told["model"]) == ("success", "at_second", None)
    assert stage.client.get("/api/v1/providers").json()["active_provider"] == "at_second"
    assert decisions_of(stage, response) == [("second", "primary"), ("first", "fallback")]


def test_activation_costs_no_tokens(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """Whether a provider is there is found out by a call that costs nothing."""
    stage = stage_of(line_of(provider, fallback))
    fallback.lists_models = True

    activate(stage)

    assert (fallback.probes, fallback.received) == (1, [])


def test_one_model_can_be_meant(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """With a model, the activation holds for that one alone."""
    stage = stage_of(line_of(provider, fallback))
    fallback.lists_models = True
    fallback.then(ANSWER)

    assert activate(stage, body={"model": "second"}).json()["model"] == "second"
    assert decisions_of(stage, stage.chat()) == [("second", "primary")]


def test_activation_is_taken_back(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """Without the activation the configured order holds again; that of another provider is not touched."""
    stage = stage_of(line_of(provider, fallback))
    fallback.lists_models = True
    provider.then(ANSWER)
    activate(stage)

    stage.client.delete(URL.format("at_first"), headers=ADMIN)
    assert stage.client.get("/api/v1/providers").json()["active_provider"] == "at_second"
    stage.client.delete(URL.format("at_second"), headers=ADMIN)

    assert decisions_of(stage, stage.chat()) == [("first", "primary")]


def test_provider_that_is_away_is_not_activated(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """Where the probe fails nothing changes, and the operator hears why."""
    stage = stage_of(line_of(provider, fallback))
    fallback.close()
    provider.then(ANSWER)

    response = activate(stage)

    assert (response.status_code, response.json()["detail"]["error"]) == (503, "PROVIDER_OFFLINE")
    assert decisions_of(stage, stage.chat()) == [("first", "primary")]


@pytest.mark.parametrize("model", ["first", ["second"], {}, 5], ids=repr)
def test_model_of_another_provider_is_refused(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider, model: Any
) -> None:
    """A model that the provider does not have is the operator's mistake, and is named."""
    response = activate(stage_of(line_of(provider, fallback)), body={"model": model})

    assert response.status_code == 400
    assert "model:" in response.json()["detail"]["message"]


def test_unknown_provider_is_not_found(stage: Stage) -> None:
    """A provider that is not configured can neither be activated nor the contrary."""
    assert activate(stage, "nobody").status_code == 404
    assert stage.client.delete(URL.format("nobody"), headers=ADMIN).status_code == 404


def test_activation_is_for_administrators(stage: Stage) -> None:
    """A caller's key is not enough to choose who is asked."""
    assert stage.client.post(URL.format("openai")).status_code in {401, 403}
    assert stage.client.delete(URL.format("openai")).status_code in {401, 403}


def test_activated_provider_need_not_wait_for_its_trial(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """What an operator has asked for is tried at once, though it was left alone."""
    stage = stage_of(line_of(provider, fallback, resilience=SLOW_PROBES))
    provider.then(hang_up, ANSWER)
    fallback.then(ANSWER)
    stage.chat()
    assert state_of(stage) == "open"
    provider.lists_models = True

    activate(stage, "at_first")

    assert decisions_of(stage, stage.chat()) == [("first", "trial")]


def test_provider_that_is_switched_off_is_not_activated(stage_of: Callable[..., Stage]) -> None:
    """The configuration has the last word on who may be asked at all."""
    stage = stage_of(registry_of({"openai": {}, "ollama": {"enabled": False}}, {}))

    response = activate(stage, "ollama")

    assert (response.status_code, response.json()["detail"]["error"]) == (503, "PROVIDER_OFFLINE")
