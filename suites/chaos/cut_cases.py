"""Random cuts as data: from a seed and an index follows what is asked, what models say, and where and how they break.

A case does not depend on those before it, so any of them can be had again by its index alone.
"""

import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar

from fixtures.simulators.framing import Framing
from fixtures.simulators.position import Byte, Place, Position
from fixtures.simulators.protocol import Plan
from fixtures.simulators.text import Reply
from suites.chaos.cut_replies import LONGEST, replies_of

Rescue = Literal["off", "auto", "replay", "hold", "continue"]
FaceName = Literal["chat", "messages", "responses"]
What = Literal["cut", "stall", "pause", "garbage", "corrupt", "half", "error event", "status"]
Manner = Literal["lf", "crlf", "cr", "comments", "lines", "commented lines"]

KINDS = (
    "openai",
    "azure",
    "anthropic",
    "gemini",
    "ollama",
    "bedrock",
    "vllm",
    "groq",
    "openrouter",
    "deepseek",
    "llamacpp",
)
"""The first providers: every wire format, and those vendors of OpenAI's whose streams differ the most."""

RESCUES: tuple[Rescue, ...] = ("off", "auto", "replay", "hold", "continue")
FACES: tuple[FaceName, ...] = ("chat", "messages", "responses")
PLACES = (1, 2, 3)
"""Where providers stand in a chain."""

GOES_ON = frozenset({"vllm", "llamacpp", "ollama", "anthropic", "bedrock", "groq"})
"""Who continues an answer that a request begins."""

THINKS_ALOUD = frozenset(
    {"anthropic", "bedrock", "ollama", "vllm", "groq", "openrouter", "deepseek", "llamacpp"}
)
"""Who tells unasked what a model thinks."""

_STREAMS = {"ollama": Framing.LINES, "bedrock": Framing.FRAMES}
_BREAKS: dict[What, int] = {"cut": 50, "half": 12, "garbage": 12, "error event": 12, "stall": 8, "pause": 6}
_LATER: dict[What, int] = {"cut": 5, "garbage": 2, "error event": 2, "status": 3}
_MARKED: tuple[Place, ...] = (
    "before headers",
    "preamble",
    "before finish",
    "before usage",
    "before end",
    "after end",
)
_SPLITS_LETTERS = 0.2
_SECOND_BREAKS = 0.25
_THIRD_BREAKS = 0.08

_Choice = TypeVar("_Choice")


@dataclass(frozen=True, slots=True)
class Share:
    """The place in a body after this share of its bytes."""

    share: float

    def at(self, plan: Plan) -> Byte:
        return Byte(int(self.share * plan.size))


@dataclass(frozen=True, slots=True)
class Break:
    """What goes wrong with an answer, and where in it.

    `how` a cut or half an event ends, `status` of an error, `byte` of an event that is corrupt.
    """

    what: What
    at: Position | Share = "before headers"
    how: Literal["fin", "rst", "end", "on"] = "fin"
    status: int = 500
    byte: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """How a body looks that is legal all the same: its lines, the segments in which it comes, pauses between tokens.

    With `splits_letters` some of its letters come in two pieces, one after the other.
    """

    manner: Manner = "lf"
    segments: tuple[int, ...] = ()
    splits_letters: bool = False
    gap_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """What one provider of the chain says to the request, how that looks, and what goes wrong with it."""

    kind: str
    reply: Reply
    look: Look = Look()
    broken: Break | None = None

    @property
    def is_sound(self) -> bool:
        """Whether its answer comes to its end: a pause is none of its faults."""
        return self.broken is None or self.broken.what == "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request, and what each provider of the chain does with it."""

    seed: int
    index: int
    face: FaceName
    stream: bool
    rescue: Rescue
    deterministic: bool
    wants_usage: bool
    parts: tuple[Part, ...]

    @property
    def is_hasty(self) -> bool:
        """Whether the first provider may fall silent, and must not be waited for."""
        broken = self.parts[0].broken
        return broken is not None and broken.what == "stall"

    @property
    def model(self) -> str:
        """The name under which the chain of this case is configured."""
        return chain_name(self.parts[0].kind, self.parts[1].kind, self.rescue, hasty=self.is_hasty)


def chain_name(first: str, second: str, rescue: Rescue, *, hasty: bool) -> str:
    """Return the name of the model that these two providers serve, the first of them perhaps hastily."""
    return f"cut-{first}-{second}-{rescue}{'-hasty' if hasty else ''}"


def seconds_after(first: str, rescue: Rescue) -> tuple[str, ...]:
    """Return the kinds of the providers that may come second: the same one again, and two others.

    Over all rescues nearly every pair is there, and each gateway has to know a few hundred chains only.
    """
    number = KINDS.index(first)
    if rescue == "continue":
        able = sorted(GOES_ON)
        others = (able[number % len(able)], able[(number + 2) % len(able)])
    else:
        turned = number + RESCUES.index(rescue)
        others = (KINDS[(turned + 1) % len(KINDS)], KINDS[(turned + 6) % len(KINDS)])
    return tuple(dict.fromkeys((first, *others)))


