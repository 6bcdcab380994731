"""Rules about what people have accepted: waivers of failures and acknowledgements of warnings."""

from collections.abc import Iterator

from reports.release_file import Waiver
from reports.rules.case import Case, Finding
from reports.states import UNDECIDED
from reports.waivers import describe


def waived(case: Case) -> Iterator[Finding]:
    for verdict in case.items:
        if verdict.in_scope:
            for waiver in verdict.waivers:
                yield Finding(describe(waiver), verdict.item.id)


def expired_waiver(case: Case) -> Iterator[Finding]:
    for waiver in case.release.waivers:
        if case.waivers.is_expired(waiver):
            yield Finding(f"{_name(waiver)} expired on {waiver.expires}", waiver.item)


def early_waiver(case: Case) -> Iterator[Finding]:
    for waiver in case.release.waivers:
        if case.waivers.is_early(waiver):
            yield Finding(f"{_name(waiver)} is not valid before {waiver.added}", waiver.item)


def unused_waiver(case: Case) -> Iterator[Finding]:
    """Find waivers that accept nothing; where an item in scope is undecided, so is the use of its waivers."""
    used = {waiver for verdict in case.items for waiver in verdict.waivers}
    undecided = {verdict.item.id for verdict in case.in_scope(*UNDECIDED)}
    for waiver in case.release.waivers:
        valid = not case.waivers.is_expired(waiver) and not case.waivers.is_early(waiver)
        if valid and waiver not in used and waiver.item not in undecided:
            yield Finding(f"{_name(waiver)} accepts no failure: remove it", waiver.item)


def warning(case: Case) -> Iterator[Finding]:
    """Find warnings about items in scope that nobody has acknowledged, each warning once."""
    told: set[str] = set()
    for verdict in case.items:
        new = [text for text in verdict.testimony.warnings if verdict.in_scope and text not in told]
        told.update(new)
        for text in new:
            if case.release.acknowledging(text, case.waivers.today) is None:
                yield Finding(f"not acknowledged: {text}", verdict.item.id)


def _name(waiver: Waiver) -> str:
    return f"the waiver of {waiver.item} ({waiver.issue})"
