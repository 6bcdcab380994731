"""The probes: what an orchestrator and a load balancer see."""

from collections.abc import Callable

import pytest

from fixtures.shapes import health_findings
from fixtures.stage import Connection
from reports.thresholds import Threshold

ROUNDS = 50
"""How often every health route is asked where each single answer counts."""


@pytest.mark.item("RQ-045")
@pytest.mark.needs("probes")
@pytest.mark.parametrize("kind", ["live", "ready"])
def test_probe_responds(gateway: Connection, kind: str) -> None:
    """Liveness and readiness answer 200 to a caller without a key."""
    path = getattr(gateway.target.routes, kind)
    answer = gateway.nobody.get(path)
    assert answer.status == 200, f"{path} answered {answer.status}"


@pytest.mark.item("UB-030")
@pytest.mark.needs("health")
def test_health_route_says_well(gateway: Connection) -> None:
    """The health route answers 200, and its body says that the gateway is well."""
    path = gateway.target.routes.health
    assert path is not None  # the target claims it
    findings = health_findings(gateway.nobody.get(path))
    assert not findings, f"{path}: {'; '.join(findings)}"


@pytest.mark.item("LD-035", "LD-039")
@pytest.mark.needs("probes")
def test_every_health_route_says_well(gateway: Connection) -> None:
    """Every health route answers 200, and a 200 around a state that is not well does not count."""
    found = {path: health_findings(gateway.nobody.get(path)) for path in gateway.target.routes.present()}
    assert found
    unwell = {path: findings for path, findings in found.items() if findings}
    assert not unwell, f"health routes that do not say well: {unwell}"


@pytest.mark.item("LD-135")
@pytest.mark.needs("probes")
def test_no_health_check_ever_fails(gateway: Connection, threshold: Callable[[str, str], Threshold]) -> None:
    """Of many rounds over all health routes, every single answer says well."""
    paths = gateway.target.routes.present()
    findings = [health_findings(gateway.nobody.get(path)) for _round in range(ROUNDS) for path in paths]
    passing = sum(not finding for finding in findings)
    gateway.notes.require(
        "health checks passing", 100 * passing / len(findings), threshold("LD-135", "passing")
    )


@pytest.mark.item("RQ-026")
@pytest.mark.needs("probes")
def test_probes_disclose_nothing(gateway: Connection) -> None:
    """A probe needs no key, is not put off by a wrong one, and names no provider, model, address or version."""
    inside = _names_of_the_inside(gateway)
    for path in (gateway.target.routes.live, gateway.target.routes.ready):
        assert path is not None  # the target claims both
        assert gateway.nobody.with_key("a-wrong-key").get(path).status == 200, f"{path} minds a wrong key"
        answer = gateway.nobody.get(path)
        assert answer.status == 200, f"{path} demands a key: {answer.status}"
        seen = f"{answer.text} {' '.join(answer.headers.values())}".lower()
        disclosed = [name for name in inside if name.lower() in seen]
        assert not disclosed, f"{path} discloses the inside: {disclosed}"


def _names_of_the_inside(gateway: Connection) -> set[str]:
    target = gateway.target
    providers = {*target.providers, *(name for name in target.models.values() if name)}
    addresses = {simulator.base_url for simulator in target.providers.values()}
    return {*providers, *target.models, *addresses, "version", "python", "uvicorn", "starlette"}
