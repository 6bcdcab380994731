"""What a gateway tells operators: how its providers stand, whom it prefers, and what it has done for a request."""

from dataclasses import dataclass, field
from typing import Any

from fixtures.client import Answer, TargetError
from fixtures.simulators.server import SimulatedProvider
from fixtures.stage import Connection
from suites.chaos.hearing import Heard


@dataclass(frozen=True, slots=True)
class Standing:
    """One provider as it is listed: the state of its connection, and its models that are left alone, by their state."""

    connection: str
    left_alone: dict[str, str] = field(default_factory=dict)

    @property
    def is_well(self) -> bool:
        """Whether nothing is said against it."""
        return self.connection in {"connected", "unknown"} and not self.left_alone


def standing_of(gateway: Connection, provider: SimulatedProvider) -> Standing:
    """Return how a provider is shown by itself."""
    return _standing(gateway.user.get(f"/api/v1/providers/{provider.name}").field("provider"))


def listed_standing_of(gateway: Connection, provider: SimulatedProvider) -> Standing:
    """Return how a provider is shown in the list of all; TargetError where it is not there."""
    listed: list[dict[str, Any]] = gateway.user.get("/api/v1/providers").field("providers")
    entry = next((each for each in listed if each.get("name") == provider.name), None)
    if entry is None:
        raise TargetError(f"{provider.name} is not listed")
    return _standing(entry)


def _standing(entry: dict[str, Any]) -> Standing:
    return Standing(
        entry["connection_status"], {each["model"]: each["state"] for each in entry["left_alone"]}
    )


def activate(gateway: Connection, provider: SimulatedProvider) -> Answer:
    """Ask the gateway to prefer a provider, and return the answer whatever it is."""
    return gateway.admin.post(f"/api/v1/providers/{provider.name}/activate")


def active_of(gateway: Connection) -> str:
    """Return the name of the provider that is shown as the active one."""
    active: str = gateway.user.get("/api/v1/providers").field("active_provider")
    return active


def governance_of(gateway: Connection) -> dict[str, Any]:
    """Return the fallback policy and the latest fallbacks, as they are shown to callers."""
    answer = gateway.user.get("/api/v1/governance/status")
    assert answer.field("status") == "success", f"the state of governance is not told: {answer.text[:200]}"
    body: dict[str, Any] = answer.body
    return body


def attempts_of(gateway: Connection, heard: Heard) -> list[dict[str, Any]]:
    """Return what is recorded of the attempts that were made for a request, in their order."""
    attempts: list[dict[str, Any]] = gateway.admin.get(f"/api/v1/requests/{heard.request_id}/attempts").field(
        "attempts"
    )
    return attempts
