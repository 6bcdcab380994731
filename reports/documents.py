"""YAML files as checked values: all that is wrong is told at once, each with file, line and field."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from reports.errors import DocumentError, Problem

Location = tuple[int | str, ...]
"""Where a value is in a document: keys and indices from the root."""

_Model = TypeVar("_Model", bound="Entry")

_DEEPEST = 50
"""How deep collections may be nested in a file; those that are written by people stay below ten."""

_STRING_TAG = "tag:yaml.org,2002:str"


class Entry(BaseModel):
    """One mapping of a file that people write: unknown fields are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain values, with the line of each of them."""

    name: str
    values: Any
    lines: Mapping[Location, int]

    def line_of(self, location: Location) -> int:
        """Return the line of the innermost value on the way to `location` that the file has."""
        while location not in self.lines and location:
            location = location[:-1]
        return self.lines.get(location, 1)

    def problem(self, location: Location, text: str) -> Problem:
        return Problem(self.name, self.line_of(location), _dotted(location), text)

    def parse(self, model: type[_Model]) -> _Model:
        """Return the document as `model`.

        Raises:
            DocumentError: the file does not fit the model; every misfit is listed.

        """
        try:
            return model.model_validate(self.values)
        except ValidationError as error:
            raise DocumentError(self.problem(each["loc"], _plain(each)) for each in error.errors()) from error


def read_document(path: Path) -> Document:
    """Read and compose the YAML file at `path`.

    Raises:
        DocumentError: it cannot be read, or is no YAML of plain values with unique keys.

    """
    return parse_document(str(path), read_text(path))


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        DocumentError: it cannot be read or is no UTF-8.

    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError([Problem(str(path), 1, "", f"cannot be read: {_reason(error)}")]) from error


def parse_document(name: str, text: str) -> Document:
    """Compose the YAML `text`; `name` is what messages call the file.

    Raises:
        DocumentError: it is no YAML of plain values with unique keys.

    """
    try:
        _refuse_depth(name, text)
        return _Composer(name, _loader_class()(text)).document()
    except yaml.YAMLError as error:
        raise DocumentError([_syntax_problem(name, error)]) from error


def _refuse_depth(name: str, text: str) -> None:
    """Refuse a text that is nested too deeply: libyaml's parser composes it by recursion, and dies of it."""
    depth = 0
    for event in yaml.parse(text, Loader=_loader_class()):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST and event.start_mark is not None:
            raise DocumentError(
                [Problem(name, event.start_mark.line + 1, "", f"nested more than {_DEEPEST} deep")]
            )


def _loader_class() -> Any:
    """Return libyaml's loader where PyYAML was built with it: it is about ten times as fast."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Composer:
    """Walks the node tree once, so that values and lines come from the same reading."""

    def __init__(self, name: str, loader: Any) -> None:
        self._name = name
        self._loader = loader
        self._lines: dict[Location, int] = {}
        self._seen: set[int] = set()
        self._problems: list[Problem] = []

    def document(self) -> Document:
        root = self._loader.get_single_node()
        values = None if root is None else self._value(root, ())
        if self._problems:
            raise DocumentError(self._problems)
        return Document(self._name, values, MappingProxyType(self._lines))

    def _value(self, node: yaml.Node, location: Location) -> Any:
        self._lines.setdefault(location, node.start_mark.line + 1)
        if id(node) in self._seen:
            self._complain(node, location, "anchors and aliases are not understood here: write the value out")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(child, (*location, index)) for index, child in enumerate(node.value)]
        return self._scalar(node, location)

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._complain(key_node, location, "a key must be a plain word")
                continue
            key = key_node.value
            place = (*location, key)
            if key in values:
                self._complain(key_node, place, "this key stands here twice")
            self._lines[place] = key_node.start_mark.line + 1
            values[key] = self._value(value_node, place)
        return values

    def _scalar(self, node: yaml.Node, location: Location) -> Any:
        if node.tag == _STRING_TAG:
            return node.value
        try:
            return self._loader.construct_object(node)
        except (ValueError, yaml.YAMLError):
            self._complain(node, location, f"{node.value!r} is no value that YAML knows")
            return None

    def _complain(self, node: yaml.Node, location: Location, text: str) -> None:
        self._problems.append(Problem(self._name, node.start_mark.line + 1, _dotted(location), text))


def _syntax_problem(name: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = 1 if mark is None else mark.line + 1
    text = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return Problem(name, line, "", f"no valid YAML: {text}")


def _plain(error: ErrorDetails) -> str:
    """Return what pydantic found, in the words of somebody who never heard of pydantic."""
    if error["type"] in _PHRASES:
        return _PHRASES[error["type"]]
    text = error["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    shown = isinstance(error["input"], str | int | float | None) and error["type"] != "value_error"
    return f"{text}, not {error['input']!r}" if shown else text


_PHRASES: Mapping[str, str] = MappingProxyType(
    {
        "missing": "is required",
        "extra_forbidden": "is no field that is known here",
        "string_too_short": "must not be empty",
        "too_short": "must not be empty",
        "model_type": "should be a mapping of fields",
    }
)


def _dotted(location: Location) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is no UTF-8 text"
