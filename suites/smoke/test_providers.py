"""The providers as an operator sees them: listed, tested, examined before they are activated."""

from collections.abc import Callable

import pytest

from fixtures.simulators.steps import Status
from fixtures.stage import Connection, Launch
from fixtures.targets.protocol import Change
from reports.thresholds import Threshold
from suites.smoke.operator import (
    action_path,
    active_providers,
    check_connection,
    latency_s,
    preflight,
    preflight_checks,
    preflight_warnings,
    provider_names,
)

PROBES = 5
"""How often the connection to each provider is tested where the worst time counts."""

CHECKS = ("capabilities", "connection", "credentials", "endpoint")


@pytest.mark.item("UB-016")
@pytest.mark.needs("providers", "connection-test")
def test_active_providers_are_in_good_health(gateway: Connection) -> None:
    """After its connection was tested, every active provider is listed as connected."""
    for name in provider_names(gateway):
        check_connection(gateway, name)
    states = {entry["name"]: entry.get("connection_status") for entry in active_providers(gateway)}
    unwell = {name: state for name, state in states.items() if state != "connected"}
    assert not unwell, f"providers in no good health: {unwell}"


@pytest.mark.item("PL-009")
@pytest.mark.needs("connection-test")
def test_every_connection_test_succeeds(gateway: Connection) -> None:
    """The connection test of every active provider ends with status success."""
    answers = {name: check_connection(gateway, name) for name in provider_names(gateway)}
    failed = {name: answer.text for name, answer in answers.items() if answer.field("status") != "success"}
    assert not failed, f"connection tests without success: {failed}"


@pytest.mark.item("PL-008")
@pytest.mark.needs("connection-test", "upstreams")
def test_connection_test_asks_the_provider(gateway: Connection) -> None:
    """A connection test calls the provider itself with its own key, and asks for nothing that costs tokens."""
    for name in provider_names(gateway):
        journal = gateway.target.providers[name].world.journal
        mark = journal.mark()
        check_connection(gateway, name)
        calls = [call for call in journal.since(mark) if call.provider == name]
        assert calls, f"{name} was not called"
        assert all(call.key_ok for call in calls), f"{name} was called with a wrong key"
        assert "chat" not in {call.kind_of_call for call in calls}, f"testing {name} cost tokens"


@pytest.mark.item("PL-008")
@pytest.mark.needs("connection-test", "upstreams")
def test_dead_provider_fails_its_connection_test(gateway: Connection) -> None:
    """The connection test of a provider that is down says failure, offline, and why."""
    gateway.target.providers["ollama"].down()
    answer = check_connection(gateway, "ollama")
    state = (answer.field("status"), answer.field("connection_status"))
    assert state == ("failure", "offline"), "the dead provider passes"
    assert answer.field("error_info", "reason_code") == "connection_failed"


@pytest.mark.item("PL-008")
@pytest.mark.needs("connection-test", "configuration", "upstreams")
def test_wrong_key_fails_the_connection_test(launch: Launch) -> None:
    """The connection test of a provider that refuses the key says so: a key that is present proves nothing."""
    gateway = launch(Change(environment={"OPENAI_API_KEY": "sk-example-wrong-key"}))
    answer = check_connection(gateway, "openai")
    assert answer.field("status") == "failure", "a refused key passes"
    assert answer.field("error_info", "reason_code") == "AUTH_ERROR"


@pytest.mark.item("PL-010")
@pytest.mark.needs("connection-test")
def test_connection_tests_are_fast_enough(
    gateway: Connection, threshold: Callable[[str, str], Threshold]
) -> None:
    """Of several connection tests of each provider the slowest is fast enough for where the provider runs."""
    for entry in active_providers(gateway):
        limit = threshold("PL-010", "local_latency" if entry.get("runtime") == "local" else "cloud_latency")
        answers = [check_connection(gateway, entry["name"]) for _probe in range(PROBES)]
        seen_s = [latency_s(answer) for answer in answers]
        gateway.notes.require_worst(f"connection test of {entry['name']}", seen_s, limit)


