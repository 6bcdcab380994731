from collections.abc import Callable
from datetime import datetime
from typing import Any

from suites.unit.gateway.conftest import Stage
from suites.unit.gateway.fake_provider import FakeProvider, hang_up, status
from suites.unit.gateway.lined_up import line_of
from suites.unit.gateway.wire_texts import completion

ANSWER = status(200, completion())
URL = "/api/v1/governance/status"


def latest(stage: Stage) -> list[dict[str, Any]]:
    fallbacks: list[dict[str, Any]] = stage.client.get(URL).json()["recent_fallbacks"]
    return fallbacks


def test_policy_is_told_as_it_holds(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """The policy shows every setting, of all requests and of each chain, the defaults included."""
    resilience = {"triggers": {"rate": False}, "fallback_order": ["at_second"]}
    stage = stage_of(line_of(provider, fallback, chain={"rescue": "hold"}, resilience=resilience))

    policy = stage.client.get(URL).json()["fallback_policy"]

    assert policy["triggers"]["rate"] is False
    assert policy["triggers"]["timeout"] is True
    assert policy["order"] == ["at_second"]
    assert policy["rescue"] == "auto"
    assert policy["breaker"]["failures"] == 3
    chain = policy["chains"]["first"]
    assert (chain["fallbacks"], chain["rescue"], chain["triggers"]["rate"]) == (["second"], "hold", False)


def test_fallback_is_told(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A change of provider shows when it was, from whom to whom, and why."""
    stage = stage_of(line_of(provider, fallback))
    provider.then(status(500))
    fallback.then(ANSWER)
    response = stage.chat()

    (told,) = latest(stage)

    assert datetime.fromisoformat(told.pop("timestamp")).tzinfo
    assert told == {
        "request_id": response.headers["x-request-id"],
        "from_provider": "at_first",
        "from_model": "first",
        "to_provider": "at_second",
        "to_model": "second",
        "reason_code": "PROVIDER_DEGRADED",
        "message": "The provider answered with status 500.",
    }


def test_target_that_is_left_alone_is_told_with_its_reason(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """Where a target was not even asked, the fallback tells since which failure."""
    stage = stage_of(line_of(provider, fallback, resilience={"breaker": {}}))
    provider.then(hang_up)
    fallback.then(ANSWER, ANSWER)
    stage.chat()
    stage.chat()

    told = latest(stage)[0]

    assert told["reason_code"] == "PROVIDER_OFFLINE"
    assert "connection_failed" in told["message"]


def test_ten_are_told_the_latest_first(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """The list is short, and begins with what has just happened."""
    stage = stage_of(line_of(provider, fallback))
    fallback.then(*[ANSWER] * 12)

    ids = [stage.chat().headers["x-request-id"] for _ in range(12)]

    assert [told["request_id"] for told in latest(stage)] == ids[:1:-1]


def test_strangers_are_not_told(stage_of: Callable[..., Stage], provider: FakeProvider) -> None:
    """The status needs a key where there are keys."""
    stage = stage_of(line_of(provider), user_keys=("user-example-key",))

    assert stage.client.get(URL).status_code == 401
    assert stage.client.get(URL, headers={"authorization": "Bearer user-example-key"}).status_code == 200
