"""What a run looks like model by model."""

from fixtures.load.result import LoadResult
from fixtures.statistics import quantile
from reports.observations import Line, Plot

_SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""A model has too few answers for more."""


def by_model(result: LoadResult, limit_s: float) -> Plot:
    """Return how the times of each model are spread."""
    lines = (
        Line(model, tuple((100 * share, quantile(part.latency.ordered, share)) for share in _SHARES))
        for model, part in result.by_model().items()
        if part.latency.n
    )
    return Plot(
        name="Latency by model",
        kind="percentiles",
        x="percentile",
        x_unit="%",
        y="time",
        y_unit="s",
        lines=tuple(lines),
        limit=limit_s,
        limit_text=f"P95 below {limit_s:g} s",
    )
