"""The verdict as a person reads it in a terminal or in the log of CI."""

from collections.abc import Iterator

from reports.decisions import Decision, Reason
from reports.report import Report

_MOST_TESTS = 3


def summary(report: Report) -> str:
    """Return the headline, every reason with its rule, item and first tests, and who has still to sign."""
    verdict = report.verdict
    lines = [verdict.headline, verdict.sentence, ""]
    for reason in verdict.reasons:
        lines += _reason(reason)
    lines += [""] if verdict.reasons else []
    proven, checks = verdict.proven
    waiting = (*verdict.sign_off.waiting_roles, *verdict.sign_off.waiting_items)
    lines.append(f"proof: {proven} of {checks} checks in scope are proven")
    lines.append(f"sign-off: {verdict.sign_off.state}{f', waiting for {_few(waiting)}' if waiting else ''}")
    return "\n".join(lines)


def _reason(reason: Reason) -> Iterator[str]:
    decision = "caveat" if reason.decision is Decision.GO else reason.decision
    text = reason.text.strip().partition("\n")[0]
    yield f"  {decision:<16}{reason.rule:<24}{reason.item or '':<8}{text}"
    for nodeid in reason.nodeids[:_MOST_TESTS]:
        yield f"{'':<50}{nodeid}"
    if len(reason.nodeids) > _MOST_TESTS:
        yield f"{'':<50}and {len(reason.nodeids) - _MOST_TESTS} more"


def _few(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown  # noqa: PLR2004 - as many as fit a line
