"""What a caller sends, and whether it is still there."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import RequestError

MAX_BODY_BYTES = 10_000_000

Result = TypeVar("Result")


async def read_body(request: Request) -> bytes:
    """Reads a request's body of at most 10 MB; raises RequestError.

    Starlette's own limit answers in plain text, which no SDK could read.
    """
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > MAX_BODY_BYTES:
        raise RequestError(ReasonCode.PAYLOAD_TOO_LARGE)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise RequestError(ReasonCode.PAYLOAD_TOO_LARGE)
    return bytes(body)


async def while_connected(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """Does the work as long as the caller is there; cancels it and raises ClientDisconnect otherwise.

    The body of the request must have been read.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
