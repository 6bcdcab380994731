"""What a process holds at a moment, and what it still holds when it has come to rest."""

import time
from dataclasses import dataclass

import psutil

AT_REST_WITHIN_S = 8.0
"""How long after the last answer a gateway may keep connections for their next use."""

_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Held:
    """Descriptors, the sockets among them, and threads; `half_closed` are sockets whose own side is not closed yet."""

    descriptors: int
    threads: int
    half_closed: int

    @classmethod
    def by(cls, process: psutil.Process) -> "Held":
        """Return what a process holds now."""
        sockets = process.net_connections(kind="tcp")
        half_closed = sum(each.status == psutil.CONN_CLOSE_WAIT for each in sockets)
        return cls(process.num_fds(), process.num_threads(), half_closed)

    @classmethod
    def at_rest(cls, process: psutil.Process, before: "Held", spare: float) -> "Held":
        """Return what a process holds once that is no more than before and what is spared, or the time is over."""
        deadline_s = time.monotonic() + AT_REST_WITHIN_S
        while (now := cls.by(process)).beyond(before) > spare and time.monotonic() < deadline_s:
            time.sleep(_LOOK_EVERY_S)
        return now

    def beyond(self, before: "Held") -> int:
        """Return how much more it is than before, of what has grown most; what is half closed counts in full."""
        return max(self.descriptors - before.descriptors, self.threads - before.threads, self.half_closed)
