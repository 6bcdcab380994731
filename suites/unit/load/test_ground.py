"""What stands between a test and the run of its profile."""

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.bounded import Bounds, open_http
from fixtures.capabilities import Claims, NotRunError
from fixtures.load.result import LoadResult
from fixtures.notes import Notes
from fixtures.resources import Sample
from fixtures.resources.host_use import HostUse
from fixtures.stage import Connection
from fixtures.targets.protocol import Keys, RunningTarget
from suites.load.extents import profiles_for
from suites.load.ground import Ground, Meantime, Played, Shelf
from suites.unit.fixtures.load.runs import every, recording

BEGUN_S = 1234.5
UNUSED = HostUse(cores=2, cpu_percent=0.0, memory_percent=0.0, disk_percent=0.0)


def sample(at_s: float) -> Sample:
    return Sample(at_s=at_s, cpu_s=1.0, rss_bytes=1, threads=1, processes=1)


def test_encrypted_target_is_not_loaded(tmp_path: Path) -> None:
    """A target at an https address is NOT RUN, with a reason that says what to do."""
    target = RunningTarget(
        url="https://127.0.0.1:1", keys=Keys(user=None, admin=None), claims=Claims(frozenset())
    )
    profiles = profiles_for("quick")
    shelf = Shelf(
        extent="quick",
        profiles=profiles,
        folder=tmp_path,
        baseline=tmp_path / "baseline.json",
        seed=1,
        house=None,
    )
    with open_http(Bounds(1.0), verify=False) as http:
        ground = Ground(Connection(target, Notes(), http), shelf)
        with pytest.raises(NotRunError, match=r"speaks plain http, .*: give it such an address"):
            ground.play(profiles["expected"], "gpt-4o-mini")


def test_samples_of_rest_are_not_under_load() -> None:
    """Of the samples those count that were taken between the first arrival and the end of the longest answer."""
    longest, *others = every(1.0, 3, took_s=0.5)
    run = recording([replace(longest, ended_s=4.0), *others], started_monotonic_s=BEGUN_S)
    samples = tuple(sample(BEGUN_S + at_s) for at_s in (-0.25, 0.0, 2.75, 4.0, 4.25))
    played = Played(LoadResult.of(run), UNUSED, samples, Meantime(), (3.0, 3.0))
    assert played.samples_under_load == samples[1:4]
