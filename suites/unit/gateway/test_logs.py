import io
import json
import logging
from datetime import UTC, datetime

from gateway.kernel.logs import LogBridge, build_log
from gateway.kernel.masking import Scrubber


class StoppedClock:
    def monotonic_s(self) -> float:
        return 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


def test_line_is_json_with_time_level_and_event_first() -> None:
    """A log line is one JSON object that begins with what people look for."""
    out = io.StringIO()

    build_log("info", out, StoppedClock(), Scrubber()).info("started", port=1)

    assert out.getvalue() == (
        '{"time":"2026-01-02T03:04:05.678Z","level":"info","event":"started","port":1}\n'
    )


def test_level_is_kept() -> None:
    """Lines below the configured level are not written."""
    out = io.StringIO()
    log = build_log("warning", out, StoppedClock(), Scrubber())

    log.info("quiet")
    log.warning("loud")

    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["loud"]


def test_secret_in_a_traceback_is_removed() -> None:
    """Not even the text of an exception carries a secret into the log."""
    out = io.StringIO()
    log = build_log("info", out, StoppedClock(), Scrubber(["plainword"]))

    try:
        int("plainword")
    except ValueError:
        log.exception("failed")

    assert "ValueError" in out.getvalue()
    assert "plainword" not in out.getvalue()


def test_records_of_libraries_become_lines() -> None:
    """What the libraries report by the standard logging ends in the same log, with its traceback."""
    out = io.StringIO()
    bridge = LogBridge(build_log("info", out, StoppedClock(), Scrubber()))
    error = ValueError("broken")

    bridge.emit(logging.LogRecord("lib", logging.ERROR, "", 1, "oh %s", ("no",), (ValueError, error, None)))
    bridge.emit(logging.LogRecord("lib", logging.WARNING, "", 1, "well", (), None))

    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["event"], first["level"], first["logger"]) == ("oh no", "error", "lib")
    assert "broken" in first["exception"]
    assert second["event"] == "well"
