import asyncio

import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.engine.pipeline import ChatStream
from gateway.kernel.errors import DrainingError, GatewayError
from gateway.schema.sse import encode_sse
from gateway.web.callers import while_connected
from gateway.web.problems import Problems

_DONE = encode_sse(b"[DONE]")
_LAST_WORD_S = 0.5


class EventStream(Response):
    """A streamed answer: ends with `[DONE]` after the proper end, else with an error event and nothing more."""

    media_type = "text/event-stream"

    def __init__(self, stream: ChatStream, problems: Problems, request_id: str) -> None:
        super().__init__(headers={"cache-control": "no-cache", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._stream = stream
        self._problems = problems
        self._request_id = request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        try:
            await while_connected(receive, self._relay(send))
        except ClientDisconnect:
            pass  # nobody is left to be told
        finally:
            self._stream.close()

    async def _relay(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            while chunks := await self._stream.next_chunks():
                events = b"".join(encode_sse(orjson.dumps(chunk.body)) for chunk in chunks)
                await send({"type": "http.response.body", "body": events, "more_body": True})
        except GatewayError as error:
            await _end(send, self._error_event(error))
        except asyncio.CancelledError:
            # The time to drain is up; a caller who has left instead hears nothing of this.
            async with asyncio.timeout(_LAST_WORD_S):
                await _end(send, self._error_event(DrainingError()))
            raise
        else:
            await _end(send, _DONE)

    def _error_event(self, error: GatewayError) -> bytes:
        return encode_sse(self._problems.stream_event(error, self._request_id))


async def _end(send: Send, event: bytes) -> None:
    await send({"type": "http.response.body", "body": event, "more_body": False})
