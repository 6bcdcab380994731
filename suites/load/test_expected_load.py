"""The expected load, over every model: few errors, the stated rate, and each provider within its time."""

from collections.abc import Callable, Mapping

import pytest

from fixtures.load.result import LoadResult
from fixtures.statistics import quantile
from reports.thresholds import Threshold
from suites.load.blanks import Blanks
from suites.load.expected import play
from suites.load.ground import Ground
from suites.load.pictures import by_model
from suites.load.telling import require_few_failures, tell

pytestmark = [pytest.mark.needs("chat", "streaming")]

Lookup = Callable[[str, str], Threshold]

OWN_LIMITS: Mapping[str, str] = {
    "vllm": "LD-103",
    "groq": "LD-104",
    "openrouter": "LD-105",
    "ollama": "LD-106",
}
"""The items that set a time for one provider; the others have that of LD-102."""

P95 = 0.95


@pytest.fixture
def load(ground: Ground) -> LoadResult:
    """What the expected load has shown; whatever it says is no use where the generator was late."""
    result = play(ground).result
    result.require_truthful()
    return result


@pytest.mark.item("PL-093", "UB-050", "LD-136")
def test_few_requests_fail(ground: Ground, load: LoadResult, threshold: Lookup) -> None:
    """Under the expected load hardly any request fails, is cut short or is given the answer of another."""
    tell(ground.gateway.notes, load)
    limits = [threshold(item, "error_rate") for item in ("PL-093", "UB-050", "LD-136")]
    require_few_failures(ground.gateway.notes, "requests that failed", load, limits)


@pytest.mark.item("PL-095")
def test_stated_rate_is_sustained(
    ground: Ground, load: LoadResult, threshold: Lookup, blanks: Blanks
) -> None:
    """The requests come as often as the profile states, and nearly all are answered within what callers may expect."""
    notes = ground.gateway.notes
    blanks.fill("PL-095", load.goodput.per_s * 60)
    notes.measure("offered requests per minute", load.offered_per_s * 60, "requests/min")
    limit = threshold("PL-095", "sustained")
    notes.require("of the requests per minute that are offered, sustained", load.goodput.share * 100, limit)


@pytest.mark.item("LD-137")
def test_answers_are_quick_on_average(ground: Ground, load: LoadResult, threshold: Lookup) -> None:
    """Under the expected load an answer takes a few seconds at most, on average."""
    assert load.latency.n, "no request was answered: there is no mean time"
    limit = threshold("LD-137", "mean_latency")
    ground.gateway.notes.require("mean time of an answer", load.latency.mean, limit)


@pytest.mark.item("UB-066")
def test_most_models_answer_soon(ground: Ground, load: LoadResult, threshold: Lookup) -> None:
    """Model by model, nineteen of twenty answers come within two seconds, for more than half of the models."""
    notes = ground.gateway.notes
    limit = threshold("UB-066", "p95_latency")
    p95_s = {model: p95_of(result) for model, result in load.by_model().items()}
    for model, value_s in p95_s.items():
        notes.measure(f"P95 of {model}", value_s, "s")
    notes.plot(by_model(load, limit.value))
    soon = sum(limit.holds(value_s) for value_s in p95_s.values())
    share = threshold("UB-066", "share_of_models")
    notes.require(f"models whose P95 is {limit}", 100 * soon / len(p95_s), share)


@pytest.mark.item("LD-102")
@pytest.mark.needs("configuration", "upstreams")
def test_each_provider_keeps_its_time(ground: Ground, load: LoadResult, threshold: Lookup) -> None:
    """Under load, too, each provider's answers come within the time that the checklist sets for it."""
    providers = ground.gateway.target.models
    late = []
    for model, result in load.by_model().items():
        limit = threshold(OWN_LIMITS.get(str(providers[model]), "LD-102"), "latency")
        value_s = p95_of(result)
        if not limit.holds(value_s):
            late.append(f"{providers[model]} {value_s:.2f} s ({limit})")
    ground.gateway.notes.measure("providers that were not within their time", len(late), "count")
    assert not late, f"{len(late)} providers do not answer within its time: {'; '.join(late)}"


def p95_of(result: LoadResult) -> float:
    """Return the P95 of a model, infinite where it has answered nothing; of fewer than twenty it is the largest."""
    return quantile(result.latency.ordered, P95) if result.latency.n else float("inf")
