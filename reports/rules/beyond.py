"""Rules about what lies beyond the scope: it decides nothing, and the reader should know it all the same."""

from collections.abc import Iterator

from reports.evidence import Outcome
from reports.rules.case import Case, Finding, about
from reports.states import State


def outside_failed(case: Case) -> Iterator[Finding]:
    for verdict in case.items:
        if not verdict.in_scope and verdict.state is State.FAIL:
            yield about(verdict, Outcome.FAIL)


def other_test_failed(case: Case) -> Iterator[Finding]:
    """Find red tests that speak for no item; they decide only where an item asks for their whole suite."""
    for result in case.evidence.results:
        if result.outcome in {Outcome.FAIL, Outcome.ERROR} and not case.witnesses.items_of[result.nodeid]:
            text = f"{result.outcome}: {result.reason.strip().partition(chr(10))[0]}"
            yield Finding(text, None, (result.nodeid,))
