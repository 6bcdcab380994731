"""A catalogue, a release and evidence that belong together, small enough to be seen at a glance."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from reports.checklists import Catalogue, Checklist, Section
from reports.evidence import Exchange, Fate, Measurement, Outcome
from reports.report import Report
from reports.runs import Evidence
from suites.unit.reports.browser import FLAGS, Reader
from suites.unit.reports.builders import (
    CHAT,
    MODELS,
    TODAY,
    artefact,
    catalogue,
    item,
    kill,
    planned,
    release,
    result,
    run,
    waiver,
    write_catalogue,
)

HOSTILE = "<script>alert('x')</script> ]]> & \x00\x1b[31m | `code` **bold** \ufffe"
"""What a gateway that means harm might answer."""


@pytest.fixture
def catalogue_folder(tmp_path: Path) -> Path:
    """A folder with the small catalogue `XX`."""
    return write_catalogue(tmp_path / "checklists")


@pytest.fixture
def report() -> Report:
    """A report with an item in every state that a test can bring about, and hostile texts wherever one may be."""
    items = tuple(item(f"XX-00{number}", title=f"Title {number} {HOSTILE}") for number in range(1, 9))
    exchange = Exchange(title=HOSTILE, request=HOSTILE, response=HOSTILE, duration_s=0.1, curl=HOSTILE)
    missed = Measurement(name=HOSTILE, value=3, unit="s", limit="< 2 s", holds=False)
    results = (
        result("XX-001", warnings=(HOSTILE,)),
        result(
            "XX-002",
            Outcome.FAIL,
            nodeid=f"{CHAT}[bad {HOSTILE}]",
            reason=HOSTILE,
            story=HOSTILE,
            exchanges=(exchange,),
            measurements=(missed,),
            reproduce=HOSTILE,
        ),
        result("XX-003", Outcome.FAIL, nodeid=MODELS, reason="slow"),
        result("XX-004", Outcome.ERROR, nodeid=f"{CHAT}[error]", reason="the simulator broke"),
        result("XX-005", Outcome.UNSUPPORTED, nodeid=f"{CHAT}[unsupported]", reason="chat: not offered"),
        result("XX-006", Outcome.NOT_RUN, nodeid=f"{CHAT}[not-run]", reason="logs: not granted"),
    )
    whole = run(*results)
    cut = run(
        result("", nodeid="suites/unit/test_x.py::test_x", suite="unit"),
        source="unit.jsonl",
        planned=(planned("suites/unit/test_x.py::test_y", suite="unit"),),
        finished=None,
    )
    return Report.on(
        small(catalogue(*items)),
        release(*(each.id for each in items[:7]), name=HOSTILE, waivers=(waiver("XX-003", reason=HOSTILE),)),
        Evidence(
            runs=(whole, cut),
            artefacts=(artefact("XX-001", produced_by=HOSTILE),),
            kills=(kill("XX-001"), kill("XX-002", Fate.COLLATERAL, defect=HOSTILE, also_red=(MODELS,))),
        ),
        today=TODAY,
    )


@pytest.fixture
def calm_report() -> Report:
    """A report on a release that is a plain GO."""
    evidence = Evidence(runs=(run(result("XX-001")),), kills=(kill("XX-001"),))
    return Report.on(catalogue(item("XX-001")), release("XX-001"), evidence, today=TODAY)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """The system's browser with a profile of its own; the driver is named, so that none is ever downloaded."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        pytest.skip("NOT RUN: no chromium with chromedriver on this machine")
    options = ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    with Chrome(options=options, service=Service(chromedriver)) as started:
        yield started


@pytest.fixture
def reader(driver: Chrome, tmp_path: Path) -> Reader:
    """A reader who prefers light pages."""
    reader = Reader(driver, tmp_path / "index.html")
    reader.prefer()
    return reader


def small(whole: Catalogue) -> Catalogue:
    """Return the catalogue with its last item in a section of its own."""
    (checklist,) = whole.checklists
    first = Section("First", checklist.items[:-1])
    last = Section("Last", checklist.items[-1:])
    divided = Checklist(checklist.id, checklist.title, (first, last))
    return Catalogue((divided,), whole.capabilities, whole.digest, whole.by_id)
