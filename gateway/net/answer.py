import asyncio

from gateway.kernel.errors import ProviderFailure


class Answer:
    """One answer as it comes.

    `begun`: its head is there, with `status` and `headers` (names in lower case, of repeated ones the last). `pieces`
    of its body have come and are not taken yet, `size` bytes in all. It ends `complete`, or by a `failure`.
    """

    __slots__ = ("_waiter", "begun", "complete", "due_s", "failure", "headers", "pieces", "size", "status")

    def __init__(self) -> None:
        self.begun = False
        self.complete = False
        self.failure: ProviderFailure | None = None
        self.status = 0
        self.headers: dict[str, str] = {}
        self.pieces: list[bytes] = []
        self.size = 0
        self.due_s = 0.0
        self._waiter: asyncio.Future[bool] | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for it, until `due_s`."""
        return self._waiter is not None and not self._waiter.done()

    def take(self) -> bytes:
        """Hands out what has come of the body."""
        data = self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)
        self.pieces.clear()
        self.size = 0
        return data

    def fail(self, failure: ProviderFailure) -> None:
        """Notes why nothing more will come."""
        self.failure = failure
        self.wake()

    def expect(self, due_s: float) -> "asyncio.Future[bool]":
        """Gives what tells whether something has come by then, in seconds of the event loop's clock."""
        self.due_s = due_s
        self._waiter = asyncio.get_running_loop().create_future()
        return self._waiter

    def wake(self, *, in_time: bool = True) -> None:
        """Tells who waits that something has come, or that the time is up."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(in_time)
