"""The matrix of faults as data: what it tries, and what it refuses."""

from typing import Any

import pytest
from pydantic import ValidationError

from suites.chaos.fault_table import DIALECTS, FORMS, PROFILES, Row, cases, drawn, rows


def row(**fields: Any) -> dict[str, Any]:
    return {
        "name": "one",
        "where": "provider",
        "faults": [{"fault": "latency", "ms": 10}],
        "expect": "harmless",
        **fields,
    }


def test_rows_have_names_of_their_own() -> None:
    """No two rows of one place have one name: it is how a red one is told."""
    names = [(each.where, each.name) for each in rows()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("profile", PROFILES)
def test_cases_have_ids_of_their_own(profile: str) -> None:
    """No two cases of a profile have one id, which is a plain word: lanes and files are named after it."""
    ids = [case.id for case in cases(profile)]
    assert len(ids) == len(set(ids))
    assert all(
        set(each) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") for each in ids
    )


def test_quick_profile_is_part_of_the_full_one() -> None:
    """What the quick profile tries the full one tries too."""
    assert {case.id for case in cases("quick")} < {case.id for case in cases("full")}


def test_full_profile_speaks_every_dialect_and_asks_every_face() -> None:
    """Every dialect and every face is tried, whole and streamed."""
    for where, forms in FORMS.items():
        tried = {(case.form, case.way) for case in cases("full") if case.row.where == where}
        assert tried == {(form, way) for form in forms for way in ("whole", "streamed")}


def test_every_row_says_what_it_proves() -> None:
    """Each row names an item, as every test of the suite has to."""
    assert all(each.items for each in rows())


def test_harmless_row_shows_that_its_fault_acts() -> None:
    """A row that expects nothing but the usual answer tells how long that must take, unless chance decides it."""
    silent = [each.name for each in rows() if "harmless" in each.expect.values() and not each.at_least_s]
    assert silent == ["a connection in two is slow"]


def test_one_word_is_expected_of_all_answers() -> None:
    """An expectation of one word holds whole and streamed, or however it is asked."""
    assert Row.model_validate(row()).expect == {"whole": "harmless", "streamed": "harmless"}
    assert Row.model_validate(row(ask="whole")).expect == {"whole": "harmless"}


def test_row_is_tried_over_every_form_unless_told_otherwise() -> None:
    """The full profile tries all dialects, the quick one the first, or those that the row names."""
    plain, chosen = Row.model_validate(row()), Row.model_validate(row(quick=["gemini", "ollama"]))
    assert (plain.forms("full"), plain.forms("quick")) == (DIALECTS, ("openai",))
    assert chosen.forms("quick") == ("gemini", "ollama")
    assert Row.model_validate(row(quick=[])).forms("quick") == ()


def test_events_are_found_as_the_dialect_has_them() -> None:
    """Where a dialect sends lines, events are counted as lines."""
    told = Row.model_validate(
        row(faults=[{"fault": "cut", "after_events": 3}], over=["openai", "ollama"], expect="error")
    )
    frames = [fault.attributes["frame"] for form in told.over for fault in told.faults_for(form)]  # type: ignore[union-attr]  # no link is down here
    assert frames == ["sse", "lines"]


def test_draw_follows_from_the_seed() -> None:
    """The same seed draws the same cases in the same order, another one others."""
    assert drawn(7, 10) == drawn(7, 10)
    assert drawn(8, 10) != drawn(7, 10)


STEP = [{"step": "status", "status": 500}]

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": (row(colour="blue"), "colour"),
    "unknown place": (row(where="moon"), "where"),
    "unknown fault": (row(faults=[{"fault": "sneeze"}]), "sneeze"),
    "unknown dose": (row(faults=[{"fault": "latency", "hours": 1}]), "hours"),
    "impossible dose": (row(faults=[{"fault": "latency", "ms": -1}]), "less than 0"),
    "unknown direction": (row(faults=[{"fault": "latency", "ms": 1, "stream": "sideways"}]), "sideways"),
    "impossible share": (row(faults=[{"fault": "latency", "ms": 1, "share": 2}]), "share"),
    "half a link down": (row(faults=[{"fault": "down", "share": 0.5}]), "down as a whole"),
    "unknown fault later": (row(then=[{"fault": "sneeze"}]), "sneeze"),
    "unknown step": (row(faults=[], steps=[{"step": "sneeze"}]), "sneeze"),
    "unknown wish": (row(lane={"colour": "blue"}), "colour"),
    "nothing wrong": (row(faults=[]), "either `faults`, `steps` or `address`"),
    "two things wrong": (row(steps=STEP), "either `faults`, `steps` or `address`"),
    "steps of a caller": (row(where="caller", faults=[], steps=STEP, expect="broken"), "only `faults`"),
    "unknown dialect": (row(over=["esperanto"]), "esperanto"),
    "face of a provider": (row(over=["chat"]), "chat"),
    "quick beyond full": (row(over=["openai"], quick=["gemini"]), "not in the full profile"),
    "half an expectation": (row(expect={"whole": "harmless"}), "it is asked whole and streamed"),
    "unknown expectation": (row(expect="bliss"), "expect"),
    "provider's caller cut off": (row(expect="broken"), "only the connection of a caller"),
    "nobody at that place": (row(places=[3]), "there are 2 providers"),
    "pause before the answer": (row(pause_s=1), "under way can pause"),
    "events in frames": (row(faults=[{"fault": "event_delay", "ms": 1}]), "no proxy finds events"),
}


@pytest.mark.parametrize(("fields", "named"), BROKEN.values(), ids=BROKEN)
def test_row_that_makes_no_sense_is_refused(fields: dict[str, Any], named: str) -> None:
    """A row with an unknown word or an impossible wish is refused when it is read, by what is wrong with it."""
    with pytest.raises(ValidationError, match=named):
        Row.model_validate(fields)
