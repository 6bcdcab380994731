"""What an operator does with the providers of a gateway."""

from collections.abc import Sequence
from typing import Any

from fixtures.client import Answer, TargetError
from fixtures.stage import Connection


def active_providers(gateway: Connection) -> Sequence[dict[str, Any]]:
    """Return the entries of the active providers, of which there must be one at least."""
    answer = gateway.user.get("/api/v1/providers")
    entries = [entry for entry in answer.field("providers") if _field(answer, entry, "is_active")]
    assert entries, "no provider is active"
    return entries


def provider_names(gateway: Connection) -> list[str]:
    """Return the names of the active providers."""
    return [entry["name"] for entry in active_providers(gateway)]


def check_connection(gateway: Connection, provider: str) -> Answer:
    """Test the connection to one provider and return the answer, which must be a 200."""
    return _act(gateway, provider, "test-connection")


def preflight(gateway: Connection, provider: str) -> Answer:
    """Examine one provider and return the answer, which must be a 200."""
    return _act(gateway, provider, "preflight")


def _act(gateway: Connection, provider: str, action: str) -> Answer:
    answer = gateway.admin.post(f"/api/v1/providers/{provider}/{action}")
    assert answer.status == 200, f"{action} of {provider} answered {answer.status}"
    return answer


def _field(answer: Answer, entry: Any, name: str) -> Any:
    if not isinstance(entry, dict) or name not in entry or "name" not in entry:
        raise TargetError(f"a provider is listed without {name}: {answer.text[:200]}")
    return entry[name]
