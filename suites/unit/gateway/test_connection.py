"""What holds of a connection, over real sockets and on both event loops."""

import asyncio
import socket

import pytest

from gateway.kernel.codes import ReasonCode
from gateway.net.address import Origin
from gateway.net.connection import Connection
from gateway.net.pool import Pool
from gateway.schema.exchange import UpstreamCall
from suites.unit.gateway.raw_provider import (
    CHUNKED,
    PATIENT,
    Play,
    RawProvider,
    Reader,
    Talk,
    Wire,
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

KIB, MIB = 2**10, 2**20
TEXT = whole(b"text")


HANGING_UP = {
    "before it is asked": hanging_up_after(),
    "without an answer": hanging_up_after(b""),
}


@pytest.mark.parametrize("talk", HANGING_UP.values(), ids=HANGING_UP)
def test_provider_that_hangs_up_is_told_at_once(play: Play, talk: Talk) -> None:
    """Whenever a provider hangs up instead of answering, nobody waits for it; that takes no second attempt."""

    async def story() -> None:
        async with RawProvider(talk) as provider, opened() as upstream:
            for count in range(1, 11):
                detail = await told(fetch(upstream, provider.url))
                assert detail.startswith("The provider ")
                assert detail.endswith(" the connection unanswered.")
                assert provider.accepted == count

    play(story())


def test_connection_that_is_lost_before_it_is_used_is_told(play: Play) -> None:
    """A provider may hang up between taking up the connection and the request; nobody waits for that answer."""

    async def story() -> None:
        loop, origin = asyncio.get_running_loop(), Origin("127.0.0.1", 80, is_tls=False)
        ours, theirs = socket.socketpair()
        pool = Pool()
        _, made = await loop.create_connection(lambda: Connection(origin, pool, loop), sock=ours)
        theirs.close()
        async with asyncio.timeout(5):
            while not made.is_lost:  # noqa: ASYNC110  nobody else is told
                await asyncio.sleep(0.01)
        answer = made.ask(b"GET / HTTP/1.1\r\n\r\n", None, bodiless=False)
        assert answer.failure is not None
        assert answer.failure.reason is ReasonCode.CONNECTION_FAILED
        await pool.close()

    play(story())


def test_end_of_the_connection_may_be_that_of_the_answer(play: Play) -> None:
    """An answer that states no length is whole when its connection ends."""

    async def story() -> None:
        until_end = hanging_up_after(b"HTTP/1.1 200 OK\r\n\r\ntext")
        async with RawProvider(until_end) as provider, opened() as upstream:
            call = UpstreamCall(method="GET", url=provider.url, headers={})
            assert (await upstream.fetch(call, PATIENT)).body == b"text"

    play(story())


def test_end_is_seen_before_all_is_asked(play: Play) -> None:
    """A provider that has ended its side is not sent the rest of a request before anybody is told."""

    async def story() -> None:
        async def talk(reader: Reader, writer: Wire) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 Too Large\r\n\r\nno")
            writer.write_eof()
            await told_of_it.wait()

        told_of_it = asyncio.Event()
        async with RawProvider(talk) as provider, opened() as upstream:
            answer = await upstream.fetch(call_to(provider.url, bytes(8 * MIB)), PATIENT)
            assert (answer.status, answer.body) == (413, b"no")
            told_of_it.set()

    play(story())


def test_answer_may_come_before_all_is_asked(play: Play) -> None:
    """A refusal that comes while the request is still being sent is the answer, and its connection is not kept."""

    async def story() -> None:
        async def talk(reader: Reader, writer: Wire) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
            await left.wait()
            while piece := await reader.read(MIB):
                received.append(len(piece))
            raise ConnectionResetError

        received: list[int] = []
        left = asyncio.Event()
        async with RawProvider(talk) as provider, opened() as upstream:
            answer = await upstream.fetch(call_to(provider.url, bytes(8 * MIB)), PATIENT)
            assert answer.status == 413
            left.set()
            await provider.until_lost()
        assert sum(received) < 8 * MIB

    play(story())


def test_long_request_arrives_whole(play: Play) -> None:
    """A body that does not fit into the socket's buffer arrives all the same."""

    async def story() -> None:
        body = bytes(range(256)) * 32 * KIB

        async def talk(reader: Reader, writer: Wire) -> None:
            request = await heard(reader)
            writer.write(whole(str(request.endswith(body)).encode()))
            await reader.readexactly(1)

        async with RawProvider(talk) as provider, opened() as upstream:
            assert (await upstream.fetch(call_to(provider.url, body), PATIENT)).body == b"True"

    play(story())


async def _sent_until_stuck(reader: Reader, writer: Wire, sent: list[int]) -> None:
    """Sends a body without end, and notes how much until nobody takes any more."""
    await heard(reader)
    writer.write(CHUNKED)
    chunk = b"%x\r\n%b\r\n" % (64 * KIB, bytes(64 * KIB))
    for count in range(4_000):
        writer.write(chunk)
        try:
            await asyncio.wait_for(writer.drain(), 0.3)
        except TimeoutError:
            sent.append(count)
            break
    await writer.drain()
    writer.write(b"0\r\n\r\n")
    await reader.readexactly(1)


def test_slow_caller_makes_the_provider_wait(play: Play) -> None:
    """A body that nobody takes is not gathered without bound; when it is taken again, it comes to its end."""

    async def story() -> None:
        sent: list[int] = []

        async def talk(reader: Reader, writer: Wire) -> None:
            await _sent_until_stuck(reader, writer, sent)

        async with RawProvider(talk) as provider, opened() as upstream:
            stream = await upstream.send(call_to(provider.url), PATIENT)
            async with asyncio.timeout(10):
                while not sent:  # noqa: ASYNC110  nothing tells that a provider is stuck
                    await asyncio.sleep(0.02)
            waiting = len(await stream.read())
            rest = waiting
            while piece := await stream.read():
                rest += len(piece)
            stream.close()

        assert sent[0] * 64 * KIB < 32 * MIB
        assert waiting < MIB
        assert rest == (sent[0] + 1) * 64 * KIB

    play(story())


def test_slow_caller_is_not_given_up(play: Play) -> None:
    """The waits are for the provider; who takes his time to read finds everything there."""

    async def story() -> None:
        hasty = PATIENT.model_copy(update={"idle_s": 0.05, "first_byte_s": 0.05})

        async def talk(reader: Reader, writer: Wire) -> None:
            await heard(reader)
            writer.write(CHUNKED + b"1\r\na\r\n")
            await asyncio.sleep(0.02)
            writer.write(b"1\r\nb\r\n0\r\n\r\n")
            await reader.readexactly(1)

        async with RawProvider(talk) as provider, opened() as upstream:
            stream = await upstream.send(call_to(provider.url), hasty)
            await asyncio.sleep(0.15)
            assert [await stream.read(), await stream.read()] == [b"ab", b""]
            stream.close()

    play(story())


def test_pieces_that_came_before_a_break_are_read_first(play: Play) -> None:
    """What was delivered before a connection broke counts; then the break is told, again and again."""

    async def story() -> None:
        cut = hanging_up_after(CHUNKED + b"1\r\na\r\n1\r\nb")
        async with RawProvider(cut) as provider, opened() as upstream:
            stream = await upstream.send(call_to(provider.url), PATIENT)
            assert await stream.read() == b"ab"
            for _ in range(2):
                assert await told(stream.read()) == "The provider closed the connection while answering."
            stream.close()

    play(story())


@pytest.mark.parametrize("talk", [staying, beginning], ids=["before the head", "in the body"])
def test_caller_who_leaves_ends_the_call(play: Play, talk: Talk) -> None:
    """Wherever a call is cancelled, the provider is not kept at work."""

    async def story() -> None:
        async with RawProvider(talk) as provider, opened() as upstream:
            asking = asyncio.create_task(fetch(upstream, provider.url))
            async with asyncio.timeout(5):
                while not provider.accepted:  # noqa: ASYNC110  what is cancelled is a wait, not an event
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.02)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            assert asking.cancelled()
            await provider.until_lost()

    play(story())
