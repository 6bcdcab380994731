import json
import socket
from collections.abc import Callable

import httpx2
import pytest

from gateway.config.registry import Registry
from suites.unit.gateway.conftest import Serve, Stage, patient
from suites.unit.gateway.fake_provider import FakeProvider, stall, status, stream, trickle
from suites.unit.gateway.wire_texts import GOOD_STREAM, HELLO, ROLE, completion, event

BODY = {"model": "first", "messages": [{"role": "user", "content": "Hi"}]}


def test_whole_answer(stage: Stage, provider: FakeProvider) -> None:
    """A plain request gets a chat completion with its usage."""
    provider.then(status(200, completion("Hello")))

    response = stage.chat()

    assert response.headers["content-type"] == "application/json"
    assert response.json()["id"].startswith("chatcmpl-")
    assert response.json()["usage"]["total_tokens"] == 4


def test_stream_has_the_headers_that_keep_it_flowing(stage: Stage, provider: FakeProvider) -> None:
    """Neither caches nor proxies may hold a stream back."""
    provider.then(stream(*GOOD_STREAM))

    headers = stage.chat(stream=True).headers

    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-cache"
    assert headers["x-accel-buffering"] == "no"
    assert "content-length" not in headers


def test_authentication_comes_before_validation(
    stage_of: Callable[..., Stage], pair: Registry, provider: FakeProvider
) -> None:
    """A stranger learns nothing about the body, and the providers hear nothing of either."""
    stage = stage_of(pair, user_keys=("user-example-key",))
    url = "/v1/chat/completions"
    wrong = {"authorization": "Bearer wrong"}
    right = {"authorization": "Bearer user-example-key"}

    assert stage.client.post(url, content=b"{").json()["error"]["code"] == "AUTHENTICATION_REQUIRED"
    assert stage.client.post(url, content=b"{", headers=wrong).json()["error"]["code"] == "INVALID_API_KEY"
    assert stage.client.post(url, content=b"{", headers=right).status_code == 400
    assert not provider.received


@pytest.mark.parametrize(("first", "status"), [("user-example-key", 400), ("wrong", 401)])
def test_first_of_two_keys_counts(
    stage_of: Callable[..., Stage], pair: Registry, first: str, status: int
) -> None:
    """Whoever presents two keys in the same header is judged by the first, be the other one right or wrong."""
    stage = stage_of(pair, user_keys=("user-example-key",))
    (second,) = {"user-example-key", "wrong"} - {first}
    headers = [("authorization", f"Bearer {key}") for key in (first, second)]

    assert stage.client.post("/v1/chat/completions", content=b"{", headers=headers).status_code == status


@pytest.mark.parametrize("framing", ["declared", "chunked"])
def test_body_of_more_than_10_mb_is_refused(stage: Stage, framing: str) -> None:
    """A body is refused once it is known to be too large, declared or not."""
    piece = b" " * 1_000_001
    content = piece * 10 if framing == "declared" else iter([piece] * 10)

    response = stage.client.post("/v1/chat/completions", content=content)

    assert (response.status_code, response.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_body_of_10_mb_is_taken(stage: Stage, provider: FakeProvider) -> None:
    """A body at the limit is served."""
    provider.then(status(200, completion()))
    body = json.dumps(BODY).encode()

    assert stage.client.post("/v1/chat/completions", content=body.ljust(10_000_000)).status_code == 200


def test_events_arrive_one_by_one(pair: Registry, provider: FakeProvider, serve: Serve) -> None:
    """Content is passed on as it comes, while the provider is still at it."""
    provider.then(stream(ROLE, HELLO, after=trickle(event({"choices": []}), 0.01)))
    url = serve(pair).url

    with httpx2.stream("POST", f"{url}/v1/chat/completions", json={**BODY, "stream": True}) as response:
        lines = response.iter_lines()
        assert json.loads(next(lines).removeprefix("data: "))["choices"][0]["delta"]["role"] == "assistant"
        next(lines)
        assert json.loads(next(lines).removeprefix("data: "))["choices"][0]["delta"]["content"] == "Hello"

    assert provider.caller_left.wait(5)


@pytest.mark.parametrize("form", ["plain", "stream"])
def test_caller_who_leaves_ends_the_call(
    pair: Registry,
    provider: FakeProvider,
    fallback: FakeProvider,
    serve: Serve,
    form: str,
) -> None:
    """When the caller leaves before the answer, the call to the provider ends, and no other is made."""
    provider.then(stall)
    url = serve(patient(pair)).url
    body = json.dumps({**BODY, "stream": form == "stream"}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"

    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as caller:
        caller.sendall(head.encode() + body)
        assert provider.called.wait(5)
        assert not provider.caller_left.is_set()

    assert provider.caller_left.wait(5)
    assert not fallback.received
