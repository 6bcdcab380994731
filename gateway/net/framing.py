from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler


class ToldHandler(ResponseHandler):
    """aiohttp's side of one connection, but whoever reads a body is told when it cannot come to its end any more.

    aiohttp 3.14 notes garbage in the framing on the connection alone and closes it, so that a reader would wait until
    its time is up.
    """

    def set_exception(self, *reasons: Any) -> None:
        super().set_exception(*reasons)
        _tell(self._payload)

    def connection_lost(self, exc: BaseException | None) -> None:
        body = self._payload
        super().connection_lost(exc)
        _tell(body)


def _tell(body: aiohttp.StreamReader | None) -> None:
    if body is not None and body.exception() is None and not body.is_eof():
        body.set_exception(aiohttp.ClientPayloadError("The framing of the body is broken."))


def connector_of(loop: Any, keepalive_s: float) -> aiohttp.TCPConnector:
    """Makes a pool of connections without a bound: how many requests run at once is decided when they are admitted."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=keepalive_s)
    # There is no public way to say what handles a connection.
    handler: type[ResponseHandler] = ToldHandler
    connector._factory = partial(handler, loop=loop)  # noqa: SLF001  see above
    return connector
