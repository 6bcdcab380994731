"""What the tests of chaos stand on: one gateway before a lane for each test."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from fixtures.marks import nodeid_of, suite_of
from fixtures.simulators.server import SimulatorServer
from fixtures.stage import FACTS, OPTIONS, Connection
from fixtures.targets.protocol import Bench, Change, RunningTarget, TargetStartError
from suites.chaos.in_turn import left_to_the_full_profile
from suites.chaos.lanes import KEY, RESILIENCE, Lane, Track, change_for, lay_all


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Ask in the quick profile now whole, now streamed; a sabotage, and whoever chooses by `-k`, meets both."""
    options = config.stash[OPTIONS]
    if options.chaos == "full" or options.sabotage is not None or config.option.keyword:
        return
    ours = (item.nodeid for item in items if suite_of(nodeid_of(item)) == "chaos")
    left_out = left_to_the_full_profile(ours)
    items[:] = [item for item in items if item.nodeid not in left_out]


@pytest.fixture(scope="session")
def tracks(request: pytest.FixtureRequest, simulators: SimulatorServer) -> Mapping[str, Track]:
    """The lanes of this process's tests, by their node ids."""
    return lay_all(simulators.world("lanes"), request.session.items)


@pytest.fixture(scope="session")
def shared_target(
    request: pytest.FixtureRequest, bench: Bench, tracks: Mapping[str, Track]
) -> Iterator[RunningTarget]:
    """The gateway under test before all lanes; started once."""
    config = request.config
    target = config.stash[OPTIONS].chosen_target()
    facts = config.stash[FACTS]
    granted = "configuration" in facts.capabilities
    change = change_for(tracks.values(), RESILIENCE) if granted else Change()
    with ExitStack() as stack:
        try:
            running = stack.enter_context(target.start(bench, facts, change))
        except TargetStartError as error:
            request.session.shouldfail = f"the target cannot be had: {error}"
            pytest.fail(str(error), pytrace=False)
        yield running


def _lane_of(gateway: Connection, track: Track) -> Lane:
    return Lane(gateway, track, track.world.journal.mark())


@pytest.fixture
def lane(request: pytest.FixtureRequest, gateway: Connection, tracks: Mapping[str, Track]) -> Iterator[Lane]:
    """The lane of this test alone; healed afterwards, or its providers would be probed to the end of the run."""
    gateway.notes.mask = gateway.notes.mask.with_known(key_of_lanes=KEY)
    yield (lane := _lane_of(gateway, tracks[request.node.nodeid]))
    for provider in lane.track.providers:
        provider.heal()
