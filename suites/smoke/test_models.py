"""The list of models: what callers may ask for."""

import pytest

from fixtures.shapes import model_list_findings
from fixtures.stage import Connection


@pytest.mark.item("LD-040", "UB-017")
@pytest.mark.needs("models")
def test_models_are_listed(gateway: Connection) -> None:
    """The gateway answers a caller with a key with an OpenAI model list that is not empty."""
    findings = model_list_findings(gateway.user.get("/v1/models"))
    assert not findings, "; ".join(findings)


@pytest.mark.item("UB-031")
@pytest.mark.needs("models", "configuration")
def test_exactly_the_configured_models_are_listed(gateway: Connection) -> None:
    """The list holds every configured model, and none that nobody configured."""
    answer = gateway.user.get("/v1/models")
    assert model_list_findings(answer) == []
    listed, configured = {entry["id"] for entry in answer.body["data"]}, set(gateway.target.models)
    assert listed == configured, f"not listed: {configured - listed}, not configured: {listed - configured}"


@pytest.mark.item("RQ-021")
@pytest.mark.needs("models", "user-keys")
@pytest.mark.parametrize("key", [None, "a-wrong-key"], ids=["no key", "wrong key"])
def test_list_is_refused_without_a_key(gateway: Connection, key: str | None) -> None:
    """A listing is refused with 401 to a caller without a valid key, though it only reads."""
    answer = gateway.nobody.with_key(key).get("/v1/models")
    assert answer.status == 401, f"a caller without a valid key is answered {answer.status}, not 401"
