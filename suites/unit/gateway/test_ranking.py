from collections.abc import Callable

import pytest

from gateway.config.registry import Model, Rating
from gateway.policy.ranking import POWER_LEVELS, needs_of, power_level_of, rank
from suites.unit.gateway.conftest import Stage, registry_of
from suites.unit.gateway.fake_provider import FakeProvider, status
from suites.unit.gateway.wire_texts import completion


def model(name: str, cost: float, quality: float, speed: float, *capabilities: str) -> Model:
    rating = Rating(cost_per_1k_tokens_usd=cost, quality=quality, speed=speed)
    can = frozenset({"chat", *capabilities})
    return Model(name=name, provider="p", upstream_model=name, rating=rating, capabilities=can)


# Cost, quality and speed of the scored selector that the levels and weights were taken from.
KNOWN = (
    model("qwen-32b", 0, 0.85, 0.7),
    model("llama3-8b", 0, 0.70, 0.9),
    model("groq", 0, 0.80, 1),
    model("fireworks", 0.002, 0.87, 0.85, "tools"),
    model("or-claude", 0.008, 0.95, 0.75, "tools", "vision"),
    model("openai", 0.015, 0.95, 0.9, "tools", "vision"),
)


def best(level: str, *needs: str) -> str:
    return rank(KNOWN, POWER_LEVELS[level], needs=frozenset(needs))[0].name


@pytest.mark.parametrize("weights", POWER_LEVELS.values(), ids=POWER_LEVELS)
def test_weights_add_up(weights: object) -> None:
    """The weights of a level are shares of one whole."""
    stated = (getattr(weights, name) for name in ("cost", "quality", "speed"))
    assert sum(stated) == pytest.approx(1)


@pytest.mark.parametrize(
    ("level", "expected"), [("eco", "groq"), ("balanced", "groq"), ("precision", "or-claude")]
)
def test_level_decides_what_counts(level: str, expected: str) -> None:
    """Eco takes the cheap, precision the good, balanced what is best on the whole."""
    assert best(level) == expected


def test_eco_never_prefers_the_dearer_of_equals() -> None:
    """Of two models that differ in cost alone, every level takes the cheaper one."""
    pair = (model("a-dear", 0.004, 0.8, 0.8), model("b-cheap", 0.001, 0.8, 0.8))
    assert [rank(pair, weights)[0].name for weights in POWER_LEVELS.values()] == ["b-cheap"] * 3


def test_order_is_from_best_to_least_and_ties_go_by_name() -> None:
    """All candidates are ranked; those of equal score stand in the order of their names."""
    twins = (model("b", 0, 0.5, 0.5), model("a", 0, 0.5, 0.5), model("c", 0, 0.9, 0.9))
    assert [each.name for each in rank(twins, POWER_LEVELS["balanced"])] == ["c", "a", "b"]


def test_what_a_model_cannot_do_leaves_it_out() -> None:
    """A request that needs something is never sent to a model that lacks it."""
    assert best("eco", "tools", "vision") == "or-claude"
    assert rank(KNOWN, POWER_LEVELS["eco"], needs=frozenset({"embeddings"})) == ()


def test_model_without_a_rating_is_not_chosen() -> None:
    """A model that nobody has rated can be asked for, but is not chosen."""
    assert rank([Model(name="m", provider="p", upstream_model="m")], POWER_LEVELS["eco"]) == ()


@pytest.mark.parametrize(
    ("name", "level"), [("auto", "balanced"), ("auto:eco", "eco"), ("auto:precision", "precision")]
)
def test_name_tells_the_level(name: str, level: str) -> None:
    """`auto` alone is balanced; a level may be named."""
    assert power_level_of(name) is POWER_LEVELS[level]


@pytest.mark.parametrize("name", ["auto:", "auto:fast", "automatic", "gpt-4o", ""])
def test_other_names_are_no_choice(name: str) -> None:
    """Any other name is that of a model."""
    assert power_level_of(name) is None


def test_needs_are_read_from_the_request() -> None:
    """Tools and pictures in a request are needs."""
    picture = {"role": "user", "content": [{"type": "text"}, {"type": "image_url"}]}
    assert needs_of("chat", {"messages": [{"role": "user", "content": "Hi"}]}) == {"chat"}
    assert needs_of("chat", {"messages": [picture], "tools": [{}]}) == {"chat", "tools", "vision"}
    assert needs_of("embeddings", {"input": "Hi"}) == {"embeddings"}


def test_auto_is_answered_by_the_best_and_then_by_the_next(
    stage_of: Callable[..., Stage], provider: FakeProvider
) -> None:
    """A caller who asks for `auto` gets the best model; where that fails, the next one; and is told which."""
    rated = {"cost_per_1k_tokens_usd": 0.001, "speed": 0.5}
    registry = registry_of(
        {"openai": {"base_url": provider.url}},
        {
            "good": {"provider": "openai", "rating": {**rated, "quality": 0.9}},
            "fair": {"provider": "openai", "rating": {**rated, "quality": 0.6}},
            "unrated": {"provider": "openai"},
        },
    )
    provider.then(status(200, completion("One")), status(500), status(200, completion("Two")))
    stage = stage_of(registry)

    assert stage.chat("auto:precision").json()["model"] == "good"
    assert stage.chat("auto").json()["model"] == "fair"
    assert [received.json["model"] for received in provider.received] == ["good", "good", "fair"]


def test_auto_without_rated_models_does_not_exist(stage: Stage) -> None:
    """Where no model is rated there is nothing to choose from; a model that is called `auto` is itself."""
    assert stage.chat("auto").json()["error"]["code"] == "MODEL_NOT_FOUND"
