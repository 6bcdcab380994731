import asyncio
from collections.abc import Mapping
from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.engine.pipeline import ChatStream
from gateway.faces import StreamEncoder
from gateway.kernel.errors import DrainingError, GatewayError
from gateway.web.callers import while_connected
from gateway.web.json_response import encoded
from gateway.web.problems import Problems

_LAST_WORD_S = 0.5

_HEADERS = (
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
    (b"content-type", b"text/event-stream; charset=utf-8"),
)


class EventStream(Response):
    """A streamed answer in the form of a face: after an error in it comes nothing more."""

    def __init__(
        self,
        stream: ChatStream,
        encoder: StreamEncoder,
        problems: Problems,
        request_id: str,
        headers: Mapping[str, str],
    ) -> None:
        # As in JsonResponse: without Starlette's search of the headers.
        self.status_code = 200
        self.raw_headers = [*encoded(headers), *_HEADERS]
        self._stream = stream
        self._encoder = encoder
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
                events = self._encoder.feed(chunks)
                await send({"type": "http.response.body", "body": events, "more_body": True})
            last = self._encoder.close()
        except GatewayError as error:
            self._stream.finish(error)
            await _end(send, self._failure(error))
        except asyncio.CancelledError:
            # The time to drain is up; a caller who has left instead hears nothing of this.
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORD_S):
                    await _end(send, self._failure(DrainingError()))
            raise
        else:
            self._stream.finish()
            await _end(send, last)

    def _failure(self, error: GatewayError) -> bytes:
        return self._encoder.fail(self._problems.problem(error, self._request_id))


async def _end(send: Send, events: bytes) -> None:
    await send({"type": "http.response.body", "body": events, "more_body": False})
