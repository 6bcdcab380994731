import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from aiohappyeyeballs import AddrInfoType

# A burst of new connections to one provider asks the name server once; what it says may change soon after.
_REMEMBERED_S = 10.0


@dataclass(frozen=True, slots=True)
class _Lookup:
    task: "asyncio.Task[Sequence[AddrInfoType]]"
    until_s: float


class Resolver:
    """Turns names into addresses; those who ask for the same name at the same time share one lookup."""

    def __init__(self) -> None:
        self._lookups: dict[tuple[str, int], _Lookup] = {}

    async def addresses(self, host: str, port: int) -> Sequence[AddrInfoType]:
        """Returns the addresses of a host in the order in which to try them; raises OSError or UnicodeError."""
        loop, lookup = asyncio.get_running_loop(), self._lookups.get((host, port))
        if lookup is None or loop.time() >= lookup.until_s:
            task = loop.create_task(_look_up(host, port))
            lookup = self._lookups[host, port] = _Lookup(task, loop.time() + _REMEMBERED_S)
            task.add_done_callback(lambda done: self._forget_failed(host, port, done))
        return await asyncio.shield(lookup.task)

    async def close(self) -> None:
        """Gives up what is still being looked up."""
        tasks = [lookup.task for lookup in self._lookups.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget_failed(self, host: str, port: int, task: "asyncio.Task[Sequence[AddrInfoType]]") -> None:
        if task.cancelled() or task.exception() is not None:
            self._lookups.pop((host, port), None)


async def _look_up(host: str, port: int) -> Sequence[AddrInfoType]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return cast("Sequence[AddrInfoType]", found)
