"""The rules of the verdict. A rule is one function and one line here; docs/VERDICT.md explains them to people."""

from reports.decisions import Decision
from reports.rules.acceptance import early_waiver, expired_waiver, unused_waiver, waived, warning
from reports.rules.beyond import other_test_failed, outside_failed
from reports.rules.case import Case, Finding, Rule
from reports.rules.integrity import (
    cut_short,
    lost_failure,
    mixed_code,
    mixed_targets,
    other_catalogue,
    unknown_item,
    without_run,
)
from reports.rules.scope import (
    empty_scope,
    failed,
    harness_error,
    not_run,
    optional_failed,
    optional_unsupported,
    threshold_missed,
    unsupported,
    without_test,
)

__all__ = ["RULES", "Case", "Finding", "Rule"]

_NO_GO, _OPEN, _WAIVED, _CAVEAT = Decision

RULES = (
    Rule("G-FAILED", _NO_GO, "an item in scope that must or should hold fails", failed),
    Rule("G-THRESHOLD", _NO_GO, "a figure misses its threshold, whatever its test says", threshold_missed),
    Rule("G-WAIVER-EXPIRED", _NO_GO, "a waiver has expired", expired_waiver),
    Rule("G-WAIVER-EARLY", _NO_GO, "a waiver is not valid yet", early_waiver),
    Rule("G-WAIVER-UNUSED", _NO_GO, "a waiver accepts no failure", unused_waiver),
    Rule("G-EMPTY-SCOPE", _OPEN, "the release file puts nothing in scope", empty_scope),
    Rule("G-NO-RUN", _OPEN, "there is no run in the evidence", without_run),
    Rule("G-RUN-CUT-SHORT", _OPEN, "a run did not come to its end", cut_short),
    Rule("G-LOST-FAILURE", _OPEN, "pytest saw a failure that the evidence does not hold", lost_failure),
    Rule("G-MIXED-TARGETS", _OPEN, "the runs are of different targets", mixed_targets),
    Rule("G-MIXED-CODE", _OPEN, "the code changed between the runs", mixed_code),
    Rule("G-OTHER-CATALOGUE", _OPEN, "a run was made for other checklists", other_catalogue),
    Rule("G-UNKNOWN-ITEM", _OPEN, "a test speaks for an item that no checklist has", unknown_item),
    Rule("G-HARNESS-ERROR", _OPEN, "the harness broke while it judged an item in scope", harness_error),
    Rule("G-NOT-RUN", _OPEN, "a test of an item in scope has not run", not_run),
    Rule("G-NO-TEST", _OPEN, "no test speaks for an item in scope", without_test),
    Rule("G-UNSUPPORTED", _OPEN, "the target does not offer what an item in scope must show", unsupported),
    Rule("G-WAIVED", _WAIVED, "a failure in scope is accepted by a waiver", waived),
    Rule("G-WARNING", _WAIVED, "nobody has acknowledged a warning about an item in scope", warning),
    Rule("G-FAILED-OPTIONAL", _CAVEAT, "an item in scope that may hold fails", optional_failed),
    Rule(
        "G-UNSUPPORTED-OPTIONAL",
        _CAVEAT,
        "the target lacks what an item should or may show",
        optional_unsupported,
    ),
    Rule("G-FAILED-OUTSIDE", _CAVEAT, "an item out of scope fails", outside_failed),
    Rule("G-FAILED-OTHER", _CAVEAT, "a test that speaks for no item fails", other_test_failed),
)
