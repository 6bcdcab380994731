"""How long the profiles are played: as they stand, or scaled down to what a machine of two cores has time for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from fixtures.load.profile import Mix, Profile, profiles_in

FOLDER = Path(__file__).parent / "profiles"


@dataclass(frozen=True, slots=True)
class Scale:
    """So many times the rate, and so many times as long."""

    rate: float = 1.0
    duration: float = 1.0


QUICK: Mapping[str, Scale] = MappingProxyType(
    {
        "aborts": Scale(duration=0.25),
        "baseline": Scale(duration=0.25),
        "expected": Scale(duration=0.1),
        "faults": Scale(duration=0.25),
        "hundred-a-minute": Scale(rate=4, duration=0.25),
        "knee": Scale(duration=1 / 3),
        "long-streams": Scale(duration=1 / 3),
        "soak": Scale(duration=1 / 15),
        "spike": Scale(duration=0.5),
    }
)
"""The profiles of `--load quick`; `full` plays them as they stand."""


def profiles_for(extent: str) -> dict[str, Profile]:
    """Return the profiles of an extent by name."""
    profiles = profiles_in(FOLDER)
    if extent == "full":
        return profiles
    return {name: scaled(profile, QUICK[name]) for name, profile in profiles.items()}


def scaled(profile: Profile, scale: Scale) -> Profile:
    """Return a profile at this scale."""
    return profile.scaled(rate=scale.rate, duration=scale.duration)


def over_models(profile: Profile, models: tuple[str, ...]) -> Profile:
    """Return a profile whose kinds of request are each spread evenly over these models."""
    mixes = (
        replace(mix, name=f"{mix.name} {model}", model=model, weight=mix.weight / len(models))
        for model in models
        for mix in profile.mix
    )
    return replace(profile, mix=tuple[Mix, ...](mixes))
