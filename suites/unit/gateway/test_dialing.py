"""What holds of names, addresses and certificates, over real sockets."""

import asyncio
import ipaddress
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.config.registry import Timeouts
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError
from gateway.net.address import Origin
from gateway.net.connection import Connection
from gateway.net.dialing import Dialer
from gateway.net.pool import Pool
from gateway.net.upstream import Upstream
from suites.unit.gateway.raw_provider import (
    PATIENT,
    Play,
    RawProvider,
    Reader,
    Wire,
    answering,
    fetch,
    free_port,
    hanging_up_after,
    opened,
    whole,
)

TEXT = whole(b"text")
NO_TLS = "The TLS connection could not be made."
UNCONNECTED = "The connection could not be made."


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of localhost and 127.0.0.1 that has signed itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gauntlet test")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    """What a provider needs to speak TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes this machine trust the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


async def ask(*urls: str) -> list[bytes]:
    """Asks these addresses one after the other."""
    async with opened() as upstream:
        return [(await fetch(upstream, url)).body for url in urls]


async def failing(url: str) -> tuple[ReasonCode, str]:
    async with opened() as upstream:
        return await failing_by(upstream, url, PATIENT)


async def failing_by(upstream: Upstream, url: str, timeouts: Timeouts) -> tuple[ReasonCode, str]:
    with pytest.raises(ProviderError) as caught:
        await fetch(upstream, url, timeouts)
    return caught.value.failure.reason, caught.value.failure.detail


@pytest.mark.usefixtures("trusted")
def test_tls_is_spoken_and_kept(play: Play, tls: ssl.SSLContext) -> None:
    """A certificate that is trusted and names the host is enough; the connection is kept like any other."""
    asked_for: list[str | None] = []
    tls.sni_callback = lambda _socket, name, _context: asked_for.append(name)

    async def story() -> None:
        async with RawProvider(answering(TEXT, TEXT), tls=tls) as provider:
            named = provider.url.replace("127.0.0.1", "localhost")
            assert await ask(named, named) == [b"text", b"text"]
            assert provider.accepted == 1
            assert await ask(provider.url) == [b"text"]

    play(story())
    assert asked_for[0] == "localhost"


@pytest.mark.usefixtures("trusted")
def test_http_1_is_agreed_upon(play: Play, tls: ssl.SSLContext) -> None:
    """A provider that speaks HTTP/2 as well is asked for HTTP/1.1."""
    agreed: list[str | None] = []

    async def talk(reader: Reader, writer: Wire) -> None:
        agreed.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await answering(TEXT)(reader, writer)

    async def story() -> None:
        async with RawProvider(talk, tls=tls) as provider:
            await ask(provider.url)

    play(story())
    assert agreed == ["http/1.1"]


@pytest.mark.usefixtures("trusted")
def test_long_bodies_go_through_tls(play: Play, tls: ssl.SSLContext) -> None:
    """What does not fit into one piece of TLS comes whole."""
    body = bytes(range(256)) * 8192

    async def story() -> None:
        async with RawProvider(answering(whole(body), TEXT), tls=tls) as provider:
            assert await ask(provider.url, provider.url) == [body, b"text"]
            assert provider.accepted == 1

    play(story())


def test_certificate_that_nobody_knows_is_refused(play: Play, tls: ssl.SSLContext) -> None:
    """By default a provider has to prove who it is."""

    async def story() -> None:
        async with RawProvider(answering(TEXT), tls=tls) as provider:
            assert await failing(provider.url) == (ReasonCode.CONNECTION_FAILED, NO_TLS)

    play(story())


@pytest.mark.usefixtures("trusted")
def test_certificate_of_somebody_else_is_refused(play: Play, tls: ssl.SSLContext) -> None:
    """A certificate that is trusted but names another host proves nothing."""

    async def story() -> None:
        async with RawProvider(answering(TEXT), tls=tls) as provider:
            other = provider.url.replace("127.0.0.1", "127.0.0.2")
            provider_elsewhere = await asyncio.start_server(
                lambda _reader, writer: writer.close(), "127.0.0.2", provider.port, ssl=tls
            )
            assert await failing(other) == (ReasonCode.CONNECTION_FAILED, NO_TLS)
            provider_elsewhere.close()

    play(story())


