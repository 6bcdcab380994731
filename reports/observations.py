"""What a test leaves beside its outcome: time lines, distributions, plots, and comparisons with a saved run."""

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


@dataclass(frozen=True, slots=True, config=_STRICT)
class Line:
    """The points (x, y) of one line in the order of x; `dots` are points that nothing joins, as measured values are.

    Where a coordinate is infinite or no number, the line has a gap.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    dots: bool = False


@dataclass(frozen=True, slots=True, config=_STRICT)
class Mark:
    """A place on the x axis with a name, as the knee has."""

    x: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Plot:
    """A picture of lines over one axis; lines in several units are several plots.

    Of the kinds, `time` has on x the seconds since the beginning of the run; `percentiles` has the per cent of the
    values that y is not below, so that 99 is P99; `curve` has anything else. Units are those of a checklist: times in
    `s`, memory in `MB`, what is counted in `count`. `bands` are faults, in seconds of x, and `limit` is a value of y.
    """

    name: str
    kind: Literal["time", "percentiles", "curve"]
    x: str
    x_unit: str
    y: str
    y_unit: str
    lines: tuple[Line, ...]
    bands: tuple[Band, ...] = ()
    limit: float | None = None
    limit_text: str | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Compared:
    """How a figure stands to the saved run; the per cent are the interval of what was added, less than 0 if faster.

    `text` says what the verdict rests on, or why there is none.
    """

    figure: str
    verdict: Literal["no different", "slower", "faster", "too noisy to say", "none saved"]
    low_percent: float | None = None
    high_percent: float | None = None
    text: str = ""
