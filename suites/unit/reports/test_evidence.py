import dataclasses
import json
import math
from pathlib import Path

import pytest
from pydantic import ValidationError

from reports.errors import OutputError
from reports.evidence import (
    RECORDS,
    EvidenceWriter,
    Exchange,
    Measurement,
    Outcome,
    Planned,
    Record,
    TargetFacts,
)
from suites.unit.reports.builders import CHAT, artefact, finished, kill, planned, result, started

FULL_RESULT = result(
    "PL-008",
    Outcome.FAIL,
    measurements=(Measurement(name="latency", value=2.5, unit="s", limit="< 2 s", holds=False),),
    exchanges=(Exchange(title="GET /", request="a", response="b", duration_s=0.1, curl="curl"),),
    warnings=("degraded",),
)


@pytest.mark.parametrize(
    "record",
    [
        started(),
        Planned(tests=(planned(CHAT, "PL-008"),)),
        FULL_RESULT,
        artefact("UB-006"),
        kill("PL-008"),
        finished(),
    ],
    ids=lambda record: record.record,
)
def test_record_survives_its_json(record: Record) -> None:
    """A record that is written and read again is the same record, and its kind stands in it."""
    text = RECORDS.dump_json(record)
    assert RECORDS.validate_json(text) == record
    assert json.loads(text)["record"] == record.record


@pytest.mark.parametrize("value", [math.inf, -math.inf], ids=["inf", "minus-inf"])
def test_infinite_figure_survives(value: float) -> None:
    """A figure without an end is kept, and the line is still strict JSON."""
    record = result("PL-008", measurements=(Measurement(name="wait", value=value, unit="s"),))
    text = RECORDS.dump_json(record)
    json.loads(text, parse_constant=pytest.fail)
    assert RECORDS.validate_json(text) == record


def test_broken_text_is_kept_readable() -> None:
    """A gateway's lone surrogates do not keep its answer from being written."""
    record = result(
        "PL-008", exchanges=(Exchange(title="t", request="", response="\ud800!", duration_s=0, curl=""),)
    )
    assert b'"response":"?!"' in RECORDS.dump_json(record)


@pytest.mark.parametrize("text", ["2026-11-21T06:30:00+01:00", "2026-11-21T06:30:00"], ids=["zone", "naive"])
def test_times_are_utc(text: str) -> None:
    """A time of another zone, or of none, is refused."""
    with pytest.raises(ValidationError, match="must be in UTC"):
        started(started_at=text)


def test_records_are_frozen() -> None:
    """What was witnessed cannot be changed afterwards."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        FULL_RESULT.outcome = Outcome.PASS  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize(
    ("withheld", "identity"),
    [({}, "reference 0.1.0"), ({"configuration": "not ours"}, "reference 0.1.0 at http://gateway")],
    ids=["started", "found"],
)
def test_address_tells_found_targets_apart(withheld: dict[str, str], identity: str) -> None:
    """The port that the harness chose says nothing; the address of a gateway that was found says which it is."""
    facts = TargetFacts(name="reference", url="http://gateway", version="0.1.0", withheld=withheld)
    assert facts.identity == identity


def test_writer_appends_line_by_line(tmp_path: Path) -> None:
    """Each record is on the disk as soon as it is written, one line each, by whichever writer."""
    path = tmp_path / "new" / "evidence.jsonl"
    first, second = EvidenceWriter(path), EvidenceWriter(path)
    first.write(started())
    second.write(finished())
    first.write(kill("PL-008"))
    kinds = [json.loads(line)["record"] for line in path.read_text().splitlines()]
    assert kinds == ["run_started", "run_finished", "kill_result"]


def test_unwritable_path_is_said_at_once(tmp_path: Path) -> None:
    """A path that cannot be written is refused before any test has run."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"evidence.jsonl: cannot be written: "):
        EvidenceWriter(tmp_path / "file" / "evidence.jsonl")
    with pytest.raises(OutputError, match="cannot be written: Is a directory"):
        EvidenceWriter(tmp_path)
