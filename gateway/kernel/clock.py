import time
from datetime import UTC, datetime
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

    def monotonic_s(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)
