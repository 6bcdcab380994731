"""The matrix of faults: where x what x when x whole or streamed x dialect, all of it data in `data/faults.yaml`.

The quick profile tries every fault, and every dialect where it reads the wire in its own way; the full one tries all
combinations.
"""

import ssl
from collections.abc import Iterator
from functools import partial

import pytest

from fixtures.bounded import Bounds, open_http
from fixtures.capabilities import NotExercisedError
from fixtures.faults import Proxies
from fixtures.notes import Notes
from fixtures.recorder import skip_not_exercised
from fixtures.simulators.server import SimulatorServer
from fixtures.stage import ANSWER_TIMEOUT_S, FACTS, OPTIONS, Connection
from fixtures.targets.protocol import Bench, RunningTarget
from suites.chaos.fault_ground import Builder, Ground
from suites.chaos.fault_table import Case, cases, drawn
from suites.chaos.fault_verdict import Verdict, try_case
from suites.chaos.lanes import KEY

NEEDS = ("chat", "streaming", "messages", "responses", "fallback", "configuration", "upstreams")

pytestmark = pytest.mark.needs(*NEEDS)

DRAWN = {"quick": 3, "full": 16}
"""How many cases are drawn from the seed, to be tried twice."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test that wants a case run for each of the profile."""
    if "case" in metafunc.fixturenames:
        found = cases(metafunc.config.getoption("--chaos"))
        parameters = [
            pytest.param(each, id=each.id, marks=pytest.mark.item(*each.row.items)) for each in found
        ]
        metafunc.parametrize("case", parameters)


@pytest.fixture(scope="session")
def builder(
    request: pytest.FixtureRequest,
    shared_target: RunningTarget,
    bench: Bench,
    simulators: SimulatorServer,
    proxies: Proxies,
) -> Builder:
    """Who lays the sites and starts gateways before them."""
    try:
        shared_target.claims.demand(NEEDS)
    except NotExercisedError as error:
        skip_not_exercised(error)
    stash = request.config.stash
    start = partial(stash[OPTIONS].chosen_target().start, bench, stash[FACTS])
    return Builder(start, simulators, proxies)


@pytest.fixture(scope="session")
def ground(request: pytest.FixtureRequest, builder: Builder) -> Iterator[Ground]:
    """One gateway before a site for each case that is collected."""
    tests = [test for test in request.session.items if isinstance(test, pytest.Function)]
    parameters = (test.callspec.params["case"] for test in tests if test.function is test_fault_is_borne)
    with builder.build(case for case in parameters if isinstance(case, Case)) as built:
        yield built


def test_fault_is_borne(
    request: pytest.FixtureRequest, gateway: Connection, ground: Ground, tls: ssl.SSLContext, case: Case
) -> None:
    """Before the fault all is well; while it acts callers get what the row says; soon after it all is well again."""
    verdict = _try(request, gateway.notes, ground, tls, case)
    if verdict.trial.back_s is not None:
        gateway.notes.measure(
            "from the end of the fault to the first answer", round(verdict.trial.back_s, 3), "s"
        )
    assert not verdict.objections, "\n".join([*verdict.objections, f"what everybody saw: {verdict.path}"])


@pytest.mark.item("PL-105")
def test_same_seed_gives_the_same_verdict(
    request: pytest.FixtureRequest, gateway: Connection, builder: Builder, tls: ssl.SSLContext
) -> None:
    """Faults that are drawn from a seed come again with it: the same ones, in the same order, and they end the same."""
    options = request.config.stash[OPTIONS]
    count = DRAWN[options.chaos]
    runs = []
    for name in ("-first", "-again"):
        schedule = drawn(options.seed, count)
        with builder.build(schedule, name) as ground:
            verdicts = [_try(request, gateway.notes, ground, tls, case) for case in schedule]
        runs.append([(each.case.id, each.outcomes, not each.objections) for each in verdicts])
    first, again = runs
    assert again == first, "the second time something else has happened"
    assert drawn(options.seed + 1, count) != drawn(options.seed, count), "another seed gives the same faults"


def _try(
    request: pytest.FixtureRequest, notes: Notes, ground: Ground, tls: ssl.SSLContext, case: Case
) -> Verdict:
    """Try a case; where something speaks against the gateway, leave its history and its picture."""
    notes.mask = notes.mask.with_known(key_of_lanes=KEY)
    with open_http(Bounds(ANSWER_TIMEOUT_S), base_url=ground.target.url, verify=tls) as http:
        gateway = Connection(ground.target, notes, http)
        verdict = try_case(case, ground, gateway, request.config.stash[OPTIONS].seed)
        if verdict.objections:
            verdict.keep(gateway)
    return verdict
