"""What holds of connections that are kept, over real sockets and on both event loops."""

import asyncio
import gc
import socket
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from gateway.kernel.errors import ProviderError
from gateway.net import connection as connections
from gateway.net.connection import Connection
from gateway.net.upstream import Upstream
from suites.unit.gateway.raw_provider import (
    CHUNKED,
    PATIENT,
    Play,
    RawProvider,
    Reader,
    Wire,
    answering,
    beginning,
    call_to,
    fetch,
    hanging_up_after,
    heard,
    opened,
    staying,
    told,
    whole,
)

TEXT = whole(b"text")


def test_connection_is_kept_for_the_next_request(play: Play) -> None:
    """Requests one after the other go over one connection, and those at the same time over one each."""

    async def story() -> None:
        async with RawProvider(answering(*[TEXT] * 9)) as provider, opened() as upstream:
            for _ in range(3):
                await fetch(upstream, provider.url)
            assert provider.accepted == 1

            await asyncio.gather(*(fetch(upstream, provider.url) for _ in range(5)))
            assert provider.accepted == 5

    play(story())


def test_stream_gives_its_connection_back_at_its_end(play: Play) -> None:
    """A stream that is read to its end leaves its connection for the next request; one that is left closes it."""

    async def story() -> None:
        stream_of_two = CHUNKED + b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
        begun = CHUNKED + b"1\r\na\r\n"
        script = answering(stream_of_two, begun), answering(TEXT)
        async with RawProvider(*script) as provider, opened() as upstream:
            stream = await upstream.send(call_to(provider.url), PATIENT)
            assert [await stream.read(), await stream.read()] == [b"ab", b""]
            stream.close()
            stream = await upstream.send(call_to(provider.url), PATIENT)
            assert await stream.read() == b"a"
            assert provider.accepted == 1

            stream.close()
            await provider.until_lost()
            await fetch(upstream, provider.url)
            assert provider.accepted == 2

    play(story())


def test_connection_that_is_closed_while_idle_is_not_used(play: Play) -> None:
    """What a provider has closed meanwhile is out of the pool as soon as its end is seen."""

    async def story() -> None:
        async with RawProvider(hanging_up_after(TEXT)) as provider, opened() as upstream:
            for expected in (1, 2, 3):
                await fetch(upstream, provider.url)
                assert provider.accepted == expected
                await asyncio.sleep(0.02)

    play(story())


@pytest.fixture
def closing_at_once() -> Iterator[str]:
    """A provider whose answer and end of the connection arrive in one piece."""

    def serve() -> None:
        while True:
            accepted, _ = listener.accept()
            with accepted:
                if not accepted.recv(2**16):
                    return
                accepted.send(TEXT, socket.MSG_MORE)
                accepted.shutdown(socket.SHUT_WR)
                while accepted.recv(2**16):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        address = listener.getsockname()
        yield f"http://127.0.0.1:{address[1]}"
        socket.create_connection(address).close()
        thread.join(5)


def test_end_that_nobody_has_seen_yet_is_looked_for(play: Play, closing_at_once: str) -> None:
    """A provider that closes right after an answer fails no request, though the loop has had no turn to see it."""

    async def story() -> None:
        async with opened() as upstream:
            for _ in range(20):
                assert (await fetch(upstream, closing_at_once)).body == b"text"

    play(story())


def test_kept_connection_that_is_lost_is_told(play: Play) -> None:
    """A request that is lost with a kept connection is one attempt, not sent again, and the reason tells of it."""

    async def story() -> None:
        requests = []

        async def talk(reader: Reader, writer: Wire) -> None:
            requests.append(await heard(reader))
            writer.write(TEXT)
            requests.append(await heard(reader))

        async with RawProvider(talk) as provider, opened() as upstream:
            await fetch(upstream, provider.url)
            detail = await told(fetch(upstream, provider.url))

        expected = "The provider closed the connection unanswered, which was kept from an earlier request."
        assert detail == expected
        assert len(requests) == 2

    play(story())


ENDING = {
    "asks to close": whole(b"text", "connection: close"),
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\ncontent-length: 4\r\n\r\ntext",
    "says more than it announced": whole(b"text") + b"more",
}


