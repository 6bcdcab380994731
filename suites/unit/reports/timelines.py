"""Builders of time lines for the tests of their picture and their page."""

from typing import Any

from reports.observations import Band, Baseline, Distribution, Remark, TimedAttempt, TimedRequest, Timeline

DEAD = Band(name="down", where="openai", begin_s=2.0, end_s=4.0)


def request(number: int, at_s: float, **changes: Any) -> TimedRequest:
    """Return a request that is answered after 10 ms, whole after 100."""
    fields: dict[str, Any] = {"outcome": "ok", "first_content_s": at_s + 0.01, "ended_s": at_s + 0.1}
    return TimedRequest(request=f"r-{number:06d}", at_s=at_s, **(fields | changes))


def attempt(provider: str, at_s: float, **changes: Any) -> TimedAttempt:
    """Return a call that is answered within 50 ms."""
    fields: dict[str, Any] = {"outcome": "answered", "ended_s": at_s + 0.05}
    return TimedAttempt(provider=provider, at_s=at_s, **(fields | changes))


def timeline(**changes: Any) -> Timeline:
    """Return a time line of 10 s in which every outcome occurs once."""
    fields: dict[str, Any] = {
        "length_s": 10.0,
        "bands": (DEAD,),
        "requests": (
            request(1, 1.0),
            request(2, 2.0, outcome="fail", first_content_s=None),
            request(3, 3.0, outcome="info"),
            request(4, 4.0, outcome="left"),
            request(5, 5.0, outcome="open", first_content_s=None, ended_s=None),
        ),
        "attempts": (
            attempt("openai", 1.0),
            attempt("openai", 2.0, outcome="failed"),
            attempt("vllm", 2.1, outcome="cancelled"),
            attempt("openai", 3.0, outcome="failed", probe=True),
            attempt("vllm", 5.0, outcome="open", ended_s=None),
        ),
        "remarks": (Remark(rule="answered_once", request="r-000005", at_s=5.0, text="never answered"),),
        "counts": {"ok": 1, "fail": 1, "info": 1, "left": 1, "open": 1},
        "failovers": 2,
        "failover_p50_s": 0.003,
        "failover_max_s": 1.5,
        "file": "build/chaos/history.jsonl",
    }
    return Timeline(**(fields | changes))


def distribution(**changes: Any) -> Distribution:
    """Return a distribution with everything that it can have."""
    fields: dict[str, Any] = {
        "name": "failover",
        "unit": "s",
        "samples": 400,
        "p50": 0.003,
        "p90": 0.008,
        "p99": 0.012,
        "p50_ci": (0.0028, 0.0032),
        "p99_ci": (0.011, 0.02),
        "limit": "≤ 15 ms",
        "holds": True,
        "baseline": Baseline(samples=400, p50=0.002, p90=0.003, p99=0.004, curve=(0.001, 0.002, 0.004)),
        "curve": (0.001, 0.003, 0.02),
    }
    return Distribution(**(fields | changes))
