"""The expected load, which several tests judge: every kind of request, spread evenly over all models."""

from suites.load.extents import over_models
from suites.load.ground import Ground, Played


def play(ground: Ground) -> Played:
    """Play the expected load, or return what it has left."""
    models = ground.models()
    return ground.once(over_models(ground.profile("expected"), models), models[0])
