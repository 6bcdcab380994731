import asyncio
import gzip
import socket
from collections.abc import Iterator

import pytest

from gateway.config.registry import Timeouts
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.net.upstream import Upstream
from gateway.schema.exchange import UpstreamAnswer, UpstreamCall
from suites.unit.gateway.fake_provider import (
    FakeProvider,
    Reply,
    hang_up,
    raw,
    reset,
    stall,
    status,
    stream,
    trickle,
)

PATIENT = Timeouts(connect_s=2, first_byte_s=2, whole_s=2, idle_s=2, total_s=2)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"


def fetch(url: str, timeouts: Timeouts = PATIENT) -> UpstreamAnswer:
    async def act() -> UpstreamAnswer:
        upstream = Upstream()
        await upstream.open()
        try:
            return await upstream.fetch(
                UpstreamCall(method="POST", url=url, headers={}, body=b"{}"), timeouts
            )
        finally:
            await upstream.close()

    return asyncio.run(act())


def failure(url: str, timeouts: Timeouts = PATIENT) -> ProviderFailure:
    with pytest.raises(ProviderError) as caught:
        fetch(url, timeouts)
    return caught.value.failure


@pytest.fixture
def unanswered() -> Iterator[str]:
    """An address whose connections are never taken up: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for connection in waiting:
            connection.setblocking(False)
            connection.connect_ex(address)
        yield f"http://127.0.0.1:{address[1]}"
        for connection in waiting:
            connection.close()


def test_answer_comes_whole_whatever_its_status(provider: FakeProvider) -> None:
    """Status, headers in lower case and body are returned; errors of the provider are answers too."""
    provider.then(status(418, b"teapot", {"X-Pot": "yes", "content-length": "6"}))

    answer = fetch(provider.url)

    assert (answer.status, answer.headers["x-pot"], answer.body) == (418, "yes", b"teapot")


def test_redirect_is_not_followed(provider: FakeProvider) -> None:
    """A redirect would carry keys to an unknown address, so it is an answer like any other."""
    provider.then(status(307, headers={"location": provider.url}))

    assert fetch(provider.url).status == 307
    assert len(provider.received) == 1


BROKEN = {
    "hangs up": (hang_up, ReasonCode.CONNECTION_FAILED, "closed the connection unanswered"),
    "resets": (reset, ReasonCode.CONNECTION_FAILED, "reset the connection unanswered"),
    "speaks no HTTP": (raw(b"SSH-2.0\r\n\r\n"), ReasonCode.INVALID_RESPONSE, "not proper HTTP"),
    "cuts the body": (raw(HEAD + b"123"), ReasonCode.STREAM_INTERRUPTED, "closed the connection while"),
    "cuts a chunk": (
        stream(b"123", after=hang_up),
        ReasonCode.STREAM_INTERRUPTED,
        "closed the connection while",
    ),
    "resets the body": (
        stream(b"123", after=reset),
        ReasonCode.STREAM_INTERRUPTED,
        "reset the connection while",
    ),
}


@pytest.mark.parametrize(("reply", "reason", "text"), BROKEN.values(), ids=BROKEN)
def test_faults_on_the_wire_are_told_apart(
    provider: FakeProvider, reply: Reply, reason: ReasonCode, text: str
) -> None:
    """Each way in which a connection breaks has its own reason or words."""
    provider.then(reply)

    told = failure(provider.url)

    assert told.reason is reason
    assert text in told.detail


def test_garbage_between_chunks_is_told(provider: FakeProvider) -> None:
    """A body whose framing becomes garbage is told at once, not when the time is up."""
    provider.then(stream(b"1", after=raw(b"no length at all\r\n")))

    told = failure(provider.url)

    # Whether the head was read before the garbage came is for the loop to decide.
    assert told.reason in {ReasonCode.INVALID_RESPONSE, ReasonCode.STREAM_INTERRUPTED}


def test_refused_connection_is_told(provider: FakeProvider) -> None:
    """Where nobody listens, the connection fails."""
    provider.close()

    assert failure(provider.url).detail == "The connection could not be made."


def test_unknown_host_is_told() -> None:
    """A host name that does not exist is told apart from a provider that is down."""
    assert failure("http://nowhere.invalid/").detail == "The host name could not be resolved."


def test_tls_that_fails_is_told(provider: FakeProvider) -> None:
    """A provider that does not speak TLS where it should is told apart."""
    provider.then(raw(b"no TLS"))

    assert failure(provider.url.replace("http:", "https:")).reason is ReasonCode.CONNECTION_FAILED


def test_compression_that_nobody_asked_for_is_undone(provider: FakeProvider) -> None:
    """Some servers compress whatever they are asked for; what their head says of it is believed."""
    text = b"The Loire is the longest river of France. " * 30_000
    provider.then(status(200, gzip.compress(text), {"content-encoding": "gzip"}))

    assert fetch(provider.url).body == text


def test_compression_that_is_none_is_told(provider: FakeProvider) -> None:
    """A body that is not compressed as its head says is no answer."""
    provider.then(status(200, b"plain", {"content-encoding": "gzip"}))

    assert "cannot be decompressed" in failure(provider.url).detail


def test_body_has_a_bound(provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that goes on and on is given up before it takes the memory."""
    monkeypatch.setattr("gateway.net.upstream._MOST_BYTES", 100)
    provider.then(stream(after=trickle(b"1" * 60, 0.001)))

    told = failure(provider.url)

    assert (told.reason, told.detail) == (
        ReasonCode.INVALID_RESPONSE,
        "The answer is longer than 100 bytes.",
    )


