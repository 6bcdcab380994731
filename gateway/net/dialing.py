import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohappyeyeballs import start_connection

from gateway.kernel.errors import ProviderError
from gateway.net.address import Origin
from gateway.net.connection import Connection
from gateway.net.failures import NO_TLS, UNCONNECTED, UNRESOLVED, overdue
from gateway.net.resolver import Resolver

# RFC 8305, section 5: how long the first address has before the next is tried beside it.
_NEXT_ADDRESS_S = 0.25


class Dialer:
    """Makes connections. Each has until `due_s`, in seconds of the loop's clock, and `late` says that this is over."""

    def __init__(self) -> None:
        self._resolver = Resolver()
        self._tls: ssl.SSLContext | None = None
        self._preparing = asyncio.Lock()

    async def dial(
        self, origin: Origin, new: Callable[[], Connection], due_s: float, late: str
    ) -> Connection:
        """Makes a connection, with TLS where it is wanted; raises ProviderError."""
        async with _mapped(due_s, late):
            tls = await self._prepared() if origin.is_tls else None
            sock = await self._connect(origin.host, origin.port)
            connection = new()
            try:
                await asyncio.get_running_loop().create_connection(
                    lambda: connection, sock=sock, ssl=tls, server_hostname=origin.host if tls else None
                )
            except BaseException:  # whatever ends it, the caller's leaving too
                sock.close()
                # uvloop does not say so itself, and the pool would wait for its end for ever.
                connection.connection_lost(None)
                raise
        return connection

    async def try_out(self, host: str, port: int, due_s: float, late: str) -> None:
        """Makes a TCP connection and gives it up at once; raises ProviderError."""
        async with _mapped(due_s, late):
            sock = await self._connect(host, port)
        sock.close()

    async def close(self) -> None:
        """Gives up what is still being looked up."""
        await self._resolver.close()

    async def _connect(self, host: str, port: int) -> socket.socket:
        addresses = await self._resolver.addresses(host, port)
        return await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_S)

    async def _prepared(self) -> ssl.SSLContext:
        """Gives what verifies certificates; to read those that this machine trusts takes 50 ms, once."""
        async with self._preparing:
            if self._tls is None:
                self._tls = await asyncio.to_thread(_verifying)
            return self._tls


def _verifying() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


@asynccontextmanager
async def _mapped(due_s: float, late: str) -> AsyncIterator[None]:
    limit = asyncio.timeout_at(due_s)
    try:
        async with limit:
            yield
    except (socket.gaierror, UnicodeError) as error:
        raise ProviderError(UNRESOLVED) from error
    except ssl.SSLError as error:
        raise ProviderError(NO_TLS) from error
    except OSError as error:  # one of them is the system's own time-out
        raise ProviderError(overdue(late) if limit.expired() else UNCONNECTED) from error
