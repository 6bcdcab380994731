"""What an operator does with the providers of a gateway."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from fixtures.client import Answer, TargetError
from fixtures.stage import Connection


def active_providers(gateway: Connection) -> Sequence[dict[str, Any]]:
    """Return the entries of the active providers, of which there must be one at least."""
    answer = gateway.user.get("/api/v1/providers")
    listed = answer.field("providers")
    assert isinstance(listed, list), f"providers is no list: {answer.text[:200]}"
    entries = [entry for entry in listed if _field(answer, entry, "is_active")]
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


def action_path(provider: str, action: str) -> str:
    """Return the path of an operation on one provider, whatever characters its name has."""
    return f"/api/v1/providers/{quote(provider, safe='', errors='replace')}/{action}"


def preflight_checks(answer: Answer) -> dict[str, dict[str, Any]]:
    """Return the checks of a preflight by name, each of which must be an object."""
    checks = answer.field("checks")
    assert isinstance(checks, dict), f"checks is no object: {answer.text[:200]}"
    unread = [name for name, found in checks.items() if not isinstance(found, dict)]
    assert not unread, f"checks that are no objects: {unread}"
    return checks


def preflight_warnings(answer: Answer) -> list[dict[str, Any]]:
    """Return the warnings of a preflight, a list of objects each of which has a code and a message."""
    warnings = answer.field("warnings")
    assert isinstance(warnings, list), f"warnings is no list: {answer.text[:200]}"
    unexplained = [
        warning
        for warning in warnings
        if not isinstance(warning, dict) or not (warning.get("code") and warning.get("message"))
    ]
    assert not unexplained, f"warnings without code and message: {unexplained}"
    return warnings


def latency_s(answer: Answer) -> float:
    """Return how long a connection test took: as the gateway states it, or as its caller saw it if that is longer."""
    stated = answer.field("latency_ms")
    is_number = isinstance(stated, int | float) and not isinstance(stated, bool)
    assert stated is None or is_number, f"latency_ms is no number: {stated!r}"
    return max(answer.duration_s, (stated or 0.0) / 1000)


def _act(gateway: Connection, provider: str, action: str) -> Answer:
    answer = gateway.admin.post(action_path(provider, action))
    assert answer.status == 200, f"{action} of {provider} answered {answer.status}"
    return answer


def _field(answer: Answer, entry: Any, name: str) -> Any:
    if not isinstance(entry, dict) or name not in entry or not isinstance(entry.get("name"), str):
        raise TargetError(f"a provider is listed without a name or {name}: {answer.text[:200]}")
    return entry[name]
