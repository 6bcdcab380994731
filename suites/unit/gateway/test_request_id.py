from collections.abc import Callable
from typing import Any

import pytest

from gateway.engine.probes import Prober
from suites.unit.gateway.conftest import ADMIN, Stage, registry_of


@pytest.mark.parametrize("request_id", ["abc-1.2_3", "x" * 128])
def test_sane_id_is_kept(stage: Stage, request_id: str) -> None:
    """The caller's id of a request comes back, and stands in the log."""
    response = stage.client.get("/v1/models", headers={"x-request-id": request_id})

    assert response.headers["x-request-id"] == request_id
    assert stage.log_lines[-1]["request_id"] == request_id


@pytest.mark.parametrize("request_id", ["", "a b", "x" * 129, 'a"b', "a/b"])
def test_other_ids_are_replaced(stage: Stage, request_id: str) -> None:
    """What is no sane id is replaced by one of ours."""
    ours = stage.client.get("/health", headers={"x-request-id": request_id}).headers["x-request-id"]

    assert ours != request_id
    assert len(ours) == 32


def test_first_of_two_ids_counts(stage: Stage) -> None:
    """A caller who states two ids is known by the first."""
    headers = [("x-request-id", "first"), ("x-request-id", "second")]

    assert stage.client.get("/health", headers=headers).headers["x-request-id"] == "first"


def test_access_is_logged_without_the_query(stage: Stage) -> None:
    """The access log tells method, path, status and duration; queries may hold keys and are left out."""
    stage.client.get("/v1/models?key=sk-example-not-a-key")

    [line] = stage.log_lines
    assert (line["event"], line["method"], line["path"], line["status"]) == (
        "request",
        "GET",
        "/v1/models",
        200,
    )
    assert line["duration_ms"] >= 0
    assert "sk-example" not in str(line)


def test_health_is_logged_quietly(stage: Stage) -> None:
    """The probes of a load balancer do not fill the log."""
    stage.client.get("/_health/live")

    assert [line["level"] for line in stage.log_lines] == ["debug"]


def test_unexpected_error_is_answered_and_logged(
    stage_of: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake in our code is told as an internal error with the request's id, its traceback to the log only."""

    async def fail(*_: Any) -> None:
        raise ZeroDivisionError("what happened")

    monkeypatch.setattr(Prober, "test", fail)
    stage = stage_of(registry_of({"openai": {}}, {}))

    response = stage.client.post("/api/v1/providers/openai/test-connection", headers=ADMIN)

    assert response.status_code == 500
    assert response.json()["detail"]["error"] == "INTERNAL_ERROR"
    assert response.json()["detail"]["request_id"] == response.headers["x-request-id"]
    assert "ZeroDivision" not in response.text
    error, request = stage.log_lines
    assert "what happened" in error["exception"]
    assert (error["level"], request["status"]) == ("error", 500)
