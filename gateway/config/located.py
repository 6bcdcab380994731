from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

Path = tuple[str | int, ...]

# libyaml, where PyYAML was built with it, is several times as fast; both build plain values only.
_FAST: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Located:
    """A YAML document: its plain values, and the line (from 1) on which each of them stands."""

    value: Any
    lines: dict[Path, int]
    duplicates: tuple[Path, ...]

    def line_of(self, path: Path) -> int:
        """Returns the line of a path, or of its nearest ancestor where the path itself is absent."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def scalars(self) -> Iterator[tuple[Path, Any]]:
        return _scalars((), self.value)


class YamlError(Exception):
    """A text is not the YAML that we read; `line` counts from 1."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


def read_yaml(text: str) -> Located:
    """Reads a YAML text and remembers where everything stands.

    Raises YamlError.
    """
    try:
        return _read(text, _FAST)
    except YamlError:
        return _read(text, yaml.SafeLoader)  # which tells better what is wrong, and where


def _read(text: str, loader_type: type[yaml.SafeLoader]) -> Located:
    try:
        loader = loader_type(text)
        try:
            node = loader.get_single_node()
            reader = _Reader(loader)
            value = reader.read(node, ()) if node else None
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError(f"the character #x{error.character:04x} is not allowed", line) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(error.problem or "not valid YAML", mark.line + 1 if mark else 1) from None
    except RecursionError:
        raise YamlError("nested too deeply", 1) from None
    return Located(value, reader.lines, tuple(reader.duplicates))


class _Reader:
    def __init__(self, loader: yaml.SafeLoader) -> None:
        self._loader = loader
        self._open: list[yaml.Node] = []
        self.lines: dict[Path, int] = {}
        self.duplicates: list[Path] = []

    def read(self, node: yaml.Node, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if any(node is ancestor for ancestor in self._open):
            raise YamlError("an alias contains itself", node.start_mark.line + 1)
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
            return self._scalar(node)
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[Any, Any]:
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlError("a key must be a plain word", key_node.start_mark.line + 1)
            key = self._scalar(key_node)
            if key in mapping:
                self.lines[*path, key] = key_node.start_mark.line + 1
                self.duplicates.append((*path, key))
                continue
            self.lines[*path, key] = key_node.start_mark.line + 1
            mapping[key] = self.read(value_node, (*path, key))
        return mapping

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            return self._loader.construct_object(node)
        except ValueError as error:
            raise YamlError(str(error), node.start_mark.line + 1) from None


def _scalars(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _scalars((*path, key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _scalars((*path, index), item)
    else:
        yield path, value
