from collections.abc import Callable

import pytest

from suites.unit.gateway.conftest import ADMIN, Stage, registry_of


@pytest.fixture
def guarded(stage_of: Callable[..., Stage]) -> Stage:
    registry = registry_of(
        {
            "ollama": {"enabled": False},
            "mute": {"vendor": "openai", "api_key_env": "MY_KEY"},
            "fast": {"vendor": "groq", "base_url": "http://127.0.0.1:1/v1", "api_key_env": "OPENAI_API_KEY"},
        },
        {"m": {"provider": "fast"}},
    )
    return stage_of(registry, user_keys=("user-example-key",))


USER = {"authorization": "Bearer user-example-key"}


def test_providers_are_described(guarded: Stage) -> None:
    """The list names every provider, what it is and can do, and which one is active; Groq has no embeddings."""
    body = guarded.client.get("/api/v1/providers", headers=USER).json()

    assert (body["status"], body["active_provider"], body["count"]) == ("success", "fast", 3)
    ollama, mute, fast = body["providers"]
    assert (ollama["name"], ollama["runtime"], ollama["is_active"]) == ("ollama", "local", False)
    assert (mute["is_active"], mute["missing_variables"]) == (False, ["MY_KEY"])
    assert fast == {
        "name": "fast",
        "display_name": "Groq",
        "provider_type": "cloud_provider",
        "runtime": "cloud",
        "dialect": "openai",
        "capabilities": {
            "chat": True,
            "model_listing": True,
            "reasoning": True,
            "streaming": True,
            "structured_output": True,
            "tools": True,
            "vision": True,
        },
        "connection_status": "unknown",
        "left_alone": [],
        "is_active": True,
        "missing_variables": [],
        "endpoint": "http://127.0.0.1:1/v1",
        "models": ["m"],
    }


def test_one_provider_is_described(guarded: Stage) -> None:
    """A provider is found by its name; an administrator may read it too."""
    response = guarded.client.get("/api/v1/providers/fast", headers=ADMIN)

    assert response.json()["provider"]["display_name"] == "Groq"


@pytest.mark.parametrize("path", ["/preflight", "/test-connection"])
def test_unknown_provider_is_told_to_those_who_may_ask(guarded: Stage, path: str) -> None:
    """An unknown provider is 404 in the management form, but only after the key was checked."""
    url = f"/api/v1/providers/nobody{path}"

    assert guarded.client.post(url).status_code == 401
    response = guarded.client.post(url, headers=ADMIN)

    assert response.status_code == 404
    detail = response.json()["detail"]
    assert (detail["error"], detail["reason_code"]) == ("UNSUPPORTED_PROVIDER", "UNSUPPORTED_PROVIDER")
    assert "nobody" in detail["message"]
    assert detail["request_id"] == response.headers["x-request-id"]
    assert detail["recovery_hint"]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "ADMIN_KEY_REQUIRED"),
        ({"x-admin-api-key": "wrong"}, 401, "INVALID_ADMIN_KEY"),
        (USER, 403, "PERMISSION_DENIED"),
    ],
)
def test_acting_needs_an_admin_key(guarded: Stage, headers: dict[str, str], status: int, code: str) -> None:
    """Nobody but an administrator acts on a provider."""
    response = guarded.client.post("/api/v1/providers/fast/preflight", headers=headers)

    assert (response.status_code, response.json()["detail"]["error"]) == (status, code)
    assert response.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


@pytest.mark.parametrize("path", ["", "/fast"])
def test_reading_needs_a_key(guarded: Stage, path: str) -> None:
    """Providers are not shown to strangers."""
    response = guarded.client.get(f"/api/v1/providers{path}")

    assert (response.status_code, response.json()["detail"]["error"]) == (401, "AUTHENTICATION_REQUIRED")
