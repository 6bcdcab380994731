"""FailoverBench's sixteen scenarios, under its own conditions and under our defaults: results can be compared.

The full profile (`--chaos full`) has FailoverBench's own timing. In the quick one every fault, every configured wait
and every bound lasts a tenth of it; a bound on what the gateway may take is 5 s at least.
"""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from fixtures.simulators.server import SimulatorServer
from fixtures.stage import FACTS, OPTIONS, Connection
from fixtures.targets.protocol import Bench
from suites.chaos.failoverbench import Judgement, Verdict, worst
from suites.chaos.failoverbench_scenarios import SCENARIOS
from suites.chaos.scenarios import BASELINE, DEFAULTS, FULL, QUICK
from suites.chaos.staging import House, Stagings

pytestmark = [
    pytest.mark.item("UB-035", "PL-105"),
    pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams"),
]

ALSO_PROVES = {
    "S03": ("PL-031",),
    "S04": ("PL-031",),
    "S06": ("PL-028",),
    "S09": ("PL-028",),
    "S15": ("PL-031", "PL-100", "LD-094"),
    "S16": ("PL-031",),
}
"""The items that a scenario proves besides."""

FIELD_FAILURES = {"S01": ("R048",), "S08": ("R017",), "S11": ("R028",), "S14": ("R011",), "S15": ("R061",)}
"""The failures seen in the field that a scenario repeats."""

Stages = Mapping[str, Stagings]


def _over_scenarios() -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "scenario_id",
        [
            pytest.param(
                each,
                marks=(
                    pytest.mark.item(*ALSO_PROVES.get(each, ())),
                    pytest.mark.regression(*FIELD_FAILURES.get(each, ())),
                ),
            )
            for each in SCENARIOS
        ],
    )


@pytest.fixture(scope="session")
def stages(
    request: pytest.FixtureRequest, bench: Bench, simulators: SimulatorServer, tls: ssl.SSLContext
) -> Iterator[Stages]:
    """One gateway for each configuration that is tried, with what is to be tried on it.

    They live as long as the run, so that nothing else waits for the long scenarios.
    """
    stash = request.config.stash
    target, facts = stash[OPTIONS].chosen_target(), stash[FACTS]
    house = House(
        start=lambda change: target.start(bench, facts, change),
        simulators=simulators,
        tls=tls,
        clock=QUICK if stash[OPTIONS].chaos == "quick" else FULL,
    )
    wanted = _wanted(request)
    with ExitStack() as stack:
        yield {
            conditions.name: stack.enter_context(house.stage(conditions, wanted[conditions.name]))
            for conditions in (BASELINE, DEFAULTS)
            if wanted[conditions.name]
        }


def _wanted(request: pytest.FixtureRequest) -> dict[str, list[str]]:
    """Return the scenarios that are collected, by the configuration that they are tried under."""
    tests = [test for test in request.session.items if isinstance(test, pytest.Function)]
    return {
        conditions.name: [
            str(test.callspec.params["scenario_id"]) for test in tests if test.function is function
        ]
        for conditions, function in ((BASELINE, test_baseline), (DEFAULTS, test_defaults))
    }


@_over_scenarios()
def test_baseline(gateway: Connection, stages: Stages, scenario_id: str) -> None:
    """Under FailoverBench's own conditions, and with rescue on, the scenario passes: no peer passes all sixteen."""
    judgement = _verdict_on(gateway, stages[BASELINE.name], scenario_id)
    assert judgement.verdict is Verdict.PASS, str(judgement)


@_over_scenarios()
def test_defaults(gateway: Connection, stages: Stages, scenario_id: str) -> None:
    """With nothing configured, no scenario fails: what is not rescued ends in bounded time with a clean error."""
    judgement = _verdict_on(gateway, stages[DEFAULTS.name], scenario_id)
    assert judgement.verdict is not Verdict.FAIL, str(judgement)


def _verdict_on(gateway: Connection, stagings: Stagings, scenario_id: str) -> Judgement:
    """Return the verdict on all ways of a scenario, and leave its line of the scorecard."""
    played = stagings.played(scenario_id)
    title = SCENARIOS[scenario_id].title
    for each in played:
        told = f"{scenario_id} {title}, {each.way.name}: {each.judgement.verdict}"
        gateway.notes.measure(told, round(each.run.took_s, 3), "s")
        gateway.notes.measure(
            f"{scenario_id} {each.way.name}: attempts at the primary", len(each.run.primary), "count"
        )
        if each.judgement.verdict is not Verdict.PASS:
            gateway.notes.transcript.calls += each.transcript.calls
    return worst([each.judgement for each in played])
