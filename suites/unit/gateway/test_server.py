import asyncio
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from gateway.config.registry import Registry
from gateway.web.server import bind
from suites.unit.gateway.conftest import Serve, patient
from suites.unit.gateway.fake_provider import FakeProvider, Reply, Wire, raw, stall, stream
from suites.unit.gateway.wire_texts import DONE, FINISH, HELLO, ROLE

BODY = {"model": "first", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


def finish_when(allowed: threading.Event) -> Reply:
    """Ends the stream properly as soon as the test allows it."""

    async def reply(writer: Wire) -> None:
        await asyncio.to_thread(allowed.wait, 5)
        for piece in (FINISH, DONE):
            await raw(b"%x\r\n%b\r\n" % (len(piece), piece))(writer)
        await raw(b"0\r\n\r\n")(writer)

    return reply


def test_request_in_flight_finishes(pair: Registry, provider: FakeProvider, serve: Serve) -> None:
    """After a signal readiness says no and new inference is refused, but the running stream ends properly."""
    allowed = threading.Event()
    provider.then(stream(ROLE, HELLO, after=finish_when(allowed)))
    gateway = serve(patient(pair), drain_timeout_s=5)

    with httpx2.stream("POST", f"{gateway.url}/v1/chat/completions", json=BODY) as response:
        lines = response.iter_lines()
        next(lines)
        gateway.interrupt()
        ready = httpx2.get(f"{gateway.url}/_health/ready")
        refused = httpx2.post(f"{gateway.url}/v1/chat/completions", json=BODY)
        allowed.set()
        rest = [line for line in lines if line]

    assert (ready.status_code, ready.json()["checks"]["accepting"]) == (503, "draining")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "DRAINING")
    assert json.loads(rest[-2].removeprefix("data: "))["choices"][0]["finish_reason"] == "stop"
    assert rest[-1] == "data: [DONE]"


@pytest.mark.parametrize("signals", [1, 2], ids=["time is up", "second signal"])
def test_drain_is_bounded(pair: Registry, provider: FakeProvider, serve: Serve, signals: int) -> None:
    """A stream that will not end is ended with an error after the drain timeout, or at the second signal."""
    provider.then(stream(ROLE, HELLO, after=stall))
    gateway = serve(patient(pair), drain_timeout_s=0.1 if signals == 1 else 60)

    with httpx2.stream("POST", f"{gateway.url}/v1/chat/completions", json=BODY) as response:
        lines = response.iter_lines()
        next(lines)
        for _ in range(signals):
            gateway.interrupt()
        *_, last = [line for line in lines if line]

    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "DRAINING"
    assert provider.caller_left.wait(5)


def test_plain_request_that_will_not_end_is_told_so(
    pair: Registry, provider: FakeProvider, serve: Serve
) -> None:
    """A plain request that outlasts the drain is answered all the same."""
    provider.then(stall)
    gateway = serve(patient(pair), drain_timeout_s=0)

    with ThreadPoolExecutor() as pool:
        url = f"{gateway.url}/v1/chat/completions"
        asking = pool.submit(httpx2.post, url, json={**BODY, "stream": False})
        assert provider.called.wait(5)
        gateway.interrupt()
        response = asking.result(5)

    assert (response.status_code, response.json()["error"]["code"]) == (503, "DRAINING")


def test_idle_server_stops_at_once(pair: Registry, serve: Serve) -> None:
    """Where no request is in flight there is nothing to wait for, open connections or not."""
    gateway = serve(pair, drain_timeout_s=60)

    with httpx2.Client(base_url=gateway.url) as idle:
        assert idle.get("/health").status_code == 200
        gateway.interrupt()
        gateway.thread.join(5)

        assert not gateway.thread.is_alive()


def test_free_port_is_taken() -> None:
    """Port 0 takes a free port, also under a name."""
    with bind("localhost", 0) as listener:
        assert listener.getsockname()[1] > 0


def test_port_in_use_is_an_error() -> None:
    """A port that somebody listens on is not shared."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        bind("127.0.0.1", taken.getsockname()[1])
