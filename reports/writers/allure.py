"""Completes the results that allure-pytest leaves, so that Allure shows the same as the verdict.

Allure knows no waiver and calls every skipped test unrun; what it is told here is read by Allure 2 and 3 alike.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports.errors import EvidenceError, OutputError
from reports.evidence import Outcome
from reports.release_file import Waiver
from reports.report import Report
from reports.waivers import describe

_REST = r"[\s\S]*"

CATEGORIES = (
    {"name": "Waived", "matchedStatuses": ["failed"], "messageRegex": f"^WAIVED{_REST}"},
    {"name": "Failed requirement", "matchedStatuses": ["failed"], "messageRegex": f"^(?!WAIVED){_REST}"},
    {"name": "Harness error", "matchedStatuses": ["broken"]},
    {
        "name": "Unsupported",
        "matchedStatuses": ["skipped"],
        "messageRegex": f"^(Skipped: )?UNSUPPORTED{_REST}",
    },
    {
        "name": "Not run",
        "matchedStatuses": ["skipped"],
        "messageRegex": f"^(?!(Skipped: )?UNSUPPORTED){_REST}",
    },
)
"""Every result that is not passed is in exactly one of these."""

_STATUSES: Mapping[Outcome, str] = {Outcome.FAIL: "failed", Outcome.ERROR: "broken"}


def complete(report: Report, folder: Path) -> None:
    """Write environment, executor and categories into a folder of results, and mend the results themselves.

    Raises:
        EvidenceError: there is no such folder, or a result in it is no JSON object.
        OutputError: a file cannot be written.

    """
    if not folder.is_dir():
        raise EvidenceError(f"{folder}: there is no such folder of Allure results")
    outcomes = {result.nodeid: result.outcome for result in report.evidence.results}
    waivers = report.waivers_by_test()
    texts = {
        folder / "environment.properties": environment(report),
        folder / "executor.json": _dump(executor(report)),
        folder / "categories.json": _dump(CATEGORIES),
    }
    for path in sorted(folder.glob("*-result.json")):
        result = _read(path)
        nodeid = nodeid_of(result)
        mended = mend(result, outcomes.get(nodeid), waivers.get(nodeid))
        if mended != result:
            texts[path] = _dump(mended)
    for path, text in texts.items():
        _replace(path, text)


def environment(report: Report) -> str:
    """Return Allure's environment in the form of Java's properties."""
    facts = {"Release": report.release.name, "Verdict": report.verdict.headline}
    for target in report.targets:
        facts |= {
            "Target": target.name,
            "Target version": target.version or "not known",
            "Address": target.url,
        }
    for head in report.heads:
        facts |= {"Seed": str(head.seed), "Code": head.code_digest, **head.versions, **head.machine}
    return "".join(f"{_property(name, in_key=True)} = {_property(value)}\n" for name, value in facts.items())


def executor(report: Report) -> Mapping[str, str]:
    return {
        "name": "Gauntlet",
        "type": "gauntlet",
        "buildName": report.verdict.headline,
        "reportName": report.release.name,
    }


def nodeid_of(result: Mapping[str, Any]) -> str:
    """Return the node id of a result, from its title path and its name, as from the folder `suites`."""
    path = [str(part) for part in result.get("titlePath") or ()]
    path = path[path.index("suites") :] if "suites" in path else path
    files = [part for part in path if part.endswith(".py")]
    split = path.index(files[0]) + 1 if files else len(path)
    return "::".join(["/".join(path[:split]), *path[split:], str(result.get("name", ""))])


def mend(result: Mapping[str, Any], outcome: Outcome | None, waiver: Waiver | None) -> Mapping[str, Any]:
    """Return the result with the status that the evidence gives it, and its waiver, if any, before the message.

    allure-pytest goes by the exception alone: it calls a dead target broken, and a harness's assertion failed.
    """
    mended = dict(result)
    if outcome is not None and outcome in _STATUSES:
        mended["status"] = _STATUSES[outcome]
    details = dict(result.get("statusDetails") or {})
    message = str(details.get("message", ""))
    if waiver is None or message.startswith("WAIVED"):
        return mended
    tag = {"name": "tag", "value": "waived"}
    mended["statusDetails"] = details | {"message": f"{describe(waiver)}\n\n{message}".strip()}
    mended["labels"] = [*(label for label in result.get("labels") or () if label != tag), tag]
    return mended


def _read(path: Path) -> Mapping[str, Any]:
    try:
        result = json.loads(path.read_bytes())
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise EvidenceError(f"{path}: no JSON: {error}") from error
    if not isinstance(result, dict):
        raise EvidenceError(f"{path}: no result of Allure: it is no JSON object")
    return result


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _property(text: str, *, in_key: bool = False) -> str:
    """Escape as java.util.Properties reads it."""
    escaped = text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")
    if in_key:
        escaped = escaped.replace(" ", "\\ ").replace(":", "\\:").replace("=", "\\=")
    return "".join(char if char.isascii() else _utf16(char) for char in escaped)


def _utf16(char: str) -> str:
    code = char.encode("utf-16-be").hex()
    return "".join(f"\\u{code[start : start + 4]}" for start in range(0, len(code), 4))
