"""A tiny real HTTP server that plays a provider: what it answers is scripted, what it receives is kept."""

import asyncio
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from suites.unit.closing import close_server

Wire = asyncio.StreamWriter
Reply = Callable[[Wire], Awaitable[None]]

_TLS_HANDSHAKE = b"\x16"
_LINGER_AND_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Received:
    """One request as it came; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class FakeProvider:
    """Answers one connection per reply, in the order of the script; then with status 500.

    With `lists_models` it answers calls that cost nothing by itself, beside the script, and counts them in `probes`.
    """

    def __init__(self) -> None:
        self.script: deque[Reply] = deque()
        self.received: list[Received] = []
        self.lists_models = False
        self.probes = 0
        self.called = threading.Event()
        self.caller_left = threading.Event()
        self._writers: set[Wire] = set()
        self._listening = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._listening.wait(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def then(self, *replies: Reply) -> "FakeProvider":
        self.script.extend(replies)
        return self

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(5)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._stopping.wait()
        await close_server(server)
        for writer in self._writers:
            writer.transport.abort()  # the loop ends before what nobody reads could be sent
        await asyncio.sleep(0)

    async def _converse(self, reader: asyncio.StreamReader, writer: Wire) -> None:
        self._writers.add(writer)
        try:
            reply = self._reply_to(await _read(reader))
            answering = asyncio.ensure_future(reply(writer))
            leaving = asyncio.ensure_future(_end_of(reader))
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                self.caller_left.set()
            answering.cancel()
            leaving.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _reply_to(self, request: Received) -> Reply:
        if self.lists_models and request.method == "GET":
            self.probes += 1
            return status(200, {"object": "list", "data": []})
        self.received.append(request)
        self.called.set()
        return self.script.popleft() if self.script else status(500)


async def _end_of(reader: asyncio.StreamReader) -> None:
    while await reader.read(1024):
        pass


async def _read(reader: asyncio.StreamReader) -> Received:
    opening = await reader.readexactly(1)
    if opening == _TLS_HANDSHAKE:
        return Received("", "", {}, b"")
    head, *lines = (opening + await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    method, path, _ = head.split(" ")
    return Received(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))


def status(code: int, body: Any = b"", headers: Mapping[str, str] | None = None) -> Reply:
    """Answers whole: bytes as they are, anything else as JSON."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    stated = {"content-length": str(len(payload)), "connection": "close", **(headers or {})}
    return raw(f"HTTP/1.1 {code} X\r\n".encode() + _lines(stated) + payload)


def raw(data: bytes) -> Reply:
    async def reply(writer: Wire) -> None:
        writer.write(data)
        await writer.drain()

    return reply


def stream(*pieces: bytes, media_type: str = "text/event-stream", after: Reply | None = None) -> Reply:
    """Answers piece by piece; `after` takes the place of the proper end of the body."""

    async def reply(writer: Wire) -> None:
        headers = {"content-type": media_type, "transfer-encoding": "chunked", "connection": "close"}
        writer.write(b"HTTP/1.1 200 OK\r\n" + _lines(headers))
        for piece in pieces:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        await (after or raw(b"0\r\n\r\n"))(writer)

    return reply


async def hang_up(writer: Wire) -> None:
    """Closes the connection in good order."""
    writer.close()


async def reset(writer: Wire) -> None:
    """Resets the connection, after what has been sent has had its chance to arrive."""
    await asyncio.sleep(0.02)
    transport_socket = writer.get_extra_info("socket")
    transport_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_AND_RESET)
    writer.transport.abort()


async def stall(writer: Wire) -> None:
    """Sends nothing more until the caller leaves."""
    del writer
    await asyncio.Event().wait()


def trickle(piece: bytes, gap_s: float) -> Reply:
    """Sends the same piece again and again."""

    async def reply(writer: Wire) -> None:
        while True:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await asyncio.sleep(gap_s)

    return reply


def _lines(headers: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n"
