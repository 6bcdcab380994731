"""The only module that awaits a provider.

Everything that can go wrong on the wire is told as a ProviderError, with its reason code.
"""

import asyncio
from collections.abc import Awaitable
from functools import lru_cache

from gateway.config.registry import Timeouts
from gateway.kernel.errors import ProviderError
from gateway.net.address import Origin, route_of
from gateway.net.answer import Answer
from gateway.net.connection import Connection
from gateway.net.dialing import Dialer
from gateway.net.failures import NOT_INFLATED, overdue, too_long
from gateway.net.inflating import CompressionError, Inflater, inflater_for
from gateway.net.pool import Pool
from gateway.net.request import request_head
from gateway.schema.exchange import UpstreamAnswer, UpstreamCall

# No model says as much; a body that goes on and on must not take the gateway's memory.
_MOST_BYTES = 64 * 2**20

# More than any configuration has.
_MOST_ROUTES = 1024


class Upstream:
    """Asks providers, over connections that are kept for the next request. One call is one attempt."""

    def __init__(self) -> None:
        self._dialer = Dialer()
        self._pool: Pool | None = None
        self._loop: asyncio.AbstractEventLoop
        self._route_of = lru_cache(_MOST_ROUTES)(route_of)

    async def open(self) -> None:
        """Makes the client ready; needs the running event loop that will use it."""
        self._loop = asyncio.get_running_loop()
        self._pool = Pool()

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            await self._dialer.close()

    @property
    def is_open(self) -> bool:
        return self._pool is not None and not self._pool.is_closed

    async def fetch(self, call: UpstreamCall, timeouts: Timeouts) -> UpstreamAnswer:
        """Sends a request and returns the whole answer, whatever its status; raises ProviderError."""
        stream = await self._send(call, timeouts, timeouts.whole_s)
        try:
            return await stream.read_all()
        finally:
            stream.close()

    async def send(self, call: UpstreamCall, timeouts: Timeouts) -> "UpstreamStream":
        """Sends a request and returns as soon as the head of the answer is there; raises ProviderError.

        The caller closes the stream.
        """
        return await self._send(call, timeouts, timeouts.first_byte_s)

    async def connect(self, host: str, port: int, timeout_s: float) -> None:
        """Makes a TCP connection and gives it up at once; raises ProviderError."""
        due_s = asyncio.get_running_loop().time() + timeout_s
        await self._dialer.try_out(host, port, due_s, f"No connection within {timeout_s:g} s.")

    async def _send(self, call: UpstreamCall, timeouts: Timeouts, first_byte_s: float) -> "UpstreamStream":
        if self._pool is None:
            raise RuntimeError("the upstream client is not open")
        began_s = self._loop.time()
        patience_s = min(first_byte_s, timeouts.total_s)
        route = self._route_of(call.url)
        head = request_head(call, route)
        connection = self._pool.take(route.origin)
        if connection is None:
            connection = await self._dial(self._pool, route.origin, timeouts.connect_s, patience_s)
        answer = connection.ask(head, call.body, bodiless=call.method == "HEAD")
        try:
            await _hear(connection, answer, began_s, patience_s)
        except BaseException:  # whatever ends the attempt, the caller's leaving too, ends the connection
            connection.abandon(answer)
            raise
        return UpstreamStream(connection, answer, timeouts, began_s, patience_s)

    async def _dial(self, pool: Pool, origin: Origin, connect_s: float, patience_s: float) -> Connection:
        late = "No connection within the configured connect_s."
        if patience_s < connect_s:
            late = _unanswered(patience_s)
        due_s = self._loop.time() + min(connect_s, patience_s)
        return await self._dialer.dial(origin, lambda: Connection(origin, pool, self._loop), due_s, late)


def _unanswered(patience_s: float) -> str:
    return f"No answer within {patience_s:g} s."


async def _hear(connection: Connection, answer: Answer, began_s: float, patience_s: float) -> None:
    """Waits for the head of an answer; raises ProviderError."""
    while not answer.begun:
        if answer.failure is not None:
            raise ProviderError(answer.failure)
        if not await connection.wait(answer, began_s + patience_s):
            raise ProviderError(overdue(_unanswered(patience_s)))


class UpstreamStream:
    """An answer whose body is still coming, under the waits that are configured."""

    def __init__(
        self, connection: Connection, answer: Answer, timeouts: Timeouts, began_s: float, patience_s: float
    ) -> None:
        self._connection = connection
        self._answer = answer
        self._timeouts = timeouts
        self._total_deadline_s = began_s + timeouts.total_s
        self._idle_deadline_s = began_s + patience_s
        self._patience_s = patience_s
        self._inflater = inflater_for(answer.headers.get("content-encoding", ""))
        self.status = answer.status
        self.headers = answer.headers

    def read(self) -> Awaitable[bytes]:
        """Returns the next bytes, or none at the end of the body; raises ProviderError."""
        return self._receive() if self._inflater is None else self._inflate(self._inflater)

    async def _inflate(self, inflater: Inflater) -> bytes:
        try:
            while not (data := inflater.take()):
                if not (compressed := await self._receive()):
                    return inflater.close()
                inflater.feed(compressed)
        except CompressionError as error:
            raise ProviderError(NOT_INFLATED) from error
        return data

    async def _receive(self) -> bytes:
        answer = self._answer
        while not answer.pieces:
            if answer.complete:
                return b""
            if answer.failure is not None:
                raise ProviderError(answer.failure)
            if not await self._connection.wait(answer, min(self._idle_deadline_s, self._total_deadline_s)):
                raise ProviderError(overdue(self._overdue()))
        return self._connection.take(answer)

    def mark_progress(self) -> None:
        """Restarts the wait for the next event; comments and half events do not deserve it."""
        self._idle_deadline_s = asyncio.get_running_loop().time() + self._timeouts.idle_s
        self._patience_s = self._timeouts.idle_s

    def hurry(self, within_s: float) -> None:
        """Shortens the time that is left for the rest of the answer."""
        deadline_s = asyncio.get_running_loop().time() + within_s
        self._total_deadline_s = min(self._total_deadline_s, deadline_s)

    async def read_all(self) -> UpstreamAnswer:
        """Returns the answer with its whole body; raises ProviderError."""
        pieces: list[bytes] = []
        length = 0
        while piece := await self.read():
            pieces.append(piece)
            length += len(piece)
            if length > _MOST_BYTES:
                raise ProviderError(too_long(_MOST_BYTES))
            self.mark_progress()
        return UpstreamAnswer(status=self.status, headers=self.headers, body=b"".join(pieces))

    def close(self) -> None:
        """Ends the call: a connection whose answer has not come to its end is closed, any other is kept."""
        self._connection.abandon(self._answer)

    def _overdue(self) -> str:
        if self._total_deadline_s <= self._idle_deadline_s:
            return f"The answer was not complete within {self._timeouts.total_s:g} s."
        return f"Nothing new came within {self._patience_s:g} s."
