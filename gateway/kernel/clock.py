import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from typing import Protocol


class Clock(Protocol):
    """Where the gateway reads the time."""

    def monotonic_s(self) -> float:
        """Seconds that never go backwards, for durations."""
        ...

    def now(self) -> datetime:
        """The time of day in UTC, for what people read."""
        ...


class SystemClock:
    """The machine's clock."""

    # Without frames of ours around them: a request reads the time fourteen times.
    monotonic_s = staticmethod(time.monotonic)
    now = staticmethod(partial(datetime.now, UTC))


async def sleep_in_full(wait_s: float) -> None:
    """Waits so long and never less, though the timer of an event loop may come a millisecond early."""
    until_s = time.monotonic() + wait_s
    while (left_s := until_s - time.monotonic()) > 0:  # noqa: ASYNC110  it waits for a time, not for an event
        await asyncio.sleep(left_s)
