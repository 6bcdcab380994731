import asyncio
import time
from datetime import UTC

import uvloop

from gateway.kernel.clock import SystemClock, sleep_in_full


def test_clock_tells_utc_and_never_goes_back() -> None:
    """The time of day is in UTC; the time for durations does not go back."""
    clock = SystemClock()
    earlier = clock.monotonic_s()

    assert clock.now().tzinfo is UTC
    assert clock.monotonic_s() >= earlier


def test_wait_is_never_shorter_than_asked_for() -> None:
    """Whoever is asked to wait waits in full, on a loop too whose timers are rounded to a millisecond."""

    async def waited_s(wait_s: float) -> float:
        began_s = time.monotonic()
        await sleep_in_full(wait_s)
        return time.monotonic() - began_s

    async def run() -> list[float]:
        waits_s = [0.001 + 0.00013 * number for number in range(60)]
        took_s = [await waited_s(wait_s) for wait_s in waits_s]
        return [took - wait for took, wait in zip(took_s, waits_s, strict=True)]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert min(runner.run(run())) >= 0
