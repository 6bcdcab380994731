"""What a test of faults leaves beside its outcome: a time line of what happened, and distributions of timings."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Band:
    """A fault and the provider or place that it hit; `end_s` is None where it never ended."""

    name: str
    where: str
    begin_s: float
    end_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class TimedRequest:
    """A client's request; `left` is one that its client gave up by intent.

    `failover_s` is how long after its beginning the provider that answered was asked, None if that was the first one.
    """

    request: str
    outcome: Literal["ok", "fail", "info", "left", "open"]
    at_s: float
    first_content_s: float | None = None
    ended_s: float | None = None
    failover_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class TimedAttempt:
    """A call to a provider; `request` is None where it belongs to none, as a probe does."""

    provider: str
    outcome: Literal["answered", "failed", "cancelled", "open"]
    at_s: float
    ended_s: float | None = None
    request: str | None = None
    probe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Remark:
    """What a checker objects to."""

    rule: str
    request: str | None
    at_s: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Timeline:
    """A history small enough to be drawn; all times are seconds since its beginning, `length_s` is its end.

    `counts` has the number of all requests by outcome: `requests` and `attempts` may be fewer. `failovers` is the
    number of requests that another provider than the first one answered, and `failover_p50_s` and `failover_max_s`
    how long after their beginning it was asked. `file` is where the whole history is saved.
    """

    length_s: float
    bands: tuple[Band, ...] = ()
    requests: tuple[TimedRequest, ...] = ()
    attempts: tuple[TimedAttempt, ...] = ()
    remarks: tuple[Remark, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    failovers: int = 0
    failover_p50_s: float | None = None
    failover_max_s: float | None = None
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Baseline:
    """The same figures of a run without any fault, of the same seed."""

    samples: int
    p50: float
    p90: float | None = None
    p99: float | None = None
    curve: tuple[float, ...] = ()


Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Distribution:
    """How a timing is spread over `samples` values in `unit`; the intervals are those of confidence.

    `limit` is the threshold as text and `holds` whether it is kept, None where nothing judges it. `curve` has the
    quantiles in equal steps from the least value to the largest, of any number; it may be empty.
    """

    name: str
    unit: str
    samples: int
    p50: float
    p90: float | None = None
    p99: float | None = None
    p50_ci: Interval | None = None
    p99_ci: Interval | None = None
    limit: str | None = None
    holds: bool | None = None
    baseline: Baseline | None = None
    curve: tuple[float, ...] = ()
