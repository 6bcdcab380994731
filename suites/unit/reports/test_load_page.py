"""The page on load, as text and in a browser."""

import re

import pytest

from reports.evidence import RECORDS, Measurement, Outcome, TestResult
from reports.observations import Band, Line, Mark
from reports.report import Report
from reports.runs import Evidence
from reports.writers import html, load, markdown
from suites.unit.reports.browser import DESK, TELEPHONE, Reader
from suites.unit.reports.builders import TODAY, catalogue, item, release, result, run
from suites.unit.reports.conftest import HOSTILE
from suites.unit.reports.plotted import compared, knee, percentiles, plot

NODEID = "suites/load/test_expected.py::test_expected_load_is_borne"


@pytest.fixture
def loaded() -> Report:
    """A report with a test of load that kept every kind of plot, and a hostile one that failed."""
    hostile = plot(
        name=HOSTILE,
        x=HOSTILE,
        y=HOSTILE,
        y_unit=HOSTILE,
        lines=(
            Line(HOSTILE, ((0.0, 1.0), (9.0, 2.0))),
            Line("gap", ()),
            Line("dots", ((1.0, 1.0),), dots=True),
        ),
        bands=(Band(name=HOSTILE, where=HOSTILE, begin_s=1.0),),
        limit_text=HOSTILE,
        marks=(Mark(1.0, HOSTILE),),
    )
    results = (
        result("XX-001", nodeid=NODEID, plots=(plot(), percentiles(), knee()), compared=(compared(),)),
        result(
            "XX-002",
            Outcome.FAIL,
            reason=HOSTILE,
            measurements=(Measurement(name=HOSTILE, value=3, unit="s", limit="< 2 s", holds=False),),
            plots=(hostile, plot(name="nothing", lines=())),
            compared=(compared(figure=HOSTILE, text=HOSTILE, verdict="no different"),),
        ),
    )
    return on(*results)


def on(*results: TestResult) -> Report:
    """Return the report on these results."""
    scope = ("XX-001", "XX-002")
    evidence = Evidence(runs=(run(*results),))
    return Report.on(catalogue(*map(item, scope)), release(*scope, name=HOSTILE), evidence, today=TODAY)


def test_plots_stand_on_the_page_with_their_tests(loaded: Report) -> None:
    """Each plot has its picture, its legend with the figures, and stands beneath its test and the test's items."""
    page = load.write(loaded)
    assert page.count('<svg class="plot"') == 4
    assert page.index("test_answer_is_whole") < page.index("Percentiles")
    assert 'href="index.html#XX-002"' in page
    assert "<td>500 ms</td><td>600 ms</td>" in page
    assert "No value was measured." in page


def test_first_page_leads_to_the_plots(loaded: Report) -> None:
    """The sign-off page links the page on load, and from each test to the place of its plots."""
    first, page = html.write(loaded), load.write(loaded)
    links = set(re.findall(r'href="load\.html#([^"]*)"', first))
    assert '<a href="load.html">' in first
    assert len(links) == 3
    assert links <= set(re.findall(r'id="([^"]*)"', page))


def test_page_without_plots_says_so(calm_report: Report) -> None:
    """Where no test kept a plot there is a page that says it, and no link to it."""
    assert "No test of this evidence kept a plot" in load.write(calm_report)
    assert "load.html" not in html.write(calm_report)
    assert "Baseline" not in html.write(calm_report) + markdown.write(calm_report)


def test_first_screen_says_what_got_slower(loaded: Report) -> None:
    """The pages and the summary name what is slower than at the saved run, and by how much."""
    for page in (html.write(loaded), load.write(loaded), markdown.write(loaded)):
        assert "slower by 12 to 18 %" in page
        assert "f 2 figures, 1 slower and 1 no different" in page


def test_nothing_saved_is_said() -> None:
    """Without a run to compare with, the first screen says that there is none."""
    unsaved = compared(verdict="none saved", low_percent=None, high_percent=None)
    assert '<span class="line">none saved; <a href="load.html#baseline">' in html.write(
        on(result("XX-001", compared=(unsaved,)))
    )


def test_many_tests_have_a_list_of_contents() -> None:
    """With more than two tests the page begins with their names."""
    results = [result("XX-001", nodeid=f"{NODEID}[{number}]", plots=(plot(),)) for number in range(3)]
    assert load.write(on(*results)).count('<li><span class="of-state">') == 3


def test_plots_and_comparisons_survive_being_written() -> None:
    """What a test leaves is read from the evidence as it was written."""
    whole = result("XX-001", plots=(plot(), percentiles(), knee()), compared=(compared(),))
    assert RECORDS.validate_json(RECORDS.dump_json(whole)) == whole


def test_page_needs_nothing_else_and_runs_nothing(reader: Reader, loaded: Report) -> None:
    """The page is one file without a script, and whatever a target says on it stays text."""
    reader.requested()
    reader.open(loaded, write=load.write)
    assert reader.requested() == {reader.address}
    assert reader.ask("return document.querySelectorAll('script, img').length") == 0
    assert "<script>alert('x')</script>" in reader.ask("return document.body.innerText")


def test_pictures_have_names_and_descriptions(reader: Reader, loaded: Report) -> None:
    """Every picture that says something tells it to those who do not see it, by elements that are there."""
    reader.open(loaded, write=load.write)
    told = reader.ask(
        "return [...document.querySelectorAll('svg[role=img]')].map(each => each.getAttribute('aria-labelledby')"
        ".split(' ').map(id => document.getElementById(id).textContent.length > 0))"
    )
    assert told == [[True, True]] * 4
    assert reader.ask("return document.querySelectorAll('svg:not([role]):not([aria-hidden])').length") == 0


@pytest.mark.parametrize("size", [DESK, (768, 1024), TELEPHONE], ids=["desk", "tablet", "telephone"])
def test_page_fits_the_screen(reader: Reader, loaded: Report, size: tuple[int, int]) -> None:
    """Nobody has to scroll the page sideways: a picture that is wider than the screen scrolls on its own."""
    reader.open(loaded, size=size, write=load.write)
    assert reader.ask("return document.documentElement.scrollWidth") <= size[0]
    assert reader.ask("return document.querySelector('.plot').getBoundingClientRect().width") >= 600


@pytest.mark.parametrize(("scheme", "media"), [("light", ""), ("dark", ""), ("light", "print")])
def test_lines_stand_out_from_the_ground(reader: Reader, loaded: Report, scheme: str, media: str) -> None:
    """By day, by night and on paper every line has a contrast of 3 to 1 at the least (WCAG 2.2, 1.4.11)."""
    reader.prefer(scheme=scheme, media=media)
    reader.open(loaded, write=load.write)
    contrasts = reader.ask(
        """const light = value => { const probe = document.createElement('i'); probe.style.color = value;
             document.body.append(probe);
             const [r, g, b] = getComputedStyle(probe).color.match(/[0-9.]+/g).map(each => each / 255)
               .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
             return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
           const named = name => light(getComputedStyle(document.documentElement).getPropertyValue(name));
           return ['--fail', ...[...'01234567'].map(each => '--l' + each)].map(name => {
             const [most, least] = [named(name), named('--card')].sort((a, b) => b - a);
             return (most + 0.05) / (least + 0.05); })"""
    )
    assert min(contrasts) >= 3
