"""The page on faults, as text and in a browser."""

import re

import pytest

from reports.evidence import RECORDS, Outcome
from reports.observations import Band, Remark
from reports.report import Report
from reports.runs import Evidence
from reports.writers import chaos, html
from suites.unit.reports.browser import DESK, TELEPHONE, Reader
from suites.unit.reports.builders import TODAY, catalogue, item, release, result, run
from suites.unit.reports.conftest import HOSTILE
from suites.unit.reports.timelines import distribution, timeline

NODEID = "suites/chaos/test_failover.py::test_dead_provider[reset]"


@pytest.fixture
def faults() -> Report:
    """A report with a failed test that kept two hostile histories, and one that passed."""
    hostile = timeline(
        bands=(Band(name=HOSTILE, where=HOSTILE, begin_s=1.0),),
        remarks=(Remark(rule="answered_once", request=HOSTILE, at_s=5.0, text=HOSTILE),),
        file=HOSTILE,
    )
    results = (
        result("XX-001", timelines=(timeline(),), distributions=(distribution(),)),
        result(
            "XX-002",
            Outcome.FAIL,
            nodeid=NODEID,
            reason=HOSTILE,
            timelines=(timeline(), hostile),
            distributions=(distribution(name=HOSTILE, holds=False),),
        ),
    )
    scope = ("XX-001", "XX-002")
    return Report.on(
        catalogue(*map(item, scope)),
        release(*scope, name=HOSTILE),
        Evidence(runs=(run(*results),)),
        today=TODAY,
    )


def test_histories_stand_on_the_page_with_their_tests(faults: Report) -> None:
    """Each history names its test, the test's outcome and items, what happened, and how to look again."""
    page = chaos.write(faults)
    titles = re.findall(r'<h3 id="[^"]*">(.*?)</h3>', page)
    assert [re.sub(r"<[^>]*>", "", title).split()[1:3] for title in titles] == [
        ["FAILtest_dead_provider[reset],", "history"],
        ["FAILtest_dead_provider[reset],", "history"],
        ["PASStest_answer_is_whole"],
    ]
    assert 'href="index.html#XX-002"' in page
    assert "5 requests in 10 s" in page
    assert "2 moved on to another provider, in 3 ms at the median, 1.5 s at the worst" in page
    assert "python -m fixtures.history check build/chaos/history.jsonl" in page


def test_first_page_leads_to_the_histories(faults: Report) -> None:
    """The sign-off page links the page on faults, and from each test to the place of its history."""
    first, page = html.write(faults), chaos.write(faults)
    links = set(re.findall(r'href="chaos\.html#([^"]*)"', first))
    assert '<a href="chaos.html">' in first
    assert len(links) == 2
    assert links <= set(re.findall(r'id="([^"]*)"', page))


def test_page_without_histories_says_so(calm_report: Report) -> None:
    """Where no test kept a history there is a page that says it, and no link to it."""
    assert "No test of this evidence kept a history" in chaos.write(calm_report)
    assert "chaos.html" not in html.write(calm_report)


def test_thinned_history_says_how_much_is_drawn(faults: Report) -> None:
    """Where not every request is drawn the numbers are still those of all."""
    thinned = timeline(counts={"ok": 5000, "fail": 7})
    report = Report.on(
        faults.catalogue,
        faults.release,
        Evidence(runs=(run(result("XX-001", timelines=(thinned,))),)),
        today=TODAY,
    )
    page = chaos.write(report)
    assert "5007 requests in 10 s" in page
    assert "5 of the requests are drawn" in page


def test_timelines_and_distributions_survive_being_written() -> None:
    """What a test leaves is read from the evidence as it was written."""
    whole = result("XX-001", timelines=(timeline(),), distributions=(distribution(),))
    assert RECORDS.validate_json(RECORDS.dump_json(whole)) == whole


def test_page_needs_nothing_else_and_runs_nothing(reader: Reader, faults: Report) -> None:
    """The page is one file without a script, and whatever a target says on it stays text."""
    reader.requested()
    reader.open(faults, write=chaos.write)
    assert reader.requested() == {reader.address}
    assert reader.ask("return document.querySelectorAll('script, img').length") == 0
    assert "<script>alert('x')</script>" in reader.ask("return document.body.innerText")


@pytest.mark.parametrize("size", [DESK, (768, 1024), TELEPHONE], ids=["desk", "tablet", "telephone"])
def test_page_fits_the_screen(reader: Reader, faults: Report, size: tuple[int, int]) -> None:
    """Nobody has to scroll the page sideways: a picture that is wider than the screen scrolls on its own."""
    reader.open(faults, size=size, write=chaos.write)
    assert reader.ask("return document.documentElement.scrollWidth") <= size[0]
    assert reader.ask("return document.querySelector('.timeline').getBoundingClientRect().width") >= 760


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_follow_the_colour_scheme(reader: Reader, faults: Report, scheme: str) -> None:
    """By day and by night the marks stand out from the ground in the colours of the page."""
    reader.prefer(scheme=scheme)
    reader.open(faults, write=chaos.write)
    colours = reader.ask(
        "return ['--pass', '--card'].map(name => getComputedStyle(document.body).getPropertyValue(name))"
    )
    drawn = reader.ask("return getComputedStyle(document.querySelector('.stroke.mark.ok')).stroke")
    wanted = reader.ask(
        "const probe = document.createElement('i'); probe.style.color = arguments[0];"
        "document.body.append(probe); return getComputedStyle(probe).color",
        colours[0],
    )
    assert drawn == wanted
    assert colours[0] != colours[1]
