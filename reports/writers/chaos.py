"""The page on faults: what happened when, as pictures, and how the timings are spread. It needs nothing else either."""

from reports import distributions, timeline
from reports.chaos import WORDS, histories
from reports.distributions import distribution_rows
from reports.report import Report
from reports.writers.templates import environment


def write(report: Report) -> str:
    """Return the page; without any history or distribution it says so."""
    results = report.evidence.results
    return (
        environment()
        .get_template("chaos.html")
        .render(
            report=report,
            histories=histories(results),
            distributions=distribution_rows(results),
            words=WORDS,
            marks=timeline.MARKS,
            width=timeline.WIDTH,
            curve_size=(distributions.WIDTH, distributions.HEIGHT),
        )
    )
