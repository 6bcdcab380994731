"""Random cuts by the thousand: whatever breaks and wherever, nobody takes half an answer for a whole one."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from fixtures.history.marks import request_id
from fixtures.simulators.server import SimulatorServer
from fixtures.stage import FACTS, OPTIONS, Connection
from fixtures.targets.protocol import Bench, RunningTarget
from suites.chaos.cut_batch import Heard, ask_all
from suites.chaos.cut_cases import KINDS, Case, case_of, kind_of
from suites.chaos.cut_house import House
from suites.chaos.cut_judging import problems_of

CASES: Mapping[str, int] = {"quick": 770, "full": 10_010}
"""How many cases are tried, by the profile: as many for each kind of provider."""

CHOSEN = "GAUNTLET_CUTS"
"""The variable that names the cases to try, where it is not all of them: `17,204`."""

_JOURNAL = 100_000
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the cuts are tried: a gateway, and its providers."""

    target: RunningTarget
    house: House
    seed: int
    cases: int

    def chosen(self, kind: str) -> list[Case]:
        """Return the cases whose first provider is of this kind, or those of them that a person has chosen."""
        named = os.environ.get(CHOSEN)
        indexes = range(self.cases) if named is None else [int(each) for each in named.split(",")]
        return [case_of(self.seed, index) for index in indexes if kind_of(index) == kind]


@pytest.fixture(scope="session")
def ground(request: pytest.FixtureRequest, bench: Bench, simulators: SimulatorServer) -> Iterator[Ground]:
    """A gateway of its own before providers that cut, for all tests of this module."""
    stash = request.config.stash
    options = stash[OPTIONS]
    house = House.build(simulators.world("cuts", journal_capacity=_JOURNAL), options.seed)
    with ExitStack() as stack:
        target = options.chosen_target().start(bench, stash[FACTS], house.change)
        yield Ground(stack.enter_context(target), house, options.seed, CASES[options.chaos])


@pytest.mark.item("UB-007", "PL-121", "PL-105")
@pytest.mark.needs(
    "chat", "streaming", "messages", "responses", "fallback", "providers", "configuration", "upstreams"
)
@pytest.mark.regression("R017", "R140")
@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_ends_honestly(gateway: Connection, ground: Ground, kind: str) -> None:
    """Each answer that is cut anywhere is had in whole from a provider, or ends in an explicit error, as is owed."""
    cases = ground.chosen(kind)
    if not cases:
        pytest.skip(f"NOT RUN: none of the cases that {CHOSEN} names begins with {kind}")
    heard = ask_all(ground.target.url, str(ground.target.keys.user), cases)
    asked = ground.house.asked()
    _note(gateway, kind, heard)
    found = [
        f"{'; '.join(problems)}\n  {each.told}\n  {each.words}\n  {each.case}\n  {_again(each.case, kind)}"
        for each in heard
        if (problems := problems_of(each, asked.get(request_id(each.case.index), ())))
    ]
    assert not found, f"{len(found)} of {len(heard)} cuts:\n" + "\n".join(found[:_SHOWN])


def _again(case: Case, kind: str) -> str:
    where = f"'suites/chaos/test_cuts.py::test_every_cut_ends_honestly[{kind}]'"
    return f"again: {CHOSEN}={case.index} pytest {where} --gauntlet-seed {case.seed}"


def _note(gateway: Connection, kind: str, heard: list[Heard]) -> None:
    """Leave how many requests ended in which way."""
    for outcome, count in sorted(Counter(each.told.outcome for each in heard).items()):
        gateway.notes.measure(f"cuts at {kind} that ended {outcome}", count, "count")