@pytest.mark.parametrize("answer", ENDING.values(), ids=ENDING)
def test_connection_is_closed_where_it_has_to_be(play: Play, answer: bytes) -> None:
    """After an answer that forbids another request the gateway closes the connection by itself."""

    async def story() -> None:
        async with RawProvider(answering(answer)) as provider, opened() as upstream:
            assert (await fetch(upstream, provider.url)).body == b"text"
            await provider.until_lost()

    play(story())


def test_bytes_that_nobody_has_asked_for_close_an_idle_connection(play: Play) -> None:
    """What a provider says into an idle connection is not taken for the answer to the next request."""

    async def story() -> None:
        async def talk(reader: Reader, writer: Wire) -> None:
            await heard(reader)
            writer.write(TEXT)
            await asked_once.wait()
            writer.write(whole(b"forged"))
            await reader.readexactly(1)

        asked_once = asyncio.Event()
        async with RawProvider(talk, answering(TEXT)) as provider, opened() as upstream:
            await fetch(upstream, provider.url)
            asked_once.set()
            await provider.until_lost()
            assert (await fetch(upstream, provider.url)).body == b"text"

    play(story())


def test_idle_connection_is_closed_in_time(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that nobody needs is closed before the provider would do so."""
    monkeypatch.setattr(connections, "KEEP_ALIVE_S", 0.5)

    async def story() -> None:
        async with RawProvider(answering(*[TEXT] * 9)) as provider, opened() as upstream:
            began_s = time.monotonic()
            for _ in range(3):
                await fetch(upstream, provider.url)
                await asyncio.sleep(0.2)
            assert provider.accepted == 1
            await provider.until_lost()
            assert 0.9 <= time.monotonic() - began_s < 5

    play(story())


def test_connection_that_was_idle_for_too_long_is_not_used(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its age is looked at, too, for a loop that is held up comes late to its timers."""
    monkeypatch.setattr(connections, "KEEP_ALIVE_S", 0.02)

    async def story() -> None:
        async with RawProvider(answering(TEXT)) as provider, opened() as upstream:
            await fetch(upstream, provider.url)
            time.sleep(0.05)  # noqa: ASYNC251  it holds the loop up
            asyncio.get_running_loop().call_soon(lambda: None)
            await fetch(upstream, provider.url)
            assert provider.accepted == 2

    play(story())


def test_closed_client_has_ended_all(play: Play) -> None:
    """Closing ends the connections that are idle and those at work, whose callers are told."""

    async def story() -> None:
        async with RawProvider(staying, answering(TEXT)) as provider:
            upstream = Upstream()
            await upstream.open()
            was_open = upstream.is_open
            asking = asyncio.create_task(told(fetch(upstream, provider.url)))
            async with asyncio.timeout(5):
                while not provider.accepted:  # noqa: ASYNC110  the provider counts, it does not call
                    await asyncio.sleep(0.01)
            await fetch(upstream, provider.url)
            await upstream.close()
            assert (was_open, upstream.is_open) == (True, False)
            assert await asking == "The provider closed the connection unanswered."
            await provider.until_lost(2)

    play(story())


async def _refuse(reader: Reader, writer: Wire) -> None:
    await heard(reader)
    writer.write(b"SSH-2.0-x\r\n")
    await reader.readexactly(1)


def test_nothing_is_left_behind(play: Play) -> None:
    """After calls of every kind, and the end of the client, no socket, task, timer or connection is left."""

    async def story() -> None:
        hasty = PATIENT.model_copy(update={"whole_s": 0.1, "idle_s": 0.1})
        script = [
            answering(TEXT),
            hanging_up_after(b""),
            hanging_up_after(TEXT[:-1]),
            _refuse,
            staying,
            beginning,
        ]
        async with RawProvider(*script * 5, answering(TEXT)) as provider:
            before = psutil.Process().num_fds()
            async with opened() as upstream:
                calls = [upstream.fetch(call_to(provider.url), hasty) for _ in range(30)]
                results = await asyncio.gather(*calls, return_exceptions=True)
            assert sum(isinstance(each, ProviderError) for each in results) == 25
            await provider.until_lost(20)
            async with asyncio.timeout(5):
                while psutil.Process().num_fds() > before:  # noqa: ASYNC110  the system does not call
                    await asyncio.sleep(0.01)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        del results, calls
        gc.collect()
        assert not [each for each in gc.get_objects() if isinstance(each, Connection)]

    play(story())
