"""What files of evidence hold together: runs, artefacts and kills, read and merged."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from reports.errors import EvidenceError
from reports.evidence import (
    RECORDS,
    ArtefactResult,
    KillResult,
    Planned,
    PlannedTest,
    Record,
    RunFinished,
    RunStarted,
    TestResult,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as its file tells it; `torn` says that the last line breaks off, as a crash leaves it."""

    source: str
    started: RunStarted
    planned: tuple[PlannedTest, ...] = ()
    results: tuple[TestResult, ...] = ()
    finished: RunFinished | None = None
    torn: bool = False

    @property
    def missing(self) -> tuple[PlannedTest, ...]:
        """The planned tests that left no result."""
        answered = {result.nodeid for result in self.results}
        return tuple(test for test in self.planned if test.nodeid not in answered)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a verdict is made from, of one or many files in the order in which they were given.

    `plans` are tests that were collected and nothing more, outside any run.
    """

    runs: tuple[Run, ...] = ()
    artefacts: tuple[ArtefactResult, ...] = ()
    kills: tuple[KillResult, ...] = ()
    plans: tuple[PlannedTest, ...] = ()

    @property
    def results(self) -> tuple[TestResult, ...]:
        return tuple(result for run in self.runs for result in run.results)

    @property
    def planned(self) -> tuple[PlannedTest, ...]:
        return (*self.plans, *(test for run in self.runs for test in run.planned))

    @property
    def missing(self) -> tuple[PlannedTest, ...]:
        """The planned tests that left no result where they were planned."""
        return (*self.plans, *(test for run in self.runs for test in run.missing))


def read_evidence(paths: Iterable[Path]) -> Evidence:
    """Read and merge files of evidence; a folder stands for all `*.jsonl` beneath it.

    Raises:
        EvidenceError: a file is missing, empty or unreadable, or a line but the last is no record.

    """
    parts = [_read_file(path) for path in _expand(paths)]
    return Evidence(
        runs=tuple(run for part in parts for run in part.runs),
        artefacts=tuple(each for part in parts for each in part.artefacts),
        kills=tuple(each for part in parts for each in part.kills),
        plans=tuple(each for part in parts for each in part.plans),
    )


def _expand(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        found = sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]
        if not found:
            raise EvidenceError(f"{path}: no evidence in this folder, which should hold *.jsonl")
        yield from found


def _read_file(path: Path) -> Evidence:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read: {error.strerror}") from error
    lines = text.split("\n")
    tail = lines.pop()
    records = [_parse(path, number, line) for number, line in enumerate(lines, start=1)]
    last = _parse_tail(tail)
    if last is not None:
        records.append(last)
    if not records:
        raise EvidenceError(f"{path}: holds no evidence")
    return _assemble(path, records, torn=bool(tail) and last is None)


def _parse(path: Path, number: int, line: str) -> Record:
    try:
        return RECORDS.validate_json(line)
    except ValidationError as error:
        raise EvidenceError(f"{path}:{number}: no record of evidence: {_first_problem(error)}") from error


def _parse_tail(tail: str) -> Record | None:
    """Return the record of a last line without a newline, or None where it is not one whole record."""
    try:
        return RECORDS.validate_json(tail)
    except ValidationError:
        return None


def _first_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    field_name = ".".join(str(part) for part in first["loc"])
    return f"{field_name}: {first['msg']}" if field_name else first["msg"]


@dataclass(slots=True)
class _Open:
    """A run whose end has not been read yet."""

    started: RunStarted
    planned: list[PlannedTest] = field(default_factory=list)
    results: list[TestResult] = field(default_factory=list)
    finished: RunFinished | None = None


def _assemble(path: Path, records: Sequence[Record], *, torn: bool) -> Evidence:
    opened: list[_Open] = []
    plans: list[PlannedTest] = []
    for number, record in enumerate(records, start=1):
        in_run = bool(opened) and opened[-1].finished is None
        if isinstance(record, RunStarted):
            opened.append(_Open(record))
        elif isinstance(record, Planned) and not in_run:
            plans += record.tests
        elif isinstance(record, Planned | TestResult | RunFinished):
            if not in_run:
                raise EvidenceError(f"{path}:{number}: a {record.record} that belongs to no run")
            _add(opened[-1], record)
    return Evidence(
        runs=tuple(_close(path, each, torn=torn and each is opened[-1]) for each in opened),
        artefacts=tuple(each for each in records if isinstance(each, ArtefactResult)),
        kills=tuple(each for each in records if isinstance(each, KillResult)),
        plans=tuple(plans),
    )


def _add(run: _Open, record: Planned | TestResult | RunFinished) -> None:
    if isinstance(record, Planned):
        run.planned += record.tests
    elif isinstance(record, TestResult):
        run.results.append(record)
    else:
        run.finished = record


def _close(path: Path, run: _Open, *, torn: bool) -> Run:
    return Run(
        source=str(path),
        started=run.started,
        planned=tuple(run.planned),
        results=tuple(run.results),
        finished=run.finished,
        torn=torn,
    )
