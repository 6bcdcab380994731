"""The only module that awaits a provider.

Everything that can go wrong on the wire is mapped here, once, to a reason code.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import aiohttp
from yarl import URL

from gateway.config.registry import Timeouts
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.net.framing import connector_of
from gateway.schema.exchange import UpstreamAnswer, UpstreamCall

# Below the five seconds after which uvicorn, and with it vLLM, closes an idle connection: a request sent into
# a connection that is just being closed would be lost.
_KEEP_ALIVE_S = 4.0

# No model says as much; a body that goes on and on must not take the gateway's memory.
_MOST_BYTES = 64 * 2**20


class Upstream:
    """The pool of connections to providers."""

    def __init__(self) -> None:
        self._opened: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Makes the pool ready; needs the running event loop that will use it."""
        self._opened = aiohttp.ClientSession(
            connector=connector_of(asyncio.get_running_loop(), _KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"user-agent": "gauntlet-gateway", "accept-encoding": "identity"},
            skip_auto_headers={"content-type"},
            trust_env=False,
        )
        # One call is one attempt, or nobody could count them. There is no public switch; aiohttp's own test client
        # uses this one.
        self._opened._retry_connection = False  # noqa: SLF001  see above

    async def close(self) -> None:
        if self._opened:
            await self._opened.close()

    @property
    def is_open(self) -> bool:
        return self._opened is not None and not self._opened.closed

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

    async def _send(self, call: UpstreamCall, timeouts: Timeouts, first_byte_s: float) -> "UpstreamStream":
        if self._opened is None:
            raise RuntimeError("the upstream client is not open")
        began_s = asyncio.get_running_loop().time()
        patience_s = min(first_byte_s, timeouts.total_s)
        with _mapped(_BEFORE_HEAD, lambda: f"No answer within {patience_s:g} s."):
            async with asyncio.timeout_at(began_s + patience_s):
                response = await self._opened.request(
                    call.method,
                    # As it stands: a signature covers the address letter for letter.
                    URL(call.url, encoded=call.url.isascii()),
                    headers=call.headers,
                    data=call.body,
                    # A redirect would carry prompts and keys to an address that nobody has configured.
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=timeouts.connect_s),
                )
        return UpstreamStream(response, timeouts, began_s, patience_s)

    async def connect(self, host: str, port: int, timeout_s: float) -> None:
        """Makes a TCP connection and gives it up at once; raises ProviderError."""
        with _mapped(_BEFORE_HEAD, lambda: f"No connection within {timeout_s:g} s."):
            async with asyncio.timeout(timeout_s):
                _, writer = await asyncio.open_connection(host, port)
        writer.close()


class UpstreamStream:
    """An answer whose body is still coming, under the waits that are configured."""

    def __init__(
        self, response: aiohttp.ClientResponse, timeouts: Timeouts, began_s: float, patience_s: float
    ) -> None:
        self._response = response
        self._timeouts = timeouts
        self._total_deadline_s = began_s + timeouts.total_s
        self._idle_deadline_s = began_s + patience_s
        self._patience_s = patience_s
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.headers.items()}

    async def read(self) -> bytes:
        """Returns the next bytes, or none at the end of the body; raises ProviderError."""
        with _mapped(_AFTER_HEAD, self._overdue):
            async with asyncio.timeout_at(min(self._idle_deadline_s, self._total_deadline_s)):
                return await self._receive()

    async def _receive(self) -> bytes:
        content = self._response.content
        try:
            return await content.readany()
        except (aiohttp.ClientError, OSError):
            # What came before the break counts, and only this private way leads to it; the next read raises again.
            if left := content._read_nowait(-1):  # noqa: SLF001  see above
                return left
            raise

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
                raise _failed(ReasonCode.INVALID_RESPONSE, f"The answer is longer than {_MOST_BYTES} bytes.")
            self.mark_progress()
        return UpstreamAnswer(status=self.status, headers=self.headers, body=b"".join(pieces))

    def close(self) -> None:
        """Ends the call: a connection whose answer is not read to its end is closed, any other is kept."""
        self._response.release()

    def _overdue(self) -> str:
        if self._total_deadline_s <= self._idle_deadline_s:
            return f"The answer was not complete within {self._timeouts.total_s:g} s."
        return f"Nothing new came within {self._patience_s:g} s."


# In this order: aiohttp's errors derive from one another, and the more particular come first.
_BEFORE_HEAD = (
    (aiohttp.ClientConnectorDNSError, ReasonCode.CONNECTION_FAILED, "The host name could not be resolved."),
    (aiohttp.ClientSSLError, ReasonCode.CONNECTION_FAILED, "The TLS connection could not be made."),
    (aiohttp.ClientConnectorError, ReasonCode.CONNECTION_FAILED, "The connection could not be made."),
    (
        aiohttp.ServerDisconnectedError,
        ReasonCode.CONNECTION_FAILED,
        "The provider closed the connection unanswered.",
    ),
    (aiohttp.ClientOSError, ReasonCode.CONNECTION_FAILED, "The provider reset the connection unanswered."),
    (OSError, ReasonCode.CONNECTION_FAILED, "The connection could not be made."),
    (aiohttp.ClientError, ReasonCode.INVALID_RESPONSE, "The answer is not proper HTTP."),
)
_AFTER_HEAD = (
    (Exception, ReasonCode.STREAM_INTERRUPTED, "The provider closed the connection while answering."),
)


@contextmanager
def _mapped(
    kinds: Sequence[tuple[type[Exception], ReasonCode, str]], overdue: Callable[[], str]
) -> Iterator[None]:
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        raise _failed(ReasonCode.TIMEOUT, "No connection within the configured connect_s.") from error
    except TimeoutError as error:
        raise _failed(ReasonCode.TIMEOUT, overdue()) from error
    except (aiohttp.ClientError, OSError) as error:
        if _is_reset_body(error):
            reset = "The provider reset the connection while answering."
            raise _failed(ReasonCode.STREAM_INTERRUPTED, reset) from error
        raise _failed(
            *next((reason, text) for kind, reason, text in kinds if isinstance(error, kind))
        ) from error


def _is_reset_body(error: Exception) -> bool:
    # aiohttp tells a reset in the middle of a body from a mere end only in the words of its error.
    return isinstance(error, aiohttp.ClientPayloadError) and "ConnectionResetError" in str(error)


def _failed(reason: ReasonCode, detail: str) -> ProviderError:
    return ProviderError(ProviderFailure(reason=reason, detail=detail))
