"""What goes wrong between files of evidence and a verdict, as data; the command line prints them.

ReportError
├── DocumentError      a catalogue or a release file says something that it must not
├── EvidenceError      a file of evidence cannot be read, or holds what is no evidence
└── OutputError        the report or the evidence cannot be written
"""

from collections.abc import Iterable
from dataclasses import dataclass


class ReportError(Exception):
    """The root: its text is complete, and meant for a person."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a file; `line` counts from 1, an empty `field` means the whole file."""

    file: str
    line: int
    field: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        return f"{place}: {self.field}: {self.text}" if self.field else f"{place}: {self.text}"


class DocumentError(ReportError):
    """Everything that is wrong with one or several files, in the order of the files and their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


class EvidenceError(ReportError):
    """A file of evidence cannot be read or holds a record that is none."""


class OutputError(ReportError, OSError):
    """A file cannot be written; the text names it and the reason."""
