"""How much longer an answer takes because another provider had to be asked, judged beside the machine's own noise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fixtures.statistics import InconclusiveError, Interval, Summary, fewest_samples
from fixtures.traffic.timing import Timed
from reports.observations import Baseline, Distribution

BAR_MS = 50.0
"""What nine in ten failovers may take at most; a machine that others use too is no place for a narrower bar."""

_P99_SAMPLES = fewest_samples(0.99)
_CURVE_POINTS = 100


@dataclass(frozen=True, slots=True)
class ExtraTime:
    """Paired times to the first answer, in milliseconds.

    `extra` is by how much each request that failed over exceeds the fault-free one beside it, less the time that the
    gateway had to wait. `noise` is by how much each fault-free request exceeds the one before it: what the machine
    alone makes of two requests that are the same.
    """

    extra: Summary
    noise: Summary

    @classmethod
    def of(cls, pairs: Sequence[tuple[Timed, Timed]], waited_s: float = 0.0) -> "ExtraTime":
        """Return what pairs of a fault-free request and one that failed over say."""
        plain = [calm.first_content_s for calm, _failing in pairs]
        return cls(
            Summary.of(
                _ms(failing.first_content_s - calm.first_content_s - waited_s) for calm, failing in pairs
            ),
            Summary.of(_ms(later - earlier) for earlier, later in pairwise(plain)),
        )

    @property
    def has_p99(self) -> bool:
        """Whether there are enough samples for P99 and its interval of confidence."""
        return self.extra.n >= _P99_SAMPLES

    def as_distribution(self, name: str) -> Distribution:
        """Return it for the report, with the noise as what it is compared with."""
        extra, noise = self.extra, self.noise
        far = self.has_p99
        return Distribution(
            name=name,
            unit="ms",
            samples=extra.n,
            p50=extra.p50,
            p90=extra.p90,
            p99=extra.p99 if far else None,
            p50_ci=_ends(extra.p50_ci),
            p99_ci=_ends(extra.p99_ci) if far else None,
            limit=f"P90 ≤ {BAR_MS:g} ms",
            holds=None if self._is_drowned else extra.p90 <= BAR_MS,
            baseline=Baseline(
                samples=noise.n,
                p50=noise.p50,
                p90=noise.p90,
                p99=noise.p99 if far else None,
                curve=tuple(_curve(noise.ordered)),
            ),
            curve=tuple(_curve(extra.ordered)),
        )

    def require_little(self) -> None:
        """Fail where failing over takes long.

        Raises:
            AssertionError: it does.
            InconclusiveError: it seems to, on a machine on which requests without any fault differ nearly as much.

        """
        if self._is_drowned:
            told = f"{self.extra.p90:.1f} ms at P90, where the machine's own noise is {self.noise.p90:.1f} ms"
            raise InconclusiveError(f"this run says nothing of the target: failing over took {told}")
        assert self.extra.p90 <= BAR_MS, f"nine in ten failovers took up to {self.extra.p90:.1f} ms longer"

    @property
    def _is_drowned(self) -> bool:
        return self.extra.p90 > BAR_MS and self.noise.p90 > BAR_MS / 2


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 4)


def _ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def _curve(ordered: Sequence[float]) -> Iterable[float]:
    """Return the quantiles in equal steps, the least and the largest value among them."""
    steps = min(_CURVE_POINTS, len(ordered) - 1)
    return (ordered[round(step * (len(ordered) - 1) / steps)] for step in range(steps + 1))
