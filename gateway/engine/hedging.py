"""Calls to two targets for one answer: the first answer wins, and nothing is left of the other."""

import asyncio
from asyncio import FIRST_COMPLETED, Task
from collections.abc import Sequence
from typing import Any

from gateway.engine.attempting import Attempting
from gateway.engine.attempts import Attempt
from gateway.engine.calls import Result, Served, StreamStart

Runner = Task[tuple[Served[Result], Attempt]]


async def next_to_end(runners: Sequence[Runner[Result]], within_s: float | None) -> list[Runner[Result]]:
    """Returns those that have ended, in the order in which they were begun; none when the time is up."""
    done, _ = await asyncio.wait(runners, timeout=within_s, return_when=FIRST_COMPLETED)
    return [runner for runner in runners if runner in done]


async def withdraw(runners: Sequence[Runner[Any]], attempting: Attempting) -> None:
    """Ends calls whose answers nobody wants any more, be it that they have just come, and waits for their end."""
    for runner in runners:
        runner.cancel()
    for ended in await asyncio.gather(*runners, return_exceptions=True):
        if not isinstance(ended, BaseException):
            served, attempt = ended
            attempting.discard(attempt)
            if isinstance(served.result, StreamStart):
                served.result.stream.close()
