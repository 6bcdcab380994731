import asyncio
import socket
from typing import Any

import pytest

from gateway.net.resolver import Resolver

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]


class NameServer:
    """Stands in for the system's resolver: counts who asks, and answers when it may."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails = False
        self.may_answer = asyncio.Event()

    async def getaddrinfo(self, host: str, _port: int, **_: Any) -> Any:
        self.asked.append(host)
        await self.may_answer.wait()
        if self.fails:
            raise socket.gaierror
        return FOUND


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> NameServer:
    server = NameServer()
    monkeypatch.setattr(
        asyncio.BaseEventLoop,
        "getaddrinfo",
        lambda _loop, *given, **named: server.getaddrinfo(*given, **named),
    )
    return server


def test_burst_asks_once(names: NameServer) -> None:
    """Many new connections to one host take one lookup, which holds for a while; another host takes another."""

    async def story() -> None:
        resolver = Resolver()
        asking = [asyncio.create_task(resolver.addresses("a.example", 80)) for _ in range(50)]
        await asyncio.sleep(0)
        names.may_answer.set()
        assert await asyncio.gather(*asking) == [FOUND] * 50
        await resolver.addresses("a.example", 80)
        await resolver.addresses("b.example", 80)
        assert names.asked == ["a.example", "b.example"]

    asyncio.run(story())


def test_who_leaves_does_not_take_the_lookup_along(names: NameServer) -> None:
    """A caller who gives up leaves the others their answer."""

    async def story() -> None:
        resolver = Resolver()
        first, second = (asyncio.create_task(resolver.addresses("a.example", 80)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        names.may_answer.set()
        assert await second == FOUND
        assert names.asked == ["a.example"]

    asyncio.run(story())


def test_failure_is_not_remembered(names: NameServer) -> None:
    """A name that could not be resolved is looked up again for the next who asks."""
    names.fails = True
    names.may_answer.set()

    async def story() -> None:
        resolver = Resolver()
        for _ in range(2):
            with pytest.raises(socket.gaierror):
                await resolver.addresses("a.example", 80)
            await asyncio.sleep(0)
        assert len(names.asked) == 2

    asyncio.run(story())


def test_what_is_known_grows_old(names: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while a name is looked up again."""
    monkeypatch.setattr("gateway.net.resolver._REMEMBERED_S", 0)
    names.may_answer.set()

    async def story() -> None:
        resolver = Resolver()
        await resolver.addresses("a.example", 80)
        await resolver.addresses("a.example", 80)
        assert len(names.asked) == 2

    asyncio.run(story())


@pytest.mark.usefixtures("names")
def test_closing_gives_up_what_is_looked_up() -> None:
    """At the end nobody waits for a name server any more."""

    async def story() -> None:
        resolver = Resolver()
        asking = asyncio.create_task(resolver.addresses("a.example", 80))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await resolver.close()
        await asyncio.gather(asking, return_exceptions=True)
        assert asking.cancelled()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(story())
