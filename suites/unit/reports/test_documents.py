import re
from datetime import date
from pathlib import Path

import pytest

from reports.documents import Document, Entry, parse_document, read_document
from reports.errors import DocumentError


class Person(Entry):
    name: str
    age: int = 0


def problems(text: str) -> list[str]:
    """Return what is wrong with a document that should be a person."""
    with pytest.raises(DocumentError) as caught:
        parse_document("person.yaml", text).parse(Person)
    return str(caught.value).splitlines()


def test_values_are_plain() -> None:
    """YAML becomes text, numbers, dates, lists and mappings."""
    document = parse_document("x.yaml", "a: [1, 2.5, yes, text]\nb: {c: 2026-11-21}\nd:\n")
    assert document.values == {"a": [1, 2.5, True, "text"], "b": {"c": date(2026, 11, 21)}, "d": None}


def test_every_value_has_its_line() -> None:
    """A location is found by its line; what the file lacks is looked for where it should stand."""
    document = parse_document("x.yaml", "a:\n  - b: 1\n    c: 2\n  - d: 3\n")
    assert [document.line_of(place) for place in (("a", 0, "c"), ("a", 1), ("a", 1, "missing"), ("z",))] == [
        3,
        4,
        4,
        1,
    ]


def test_parsed_document_is_the_model() -> None:
    """A document that fits becomes a frozen value."""
    assert parse_document("person.yaml", "name: Ada\nage: 36").parse(Person) == Person(name="Ada", age=36)


def test_all_problems_are_told_at_once() -> None:
    """Every misfit is listed with file, line and field, in the order of the lines."""
    assert problems("nmae: Ada\nage: old\n") == [
        "person.yaml:1: name: is required",
        "person.yaml:1: nmae: is no field that is known here",
        "person.yaml:2: age: should be a valid integer, unable to parse string as an integer, not 'old'",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("name: Ada\nname: Eve", "person.yaml:2: name: this key stands here twice", id="twice"),
        pytest.param(
            "name: &a Ada\nage: *a",
            "person.yaml:1: age: anchors and aliases are not understood here: write the value out",
            id="alias",
        ),
        pytest.param("? [a]\n: b", "person.yaml:1: a key must be a plain word", id="key"),
        pytest.param(
            "name: Ada\nage: 2026-13-01",
            "person.yaml:2: age: '2026-13-01' is no value that YAML knows",
            id="no-date",
        ),
        pytest.param(
            "name: !!python/object:x.Y {}", "person.yaml:1: name: should be a valid string", id="tagged"
        ),
        pytest.param("", "person.yaml:1: should be a mapping of fields", id="empty"),
        pytest.param("- a", "person.yaml:1: should be a mapping of fields", id="list"),
    ],
)
def test_doubtful_yaml_is_refused(text: str, problem: str) -> None:
    """What YAML would silently accept, or turn into a surprise, is refused with its line."""
    assert problems(text) == [problem]


@pytest.mark.parametrize("text", ["name: [Ada", "a: b: c", "name: \x00"], ids=["open", "colons", "nul"])
def test_broken_yaml_is_refused(text: str) -> None:
    """A syntax error is one line that says where."""
    (problem,) = problems(text)
    assert re.match(r"person.yaml:[12]: no valid YAML: ", problem)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{a: " * 60 + "}" * 60, "- " * 60 + "x"], ids=["cut", "flow", "block"]
)
def test_deep_nesting_is_refused(text: str) -> None:
    """A text that is nested beyond all reason is refused, and brings no parser down."""
    with pytest.raises(DocumentError, match=r"^it\.yaml:1: nested more than 50 deep"):
        parse_document("it.yaml", text)


def test_missing_file_is_one_line(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(DocumentError, match=r"absent.yaml:1: cannot be read: No such file"):
        read_document(tmp_path / "absent.yaml")


def test_foreign_encoding_is_one_line(tmp_path: Path) -> None:
    """A file that is no UTF-8 is said to be none."""
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9\xe9")
    with pytest.raises(DocumentError, match=r"latin.yaml:1: cannot be read: it is no UTF-8 text"):
        read_document(tmp_path / "latin.yaml")


def test_field_is_dotted() -> None:
    """A field within lists is named as one would write it in code."""
    document = Document("x.yaml", {}, {(): 1})
    assert str(document.problem(("a", 0, "b"), "no")) == "x.yaml:1: a[0].b: no"