def test_plain_http_is_no_tls(play: Play) -> None:
    """A provider that does not speak TLS where it should is told as one."""

    async def talk(reader: Reader, writer: Wire) -> None:
        await reader.readexactly(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    async def story() -> None:
        async with RawProvider(talk) as provider:
            secured = provider.url.replace("http:", "https:")
            assert await failing(secured) == (ReasonCode.CONNECTION_FAILED, NO_TLS)

    play(story())


LIMITS = {
    "of the connection": ({"connect_s": 0.1}, "No connection within the configured connect_s."),
    "of the answer": ({"whole_s": 0.1}, "No answer within 0.1 s."),
}


@pytest.mark.parametrize(("limit", "text"), LIMITS.values(), ids=LIMITS)
def test_handshake_has_to_be_done_in_time(play: Play, limit: dict[str, float], text: str) -> None:
    """TLS is part of the connection, and this of the answer; the provider is rid of who has given up."""

    async def talk(reader: Reader, writer: Wire) -> None:
        del writer
        await reader.readexactly(10**6)

    async def story() -> None:
        async with RawProvider(hanging_up_after(), talk) as provider, opened() as upstream:
            secured = provider.url.replace("http:", "https:")
            await failing_by(upstream, secured, PATIENT)  # so that the machine's certificates are read
            hasty = PATIENT.model_copy(update=limit)
            assert await failing_by(upstream, secured, hasty) == (ReasonCode.TIMEOUT, text)
            await provider.until_lost()

    play(story())


def test_provider_that_hangs_up_on_the_handshake_is_told(play: Play) -> None:
    """A connection that ends before TLS is there could not be made."""

    async def story() -> None:
        async with RawProvider(hanging_up_after()) as provider:
            reason, detail = await failing(provider.url.replace("http:", "https:"))
            assert reason is ReasonCode.CONNECTION_FAILED
            assert detail in {NO_TLS, UNCONNECTED}

    play(story())


def test_names_that_lead_nowhere_are_told(play: Play) -> None:
    """A name that does not exist, one that cannot exist and a port where nobody listens are told apart."""
    unresolved = (ReasonCode.CONNECTION_FAILED, "The host name could not be resolved.")

    async def story() -> None:
        assert await failing("http://nowhere.invalid/") == unresolved
        assert await failing(f"http://{'a' * 70}.invalid/") == unresolved
        assert await failing(f"http://127.0.0.1:{free_port()}/") == (
            ReasonCode.CONNECTION_FAILED,
            UNCONNECTED,
        )

    play(story())


def test_ipv6_address_is_reached(play: Play) -> None:
    """A host may be an IPv6 address in brackets."""

    async def story() -> None:
        async with RawProvider(answering(TEXT), host="::1") as provider:
            assert await ask(f"http://[::1]:{provider.port}/") == [b"text"]

    play(story())


def test_dead_address_does_not_hold_up_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a name has several addresses and the first is silent, the next is tried soon (RFC 8305)."""

    async def story() -> None:
        async with RawProvider(answering(TEXT)) as provider:
            with (
                socket.create_server(("127.0.0.1", 0), backlog=0) as silent,
                socket.socket() as one,
                socket.socket() as two,
            ):
                for waiting in (one, two):
                    waiting.setblocking(False)
                    waiting.connect_ex(silent.getsockname())
                found = [
                    (socket.AF_INET, socket.SOCK_STREAM, 6, "", address)
                    for address in (silent.getsockname(), ("127.0.0.1", provider.port))
                ]
                monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
                began_s = asyncio.get_running_loop().time()
                assert await ask("http://two.example/") == [b"text"]
                assert asyncio.get_running_loop().time() - began_s < 2

    asyncio.run(story())


@pytest.mark.parametrize("turns", [0, 1, 2])
def test_caller_who_leaves_while_a_connection_is_made_leaves_nothing(turns: int) -> None:
    """When a caller leaves while a provider is dialled, nobody waits for the end of that connection later on."""

    async def run() -> None:
        loop, pool, dialer = asyncio.get_running_loop(), Pool(), Dialer()
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1")
        origin = Origin("127.0.0.1", server.sockets[0].getsockname()[1], is_tls=False)

        def leave(after: int) -> None:
            if after:
                loop.call_soon(leave, after - 1)
            else:
                dialling.cancel()

        def new() -> Connection:
            leave(turns)
            return Connection(origin, pool, loop)

        dialling = asyncio.create_task(dialer.dial(origin, new, loop.time() + 5, "late"))
        await asyncio.wait([dialling])
        closing = asyncio.create_task(pool.close())
        _done, open_still = await asyncio.wait([closing], timeout=2)
        closing.cancel()
        server.close()
        assert not open_still, "the pool waits for a connection that is long gone"

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
