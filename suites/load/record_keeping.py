"""The figures of the undisturbed gateway as the next release is compared with them."""

from collections.abc import Callable, Iterable
from pathlib import Path

from fixtures.baselines.baseline import Baseline, Figure
from fixtures.baselines.baseline_file import load, save
from fixtures.baselines.comparison import compare
from fixtures.baselines.errors import IncomparableError
from fixtures.baselines.machine import machine_facts
from fixtures.load.record import Record
from fixtures.load.result import LoadResult
from fixtures.notes import Notes
from reports.standings import in_words

Value = Callable[[Record], float | None]


def baseline_of(result: LoadResult, paces_ms: tuple[float, ...] = ()) -> Baseline:
    """Return the figures of a run, request by request, and how fast the machine was around it."""
    header = result.header
    streams = [record for record in result.records if record.stream]
    whole = [record for record in result.records if not record.stream]
    return Baseline(
        taken_at=header.started_at.isoformat(timespec="milliseconds"),
        target=header.target,
        profile=f"{header.profile}, {header.arrivals} requests in {header.duration_s:g} s",
        seed=header.seed,
        machine=machine_facts(),
        paces_ms=paces_ms,
        figures=(
            _figure("whole answer", whole, lambda each: each.latency_s),
            _figure("stream, to the first token", streams, lambda each: each.ttft_s),
            _figure("stream, time per token", streams, lambda each: each.tpot_s),
        ),
    )


def place_in(folder: Path, extent: str) -> Path:
    """Return where the record of runs of an extent is kept."""
    return folder / f"baseline-{extent}.json"


def keep_record(baseline: Baseline, path: Path, notes: Notes) -> None:
    """Compare a run with the one that was kept; keep it where there is none.

    The one that was kept stays until somebody removes it: were each run the measure of the next, a gateway that gets
    slower a little at a time would never be called slower.

    Raises:
        BaselineError: what was kept cannot be read, or the new one cannot be written.

    """
    if not path.is_file():
        save(baseline, path)
        return
    try:
        compared = compare(load(path), baseline)
    except IncomparableError as error:
        notes.warn(f"{error}; to compare with runs like this one, remove {path.name} and measure again")
        return
    for each in compared:
        notes.compared(each)
        if each.verdict == "slower":
            slower = f"{each.figure}: {in_words(each)}"
            notes.warn(f"{slower}; to be content with that, remove {path.name} and measure again")


def _figure(name: str, records: Iterable[Record], value: Value) -> Figure:
    times_s = (value(record) if record.outcome == "ok" else None for record in records)
    samples = tuple(time_s if time_s and time_s > 0 else None for time_s in times_s)
    return Figure(name=name, unit="s", samples=samples)
