"""The register of failures seen in the field: what provokes each, or why nothing does."""

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal, Self

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from fixtures.simulators.step_data import Entry, StepDataError, entries_in
from suites.chaos.hearing import CHAT, FACES, Face
from suites.chaos.lanes import Wish

# libyaml, where PyYAML was built with it, is several times as fast; both build plain values only.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Place = Annotated[int, Field(ge=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Expectation(_Frozen):
    """What must hold: answered in full by the provider at a place, or an error with a code ("any": whichever)."""

    by: Place | None = None
    error: str | None = None
    status: int | None = None
    asked: tuple[Place, ...]
    within_s: Annotated[float, Field(gt=0)] = 5

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.by is None) == (self.error is None):
            raise ValueError("either `by` or `error` must be given")
        return self


class Case(_Frozen):
    """One way of provoking a failure; `again` is what a second request must come to."""

    name: str
    ask: Literal["whole", "streamed", "both"] = "both"
    face: Literal["chat", "messages", "responses"] = "chat"
    lane: dict[str, Any] = Field(default_factory=dict)
    says: str | None = None
    primary: tuple[dict[str, Any], ...]
    fallback: tuple[dict[str, Any], ...] = ()
    expect: Expectation
    again: Expectation | None = None

    @model_validator(mode="after")
    def _can_be_staged(self) -> Self:
        try:
            entries_in(self.primary)
            entries_in(self.fallback)
            places = len(self.wish.kinds)
        except (StepDataError, TypeError) as error:
            raise ValueError(str(error)) from error
        if self.fallback and places == 1:
            raise ValueError("`fallback` is given for a lane that has none")
        return self

    @property
    def wish(self) -> Wish:
        told = {**self.lane, "kinds": tuple(self.lane.get("kinds", Wish().kinds))}
        return Wish(**told)

    @property
    def streams(self) -> tuple[bool, ...]:
        return {"whole": (False,), "streamed": (True,), "both": (False, True)}[self.ask]

    @property
    def asked_face(self) -> Face:
        return next((face for face in FACES if face.name == self.face), CHAT)

    def steps_of(self, place: int) -> tuple[Entry, ...]:
        """Return what the provider at a place of the chain does."""
        return entries_in({1: self.primary, 2: self.fallback}.get(place, ()))


class Regression(_Frozen):
    """One failure; `lane` and `says` hold for those of its cases that do not say otherwise.

    `items` are those that its cases prove beside the ones that all cases do.
    """

    id: Annotated[str, Field(pattern=r"^R\d{3}$")]
    line: str
    items: tuple[str, ...] = ()
    lane: dict[str, Any] = Field(default_factory=dict)
    says: str | None = None
    cases: tuple[Case, ...] = ()
    tests: tuple[str, ...] = ()
    left_out: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _inherit(cls, entry: Any) -> Any:
        """Give the cases what is said for all of them."""
        if not isinstance(entry, dict):
            return entry
        shared = {name: entry[name] for name in ("lane", "says") if name in entry}
        return {**entry, "cases": [{**shared, **case} for case in entry.get("cases", ())]}

    @model_validator(mode="after")
    def _is_covered_or_not(self) -> Self:
        if bool(self.cases or self.tests) == (self.left_out is not None):
            raise ValueError(f"{self.id}: either it is provoked, or `left_out` says why not")
        return self


@cache
def regressions() -> tuple[Regression, ...]:
    """Return the register in its order.

    Raises:
        pydantic.ValidationError: an entry is not well formed; the text names the field.

    """
    text = resources.files("suites.chaos").joinpath("data", "regressions.yaml").read_text(encoding="utf-8")
    return tuple(Regression.model_validate(entry) for entry in yaml.load(text, Loader=_LOADER))  # noqa: S506  a safe one, see above


def over_cases() -> pytest.MarkDecorator:
    """Let a test run for each case of the register, whole and streamed as the case wants it."""
    return pytest.mark.parametrize(("case", "stream"), list(_parameters()))


def _parameters() -> Iterator[Any]:
    for regression in regressions():
        for case in regression.cases:
            marks = (
                pytest.mark.regression(regression.id),
                pytest.mark.item(*regression.items),
                pytest.mark.needs(case.face),
                pytest.mark.lane(**{**case.lane, "kinds": case.wish.kinds}),
            )
            for stream in case.streams:
                way = "streamed" if stream else "whole"
                yield pytest.param(case, stream, id=f"{regression.id}-{case.name}-{way}", marks=marks)
