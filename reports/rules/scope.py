"""Rules about the items in scope: those that fail, and those that nobody can say anything about."""

from collections.abc import Iterator

from reports.catalogue_files import Level
from reports.evidence import Outcome
from reports.rules.case import Case, Finding, about
from reports.states import State


def empty_scope(case: Case) -> Iterator[Finding]:
    if not case.release.scope:
        yield Finding("the release file puts no item in scope, so nothing was judged")


def failed(case: Case) -> Iterator[Finding]:
    for verdict in case.in_scope(State.FAIL):
        if verdict.item.level is not Level.MAY:
            yield about(verdict, Outcome.FAIL)


def optional_failed(case: Case) -> Iterator[Finding]:
    for verdict in case.in_scope(State.FAIL):
        if verdict.item.level is Level.MAY:
            yield about(verdict, Outcome.FAIL)


def threshold_missed(case: Case) -> Iterator[Finding]:
    """Find figures that miss their threshold though no test says so; the figure is believed, not the test."""
    for verdict in case.in_scope(State.PASS, State.UNSUPPORTED):
        for each in verdict.testimony.measurements:
            if each.holds is False:
                text = f"{each.name} is {each.value:g} {each.unit}, limit {each.limit}, and no test failed"
                yield Finding(text, verdict.item.id, verdict.testimony.nodeids)


def without_test(case: Case) -> Iterator[Finding]:
    for verdict in case.in_scope(State.NO_TEST):
        yield about(verdict)


def not_run(case: Case) -> Iterator[Finding]:
    for verdict in case.in_scope(State.NOT_RUN):
        yield about(verdict, Outcome.NOT_RUN)


def harness_error(case: Case) -> Iterator[Finding]:
    for verdict in case.in_scope(State.ERROR):
        yield about(verdict, Outcome.ERROR)


def unsupported(case: Case) -> Iterator[Finding]:
    for verdict in case.in_scope(State.UNSUPPORTED):
        if verdict.item.level is Level.MUST:
            yield about(verdict, Outcome.UNSUPPORTED)


def optional_unsupported(case: Case) -> Iterator[Finding]:
    for verdict in case.in_scope(State.UNSUPPORTED):
        if verdict.item.level is not Level.MUST:
            yield about(verdict, Outcome.UNSUPPORTED)
