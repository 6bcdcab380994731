"""Rules about the evidence itself: whether it is whole, of one release, and judged by the catalogue it was made for."""

from collections.abc import Iterator

from reports.evidence import Outcome
from reports.rules.case import Case, Finding
from reports.runs import Run

_TESTS_PASSED_OR_FAILED = (0, 1)
"""The exit statuses by which pytest says that it came to the end of the tests."""

_RED = frozenset({Outcome.FAIL, Outcome.ERROR})


def without_run(case: Case) -> Iterator[Finding]:
    if not case.evidence.runs:
        yield Finding("the evidence holds no run")


def cut_short(case: Case) -> Iterator[Finding]:
    for run in case.evidence.runs:
        cause = _cause_of_death(run)
        if cause:
            nodeids = tuple(test.nodeid for test in run.missing)
            yield Finding(
                f"{run.source}: the run {cause}; planned tests without a result: {len(nodeids)}",
                None,
                nodeids,
            )


def lost_failure(case: Case) -> Iterator[Finding]:
    for run in case.evidence.runs:
        told = any(result.outcome in _RED for result in run.results)
        if run.finished is not None and run.finished.exit_status == 1 and not told:
            yield Finding(f"{run.source}: pytest reports a failure that is not in the evidence")


def mixed_targets(case: Case) -> Iterator[Finding]:
    targets = {run.started.target.identity for run in case.evidence.runs if run.started.target is not None}
    if len(targets) > 1:
        yield Finding(f"the runs are of different targets: {', '.join(sorted(targets))}")


def mixed_code(case: Case) -> Iterator[Finding]:
    if len({run.started.code_digest for run in case.evidence.runs}) > 1:
        yield Finding("between the runs the code has changed: their code digests differ")


def other_catalogue(case: Case) -> Iterator[Finding]:
    for run in case.evidence.runs:
        if run.started.catalogue_digest != case.catalogue.digest:
            yield Finding(f"{run.source}: the run was made for another version of the checklists")


def unknown_item(case: Case) -> Iterator[Finding]:
    named = {(item, nodeid) for nodeid, items in case.witnesses.items_of.items() for item in items}
    named |= {(item, each.produced_by) for each in case.evidence.artefacts for item in each.items}
    for item, source in sorted(named):
        if item not in case.catalogue:
            yield Finding(f"no checklist has an item {item}", None, (source,))


def _cause_of_death(run: Run) -> str:
    """Return how the run came to an early end, or nothing."""
    if run.finished is None:
        return "breaks off in the middle of a line" if run.torn else "never came to its end"
    if run.finished.interrupted:
        return "was interrupted"
    if run.finished.exit_status not in _TESTS_PASSED_OR_FAILED:
        return f"ended with pytest's exit status {run.finished.exit_status}"
    return ""
