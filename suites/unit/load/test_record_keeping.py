"""What the load suite keeps of a run for the next one, and what it says of the difference."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.baselines.baseline_file import load
from fixtures.load.record import Record
from fixtures.load.result import LoadResult
from fixtures.notes import Notes
from reports.standings import in_words
from suites.load.record_keeping import baseline_of, keep_record, place_in
from suites.unit.fixtures.load.runs import record, recording, streamed

EACH = 900


def requests(factor: float) -> Iterator[Record]:
    """Yield whole answers and streams in turn, all of them slower by a factor, and not all alike."""
    for number in range(1, 2 * EACH + 1):
        wave = factor * (0.1 + 0.01 * (number % 7))
        at_s = number / 100
        if number % 2:
            yield record(number, at_s, took_s=wave)
        else:
            yield streamed(number, at_s, ttft_s=wave, gaps_s=(wave, wave))


def result(factor: float = 1.0) -> LoadResult:
    return LoadResult.of(recording(requests(factor)), within=(0, 2 * EACH / 100 + 1))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "baseline.json"


def test_first_run_is_kept(place: Path) -> None:
    """Where nothing was kept yet there is nothing to compare with, and the run is kept."""
    notes = Notes()
    keep_record(baseline_of(result()), place, notes)
    assert (notes.comparisons, notes.warnings) == ([], [])
    assert load(place) == baseline_of(result())


def test_same_run_again_is_no_different(place: Path) -> None:
    """A run as fast as the one before is said to be no different, figure by figure."""
    notes = Notes()
    for _run in range(2):
        keep_record(baseline_of(result()), place, notes)
    assert {each.verdict for each in notes.comparisons} == {"no different"}
    assert not notes.warnings


def test_slower_run_is_warned_of_each_time(place: Path) -> None:
    """A slower run is told to a person, by how much, and does not become what the next one is compared with."""
    keep_record(baseline_of(result()), place, Notes())
    for _run in range(2):
        notes = Notes()
        keep_record(baseline_of(result(1.5)), place, notes)
        assert {each.verdict for each in notes.comparisons} == {"slower"}
        told = [f"{each.figure}: {in_words(each)}; to be content with that, " for each in notes.comparisons]
        assert told
        assert [text.partition("remove")[0] for text in notes.warnings] == told
    assert load(place) == baseline_of(result())


def test_gateway_that_gets_slower_bit_by_bit_is_found_out(place: Path) -> None:
    """Six runs that are each four per cent slower than the one before are in the end called slower."""
    for run in range(5):
        keep_record(baseline_of(result(1.04**run)), place, Notes())
    notes = Notes()
    keep_record(baseline_of(result(1.04**5)), place, notes)
    assert {each.verdict for each in notes.comparisons} == {"slower"}


def test_slow_machine_is_not_held_against_the_gateway(place: Path) -> None:
    """Where the machine had become as slow as the gateway seems to be, nobody is warned of the gateway."""
    keep_record(baseline_of(result(), (3.0, 3.0)), place, Notes())
    notes = Notes()
    keep_record(baseline_of(result(1.5), (4.5, 4.6)), place, notes)
    assert {each.verdict for each in notes.comparisons} == {"too noisy to say"}
    assert not notes.warnings


def test_run_of_another_kind_takes_nobodys_place(place: Path) -> None:
    """What cannot be compared with what was kept does not replace it, and a person is told why and what to do."""
    notes = Notes()
    keep_record(baseline_of(result()), place, notes)
    keep_record(replace(baseline_of(result()), seed=5), place, notes)
    assert notes.comparisons == []
    (warning,) = notes.warnings
    assert "seed: 7 before, 5 now" in warning
    assert "remove baseline.json" in warning
    assert load(place) == baseline_of(result())


def test_short_and_long_runs_have_a_place_each(tmp_path: Path) -> None:
    """Runs that cannot be compared do not meet: whoever loads for minutes and for hours in turn keeps both records."""
    places = [place_in(tmp_path, extent) for extent in ("quick", "full")]
    for place, seed in zip(places, (1, 2), strict=True):
        keep_record(replace(baseline_of(result()), seed=seed), place, Notes())
    assert [load(place).seed for place in places] == [1, 2]


def test_failed_request_leaves_its_place_empty() -> None:
    """A request that was not answered rightly has no time, and moves no other one from its place."""
    records = [record(1, 0.0, took_s=0.1), record(2, 0.1, outcome="error"), record(3, 0.2, took_s=0.3)]
    whole = baseline_of(LoadResult.of(recording(records))).figure("whole answer")
    assert whole is not None
    assert [time_s and round(time_s, 3) for time_s in whole.samples] == [0.1, None, 0.3]
