import asyncio
import re
from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.kernel.clock import Clock
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import DrainingError, GatewayError
from gateway.kernel.logs import Log, log_context
from gateway.web.problems import Problems

_HEADER = b"x-request-id"
_SANE = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_PROBES = ("/health", "/_health/")


class RequestIdMiddleware:
    """Gives every request an id, a line in the access log, and an answer even where the code is at fault."""

    def __init__(
        self, app: ASGIApp, *, clock: Clock, log: Log, problems: Problems, new_id: Callable[[], str]
    ) -> None:
        self._app = app
        self._clock = clock
        self._log = log
        self._problems = problems
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(reversed(scope["headers"]))  # the first of a name counts
        stated = _stated_id(headers)
        request_id = stated or self._new_id()
        scope.setdefault("state", {}).update(request_id=request_id, headers=headers)
        answer = _Answer(send, request_id)
        began_s = self._clock.monotonic_s()
        context = log_context.set({"request_id": self._log.shown(stated) if stated else request_id})
        try:
            await self._app(scope, receive, answer.send)
        except (Exception, asyncio.CancelledError) as cause:  # the border: whatever slips through is answered
            error = self._name(cause)
            if answer.status is not None:
                raise
            response = self._problems.response(error, scope["path"], request_id)
            await response(scope, receive, answer.send)
        finally:
            self._write_log(scope, answer.status, began_s)
            log_context.reset(context)

    def _name(self, cause: BaseException) -> GatewayError:
        if isinstance(cause, asyncio.CancelledError):
            # The server cancels what has not ended when the time to drain is up.
            return DrainingError()
        self._log.error("unexpected error", exc_info=cause)
        return GatewayError(ReasonCode.INTERNAL_ERROR)

    def _write_log(self, scope: Scope, status: int | None, began_s: float) -> None:
        write = self._log.debug if scope["path"].startswith(_PROBES) else self._log.info
        write(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            duration_ms=round((self._clock.monotonic_s() - began_s) * 1000, 3),
        )


def _stated_id(headers: Mapping[bytes, bytes]) -> str:
    """Returns the id that a caller has given to its request; empty where it is none, or no sane one."""
    value = headers.get(_HEADER, b"")
    return value.decode() if _SANE.fullmatch(value) else ""


class _Answer:
    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            told = [header for header in message["headers"] if header[0] != _HEADER]
            message["headers"] = [*told, (_HEADER, self._request_id.encode())]
        await self._send(message)
