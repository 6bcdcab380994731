"""What a caller sends, and whether it is still there."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import RequestError
from gateway.web.identity import header_of

MAX_BODY_BYTES = 10_000_000

_SOON_S = 0.02

Result = TypeVar("Result")


async def read_body(request: Request) -> bytes:
    """Reads a request's body of at most 10 MB; raises RequestError, and ClientDisconnect where it does not come.

    Starlette's own limit answers in plain text, which no SDK could read.
    """
    stated = header_of(request, b"content-length")
    if stated.isdecimal() and int(stated) > MAX_BODY_BYTES:
        raise RequestError(ReasonCode.PAYLOAD_TOO_LARGE)
    body = b""
    pieces: list[bytes] = []
    length = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body, more = message.get("body", b""), message.get("more_body", False)
        pieces.append(body)
        length += len(body)
        if length > MAX_BODY_BYTES:
            raise RequestError(ReasonCode.PAYLOAD_TOO_LARGE)
    return body if len(pieces) == 1 else b"".join(pieces)


async def while_connected(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """Does the work as long as the caller is there; cancels it and raises ClientDisconnect otherwise.

    The body of the request must have been read.
    """
    working = asyncio.current_task()
    assert working is not None
    watching: asyncio.Task[None] | None = None
    has_left = False

    async def watch() -> None:
        nonlocal has_left
        while (await receive())["type"] != "http.disconnect":
            pass
        has_left = True
        working.cancel()

    def begin_to_watch() -> None:
        nonlocal watching
        watching = asyncio.create_task(watch())

    # A task for the watch costs as much as to parse the request; what is answered at once can do without.
    timer = asyncio.get_running_loop().call_later(_SOON_S, begin_to_watch)
    try:
        return await work
    except BaseException:  # in whatever way the work takes the end
        # The server may have ended it too, when the time to drain is up.
        if has_left and working.uncancel() == 0:
            raise ClientDisconnect from None
        raise
    finally:
        timer.cancel()
        if watching:
            watching.cancel()
