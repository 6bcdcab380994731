from collections import deque

_STEPS = 10


class Tally:
    """Counts what was tried and what failed within the last `window_s`.

    It forgets in steps of a tenth of the window, so that its size does not grow with the traffic. Moments are seconds
    that never go backwards.
    """

    def __init__(self, window_s: float) -> None:
        self._step_s = window_s / _STEPS
        self._steps: deque[list[int]] = deque(maxlen=_STEPS)

    def note(self, *, failed: bool, now_s: float) -> None:
        step = self._step_at(now_s)
        if not self._steps or self._steps[-1][0] != step:
            self._steps.append([step, 0, 0])
        self._steps[-1][1] += 1
        self._steps[-1][2] += failed

    def counts(self, now_s: float) -> tuple[int, int]:
        """Returns how many requests there were, and how many of them failed."""
        oldest = self._step_at(now_s) - _STEPS
        requests = failures = 0
        for step, tried, failed in self._steps:
            if step > oldest:
                requests += tried
                failures += failed
        return requests, failures

    def clear(self) -> None:
        self._steps.clear()

    def _step_at(self, now_s: float) -> int:
        return int(now_s // self._step_s)
