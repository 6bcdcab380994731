"""Builders of plots and comparisons for the tests of their pictures and their page."""

from typing import Any

from reports.observations import Band, Compared, Line, Mark, Plot

FROZEN = Band(name="frozen", where="openai", begin_s=20.0, end_s=23.0)


def plot(**changes: Any) -> Plot:
    """Return a plot of 60 s with a fault, a limit, and two lines."""
    fields: dict[str, Any] = {
        "name": "Latency over time",
        "kind": "time",
        "x": "time since the start",
        "x_unit": "s",
        "y": "latency",
        "y_unit": "s",
        "lines": (
            Line("median", ((0.0, 0.5), (30.0, 0.4), (60.0, 0.6))),
            Line("P99", ((0.0, 0.8), (30.0, 0.9), (60.0, 0.8))),
        ),
        "bands": (FROZEN,),
        "limit": 1.0,
        "limit_text": "P99 ≤ 1 s",
    }
    return Plot(**(fields | changes))


def percentiles(**changes: Any) -> Plot:
    """Return percentile curves up to P99.9."""
    points = ((0.0, 0.001), (50.0, 0.005), (90.0, 0.01), (99.0, 0.1), (99.9, 2.0))
    fields: dict[str, Any] = {
        "name": "Percentiles",
        "kind": "percentiles",
        "x": "share of the requests",
        "x_unit": "%",
        "lines": (Line("chat", points), Line("few", points[:3])),
        "bands": (),
    }
    return plot(**(fields | changes))


def knee(**changes: Any) -> Plot:
    """Return what was achieved of the rates that were offered, with the knee."""
    fields: dict[str, Any] = {
        "name": "Offered against achieved",
        "kind": "curve",
        "x": "offered rate",
        "x_unit": "requests/s",
        "y": "achieved rate",
        "y_unit": "requests/s",
        "lines": (Line("achieved", ((100.0, 100.0), (1000.0, 990.0), (2000.0, 1200.0))),),
        "bands": (),
        "limit": None,
        "limit_text": None,
        "marks": (Mark(1200.0, "knee"),),
    }
    return plot(**(fields | changes))


def compared(**changes: Any) -> Compared:
    """Return a figure that got slower."""
    fields: dict[str, Any] = {
        "figure": "P99 latency",
        "verdict": "slower",
        "low_percent": 12.2,
        "high_percent": 18.4,
        "text": "600 pairs",
    }
    return Compared(**(fields | changes))