def kind_of(index: int) -> str:
    """Return the kind of the first provider of a case."""
    return KINDS[index % len(KINDS)]


@lru_cache(maxsize=4096)
def case_of(seed: int, index: int) -> Case:
    """Return the case of this index."""
    return _Draw(random.Random(f"{seed}/cut/{index}"), index).case(seed)  # noqa: S311 - it has to come out the same again


class _Draw:
    """Draws one case."""

    def __init__(self, rng: random.Random, index: int) -> None:
        self._rng = rng
        self._index = index

    def case(self, seed: int) -> Case:
        rng = self._rng
        stream = rng.random() < 0.75
        rescue, face = rng.choice(RESCUES), rng.choice((*FACES, "chat"))
        first = kind_of(self._index)
        kinds = (first, rng.choice(seconds_after(first, rescue)), "openai")
        simple = rescue == "continue" and rng.random() < 0.7
        replies = replies_of(rng, len(PLACES), simple=simple)
        broken = self._break(_BREAKS, stream=stream)
        if stream and first == "bedrock" and broken.what == "garbage":
            # Of these frames alone any byte that is wrong can be known.
            broken = Break("corrupt", rng.randint(0, LONGEST), byte=rng.randint(-64, 63))
        breaks = (broken, *self._later_breaks(stream=stream))
        return Case(
            seed=seed,
            index=self._index,
            face=face,
            stream=stream,
            rescue=rescue,
            deterministic=rng.random() < 0.6,
            wants_usage=rng.random() < 0.5,
            parts=tuple(
                Part(kind, reply, self._look(kind, broken, stream=stream), broken)
                for kind, reply, broken in zip(kinds, replies, breaks, strict=True)
            ),
        )

    def _later_breaks(self, *, stream: bool) -> tuple[Break | None, ...]:
        odds = (_SECOND_BREAKS, _THIRD_BREAKS)
        return tuple(self._break(_LATER, stream=stream) if self._rng.random() < odd else None for odd in odds)

    def _break(self, weights: dict[What, int], *, stream: bool) -> Break:
        rng = self._rng
        what = _weighed(rng, weights)
        at = self._at(stream=stream)
        match what:
            case "half" if stream:
                # Before the first token there may be a comment: half of one swallows what follows, unknown to anybody.
                return Break(what, rng.randint(1, LONGEST), rng.choice(("on", "fin", "rst", "end")))
            case "cut" | "half":
                return Break("cut", at, rng.choice(("fin", "rst", "end")))
            case "error event" | "status":
                return Break(what, at, status=rng.choice((500, 503, 429)))
            case "garbage" if isinstance(at, Share):
                # Within the name of a field it would make the field another one, which every reader passes over.
                return Break(what, rng.randint(0, LONGEST))
            case _:
                return Break(what, at)

    def _at(self, *, stream: bool) -> Position | Share:
        how = self._rng.random()
        if how < 0.35:
            return Share(self._rng.random())
        if how < 0.7:
            return self._rng.randint(0, LONGEST if stream else 2 * LONGEST)
        # With its last byte a whole answer is over: what happens then would strike whoever uses the connection next.
        return self._rng.choice(_MARKED if stream else _MARKED[:-1])

    def _look(self, kind: str, broken: Break | None, *, stream: bool) -> Look:
        rng = self._rng
        manners = _MANNERS[_STREAMS.get(kind, Framing.SSE) if stream else Framing.WHOLE]
        if broken is not None and broken.what == "half":
            # For the same reason.
            manners = tuple(manner for manner in manners if "comment" not in manner)
        segments: tuple[int, ...] = ()
        if rng.random() < 0.4:
            segments = tuple(rng.choice((1, 2, 7, 33, 64, 200, 500)) for _number in range(rng.randint(2, 5)))
        gap_ms = rng.choice((0.0, 0.0, 0.0, 1.0, 3.0))
        return Look(rng.choice(manners), segments, rng.random() < _SPLITS_LETTERS, gap_ms)


_MANNERS: dict[Framing, tuple[Manner, ...]] = {
    Framing.SSE: ("lf", "lf", "lf", "crlf", "cr", "comments", "lines", "commented lines"),
    Framing.LINES: ("lf", "lf", "crlf"),
    Framing.FRAMES: ("lf",),
    Framing.WHOLE: ("lf",),
}


def _weighed(rng: random.Random, weights: dict[_Choice, int]) -> _Choice:
    return rng.choices(list(weights), weights=list(weights.values()))[0]
