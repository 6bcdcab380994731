"""The register of field failures: none is forgotten, and what it names is there."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import FunctionType
from typing import Any

import pytest
from pydantic import ValidationError

import suites.chaos
from suites.chaos.regressions import Case, Regression, regressions

WANTED = {f"R{number:03d}" for number in (*range(1, 62), *range(126, 133))}
"""The classes A to D and K: failover and cut streams, hangs, retries, health, and leaving."""


def marked_tests() -> Iterator[tuple[str, str]]:
    """Yield the pairs of number and function that the marks of the suite make; not those of the table."""
    for module_info in pkgutil.iter_modules(suites.chaos.__path__):
        if not module_info.name.startswith("test_"):
            continue
        module = import_module(f"suites.chaos.{module_info.name}")
        for name, function in vars(module).items():
            if name.startswith("test_") and isinstance(function, FunctionType):
                yield from ((number, name) for number in numbers_of(function))


def numbers_of(function: FunctionType) -> set[str]:
    """Return the numbers that a test function is marked with, itself or by one of its parameters."""
    marks: list[pytest.Mark] = list(getattr(function, "pytestmark", ()))
    for mark in [mark for mark in marks if mark.name == "parametrize"]:
        for parameter in mark.args[1]:
            marks += getattr(parameter, "marks", ())
    return {
        number
        for mark in marks
        if getattr(mark, "name", "") == "regression"
        for number in getattr(mark, "args", ())
    }


MARKED = set(marked_tests())


def test_no_failure_is_forgotten() -> None:
    """Every failure of the classes A to D and K stands in the register once, provoked or left out with a reason."""
    ids = [regression.id for regression in regressions()]
    assert set(ids) >= WANTED
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("number", "test"), [(entry.id, test) for entry in regressions() for test in entry.tests]
)
def test_named_test_is_there_and_marked(number: str, test: str) -> None:
    """A test that the register names is in the suite and carries the failure's number."""
    assert (number, test) in MARKED


@pytest.mark.parametrize("number", sorted({number for number, _test in MARKED}))
def test_every_mark_is_registered(number: str) -> None:
    """A number that a test carries stands in the register, and not among what is left out."""
    entry = next((entry for entry in regressions() if entry.id == number), None)
    assert entry is not None
    assert entry.left_out is None


def test_cases_have_names_of_their_own() -> None:
    """No two cases of a failure have one name: it is how a red one is told."""
    for entry in regressions():
        names = [case.name for case in entry.cases]
        assert len(names) == len(set(names)), entry.id


def test_what_is_said_for_all_holds_for_each() -> None:
    """Lane and text of a failure are those of its cases, unless a case has its own."""
    entry = Regression.model_validate(
        {
            "id": "R001",
            "line": "x",
            "lane": {"kinds": ["vllm"]},
            "says": "One.",
            "cases": [case(), case(name="other", says="Two.", lane={"kinds": ["groq", "vllm"]})],
        }
    )
    first, second = entry.cases
    assert (first.wish.kinds, first.says) == (("vllm",), "One.")
    assert (second.wish.kinds, second.says) == (("groq", "vllm"), "Two.")


def case(**fields: Any) -> dict[str, Any]:
    return {
        "name": "one",
        "primary": [{"step": "status", "status": 500}],
        "expect": {"by": 1, "asked": [1]},
        **fields,
    }


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": (case(expects={}), "expects"),
    "unknown step": (case(primary=[{"step": "sneeze"}]), "sneeze"),
    "unknown wish": (case(lane={"colour": "blue"}), "colour"),
    "nothing expected": (case(expect={"asked": [1]}), "either `by` or `error`"),
    "two things expected": (case(expect={"by": 1, "error": "any", "asked": [1]}), "either `by` or `error`"),
    "no such way to ask": (case(ask="loudly"), "ask"),
    "no such face": (case(face="telepathy"), "face"),
    "no fallback there": (case(lane={"kinds": ["openai"]}, fallback=[{"step": "well"}]), "fallback"),
}


@pytest.mark.parametrize(("fields", "named"), BROKEN.values(), ids=BROKEN)
def test_case_that_cannot_be_staged_is_refused(fields: dict[str, Any], named: str) -> None:
    """A case with an unknown word or an impossible wish is refused when it is read, by the name of what is wrong."""
    with pytest.raises(ValidationError, match=named):
        Case.model_validate(fields)


@pytest.mark.parametrize("fields", [{}, {"cases": [case()], "left_out": "why"}], ids=["neither nor", "both"])
def test_failure_is_provoked_or_left_out(fields: dict[str, Any]) -> None:
    """A failure that is neither provoked nor left out with a reason is refused, and so is one that is both."""
    with pytest.raises(ValidationError, match="left_out"):
        Regression.model_validate({"id": "R001", "line": "x", **fields})


def test_case_asks_as_it_wants() -> None:
    """A case is asked whole, streamed or both, through its face."""
    asked = {ask: Case.model_validate(case(ask=ask)).streams for ask in ("whole", "streamed", "both")}
    assert asked == {"whole": (False,), "streamed": (True,), "both": (False, True)}
    assert Case.model_validate(case(face="messages")).asked_face.name == "messages"
