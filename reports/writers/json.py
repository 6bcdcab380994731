"""The verdict for machines: one JSON object whose fields docs/VERDICT.md describes; equal reports give equal text."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from reports.blanks import entry
from reports.decisions import Reason
from reports.evidence import KillResult, Measurement
from reports.item_verdicts import ItemVerdict
from reports.matrix import contract_matrix
from reports.release_file import Waiver
from reports.report import Report
from reports.runs import Run
from reports.standings import Standing, standings

FORMAT = "gauntlet-verdict/1"


def write(report: Report) -> str:
    """Return the verdict with all its reasons and items; the exchanges of the tests stay in the evidence."""
    verdict = report.verdict
    proven, checks = verdict.proven
    document = {
        "format": FORMAT,
        "verdict": verdict.decision,
        "headline": verdict.headline,
        "exit_code": verdict.decision.exit_code,
        "judged_on": verdict.today.isoformat(),
        "release": {"name": report.release.name, "scope": report.release.scope},
        "catalogue_digest": report.catalogue.digest,
        "counts": {state.value: count for state, count in sorted(verdict.counts.items())},
        "proof": {"proven": proven, "checks": checks},
        "reasons": [_reason(reason) for reason in verdict.reasons],
        "sign_off": _sign_off(report),
        "waivers": [_waiver(waiver) for waiver in report.release.waivers],
        "items": [_item(each) for each in verdict.items],
        "contract": _contract(report),
        "baseline": [_standing(each) for each in standings(report.evidence.results)],
        "kills": [_kill(kill) for kill in report.evidence.kills],
        "runs": [_run(run) for run in report.evidence.runs],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _reason(reason: Reason) -> Mapping[str, Any]:
    return {
        "rule": reason.rule,
        "verdict": reason.decision,
        "item": reason.item,
        "text": reason.text,
        "nodeids": reason.nodeids,
    }


def _sign_off(report: Report) -> Mapping[str, Any]:
    sign_off = report.verdict.sign_off
    return {
        "state": sign_off.state,
        "waiting_roles": sign_off.waiting_roles,
        "waiting_items": sign_off.waiting_items,
        "signed": [
            {
                "role": each.signature.role,
                "name": each.signature.name,
                "on": each.signature.on.isoformat(),
                "verdict": each.signature.verdict,
                "items": each.items,
                "statement": each.signature.statement,
            }
            for each in sign_off.signed
        ],
    }


def _waiver(waiver: Waiver) -> Mapping[str, Any]:
    return waiver.model_dump(mode="json")


def _item(verdict: ItemVerdict) -> Mapping[str, Any]:
    item = verdict.item
    return {
        "id": item.id,
        "checklist": item.checklist,
        "section": item.section,
        "kind": item.kind,
        "level": item.level,
        "title": item.title,
        "in_scope": verdict.in_scope,
        "state": verdict.state,
        "reason": verdict.reason,
        "voices": [
            {"source": voice.source, "outcome": voice.outcome, "reason": voice.reason}
            for voice in verdict.testimony.voices
        ],
        "measurements": [_measurement(each) for each in verdict.testimony.measurements],
        "blank": _blank(verdict),
        "files": {
            path: digest for each in verdict.testimony.artefacts for path, digest in each.files.items()
        },
        "proof": verdict.proof.state,
        "waivers": [waiver.issue for waiver in verdict.waivers],
    }


def _measurement(measurement: Measurement) -> Mapping[str, Any]:
    return {
        "name": measurement.name,
        "value": _number(measurement.value),
        "unit": measurement.unit,
        "limit": measurement.limit,
        "holds": measurement.holds,
    }


def _blank(verdict: ItemVerdict) -> Mapping[str, Any] | None:
    blank = entry(verdict.item, verdict.testimony)
    if blank is None:
        return None
    return {"name": blank.name, "unit": blank.unit, "value": _number(blank.value), "text": blank.text}


def _standing(standing: Standing) -> Mapping[str, Any]:
    compared = standing.compared
    return {
        "nodeid": standing.result.nodeid,
        "figure": compared.figure,
        "verdict": compared.verdict,
        "low_percent": _number(compared.low_percent),
        "high_percent": _number(compared.high_percent),
        "text": compared.text,
    }


def _number(value: float | None) -> float | str | None:
    """Return a number as JSON can hold it."""
    return value if value is None or math.isfinite(value) else str(value)


def _contract(report: Report) -> Sequence[Mapping[str, Any]]:
    matrix = contract_matrix(report.evidence.results)
    return [
        {"rule": row.rule, "provider": provider, "state": field.state, "tests": field.tests}
        for row in matrix.rows
        for provider, field in zip(matrix.providers, row.fields, strict=True)
        if field is not None
    ]


def _kill(kill: KillResult) -> Mapping[str, Any]:
    return {
        "sabotage": kill.sabotage,
        "defect": kill.defect,
        "items": kill.items,
        "outcome": kill.outcome,
        "killed_by": kill.killed_by,
        "also_red": kill.also_red,
        "reason": kill.reason,
        "code_digest": kill.code_digest,
    }


def _run(run: Run) -> Mapping[str, Any]:
    head = run.started
    target = head.target
    return {
        "run_id": head.run_id,
        "source": run.source,
        "started_at": head.started_at,
        "finished_at": run.finished.finished_at if run.finished else None,
        "exit_status": run.finished.exit_status if run.finished else None,
        "target": {"name": target.name, "version": target.version, "url": target.url} if target else None,
        "seed": head.seed,
        "command": head.command,
        "versions": head.versions,
        "machine": head.machine,
        "catalogue_digest": head.catalogue_digest,
        "code_digest": head.code_digest,
        "planned": len(run.planned),
        "results": len(run.results),
    }
