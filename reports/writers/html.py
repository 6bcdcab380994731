"""The sign-off page: one file of HTML that needs nothing else, neither script nor network."""

from reports import page
from reports.blanks import entries
from reports.matrix import contract_matrix
from reports.report import Report
from reports.standings import standings
from reports.writers.templates import environment


def write(report: Report) -> str:
    """Return the page; everything that comes from a target or a file is escaped."""
    return (
        environment()
        .get_template("page.html")
        .render(
            report=report,
            verdict=report.verdict,
            sign_off=report.verdict.sign_off,
            checklists=page.checklists(report),
            tiles=page.tiles(report),
            judged_figures=page.judged_figures(report),
            warnings=page.warnings(report),
            sabotages=page.sabotages(report),
            blanks=entries(report),
            standings=standings(report.evidence.results),
            contract=contract_matrix(report.evidence.results),
        )
    )
