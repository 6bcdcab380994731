"""What the tests of load stand on: one gateway whose providers take their time, and profiles that are played once."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fixtures.simulators.server import SimulatorServer
from fixtures.stage import CATALOGUE, FACTS, OPTIONS, Connection
from fixtures.targets.protocol import Bench, Change, RunningTarget, TargetStartError
from suites.load.blanks import Blanks
from suites.load.extents import profiles_for
from suites.load.ground import Ground, Shelf
from suites.load.house import KEY, House
from suites.load.record_keeping import place_in

RECORDINGS = Path("build", "load")


@pytest.fixture(scope="session")
def house(request: pytest.FixtureRequest, simulators: SimulatorServer) -> House | None:
    """The providers that the load suite adds, None where the gateway is not ours to configure."""
    if "configuration" not in request.config.stash[FACTS].capabilities:
        return None
    return House.lay(
        (simulators.world("load"), simulators.world("load-next")), request.getfixturevalue("proxies")
    )


@pytest.fixture(scope="session")
def shared_target(
    request: pytest.FixtureRequest, bench: Bench, house: House | None
) -> Iterator[RunningTarget]:
    """The gateway under load; started once."""
    config = request.config
    target = config.stash[OPTIONS].chosen_target()
    change = house.change() if house is not None else Change()
    with ExitStack() as stack:
        try:
            running = stack.enter_context(target.start(bench, config.stash[FACTS], change))
        except TargetStartError as error:
            request.session.shouldfail = f"the target cannot be had: {error}"
            pytest.fail(str(error), pytrace=False)
        yield running


@pytest.fixture(scope="session")
def shelf(
    request: pytest.FixtureRequest, house: House | None, tmp_path_factory: pytest.TempPathFactory
) -> Shelf:
    """What has been played so far; a sabotaged run keeps to a folder of its own, and writes no baseline."""
    options = request.config.stash[OPTIONS]
    sabotaged = tmp_path_factory.mktemp("load") if options.sabotage else None
    folder = sabotaged or RECORDINGS
    folder.mkdir(parents=True, exist_ok=True)
    return Shelf(
        extent=options.load,
        profiles=profiles_for(options.load),
        folder=folder,
        baseline=(None if sabotaged else options.baseline) or place_in(folder, options.load),
        seed=options.seed,
        house=house,
    )


@pytest.fixture
def ground(gateway: Connection, shelf: Shelf) -> Ground:
    """The gateway of this test, and what can be done with it."""
    gateway.notes.mask = gateway.notes.mask.with_known(key_of_load=KEY)
    return Ground(gateway, shelf)


@pytest.fixture
def blanks(request: pytest.FixtureRequest, gateway: Connection) -> Blanks:
    """The figures that the checklists leave to be measured."""
    return Blanks(gateway.notes, request.config.stash[CATALOGUE])
