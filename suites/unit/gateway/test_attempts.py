import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from gateway.engine.attempts import TrailLog
from gateway.kernel.clock import SystemClock
from suites.unit.gateway.conftest import ADMIN, Stage
from suites.unit.gateway.fake_provider import FakeProvider, Reply, Wire, hang_up, stall, status, stream
from suites.unit.gateway.lined_up import QUICK, attempts_of, await_that, line_of
from suites.unit.gateway.wire_texts import DONE, FINISH, HELLO, ROLE, completion

ANSWER = status(200, completion())
URL = "/api/v1/requests/{}/attempts"
LIMIT: Reply = status(
    429, {"error": {"message": "Slow down, sk-example-not-a-key"}}, {"retry-after-ms": "1500"}
)


def test_every_attempt_is_told(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """The trail of a request shows who was asked, why, when, and what became of it."""
    stage = stage_of(line_of(provider, fallback))
    provider.then(LIMIT)
    fallback.then(ANSWER)
    request_id = stage.chat().headers["x-request-id"]

    told = stage.client.get(URL.format(request_id), headers=ADMIN).json()

    first, second = told.pop("attempts")
    assert told == {"request_id": request_id, "model": "first", "stream": False}
    times = [each.pop(name) for each in (first, second) for name in ("began_ms", "ended_ms")]
    assert times == sorted(times)
    assert first == {
        "number": 1,
        "provider": "at_first",
        "model": "first",
        "decision": "primary",
        "outcome": "failed",
        "reason_code": "RATE_LIMITED",
        "detail": first["detail"],
        "upstream_status": 429,
        "retry_after_s": 1.5,
    }
    assert (second["number"], second["decision"], second["outcome"]) == (2, "fallback", "answered")
    assert [second[name] for name in ("reason_code", "detail", "upstream_status", "retry_after_s")] == [
        None
    ] * 4


def test_no_secret_is_told(stage_of: Callable[..., Stage], provider: FakeProvider) -> None:
    """A key that a provider repeats in its error is not shown, not even to administrators."""
    stage = stage_of(line_of(provider))
    provider.then(LIMIT)

    told = attempts_of(stage, stage.chat())

    assert "Slow down" in told[0]["detail"]
    assert "sk-example" not in json.dumps(told)


def test_attempt_that_is_under_way_is_open(stage_of: Callable[..., Stage], provider: FakeProvider) -> None:
    """While an attempt goes on it has no end."""
    stage = stage_of(line_of(provider, timeouts=QUICK))
    provider.then(stall)
    sent = {"model": "first", "messages": [{"role": "user", "content": "Hi"}]}
    with ThreadPoolExecutor(1) as callers:
        caller = callers.submit(
            stage.client.post, "/v1/chat/completions", json=sent, headers={"x-request-id": "r-1"}
        )
        await_that(provider.called.is_set)
        (attempt,) = stage.client.get(URL.format("r-1"), headers=ADMIN).json()["attempts"]
        caller.result()

    assert (attempt["outcome"], attempt["ended_ms"]) == ("open", None)


def test_stream_ends_with_its_last_word(stage_of: Callable[..., Stage], provider: FakeProvider) -> None:
    """The attempt at a stream lasts until the stream has ended, not only until its first content."""

    async def late(writer: Wire) -> None:
        await asyncio.sleep(0.05)
        for piece in (FINISH, DONE, b""):
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    stage = stage_of(line_of(provider))
    provider.then(stream(ROLE, HELLO, after=late))

    (attempt,) = attempts_of(stage, stage.chat(stream=True))

    assert attempt["outcome"] == "answered"
    assert attempt["ended_ms"] - attempt["began_ms"] >= 50


def test_unknown_request_is_not_found(stage: Stage) -> None:
    """What is unknown, or too long ago, is said to be so."""
    response = stage.client.get(URL.format("r-0"), headers=ADMIN)

    assert (response.status_code, response.json()["detail"]["error"]) == (404, "NOT_FOUND")


def test_trails_are_for_administrators(stage: Stage) -> None:
    """A caller's key does not open other callers' trails."""
    assert stage.client.get(URL.format("r-0")).status_code in {401, 403}


def test_latest_trails_are_kept() -> None:
    """A thousand trails are kept, and an id that is used again counts as of now."""
    trails = TrailLog(SystemClock())
    for number in range(1000):
        trails.open(f"r-{number}", "m", stream=False)
    trails.open("r-0", "again", stream=True)
    trails.open("r-1000", "m", stream=False)

    again = trails.find("r-0")
    assert again
    assert again.model == "again"
    assert trails.find("r-1") is None
    assert trails.find("r-2")


def test_request_that_does_not_exist_leaves_none(stage: Stage) -> None:
    """A request for a model that does not exist was nobody's, and has no trail."""
    response = stage.chat("nothing")

    assert response.status_code == 404
    assert stage.client.get(URL.format(response.headers["x-request-id"]), headers=ADMIN).status_code == 404


def test_refused_connection_has_no_status(stage_of: Callable[..., Stage], provider: FakeProvider) -> None:
    """Where no answer came there is no status to tell."""
    stage = stage_of(line_of(provider))
    provider.then(hang_up)

    (attempt,) = attempts_of(stage, stage.chat())

    assert (attempt["reason_code"], attempt["upstream_status"]) == ("connection_failed", None)
