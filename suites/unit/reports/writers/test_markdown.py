import re
from dataclasses import replace

from reports.report import Report
from reports.writers.markdown import write


def test_calm_verdict_is_short(calm_report: Report) -> None:
    """A plain GO says so, with the checklists and the state of the sign-off."""
    assert write(calm_report) == (
        "# GO on 1 of 1 items in scope\n"
        "\n"
        "Example 1.0 · reference 0.1.0 · judged on 2026-11-21\n"
        "\n"
        "Every item in scope that a machine can judge holds.\n"
        "\n"
        "| checklist | in scope | PASS |\n"
        "| --- | --- | --- |\n"
        "| XX Example | 1 of 1 | 1 |\n"
        "\n"
        "Sign-off: **unsigned**, waiting for operations, release manager. Proven: 1 of 1 checks in scope.\n"
    )


def test_reasons_are_a_table(report: Report) -> None:
    """Each reason is one row with verdict, rule, item and text."""
    assert "| **NO-GO** | G-FAILED | XX-002 | " in write(report)
    assert "| **INCONCLUSIVE** | G-NO-TEST | XX-007 | no test speaks for this item |" in write(report)


def test_hostile_text_stays_text(report: Report) -> None:
    """Neither markup nor the bars of a table nor a newline get out of their cell."""
    text = write(report)
    outside_code = re.sub("`[^`]*`", "", text.replace("\\`", ""))
    assert re.findall(r"(?<!\\)<(?!br>)", outside_code) == []
    assert r"\<script\>" in text
    assert all(line.startswith("| ") and line.endswith(" |") for line in text.splitlines() if "G-" in line)


def test_long_lists_end_somewhere(report: Report) -> None:
    """More reasons than CI would show are counted."""
    many = replace(report.verdict, reasons=report.verdict.reasons[:1] * 60)
    assert "… and 10 more reasons." in write(replace(report, verdict=many))


def test_many_tests_are_counted(report: Report) -> None:
    """A reason names its first tests and counts the others."""
    reason = replace(report.verdict.reasons[0], nodeids=tuple("abcde"))
    text = write(replace(report, verdict=replace(report.verdict, reasons=(reason,))))
    assert "<br>`a`<br>`b`<br>`c`<br>and 2 more |" in text
