"""The load suite's profiles: each is well formed, and the quick ones fit into the time that CI has."""

import pytest

from fixtures.load.profile import Profile
from suites.load.extents import QUICK, over_models, profiles_for

QUICK_S = 180
"""What is left of four minutes when Locust and the gateways have been started for every profile."""


def test_every_profile_has_its_quick_form() -> None:
    """Whatever is played in full has a scale for the quick extent, and no scale is left without a profile."""
    assert set(profiles_for("full")) == set(QUICK)


def test_quick_profiles_fit_into_the_time_of_ci() -> None:
    """All quick profiles together take a few minutes: the faults are played twice, the knee takes six steps."""
    times = {"faults": 2, "knee": 6}
    quick = profiles_for("quick")
    assert sum(times.get(name, 1) * profile.duration_s for name, profile in quick.items()) < QUICK_S


def test_full_soak_has_a_hundred_thousand_requests() -> None:
    """The soak in full is as long as the checklists want it: about 100,000 requests."""
    soak = profiles_for("full")["soak"]
    assert soak.rate_per_s * soak.duration_s == pytest.approx(100_000, rel=0.01)


def test_hundred_a_minute_is_never_less() -> None:
    """In full it is just above a hundred requests a minute for a minute, in quick several times as many."""
    full, quick = (profiles_for(extent)["hundred-a-minute"] for extent in ("full", "quick"))
    assert (full.rate_per_s * 60, full.duration_s) == (105, 60)
    assert quick.rate_per_s >= full.rate_per_s


@pytest.fixture
def expected() -> Profile:
    return profiles_for("quick")["expected"]


def test_mix_is_spread_evenly_over_models(expected: Profile) -> None:
    """Each kind of request asks each model equally often, under a name that tells both."""
    spread = over_models(expected, ("a", "b"))
    assert {(mix.name, mix.model, mix.stream) for mix in spread.mix} == {
        ("whole a", "a", False),
        ("streamed a", "a", True),
        ("whole b", "b", False),
        ("streamed b", "b", True),
    }
    assert len({mix.weight for mix in spread.mix}) == 1


def test_models_do_not_move_the_arrivals(expected: Profile) -> None:
    """Over more models the same requests come at the same times."""
    spread = over_models(expected, ("a", "b", "c"))
    assert [each.at_s for each in spread.schedule(7)] == [each.at_s for each in expected.schedule(7)]
