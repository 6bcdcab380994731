"""The page on load: the plots of its tests, and how the run stands to the saved one. It needs nothing else either."""

from reports.load import load_views
from reports.plots import SHAPES
from reports.report import Report
from reports.standings import standings
from reports.writers.templates import environment


def write(report: Report) -> str:
    """Return the page; without any plot or comparison it says so."""
    results = report.evidence.results
    return (
        environment()
        .get_template("load.html")
        .render(report=report, tests=load_views(results), standings=standings(results), shapes=SHAPES)
    )
