from collections.abc import Callable

import pytest

from gateway.config.environment import configure_from_environment
from gateway.config.vendors import load_vendors
from suites.unit.gateway.conftest import Stage
from suites.unit.gateway.fake_provider import FakeProvider, status
from suites.unit.gateway.wire_texts import completion

VENDORS = load_vendors()
KEY = "sk-example-not-a-key"

HOSTED = sorted(
    name
    for name, vendor in VENDORS.items()
    if vendor.runtime == "cloud" and vendor.base_url and not vendor.key_id_env
)
LOCAL = sorted(name for name, vendor in VENDORS.items() if vendor.runtime == "local")


@pytest.mark.parametrize("name", HOSTED)
def test_key_selects_its_provider_alone(name: str) -> None:
    """To set the key of a hosted provider is all that it takes, and it selects no other."""
    configuration = configure_from_environment({VENDORS[name].api_key_env or "": KEY}, VENDORS)

    assert configuration.registry is not None
    assert [provider.name for provider in configuration.registry.providers.values()] == [name]
    assert configuration.registry.providers[name].is_active
    assert configuration.findings == ()


@pytest.mark.parametrize("name", LOCAL)
def test_address_selects_a_local_provider(name: str) -> None:
    """A local provider is selected by its address; its key selects nothing."""
    vendor = VENDORS[name]
    configuration = configure_from_environment({vendor.base_url_env or "": "http://127.0.0.1:9"}, VENDORS)

    assert configuration.registry is not None
    assert list(configuration.registry.providers) == [name]
    assert configure_from_environment({vendor.api_key_env or "": KEY}, VENDORS).registry is None


def test_any_model_of_a_selected_provider_may_be_asked_for() -> None:
    """A model is found as provider/model, slashes and all; other names lead nowhere."""
    registry = configure_from_environment({"OPENAI_API_KEY": KEY, "GROQ_API_KEY": " "}, VENDORS).registry

    assert registry is not None
    found = registry.model_named("openai/org/model:7b")
    assert found is not None
    assert (found.name, found.provider, found.upstream_model) == (
        "openai/org/model:7b",
        "openai",
        "org/model:7b",
    )
    assert [registry.model_named(name) for name in ("gpt-4o", "openai/", "groq/llama", "/x")] == [None] * 4


@pytest.mark.parametrize(
    "name",
    ["a\r\nset-cookie: b", "gr\u00fc\u00df", "a b", "..", "../admin", "models/../x", "a//b", "x" * 201],
    ids=["header", "no ASCII", "space", "dots", "climbing", "climbing within", "empty segment", "long"],
)
def test_name_that_no_model_has_leads_nowhere(name: str) -> None:
    """A name that a caller makes up reaches neither a header nor an address with more in it than a name."""
    registry = configure_from_environment({"OPENAI_API_KEY": KEY}, VENDORS).registry

    assert registry is not None
    assert registry.model_named(f"openai/{name}") is None


def test_half_a_pair_is_named() -> None:
    """A provider that needs more than one variable says which one is missing, and is not active."""
    configuration = configure_from_environment({"AWS_SECRET_ACCESS_KEY": KEY}, VENDORS)

    assert configuration.registry is not None
    assert not configuration.registry.providers["bedrock"].is_active
    messages = " ".join(finding.message for finding in configuration.findings)
    assert all(named in messages for named in ("'bedrock'", "AWS_ACCESS_KEY_ID", "AWS_REGION"))


def test_nothing_is_said_plainly() -> None:
    """An environment without any provider is an error that says what could be set."""
    configuration = configure_from_environment({}, VENDORS)

    assert configuration.registry is None
    [finding] = configuration.findings
    assert str(finding).startswith("environment:1: error [nothing_to_serve] ")
    assert "GATEWAY_CONFIG" in finding.message


def test_wrong_address_is_an_error() -> None:
    """An address that is none is refused as in a file."""
    configuration = configure_from_environment({"VLLM_ENDPOINT": "vllm"}, VENDORS)

    assert configuration.registry is None
    assert [finding.code for finding in configuration.findings] == ["invalid_url"]


def test_model_is_asked_for_by_its_own_name(stage_of: Callable[..., Stage], provider: FakeProvider) -> None:
    """Without a file, a request for provider/model reaches the provider with the model's own name."""
    registry = configure_from_environment({"VLLM_ENDPOINT": provider.url}, VENDORS).registry
    assert registry is not None
    provider.lists_models = True
    provider.then(status(200, completion("Hello")))
    stage = stage_of(registry)

    assert stage.chat("vllm/org/model").json()["model"] == "vllm/org/model"
    assert provider.received[0].json["model"] == "org/model"
    assert stage.client.get("/v1/models/vllm/org/model").json()["owned_by"] == "vllm"
    assert stage.chat("openai/gpt-4o").status_code == 404
