"""Random cuts: the same seed gives the same cases, they are of every kind, and each lie of an answer is seen."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fixtures.simulators.text import Reply, ToolCall, words_of
from fixtures.traffic.answer import Told
from suites.chaos.cut_batch import Heard
from suites.chaos.cut_cases import FACES, KINDS, RESCUES, Break, Case, Part, Share, case_of, seconds_after
from suites.chaos.cut_ears import Call, Words
from suites.chaos.cut_judging import Asked, problems_of
from suites.chaos.test_cuts import CASES

SEED = 7


def drawn(seed: int = SEED, count: int = CASES["quick"]) -> list[Case]:
    case_of.cache_clear()  # else it would be the same object, not the same draw
    return [case_of(seed, index) for index in range(count)]


def test_same_seed_gives_the_same_cases() -> None:
    """A seed stands for its cases, whichever of them are asked for and in whatever order; another seed for others."""
    cases = drawn(count=50)
    case_of.cache_clear()
    assert [case_of(SEED, index) for index in reversed(range(50))] == cases[::-1]
    assert drawn(SEED + 1, 50) != [replace(case, seed=SEED + 1) for case in cases]


def test_quick_profile_has_every_kind_of_case() -> None:
    """Each wire format meets each face, whole and streamed, each rescue, and each way of breaking."""
    cases = drawn()
    assert len(cases) >= 70 * len(KINDS)
    assert CASES["full"] >= 10_000
    first = [(case.parts[0], case) for case in cases]
    assert {(part.kind, case.face, case.stream) for part, case in first} == {
        (kind, face, stream) for kind in KINDS for face in FACES for stream in (True, False)
    }
    assert {(part.kind, case.rescue) for part, case in first} == {
        (kind, rescue) for kind in KINDS for rescue in RESCUES
    }
    ways = {(part.broken.what, part.broken.how) for part, _case in first if part.broken}
    assert ways >= {("cut", how) for how in ("fin", "rst", "end")}
    assert ways >= {("half", how) for how in ("on", "fin", "rst", "end")}
    assert {what for what, _how in ways} == {
        "cut",
        "half",
        "garbage",
        "error event",
        "stall",
        "pause",
        "corrupt",
    }


def test_only_chains_that_are_configured_are_asked() -> None:
    """The second provider of a case is one that the gateway of the cuts has behind the first."""
    assert all(case.parts[1].kind in seconds_after(case.parts[0].kind, case.rescue) for case in drawn())


SAID = Reply(tokens=words_of("So the river flows."))
OTHER = Reply(tokens=words_of("Lakes do not."))
CALLING = Reply(tools=(ToolCall("get_time", words_of('{"day": "today"}')),), ending="tool_calls")
THINKING = Reply(thoughts=words_of("Let me think."), tokens=SAID.tokens)

CUT = Break("cut", Share(0.5), "rst")


def case(*replies: Reply, breaks: Sequence[Break | None] = (CUT, None, None), **more: object) -> Case:
    """Return a case in which the providers say these, the first of them broken."""
    said = (*replies, *[SAID] * 3)[:3]
    kinds = ("vllm", "vllm", "openai")
    parts = [
        Part(kind, reply, broken=broken) for kind, reply, broken in zip(kinds, said, breaks, strict=True)
    ]
    usual = Case(
        seed=SEED,
        index=0,
        face="chat",
        stream=True,
        rescue="off",
        deterministic=False,
        wants_usage=False,
        parts=tuple(parts),
    )
    return replace(usual, **more)  # type: ignore[arg-type]  # the fields of a case


def heard(of: Case, text: str = "", *, ok: bool = True, thinking: str = "", **more: object) -> Heard:
    """Return what a caller has heard: an answer that ends well, or an error."""
    told = Told(outcome="ok", status=200, finish_reason="stop", events=3)
    if not ok:
        told = Told(outcome="fail", status=200, error_code="STREAM_INTERRUPTED", events=3)
    return Heard(of, replace(told, **more), Words([text], [thinking]))  # type: ignore[arg-type]  # as above


FIRST, BOTH = (Asked(1),), (Asked(1), Asked(2))
CONTINUED = (Asked(1), Asked(2, "So the"))
CALLED = Words(calls={0: Call("get_time", ['{"day":"today"}'])})

GOOD = {
    "the first in whole": (heard(case(), SAID.text), FIRST),
    "the second in whole": (heard(case(SAID, OTHER), OTHER.text), BOTH),
    "an error behind a beginning": (heard(case(), "So the", ok=False), FIRST),
    "a continuation": (heard(case(rescue="continue"), SAID.text), CONTINUED),
    "a continuation in other words": (
        heard(case(SAID, OTHER, rescue="continue"), f"So the{OTHER.text}"),
        CONTINUED,
    ),
    "arguments that are spaced otherwise": (
        Heard(case(CALLING), Told(outcome="ok", status=200, finish_reason="tool_calls"), CALLED),
        FIRST,
    ),
    "everybody broken": (heard(case(breaks=(CUT, CUT, CUT)), ok=False, status=503, events=0), BOTH),
}


@pytest.mark.parametrize(("seen", "asked"), GOOD.values(), ids=GOOD)
def test_honest_answer_passes(seen: Heard, asked: Sequence[Asked]) -> None:
    """What one provider said in whole, what was asked for, and an explicit error where that is all there can be."""
    assert problems_of(seen, asked) == []


BAD = {
    "half an answer": (heard(case(), "So the"), FIRST, "no provider has said"),
    "a patchwork": (heard(case(SAID, OTHER), f"So the{OTHER.text}"), BOTH, "no provider has said"),
    "what was not asked": (heard(case(SAID, OTHER), OTHER.text), FIRST, "no provider has said"),
    "a continuation of what nobody said": (
        heard(case(rescue="continue"), "So a lake flows."),
        (Asked(1), Asked(2, "So a")),
        "no provider has said",
    ),
    "thoughts cut off": (heard(case(THINKING), SAID.text, thinking="Let me"), FIRST, "no provider has said"),
    "another end": (heard(case(), SAID.text, finish_reason="length"), FIRST, "no provider has said"),
    "half a call": (
        Heard(
            case(CALLING), Told(outcome="ok", finish_reason="tool_calls"), Words(calls={0: Call("get_time")})
        ),
        FIRST,
        "no provider has said",
    ),
    "an end without a word": (heard(case(), "So the", outcome="info", why="cut"), FIRST, "neither an answer"),
    "words behind the error": (heard(case(), "So", ok=False, after_end=1), FIRST, "follow the end"),
    "an error without a code": (heard(case(), "So", ok=False, error_code="unknown"), FIRST, "without a code"),
    "foreign words before an error": (heard(case(), "Lakes", ok=False), FIRST, "nobody has said"),
    "an error before any content": (heard(case(), ok=False), FIRST, "provider 2 is well"),
    "a held answer that fails": (heard(case(rescue="hold"), "So", ok=False), FIRST, "provider 2 was asked"),
    "a whole answer that fails": (heard(case(stream=False), ok=False), FIRST, "provider 2 was asked"),
    "a replay that is not tried": (heard(case(rescue="replay"), "So", ok=False), FIRST, "says the same"),
    "a continuation that is not tried": (heard(case(rescue="continue"), "So", ok=False), FIRST, "goes on"),
    "the first asked twice": (heard(case(), SAID.text), (*FIRST, *FIRST), "each once"),
    "asked out of turn": (heard(case(), SAID.text), BOTH[::-1], "in turn"),
}


@pytest.mark.parametrize(("seen", "asked", "why"), BAD.values(), ids=BAD)
def test_lie_is_seen(seen: Heard, asked: Sequence[Asked], why: str) -> None:
    """A truncated, foreign or patched answer, a broken end and an answer that was owed are told for what they are."""
    problems = problems_of(seen, asked)
    assert any(why in problem for problem in problems), problems
