"""When a provider is killed and when it comes back: settled before the first request leaves, from a seed."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Kill:
    """One death of a provider: `at_s` after the traffic has begun, and for so long."""

    at_s: float
    for_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Traffic at `rate_per_s` for `duration_s`, and a kill at about each moment of `kills_at_s`, for about `dead_s`.

    A kill is up to `spread_s` later, and up to as much shorter. `resilience` is what the gateway is told beyond its
    defaults, and `probe_interval_s` what follows from that.
    """

    rate_per_s: float
    duration_s: float
    kills_at_s: tuple[float, ...]
    dead_s: float
    spread_s: float
    probe_interval_s: float
    resilience: Mapping[str, Any] = field(default_factory=dict)

    def kills(self, seed: int) -> tuple[Kill, ...]:
        """Return the kills: the same for the same seed."""
        rng = random.Random(f"{seed}/kills")  # noqa: S311 - the same seed has to give the same kills
        return tuple(
            Kill(at_s + rng.uniform(0, self.spread_s), self.dead_s - rng.uniform(0, self.spread_s))
            for at_s in self.kills_at_s
        )


SCHEDULES: Mapping[str, Schedule] = {
    "quick": Schedule(
        rate_per_s=60,
        duration_s=6.5,
        kills_at_s=(1.2,),
        dead_s=1.6,
        spread_s=0.3,
        probe_interval_s=0.5,
        resilience={"breaker": {"probe_interval_s": 0.5}, "health_checks": {"enabled": False}},
    ),
    "full": Schedule(
        rate_per_s=200,
        duration_s=30,
        kills_at_s=(2.5, 11, 19.5),
        dead_s=2,
        spread_s=0.5,
        probe_interval_s=5,
        resilience={"health_checks": {"enabled": False}},
    ),
}
"""By profile: after each kill there is time for a probe, after the last one for as much traffic as before the first.

The checks of health at long intervals are off, so that every probe is one of a provider that is left alone.
"""
