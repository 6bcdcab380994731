import asyncio
from collections import defaultdict

from gateway.net.address import Origin
from gateway.net.connection import Connection


class Pool:
    """The connections to providers; there is no bound, for how many requests run at once is decided at the door."""

    def __init__(self) -> None:
        self.is_closed = False
        self._open: set[Connection] = set()
        # The last one to become idle is the first to be taken, so that those that are not needed grow old.
        self._idle: defaultdict[Origin, dict[Connection, None]] = defaultdict(dict)
        self._emptied = asyncio.Event()

    def take(self, origin: Origin) -> Connection | None:
        """Hands out an idle connection that can be used, None where there is none."""
        idle = self._idle[origin]
        while idle:
            connection, _ = idle.popitem()
            if connection.is_fresh:
                return connection
            connection.abort()
        return None

    def enter(self, connection: Connection) -> None:
        self._open.add(connection)
        if self.is_closed:
            connection.abort()

    def keep(self, connection: Connection) -> None:
        self._idle[connection.origin][connection] = None

    def leave(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._idle[connection.origin].pop(connection, None)
        if not self._open:
            self._emptied.set()

    async def close(self) -> None:
        """Closes every connection, and waits until that is done."""
        self.is_closed = True
        for connection in self._open:
            connection.abort()
        while self._open:
            self._emptied.clear()
            await self._emptied.wait()
