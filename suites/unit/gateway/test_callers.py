import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from gateway.web.callers import read_body, while_connected

Leave = Callable[[], None]


def caller() -> tuple[Callable[[], Coroutine[Any, Any, dict[str, str]]], Leave]:
    """A caller who is there until told to leave; first it says that its request has no more parts."""
    left = asyncio.Event()
    messages = [{"type": "http.request"}]

    async def receive() -> dict[str, str]:
        if messages:
            return messages.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    return receive, left.set


def test_work_is_done_for_a_caller_who_stays() -> None:
    """The result of the work is returned, be it there at once or late."""

    async def work(duration_s: float) -> float:
        await asyncio.sleep(duration_s)
        return duration_s

    async def story() -> list[float]:
        return [await while_connected(caller()[0], work(duration_s)) for duration_s in (0, 0.05)]

    assert asyncio.run(story()) == [0, 0.05]


def test_error_of_the_work_is_raised() -> None:
    """What goes wrong in the work goes wrong for whoever waits for it."""

    async def work() -> None:
        raise ZeroDivisionError

    async def story() -> None:
        await while_connected(caller()[0], work())

    with pytest.raises(ZeroDivisionError):
        asyncio.run(story())


@pytest.mark.parametrize("cleanly", [True, False], ids=["cleanly", "with an error"])
def test_work_ends_when_its_caller_leaves(cleanly: bool) -> None:  # noqa: FBT001  a case
    """Nobody works for a caller who has left, in whatever way the work takes that; and the task goes on."""
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            if cleanly:
                raise
            raise ZeroDivisionError from None

    async def story() -> int:
        receive, leave = caller()
        asyncio.get_running_loop().call_later(0.05, leave)
        with pytest.raises(ClientDisconnect):
            await while_connected(receive, work())
        task = asyncio.current_task()
        assert task
        return task.cancelling()

    assert asyncio.run(story()) == 0
    assert ended == ["cancelled"]


@pytest.mark.parametrize("leaves_too", [False, True], ids=["who stays", "who leaves at the same time"])
def test_cancellation_from_outside_stays_one(leaves_too: bool) -> None:  # noqa: FBT001  a case
    """That the server ends the work is not taken for the leaving of the caller."""

    async def work() -> None:
        await asyncio.Event().wait()

    async def story() -> None:
        receive, leave = caller()
        task = asyncio.create_task(while_connected(receive, work()))
        await asyncio.sleep(0.05)  # the time after which it is watched whether the caller leaves
        if leaves_too:
            leave()
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())


def test_caller_who_leaves_in_the_middle_of_its_request_is_noticed() -> None:
    """A body that does not come is no empty body."""
    messages: list[dict[str, Any]] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b"{", "more_body": True},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop()

    with pytest.raises(ClientDisconnect):
        asyncio.run(read_body(Request({"type": "http", "state": {"headers": {}}}, receive)))