@pytest.mark.item("PL-011")
@pytest.mark.needs("preflight")
def test_every_provider_can_be_examined(gateway: Connection) -> None:
    """The preflight of every provider reports one finding for each of its checks."""
    for name in provider_names(gateway):
        answer = preflight(gateway, name)
        checks = preflight_checks(answer)
        assert sorted(checks) == sorted(CHECKS), f"{name}: checks are missing"
        findings = {check: found.get("passed") for check, found in checks.items()}
        assert {type(finding) for finding in findings.values()} == {bool}, f"{name}: {findings}"


@pytest.mark.item("PL-011")
@pytest.mark.needs("preflight", "upstreams")
def test_preflight_sees_what_is_wrong(gateway: Connection) -> None:
    """The preflight of a provider that refuses the key is not ready, and names the check that failed."""
    gateway.target.providers["openai"].always(Status(401))
    answer = preflight(gateway, "openai")
    assert answer.field("checks", "credentials", "passed") is False, "a refused key passes the preflight"
    assert answer.field("ready_for_activation") is False, "a provider that refuses the key is declared ready"


@pytest.mark.item("PL-012")
@pytest.mark.needs("preflight")
def test_every_provider_is_ready_for_activation(gateway: Connection) -> None:
    """The preflight declares every active provider ready, with no check failed."""
    for name in provider_names(gateway):
        answer = preflight(gateway, name)
        failed = [check for check, found in preflight_checks(answer).items() if not found.get("passed")]
        assert (answer.field("ready_for_activation"), failed) == (True, []), f"{name} is not ready"
        for warning in preflight_warnings(answer):
            gateway.notes.warn(f"preflight of {name}: {warning}")


@pytest.mark.item("PL-013")
@pytest.mark.needs("preflight", "upstreams")
def test_degraded_provider_yields_a_warning(gateway: Connection) -> None:
    """The preflight of a provider that answers with errors warns, and says what is degraded."""
    gateway.target.providers["openai"].always(Status(503))
    assert preflight_warnings(preflight(gateway, "openai")), "a degraded provider yields no warning"


@pytest.mark.item("UB-020")
@pytest.mark.needs("probes", "preflight")
def test_every_component_reaches_the_others(gateway: Connection) -> None:
    """The harness reaches the gateway, and the gateway the endpoint of every active provider."""
    answers = {name: preflight(gateway, name) for name in provider_names(gateway)}
    unreached = {
        name: answer.field("checks", "endpoint", "message")
        for name, answer in answers.items()
        if not answer.field("checks", "endpoint", "passed")
    }
    assert not unreached, f"the gateway does not reach every provider: {unreached}"


@pytest.mark.item("LD-041")
@pytest.mark.needs("connection-test")
def test_nothing_fails_to_connect(gateway: Connection) -> None:
    """Over a round of connection tests, none reports an error."""
    reported = {name: check_connection(gateway, name).field("error_info") for name in provider_names(gateway)}
    errors = {name: info for name, info in reported.items() if info is not None}
    assert not errors, f"errors of the connection: {errors}"


@pytest.mark.item("PL-069")
@pytest.mark.needs("admin-keys", "connection-test")
@pytest.mark.parametrize("action", ["test-connection", "preflight"])
def test_operations_are_closed_to_others(gateway: Connection, action: str) -> None:
    """An operation is refused to a caller without a key, with a wrong one, and with a mere user key."""
    path = action_path(provider_names(gateway)[0], action)
    callers = {
        "nobody": gateway.nobody,
        "wrong key": gateway.nobody.with_key("a-wrong-key"),
        "user": gateway.user,
    }
    statuses = {name: caller.post(path).status for name, caller in callers.items()}
    assert statuses == {"nobody": 401, "wrong key": 401, "user": 403}
