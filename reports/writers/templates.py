"""The templates of the pages, and what they may ask for."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from reports import chaos, load, page, standings
from reports.states import State


def environment() -> Environment:
    """Return where the pages' templates are found; everything that comes from a target or a file is escaped."""
    found = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "anchor": chaos.anchor_of,
        "load_anchor": load.anchor_of,
        "figure": page.figure,
        "figures": page.figures,
        "moment": page.moment,
        "seconds": page.duration_s,
        "span": page.span,
        "slug": _slug,
        "tally": standings.tally,
        "took": page.took_s,
    }
    found.globals |= {"glyphs": page.GLYPHS, "labels": page.LABELS, "State": State}
    return found


def _slug(text: str) -> str:
    """Return a state or verdict as the name of a CSS class."""
    return text.lower().replace(" ", "-")
