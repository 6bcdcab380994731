"""The page as people meet it: on a first screen, a narrow one, in the dark, by keyboard, and on paper."""

import base64
import re

import pytest
from selenium.webdriver.common.keys import Keys

from reports.evidence import Exchange, Outcome
from reports.report import Report
from reports.runs import Evidence
from suites.unit.reports.browser import DESK, TELEPHONE, Reader
from suites.unit.reports.builders import TODAY, catalogue, item, kill, release, result, run, waiver

READABLE = 4.5
"""The least contrast of text, by WCAG 2.2, success criterion 1.4.3."""

TAKE_OVER = "document.title='taken over'"
HOSTILE = f"</td></style></title><script>{TAKE_OVER}</script><img src=x onerror=\"{TAKE_OVER}\">' onfocus='x"

TEXTS_WITH_COLOURS = """
const filled = colour => !/, 0\\)$|\\/ 0\\)$|transparent/.test(colour);
const ground = node => {
  for (; node; node = node.parentElement)
    if (filled(getComputedStyle(node).backgroundColor)) return getComputedStyle(node).backgroundColor;
};
const speaks = node => [...node.childNodes].some(each => each.nodeType === 3 && each.data.trim());
return [...document.body.querySelectorAll("*")]
  .filter(node => speaks(node) && node.checkVisibility())
  .map(node => [node.textContent.trim().slice(0, 40), getComputedStyle(node).color, ground(node)]);
"""


@pytest.fixture
def grave_report() -> Report:
    """A report with nine failures and long texts, in which a word may have no end."""
    long = "The gateway answers every request of every caller within the time that it has been given"
    ids = [f"XX-00{number}" for number in range(1, 10)]
    exchange = Exchange(
        title="GET " + "x" * 400, request="q" * 400, response="{}", duration_s=0.1, curl="curl"
    )
    failures = [
        result(
            each, Outcome.FAIL, nodeid=f"test_{each}", reason=f"{long}: " + "x" * 300, exchanges=(exchange,)
        )
        for each in ids
    ]
    return Report.on(
        catalogue(*(item(each, title=long) for each in [*ids, "XX-010"])),
        release(*ids, name="Example 1.0 " + "x" * 60, waivers=(waiver("XX-009", reason="r" * 300),)),
        Evidence(runs=(run(*failures),), kills=(kill("XX-001 XX-002", reason="r" * 300),)),
        today=TODAY,
    )


def test_verdict_reasons_and_sign_off_need_no_scrolling(reader: Reader, grave_report: Report) -> None:
    """Whoever opens the page sees the verdict, its sentence, the weightiest reasons, and who has still to sign."""
    reader.open(grave_report)
    assert reader.sees("h1 .word") == ["NO-GO"]
    assert reader.sees(".sentence") == [grave_report.verdict.sentence]
    assert len(reader.sees(".reasons tbody tr")) >= 4
    assert reader.sees(".roles b") == ["operations", "release manager"]


@pytest.mark.parametrize("size", [DESK, (768, 1024), TELEPHONE], ids=["desk", "tablet", "telephone"])
@pytest.mark.parametrize("name", ["grave_report", "report", "calm_report"])
def test_page_is_never_wider_than_the_screen(
    reader: Reader, name: str, size: tuple[int, int], request: pytest.FixtureRequest
) -> None:
    """However long a word is, and with all details open, nobody has to scroll sideways."""
    reader.open(request.getfixturevalue(name), size=size)
    open_all(reader)
    assert reader.ask("return document.documentElement.scrollWidth") <= size[0]


def test_nothing_but_the_file_is_asked_for(reader: Reader, report: Report) -> None:
    """The page is one file: opening it makes the browser ask for that file alone."""
    reader.requested()
    reader.open(report)
    assert reader.requested() == {reader.address}


def test_hostile_text_runs_nowhere(reader: Reader) -> None:
    """What a gateway sends is read as it was sent: no script runs, and no element comes of it."""
    failure = result("XX-001", Outcome.FAIL, reason=HOSTILE, story=HOSTILE, reproduce=HOSTILE)
    hostile = catalogue(item("XX-001", title=HOSTILE))
    evidence = Evidence(runs=(run(failure),), kills=(kill("XX-001", defect=HOSTILE, reason=HOSTILE),))
    reader.open(Report.on(hostile, release("XX-001", name=HOSTILE), evidence, today=TODAY))
    open_all(reader)
    assert reader.title == f"NO-GO · {HOSTILE}"
    assert reader.ask("return document.querySelectorAll('script, img, [onerror], [onfocus]').length") == 0
    assert HOSTILE in reader.ask("return document.body.innerText")


@pytest.mark.parametrize("place", ["XX-009", "XX-010"], ids=["in-scope", "folded-away"])
def test_link_to_an_item_shows_it(reader: Reader, grave_report: Report, place: str) -> None:
    """A link to an item leads to its row, even where the row is folded away as out of scope."""
    reader.open(grave_report, place=f"#{place}")
    assert reader.sees(f"#{place} > th") == [place]


def test_details_open_by_keyboard(reader: Reader, grave_report: Report) -> None:
    """Tab leads first past the first screen and then to what is folded, and Enter unfolds it."""
    reader.open(grave_report)
    reader.press(Keys.TAB)
    assert reader.sees(".skip:focus") == ["Skip to the items"]
    for _ in range(60):
        reader.press(Keys.TAB)
        if reader.ask("return document.activeElement.matches('details:not([open]) > summary')"):
            break
    assert reader.ask("return document.activeElement.innerText") == "2 more"
    assert reader.ask("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    reader.press(Keys.ENTER)
    assert reader.ask("return document.activeElement.parentElement.open")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(reader: Reader, report: Report, scheme: str) -> None:
    """All texts, down to the smallest, stand out from their ground by day and by night."""
    reader.prefer(scheme=scheme)
    reader.open(report)
    open_all(reader)
    texts = reader.ask(TEXTS_WITH_COLOURS)
    assert len(texts) > 100
    assert (luminance(reader.ask("return getComputedStyle(document.body).color")) > 0.5) is (scheme == "dark")
    assert [(text, ink, on) for text, ink, on in texts if contrast(ink, on) < READABLE] == []


def test_page_prints_on_a4(reader: Reader, grave_report: Report) -> None:
    """On paper the page is A4, and the reasons that the screen folds away are there."""
    reader.prefer(media="print")
    reader.open(grave_report)
    assert reader.ask(
        "return [...document.querySelectorAll('.reasons tbody tr')].every(each => each.checkVisibility())"
    )
    printed = reader.order("Page.printToPDF", preferCSSPageSize=True)
    paper = base64.b64decode(printed["data"])
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper)
    assert {(round(float(width)), round(float(height))) for width, height in boxes} == {(595, 842)}


def open_all(reader: Reader) -> None:
    reader.ask("document.querySelectorAll('details').forEach(each => each.open = true)")


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG defines it, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a computed colour such as `rgb(28, 32, 36)`."""
    red, green, blue = (int(each) / 255 for each in re.findall(r"\d+", colour)[:3])
    return 0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue)


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)
