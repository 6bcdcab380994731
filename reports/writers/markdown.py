"""A summary in Markdown, as CI shows it beneath a run: the verdict, its reasons, the checklists, the sign-off."""

import re
from collections.abc import Iterable, Iterator

from reports.blanks import entries
from reports.decisions import Decision, Reason
from reports.report import Report
from reports.standings import standings, tally
from reports.states import State

_SHOWN = (
    State.PASS, State.WAIVED, State.FAIL, State.ERROR, State.NOT_RUN, State.NO_TEST, State.UNSUPPORTED, State.ATTEST,
)  # fmt: skip

_MOST_REASONS = 50
"""CI cuts long summaries off anywhere; better here, and said."""


def write(report: Report) -> str:
    """Return the summary; whatever comes from a target is escaped."""
    verdict = report.verdict
    proven, checks = verdict.proven
    targets = [_escape(target.identity) for target in report.targets]
    facts = [_escape(report.release.name), *targets, f"judged on {verdict.today}"]
    lines = [
        f"# {verdict.headline}",
        "",
        " · ".join(facts),
        "",
        *_reasons(verdict.reasons),
        *_checklists(report),
        *_blanks(report),
        *_standings(report),
        f"Sign-off: **{verdict.sign_off.state}**{_waiting(report)}. Proven: {proven} of {checks} checks in scope.",
    ]
    return "\n".join(lines) + "\n"


def _reasons(reasons: tuple[Reason, ...]) -> Iterator[str]:
    if not reasons:
        yield from ("Every item in scope that a machine can judge holds.", "")
        return
    yield from _table(("verdict", "rule", "item", "reason"), map(_reason, reasons[:_MOST_REASONS]))
    if len(reasons) > _MOST_REASONS:
        yield from (f"… and {len(reasons) - _MOST_REASONS} more reasons.", "")


def _reason(reason: Reason) -> tuple[str, ...]:
    verdict = "caveat" if reason.decision is Decision.GO else f"**{reason.decision}**"
    tests = "".join(f"<br>`{_code(nodeid)}`" for nodeid in reason.nodeids[:3])
    more = f"<br>and {len(reason.nodeids) - 3} more" if len(reason.nodeids) > 3 else ""  # noqa: PLR2004 - as many as were shown
    return verdict, reason.rule, reason.item or "", f"{_escape(reason.text)}{tests}{more}"


def _checklists(report: Report) -> Iterator[str]:
    shown = [state for state in _SHOWN if report.verdict.counts[state]]
    rows = []
    for checklist in report.catalogue.checklists:
        mine = [each for each in report.verdict.in_scope if each.item.checklist == checklist.id]
        counts = (str(sum(each.state is state for each in mine) or "") for state in shown)
        name = f"{checklist.id} {_escape(checklist.title)}"
        rows.append((name, f"{len(mine)} of {len(checklist.items)}", *counts))
    return _table(("checklist", "in scope", *shown), rows)


def _blanks(report: Report) -> Iterator[str]:
    found = entries(report)
    yield from (f"- {each.item} {_escape(each.title)}: {each.text}" for each in found)
    if found:
        yield ""


def _standings(report: Report) -> Iterator[str]:
    found = standings(report.evidence.results)
    if not found:
        return
    slower = [each for each in found if each.compared.verdict == "slower"]
    yield f"Baseline: {tally(found)}."
    yield ""
    yield from (f"- {_escape(each.compared.figure)}: **{_escape(each.words)}**" for each in slower)
    if slower:
        yield ""


def _waiting(report: Report) -> str:
    sign_off = report.verdict.sign_off
    waiting = [*map(_escape, sign_off.waiting_roles), *sign_off.waiting_items]
    return f", waiting for {', '.join(waiting)}" if waiting else ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _escape(text: str) -> str:
    """Return `text` as Markdown that shows it literally, on one line."""
    line = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&])", r"\\\1", line)


def _code(text: str) -> str:
    return " ".join(text.split()).replace("`", "'").replace("|", "\\|")
