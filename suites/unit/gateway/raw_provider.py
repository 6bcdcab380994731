"""A provider that is nothing but sockets: what it does with each connection is scripted, in the loop of the test."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

import pytest

from gateway.config.registry import Timeouts
from gateway.kernel.errors import ProviderError
from gateway.net.upstream import Upstream
from gateway.schema.exchange import UpstreamAnswer, UpstreamCall
from suites.unit.closing import close_server

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
PATIENT = Timeouts(connect_s=5, first_byte_s=5, whole_s=5, idle_s=5, total_s=5)

Story = Coroutine[Any, Any, None]
Play = Callable[[Story], None]

Reader = asyncio.StreamReader
Wire = asyncio.StreamWriter
Talk = Callable[[Reader, Wire], Coroutine[Any, Any, None]]


class RawProvider:
    """Does with each connection what its script says, the last of it again and again; then it closes.

    `accepted` and `lost` count the connections that came, and those that the other side has ended; `requests` are the
    heads that `heard` has read.
    """

    def __init__(self, *script: Talk, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.accepted = 0
        self.lost = 0
        self._script = deque(script)
        self._host = host
        self._tls = tls
        self._talks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._converse, self._host, 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await close_server(self._server)
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1/chat"

    async def until_lost(self, count: int = 1) -> None:
        """Waits until so many connections have been ended by the other side, and not as long as one is kept idle."""
        async with asyncio.timeout(5):
            while self.lost < count:
                self._changed.clear()
                await self._changed.wait()

    async def _converse(self, reader: Reader, writer: Wire) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        self.accepted += 1
        talk = self._script.popleft() if len(self._script) > 1 else self._script[0]
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.lost += 1
            self._changed.set()
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            self._talks.discard(task)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def heard(reader: Reader) -> bytes:
    """Reads one request; raises IncompleteReadError where the other side has left instead."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)


def answering(*answers: bytes) -> Talk:
    """Answers one request after the other on the same connection, then waits for the other side to leave."""

    async def talk(reader: Reader, writer: Wire) -> None:
        for answer in answers:
            await heard(reader)
            writer.write(answer)
        await reader.readexactly(1)

    return talk


def hanging_up_after(*answers: bytes) -> Talk:
    """Answers one request after the other on the same connection, then closes it."""

    async def talk(reader: Reader, writer: Wire) -> None:
        for answer in answers:
            await heard(reader)
            writer.write(answer)

    return talk


async def staying(reader: Reader, writer: Wire) -> None:
    """Hears a request, and says nothing."""
    del writer
    await heard(reader)
    await reader.readexactly(1)


async def beginning(reader: Reader, writer: Wire) -> None:
    """Begins an answer, and does not go on."""
    await heard(reader)
    writer.write(CHUNKED + b"1\r\na\r\n")
    await reader.readexactly(1)


def whole(body: bytes, *headers: str) -> bytes:
    """Writes an answer of status 200 that states its length."""
    lines = "".join(f"{header}\r\n" for header in (*headers, f"content-length: {len(body)}"))
    return b"HTTP/1.1 200 OK\r\n" + lines.encode() + b"\r\n" + body


def free_port() -> int:
    """Gives a port on which nobody listens any more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@asynccontextmanager
async def opened() -> AsyncIterator[Upstream]:
    """Gives a client that is open, and closes it."""
    upstream = Upstream()
    await upstream.open()
    try:
        yield upstream
    finally:
        await upstream.close()


def call_to(url: str, body: bytes = b"{}") -> UpstreamCall:
    return UpstreamCall(method="POST", url=url, headers={}, body=body)


async def fetch(upstream: Upstream, url: str, timeouts: Timeouts = PATIENT) -> UpstreamAnswer:
    return await upstream.fetch(call_to(url), timeouts)


async def told(asked: Awaitable[Any]) -> str:
    """Gives the words in which a call fails."""
    with pytest.raises(ProviderError) as caught:
        await asked
    return caught.value.failure.detail
