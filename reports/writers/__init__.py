"""The writers: from a report to the text of one file. A writer is one module and one line here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from reports.report import Report
from reports.writers import chaos, html, json, junit, load, markdown

__all__ = ["WRITERS"]

WRITERS: Mapping[str, Callable[[Report], str]] = MappingProxyType(
    {
        "verdict.json": json.write,
        "junit.xml": junit.write,
        "summary.md": markdown.write,
        "index.html": html.write,
        "chaos.html": chaos.write,
        "load.html": load.write,
    }
)
"""By the name of the file that it fills."""
