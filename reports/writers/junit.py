"""JUnit's XML: one suite per suite of tests, one case per test, the kind of each reason in `type`.

The form is the one that Jenkins, GitLab and GitHub's actions read (the schema of Jenkins' xUnit plugin).
"""

import re
from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from reports.evidence import ArtefactResult, Exchange, Outcome, TestResult
from reports.release_file import Waiver
from reports.report import Report
from reports.testimony import NO_RESULT
from reports.waivers import describe

_ELEMENTS: Mapping[Outcome, str] = {
    Outcome.FAIL: "failure",
    Outcome.ERROR: "error",
    Outcome.UNSUPPORTED: "skipped",
    Outcome.NOT_RUN: "skipped",
}

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped (section 2.2, production Char)."""


def write(report: Report) -> str:
    """Return the results of all tests and artefacts; a waived failure stays a failure, of type WAIVED."""
    waived = report.waivers_by_test()
    root = Element("testsuites", name=_clean(f"{report.release.name}: {report.verdict.headline}"))
    suites: dict[str, Element] = {}
    for result in report.evidence.results:
        case = _case(_suite(root, suites, result.suite), result.nodeid, result.items, result.outcome)
        case.set("time", f"{result.duration_s:.3f}")
        _say(case, result.outcome, result.reason, _details(result), waived.get(result.nodeid))
    for test in report.evidence.missing:
        case = _case(_suite(root, suites, test.suite), test.nodeid, test.items, Outcome.NOT_RUN)
        _say(case, Outcome.NOT_RUN, NO_RESULT, "", None)
    for artefact in report.evidence.artefacts:
        case = _case(_suite(root, suites, "artefacts"), _name(artefact), artefact.items, artefact.outcome)
        _say(case, artefact.outcome, artefact.reason, "", None)
    for suite in (root, *suites.values()):
        _count(suite)
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(root: Element, suites: dict[str, Element], name: str) -> Element:
    shown = name or "other"
    if shown not in suites:
        suites[shown] = SubElement(root, "testsuite", name=_clean(shown))
    return suites[shown]


def _case(suite: Element, nodeid: str, items: Iterable[str], outcome: Outcome) -> Element:
    path, _, name = nodeid.partition("::")
    classname = path.removesuffix(".py").replace("/", ".")
    case = SubElement(suite, "testcase", classname=_clean(classname), name=_clean(name or nodeid))
    properties = SubElement(case, "properties")
    for item in items:
        SubElement(properties, "property", name="item", value=_clean(item))
    SubElement(properties, "property", name="outcome", value=outcome)
    return case


def _say(case: Element, outcome: Outcome, reason: str, details: str, waiver: Waiver | None) -> None:
    if outcome is Outcome.PASS:
        return
    first = reason.strip().partition("\n")[0]
    kind, message = ("WAIVED", describe(waiver)) if waiver else (outcome.value, f"{outcome}: {first}")
    element = SubElement(case, _ELEMENTS[outcome], type=kind, message=_clean(message))
    element.text = _clean("\n\n".join(part for part in (reason, details) if part))


def _details(result: TestResult) -> str:
    if result.outcome not in {Outcome.FAIL, Outcome.ERROR}:
        return ""
    again = f"reproduce: {result.reproduce}" if result.reproduce else ""
    return "\n\n".join(part for part in (*map(_exchange, result.exchanges), again) if part)


def _exchange(exchange: Exchange) -> str:
    return f"{exchange.title}\n{exchange.request}\n\n{exchange.response}\n\n{exchange.curl}"


def _name(artefact: ArtefactResult) -> str:
    return f"artefacts::{', '.join(artefact.items)}"


def _count(suite: Element) -> None:
    suite.set("tests", str(sum(1 for _ in suite.iter("testcase"))))
    for attribute, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(1 for _ in suite.iter(element))))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in suite.iter('testcase')):.3f}")


def _clean(text: str) -> str:
    """Return `text` with visible stand-ins for what XML forbids."""
    return _FORBIDDEN.sub(lambda match: f"\\x{ord(match.group()):02x}", text)
