"""The matrix of faults as data: where, what, when, how it is asked, and what must hold."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from fixtures.faults import Fault
from fixtures.simulators.step_data import Entry, StepDataError, entries_in
from suites.chaos.fault_words import counts_events, fault_of
from suites.chaos.hearing import FACES
from suites.chaos.lanes import PATIENT, Wish

# libyaml, where PyYAML was built with it, is several times as fast; both build plain values only.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Where = Literal["provider", "caller"]
Ask = Literal["whole", "streamed"]
Hold = Literal["harmless", "replaced", "answered", "error", "ends", "broken"]
"""What must hold for the caller.

`harmless`: the first provider answers in full. `replaced`: the next of the chain does, and no error is seen.
`answered`: any of them does. `error`: an error is told, after nothing but a true beginning. `ends`: one of all these.
`broken`: the caller's own connection fails, so nobody can tell it anything; whatever was done for it ends with it.
"""

DIALECTS = ("openai", "anthropic", "gemini", "ollama", "bedrock")
FORMS: Mapping[Where, tuple[str, ...]] = {
    "provider": DIALECTS,
    "caller": tuple(face.name for face in FACES),
}
"""What differs on the wire there: the dialects that providers speak, the faces through which callers ask."""

PROFILES = ("quick", "full")

_WITHOUT_LINES = frozenset({"bedrock"})

Place = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]


class Row(BaseModel):
    """One fault; `docs/CHAOS.md` tells what its fields mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[\w ,-]+$")]
    where: Where
    faults: tuple[dict[str, Any], ...] = ()
    steps: tuple[dict[str, Any], ...] = ()
    address: Literal["unknown", "not TLS"] | None = None
    then: tuple[dict[str, Any], ...] = ()
    rounds: Annotated[int, Field(ge=1)] = 1
    when: Literal["before", "answer"] = "before"
    pause_s: Seconds | None = None
    places: tuple[Place, ...] = (1,)
    providers: Annotated[int, Field(ge=1, le=3)] = 2
    lane: dict[str, Any] = Field(default_factory=dict)
    ask: Literal["whole", "streamed", "both"] = "both"
    over: tuple[str, ...] = ()
    quick: tuple[str, ...] | None = None
    expect: dict[Ask, Hold]
    at_least_s: Annotated[float, Field(ge=0)] = 0
    within_s: Seconds = 4
    only_own: str | None = None
    items: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, entry: Any) -> Any:
        """Let one word stand for the same expectation of all answers."""
        if not isinstance(entry, dict) or not isinstance(entry.get("expect"), str):
            return entry
        ways = {"whole": ("whole",), "streamed": ("streamed",)}.get(
            entry.get("ask", ""), ("whole", "streamed")
        )
        return {**entry, "expect": dict.fromkeys(ways, entry["expect"])}

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        for problem in self._problems():
            raise ValueError(f"{self.name}: {problem}")
        return self

    def _problems(self) -> Iterator[str]:
        yield from self._problems_of_the_fault()
        unknown = {*self.over, *(self.quick or ())} - set(FORMS[self.where])
        if unknown:
            yield f"{', '.join(sorted(unknown))}: none of {', '.join(FORMS[self.where])}"
        elif strange := set(self.quick or ()) - set(self.forms("full")):
            yield f"quick: {', '.join(sorted(strange))} is not in the full profile"
        if set(self.expect) != set(self.ways):
            yield f"expect: it is asked {' and '.join(self.ways)}"
        if ("broken" in self.expect.values()) and self.where != "caller":
            yield "expect: only the connection of a caller can be broken for it"
        if max(self.places) > self.providers:
            yield f"places: there are {self.providers} providers"
        if self.pause_s is not None and self.when != "answer":
            yield "pause_s: only an answer that is under way can pause"

    def _problems_of_the_fault(self) -> Iterator[str]:
        told = [name for name in ("faults", "steps", "address") if getattr(self, name)]
        if len(told) != 1:
            yield "either `faults`, `steps` or `address` must be given"
        if self.where == "caller" and told != ["faults"]:
            yield "only `faults` can lie before the gateway"
        try:
            faults = *self.faults_for("openai"), *self.further_faults
            entries_in(self.steps)
            Wish(**self.lane)
        except (ValueError, StepDataError, TypeError) as error:
            yield str(error)
            return
        if any(map(counts_events, faults)) and _WITHOUT_LINES & set(self.forms("full")):
            yield f"over: no proxy finds events in the frames of {', '.join(_WITHOUT_LINES)}"

    @property
    def ways(self) -> tuple[Ask, ...]:
        ways: dict[str, tuple[Ask, ...]] = {"whole": ("whole",), "streamed": ("streamed",)}
        return ways.get(self.ask, ("whole", "streamed"))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The steps that the providers at its places take."""
        return entries_in(self.steps)

    @property
    def further_faults(self) -> tuple[Fault, ...]:
        """What stays on the way for one more request when the fault is gone."""
        return tuple(fault_of(entry) for entry in self.then)

    def forms(self, profile: str) -> tuple[str, ...]:
        """Return the dialects or faces that it is tried over in a profile."""
        every = self.over or FORMS[self.where]
        if profile == "full":
            return every
        return every[:1] if self.quick is None else self.quick

    def faults_for(self, form: str) -> tuple[Fault, ...]:
        """Return the faults on the way, as they have to be where this dialect is spoken."""
        return tuple(fault_of(entry, "lines" if form == "ollama" else "sse") for entry in self.faults)


@dataclass(frozen=True, slots=True)
class Case:
    """A fault where one dialect is spoken or one face asked, and an answer that is asked for whole or as a stream."""

    row: Row
    form: str
    way: Ask

    @property
    def stream(self) -> bool:
        return self.way == "streamed"

    @property
    def hold(self) -> Hold:
        return self.row.expect[self.way]

    @property
    def id(self) -> str:
        """A plain word, for the test and for all that is named after it."""
        return f"{self.row.where}-{self.row.name}-{self.form}-{self.way}".replace(",", "").replace(" ", "-")

    @property
    def wish(self) -> Wish:
        """The lane that it is tried on."""
        first = self.form if self.row.where == "provider" else "openai"
        lane = {"kinds": (first, "openai", "vllm")[: self.row.providers], **self.row.lane}
        return Wish(**{**lane, "timeouts": {**PATIENT, **lane.get("timeouts", {})}})

    @property
    def faults(self) -> tuple[Fault, ...]:
        return self.row.faults_for(self.form)

    def __str__(self) -> str:
        return self.id


@cache
def rows() -> tuple[Row, ...]:
    """Return the table in its order.

    Raises:
        pydantic.ValidationError: a row is not well formed; the text names it.

    """
    text = resources.files("suites.chaos").joinpath("data", "faults.yaml").read_text(encoding="utf-8")
    return tuple(Row.model_validate(entry) for entry in yaml.load(text, Loader=_LOADER))  # noqa: S506  a safe one, see above


def cases(profile: str) -> tuple[Case, ...]:
    """Return all combinations that a profile tries; the quick one asks the faults in turn whole and streamed."""
    return tuple(
        Case(row, form, way)
        for number, row in enumerate(rows())
        for form in row.forms(profile)
        for way in (row.ways if profile == "full" else row.ways[number % len(row.ways) :][:1])
    )


def drawn(seed: int, count: int) -> tuple[Case, ...]:
    """Return so many combinations between gateway and provider, in an order: the same for the same seed.

    Where a fault comes and goes, the moment decides who answers, so such rows cannot be told to end the same.
    """
    rng = random.Random(f"{seed}/matrix")  # noqa: S311 - the same seed has to give the same faults
    steady = [case for case in cases("full") if case.row.where == "provider" and case.row.rounds == 1]
    return tuple(rng.sample(steady, count))
