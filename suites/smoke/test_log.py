"""The log of the gateway over an ordinary course of work."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from fixtures.stage import Connection
from reports.thresholds import Threshold
from suites.smoke.conversation import ask

SEVERE = frozenset({"error", "critical", "fatal"})


@pytest.mark.item("PL-119")
@pytest.mark.needs("chat", "models", "logs")
def test_ordinary_work_logs_no_error(gateway: Connection, threshold: Callable[[str, str], Threshold]) -> None:
    """While every model is asked, whole and streamed, the gateway logs nothing severe, and it does log the requests."""
    before = len(_log(gateway))
    for model in gateway.target.models:
        for stream in (False, True):
            ask(gateway, model, stream=stream)
    lines = _log(gateway)[before:]
    assert len(lines) >= 2 * len(gateway.target.models), "the requests left no trace in the log"
    severe = [line for line in lines if str(line.get("level", "")).lower() in SEVERE]
    for line in severe:
        gateway.notes.warn(f"the log says: {json.dumps(line)[:300]}")
    gateway.notes.require("severe lines in the log", len(severe), threshold("PL-119", "critical_errors"))


def _log(gateway: Connection) -> list[dict[str, Any]]:
    read = gateway.target.read_log
    assert read is not None  # the target claims its log
    return [_parsed(line) for line in read().splitlines() if line.strip()]


def _parsed(line: str) -> dict[str, Any]:
    """Return a line of the log; what is no JSON object is severe, for the gateway's log consists of such alone."""
    try:
        parsed = json.loads(line)
    except ValueError:
        parsed = None
    return parsed if isinstance(parsed, dict) else {"level": "error", "event": line}
