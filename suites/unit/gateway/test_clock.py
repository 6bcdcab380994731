from datetime import UTC

from gateway.kernel.clock import SystemClock


def test_clock_tells_utc_and_never_goes_back() -> None:
    """The time of day is in UTC; the time for durations does not go back."""
    clock = SystemClock()
    earlier = clock.monotonic_s()

    assert clock.now().tzinfo is UTC
    assert clock.monotonic_s() >= earlier
