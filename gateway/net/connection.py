import asyncio
import select
from typing import Protocol, cast

from gateway.kernel.errors import ProviderFailure
from gateway.net.address import Origin
from gateway.net.answer import Answer
from gateway.net.failures import GARBLED, NOT_HTTP, lost
from gateway.net.reading import AnswerReader, GarbageError

# Below the five seconds after which uvicorn, and with it vLLM, closes an idle connection: a request sent into
# a connection that is just being closed would be lost.
KEEP_ALIVE_S = 4.0

# So much of a body may wait for a caller who is slow to take it; then the provider has to wait, too.
_MOST_WAITING_BYTES = 256 * 2**10

# A longer body is not copied behind its head.
_LONGEST_IN_ONE_WRITE = 64 * 2**10


class Home(Protocol):
    """Where connections are kept between their requests."""

    def enter(self, connection: "Connection") -> None: ...

    def keep(self, connection: "Connection") -> None: ...

    def leave(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """One connection to a provider, which carries one request at a time.

    One timer is enough for all of its waits, and is seldom touched: it is set to the earliest moment that matters, and
    looks then whether there is something overdue. To start and cancel one for each wait would cost more than the
    parsing of an answer.
    """

    def __init__(self, origin: Origin, home: Home, loop: asyncio.AbstractEventLoop) -> None:
        self.origin = origin
        self._home = home
        self._loop = loop
        self._reader = AnswerReader()
        self._answer: Answer | None = None
        self._idle_until_s = 0.0
        self._is_kept = False
        self._is_paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0
        self._transport: asyncio.Transport
        self._arrivals: select.poll

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._arrivals = select.poll()
        self._arrivals.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
        self._home.enter(self)

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None:  # nobody has asked for anything
            self._transport.abort()
            return
        try:
            self._reader.feed(data)
        except GarbageError:
            self._give_up(answer, GARBLED if answer.begun else NOT_HTTP)
            return
        if answer.complete:
            self._settle()
        elif answer.size > _MOST_WAITING_BYTES and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        answer.wake()

    def eof_received(self) -> None:
        # At once: to close in good order would be to send the rest of a request first.
        self._end(reset=False)
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._home.leave(self)
        self._end(reset=exc is not None)

    @property
    def is_lost(self) -> bool:
        """Whether one of the two sides has ended it."""
        return self._transport.is_closing()

    @property
    def is_fresh(self) -> bool:
        """Whether another request may be sent: it has not been idle for too long, and there is nothing to be read.

        What there is to be read of an idle connection can only be its end, which the event loop has not seen yet.
        """
        if self._loop.time() >= self._idle_until_s or self.is_lost:
            return False
        return self._arrivals.poll(0) == []

    def ask(self, head: bytes, body: bytes | None, *, bodiless: bool) -> Answer:
        """Sends a request, and returns what will become its answer."""
        answer = self._answer = Answer()
        self._reader.expect(answer, bodiless=bodiless)
        if self.is_lost:  # the provider has hung up as soon as it had taken up
            self._end(reset=False)
            return answer
        if body is None:
            self._transport.write(head)
        elif len(body) <= _LONGEST_IN_ONE_WRITE:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))
        return answer

    def wait(self, answer: Answer, due_s: float) -> "asyncio.Future[bool]":
        """Gives what is awaited until something has come of an answer that is not over: whether it did in time."""
        self._watch(due_s)
        return answer.expect(due_s)

    def take(self, answer: Answer) -> bytes:
        """Hands out what has come of a body, and makes room for more."""
        if self._is_paused and self._answer is answer:
            self._is_paused = False
            self._transport.resume_reading()
        return answer.take()

    def abandon(self, answer: Answer) -> None:
        """Closes the connection, unless the answer is over and no longer its concern."""
        if self._answer is answer:
            self._answer = None
            self._transport.abort()

    def abort(self) -> None:
        """Closes the connection, whatever it is doing."""
        self._transport.abort()

    def _give_up(self, answer: Answer, failure: ProviderFailure) -> None:
        self.abandon(answer)
        answer.fail(failure)

    def _end(self, *, reset: bool) -> None:
        """Ends an answer that is under way with its connection."""
        answer, self._answer = self._answer, None
        if answer is None:
            return
        if not reset:
            self._reader.end()
        if answer.complete:
            answer.wake()
        else:
            answer.fail(lost(reset=reset, begun=answer.begun, kept=self._is_kept))

    def _settle(self) -> None:
        """Ends what concerns an answer that is complete."""
        self._answer = None
        # A provider that has answered before it has read all of the request may read the rest, or may not.
        if not self._reader.reusable or self._transport.get_write_buffer_size():
            self._transport.abort()
            return
        self._is_kept = True
        self._idle_until_s = self._loop.time() + KEEP_ALIVE_S
        self._watch(self._idle_until_s)
        self._home.keep(self)

    def _watch(self, due_s: float) -> None:
        if self._timer is not None:
            if self._timer_s <= due_s:
                return
            self._timer.cancel()
        self._timer_s = due_s
        self._timer = self._loop.call_at(due_s, self._look)

    def _look(self) -> None:
        self._timer = None
        answer = self._answer
        if answer is not None and not answer.is_awaited:
            return  # whoever waits next sets the timer again
        due_s = self._idle_until_s if answer is None else answer.due_s
        if self._loop.time() < due_s:
            self._watch(due_s)
        elif answer is None:
            self._transport.abort()
        else:
            answer.wake(in_time=False)