def test_rest_of_an_answer_can_be_hurried(provider: FakeProvider) -> None:
    """What is left of an answer may be given less time than it had."""
    provider.then(stream(b"1", after=stall))

    async def act() -> ProviderFailure:
        upstream = Upstream()
        await upstream.open()
        answer = await upstream.send(UpstreamCall(method="POST", url=provider.url, headers={}), PATIENT)
        try:
            await answer.read()
            answer.hurry(0.05)
            await answer.read()
        except ProviderError as error:
            return error.failure
        finally:
            answer.close()
            await upstream.close()
        raise AssertionError("unreachable")

    told = asyncio.run(act())

    assert (told.reason, told.detail) == (ReasonCode.TIMEOUT, "The answer was not complete within 2 s.")


WAITS = {
    "no head": (stall, {"whole_s": 0.05}, "No answer within 0.05 s."),
    "no first byte": (stream(after=stall), {"whole_s": 0.05}, "Nothing new came within 0.05 s."),
    "no next byte": (stream(b"1", after=stall), {"idle_s": 0.05}, "Nothing new came within 0.05 s."),
    "no end": (
        stream(after=trickle(b"1", 0.02)),
        {"total_s": 0.1},
        "The answer was not complete within 0.1 s.",
    ),
}


@pytest.mark.parametrize(("reply", "limit", "text"), WAITS.values(), ids=WAITS)
def test_every_wait_is_bounded(
    provider: FakeProvider, reply: Reply, limit: dict[str, float], text: str
) -> None:
    """For the head, the first byte, the next byte and the end the gateway waits as long as configured."""
    provider.then(reply)

    told = failure(provider.url, PATIENT.model_copy(update=limit))

    assert (told.reason, told.detail) == (ReasonCode.TIMEOUT, text)


def test_wait_for_the_connection_is_bounded(unanswered: str) -> None:
    """A connection that is never taken up is given up in time."""
    told = failure(unanswered, PATIENT.model_copy(update={"connect_s": 0.05}))

    assert told.reason is ReasonCode.TIMEOUT
    assert "connect_s" in told.detail


def test_endpoint_check_is_bounded(unanswered: str) -> None:
    """The check of an address is given up in time, too."""
    port = int(unanswered.rpartition(":")[2])

    with pytest.raises(ProviderError, match="No connection within"):
        asyncio.run(Upstream().connect("127.0.0.1", port, 0.05))


def test_closed_client_says_so() -> None:
    """A client that is not open is a mistake of ours, not a failure of the provider."""
    upstream = Upstream()

    assert not upstream.is_open
    with pytest.raises(RuntimeError, match="not open"):
        asyncio.run(upstream.fetch(UpstreamCall(method="GET", url="http://h", headers={}), PATIENT))
    asyncio.run(upstream.close())
