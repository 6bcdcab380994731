"""The frozen records that a run leaves, and their JSON form: one object a line, its kind in `record`."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from reports.errors import OutputError
from reports.observations import Compared, Distribution, Plot, Timeline

_STRICT = ConfigDict(extra="forbid")


def _utc(text: str) -> str:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() != timedelta(0):
        raise ValueError("must be in UTC, as in 2026-11-21T06:30:00+00:00")
    return text


def _encodable(text: object) -> object:
    """Replace lone surrogates: a gateway's broken bytes must not keep their evidence from being written."""
    return text.encode("utf-8", "replace").decode("utf-8") if isinstance(text, str) else text


Timestamp = Annotated[str, AfterValidator(_utc)]
"""ISO 8601 in UTC."""

Text = Annotated[str, BeforeValidator(_encodable)]
"""Any text, that of a foreign system too; it is masked already."""

Names = tuple[str, ...]


class Outcome(StrEnum):
    """What one test says of the target; ERROR says that the harness itself broke."""

    PASS = "PASS"  # noqa: S105 - the word of a test that holds
    FAIL = "FAIL"
    UNSUPPORTED = "UNSUPPORTED"
    NOT_RUN = "NOT RUN"
    ERROR = "ERROR"


class Fate(StrEnum):
    """What became of a sabotage: only a defect that turns exactly its own tests red is killed."""

    KILLED = "killed"
    SURVIVED = "survived"
    COLLATERAL = "collateral"
    WRONG_REASON = "wrong reason"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Measurement:
    """A figure that a test took; `limit` is the threshold as text, and `holds` None where there is none."""

    name: str
    value: float
    unit: str
    limit: str | None = None
    holds: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Exchange:
    """One request and its response as masked texts, and the command that repeats it."""

    title: Text
    request: Text
    response: Text
    duration_s: float
    curl: Text


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class TargetFacts:
    """The gateway under test; `withheld` gives the reason for each capability that was not granted."""

    name: str
    url: str
    version: str | None = None
    capabilities: Names = ()
    withheld: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """What tells targets apart: the address counts only where the harness did not choose it itself."""
        name = f"{self.name} {self.version or ''}".strip()
        return f"{name} at {self.url}" if "configuration" in self.withheld else name


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class PlannedTest:
    """A test that was collected, be it deselected afterwards, with the items that it speaks for."""

    nodeid: Text
    suite: str
    items: Names = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class RunStarted:
    """The head of a run: all that is needed to repeat it; `target` is None where no gateway is exercised."""

    record: Literal["run_started"] = "run_started"
    run_id: str
    started_at: Timestamp
    suites: Names
    target: TargetFacts | None = None
    seed: int
    command: Text
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    catalogue_digest: str
    code_digest: str


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Planned:
    """All tests of a run, written before the first of them starts; so a missing one is missed by id."""

    record: Literal["planned"] = "planned"
    tests: tuple[PlannedTest, ...]


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Cell:
    """The place of a test in the matrix of the contract: one rule, tried on one provider."""

    provider: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class TestResult:
    """What one test found; `story` is its requirement in a sentence, `reproduce` runs it alone.

    `cell` is its place in the matrix of the contract, None where it has none. `timelines` and `distributions` are what
    a test of faults leaves, `plots` and `compared` what one of load does.
    """

    __test__: ClassVar[bool] = False  # pytest collects classes by their name

    record: Literal["test_result"] = "test_result"
    nodeid: Text
    suite: str
    items: Names = ()
    outcome: Outcome
    reason: Text = ""
    story: Text = ""
    started_at: Timestamp
    duration_s: float
    worker: str = ""
    measurements: tuple[Measurement, ...] = ()
    warnings: tuple[Text, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    reproduce: Text = ""
    cell: Cell | None = None
    timelines: tuple[Timeline, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    plots: tuple[Plot, ...] = ()
    compared: tuple[Compared, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class ArtefactResult:
    """What a look at files of the release found; `files` maps each path to its SHA-256."""

    record: Literal["artefact_result"] = "artefact_result"
    items: Names
    outcome: Outcome
    reason: Text = ""
    measurements: tuple[Measurement, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    produced_by: str


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class KillResult:
    """What one sabotage did to the tests; `items` are those that it must turn red."""

    record: Literal["kill_result"] = "kill_result"
    sabotage: str
    defect: Text
    items: Names
    outcome: Fate
    killed_by: tuple[Text, ...] = ()
    also_red: tuple[Text, ...] = ()
    reason: Text = ""
    code_digest: str


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class RunFinished:
    """The end of a run; without it the run was cut short. `exit_status` is pytest's."""

    record: Literal["run_finished"] = "run_finished"
    finished_at: Timestamp
    exit_status: int
    interrupted: bool = False


Record = RunStarted | Planned | TestResult | ArtefactResult | KillResult | RunFinished

RECORDS: TypeAdapter[Record] = TypeAdapter(
    Annotated[Record, Field(discriminator="record")], config=ConfigDict(ser_json_inf_nan="strings")
)
"""Reads any record from its JSON, and writes it; infinity and not-a-number are written as texts."""


class EvidenceWriter:
    """Appends records to a file, each in one write, so that a crash costs at most the line being written.

    Nothing stays open between records: several processes may append to one file, and none has to close it.
    """

    def __init__(self, path: Path) -> None:
        """Create the file and its folder if they are not there.

        Raises:
            OutputError: it cannot be written.

        """
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
        self._append(b"")

    def write(self, record: Record) -> None:
        """Append one record.

        Raises:
            OutputError: the disk refuses it.

        """
        self._append(RECORDS.dump_json(record) + b"\n")

    def _append(self, line: bytes) -> None:
        try:
            with self.path.open("ab", buffering=0) as file:
                file.write(line)
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written: {error.strerror}") from error
