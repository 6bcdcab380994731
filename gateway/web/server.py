import asyncio
import logging
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from gateway.engine.drain import Drain

# Longer than clients keep idle connections, so that it is they who close them.
_KEEP_ALIVE_S = 75


class DrainingServer(uvicorn.Server):
    """uvicorn, but a signal lets requests in flight finish while readiness already says no.

    uvicorn itself closes the listening socket at once, so that nobody could learn from readiness what is going
    on, and it ends by the signal instead of with exit code 0.
    """

    def __init__(
        self, app: Starlette, drain: Drain, drain_timeout_s: float, announce: Callable[[], None]
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=1,
            )
        )
        self._drain = drain
        self._drain_timeout_s = drain_timeout_s
        self._deadline_s: float | None = None
        self._announce = announce

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        del sig, frame
        # A second signal means that the operator will not wait.
        self.should_exit = self._drain.begun
        self._drain.begin()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    async def on_tick(self, counter: int) -> bool:
        if self._drain.begun and not self.should_exit:
            self.should_exit = self._is_drained()
        if self.should_exit and self.server_state.tasks:
            # They have had their time, or a second signal has taken it from them.
            self.config.timeout_graceful_shutdown = 0
        return await super().on_tick(counter)

    def _is_drained(self) -> bool:
        now_s = asyncio.get_running_loop().time()
        if self._deadline_s is None:
            self._deadline_s = now_s + self._drain_timeout_s
        return not self.server_state.tasks or now_s >= self._deadline_s


def route_logs(handler: logging.Handler) -> None:
    """Sends the warnings of the server's libraries to a handler."""
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def bind(host: str, port: int) -> socket.socket:
    """Binds a listening address; port 0 takes a free one. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener
