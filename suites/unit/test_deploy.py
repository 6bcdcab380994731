"""What ships beside the code: the example registry, the Compose file, the image, the template of the environment."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.config.loading import load_configuration
from gateway.config.settings import VARIABLES
from gateway.config.vendors import load_vendors

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
VENDORS = load_vendors()

OF_THE_HARNESS = {
    "GAUNTLET_TARGET_KEY",
    "GAUNTLET_TARGET_ADMIN_KEY",
    "GAUNTLET_TOXIPROXY_URL",
    "GAUNTLET_TOXIPROXY_IMAGE",
}

OF_VENDORS = {
    variable
    for vendor in VENDORS.values()
    for variable in (
        vendor.base_url_env,
        vendor.api_key_env,
        vendor.key_id_env,
        vendor.session_token_env,
        vendor.bearer_env,
        vendor.region_env,
    )
    if variable
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    service: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"][
        "gateway"
    ]
    return service


@pytest.fixture(scope="module")
def template() -> dict[str, str]:
    """The variables of the template with their values."""
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def test_template_has_every_variable_that_is_read(template: dict[str, str]) -> None:
    """The template names exactly the variables that the gateway and the harness read."""
    assert set(template) == {*VARIABLES, *OF_VENDORS, *OF_THE_HARNESS}


def test_template_holds_no_secret(template: dict[str, str]) -> None:
    """What is secret is empty in the template."""
    filled = {name for name, value in template.items() if value}
    assert all(name.startswith("GATEWAY_") and "KEYS" not in name for name in filled), filled


def test_example_registry_is_sound() -> None:
    """With every variable set, the example registry has no finding at all."""
    environ = dict.fromkeys(OF_VENDORS, "sk-example-not-a-key")
    environ |= {name: "http://127.0.0.1:9" for name in OF_VENDORS if name.endswith("_ENDPOINT")}
    configuration = load_configuration(DEPLOY / "registry.yaml", environ, VENDORS)

    assert configuration.findings == ()
    assert configuration.registry is not None
    assert {model.name for model in configuration.registry.offered_models} == set(
        configuration.registry.models
    )
    assert set(configuration.registry.providers) == set(VENDORS)


def test_example_registry_can_be_chosen_from() -> None:
    """Every model of the example registry has a tier and a rating, so that all take part in the choice."""
    registry = load_configuration(DEPLOY / "registry.yaml", {}, VENDORS).registry

    assert registry is not None
    assert [model.name for model in registry.models.values() if not (model.tier and model.rating)] == []


def test_compose_file_starts_the_gateway_with_the_registry(compose: dict[str, Any]) -> None:
    """The service is built from the Dockerfile, reads the registry that is mounted, and the variables of `.env`."""
    source, mounted, mode = compose["volumes"][0].split(":")
    assert (DEPLOY / source).is_file()
    assert (mounted, mode) == (compose["environment"]["GATEWAY_CONFIG"], "ro")
    assert (DEPLOY / compose["build"]["context"] / compose["build"]["dockerfile"]).is_file()
    assert compose["env_file"] == "../.env"
    assert set(compose["environment"]) <= set(VARIABLES)


def test_container_is_reached_from_this_machine_alone(compose: dict[str, Any]) -> None:
    """The port that is published is the one that the gateway listens on, and only on loopback."""
    address, published, inside = compose["ports"][0].split(":")
    assert address == "127.0.0.1"
    assert published == inside == compose["environment"]["GATEWAY_PORT"]


def test_container_has_time_to_drain(compose: dict[str, Any], template: dict[str, str]) -> None:
    """Whoever stops the container waits longer than requests in flight may take."""
    assert int(compose["stop_grace_period"].removesuffix("s")) > float(template["GATEWAY_DRAIN_TIMEOUT_S"])


def test_image_copies_what_is_there() -> None:
    """Every path that the image is built from exists, and the gateway does not run as root."""
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    copied = [
        path for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE) for path in line.split()
    ]
    assert copied
    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert "USER gateway" in text
