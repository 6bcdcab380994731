import io
import json
import logging
import re
from datetime import UTC, datetime

import pytest

from gateway.kernel.logs import LogBridge, build_log, log_context
from gateway.kernel.masking import Scrubber
from gateway.schema.exchange import Endpoint, UpstreamCall


class StoppedClock:
    def __init__(self, microsecond: int = 678_000) -> None:
        self._microsecond = microsecond

    def monotonic_s(self) -> float:
        return 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 2, 3, 4, 5, self._microsecond, UTC)


def test_line_is_json_with_time_level_and_event_first() -> None:
    """A log line is one JSON object that begins with what people look for."""
    out = io.StringIO()

    build_log("info", out, StoppedClock(), Scrubber()).info("started", port=1)

    assert out.getvalue() == (
        '{"time":"2026-01-02T03:04:05.678Z","level":"info","event":"started","port":1}\n'
    )


@pytest.mark.parametrize(
    ("microsecond", "fraction"), [(0, "000"), (1, "000"), (999, "000"), (1_000, "001"), (999_999, "999")]
)
def test_time_is_told_to_the_millisecond(microsecond: int, fraction: str) -> None:
    """A time has three digits after the second, whatever the fraction is."""
    out = io.StringIO()

    build_log("info", out, StoppedClock(microsecond), Scrubber()).info("now")

    assert json.loads(out.getvalue())["time"] == f"2026-01-02T03:04:05.{fraction}Z"


def test_lines_of_a_request_say_whose_they_are() -> None:
    """What is put into the context of a task stands in every line of it, and of no other."""
    out = io.StringIO()
    log = build_log("info", out, StoppedClock(), Scrubber())

    context = log_context.set({"request_id": "r-1"})
    log.info("within", model="m")
    log_context.reset(context)
    log.info("without")

    within, without = map(json.loads, out.getvalue().splitlines())
    assert (within["request_id"], within["model"]) == ("r-1", "m")
    assert "request_id" not in without


def test_what_is_no_json_is_described() -> None:
    """A value that JSON has no form for does not lose the line."""
    out = io.StringIO()

    build_log("info", out, StoppedClock(), Scrubber()).info("odd", value=complex(1, 2))

    assert json.loads(out.getvalue())["value"] == "(1+2j)"


@pytest.mark.parametrize(
    "odd",
    [
        Endpoint(base_url="http://h", api_key="example-not-a-key"),
        UpstreamCall(method="GET", url="http://h", headers={"x-key": "example-not-a-key"}, body=b"example"),
    ],
    ids=["dataclass", "named tuple"],
)
def test_object_is_told_as_it_shows_itself(odd: object) -> None:
    """An object keeps its secrets out of its representation, and the log takes no other way to it."""
    out = io.StringIO()

    build_log("info", out, StoppedClock(), Scrubber()).info("odd", value=odd, deep=[odd])

    line = json.loads(out.getvalue())
    assert (line["value"], line["deep"]) == (repr(odd), [repr(odd)])
    assert "example" not in out.getvalue()


def test_description_of_an_object_carries_no_secret() -> None:
    """What has no form in JSON is described without the secrets that are known."""
    out = io.StringIO()

    build_log("info", out, StoppedClock(), Scrubber(["plainword"])).info("odd", value=ValueError("plainword"))

    assert json.loads(out.getvalue())["value"] == "ValueError('[REDACTED]')"


@pytest.mark.parametrize(
    "words", ["plainword", "plainword " * 100, "Bearer abcdefghijkl", "x" * 300 + " api_key=abcdefgh"]
)
def test_no_field_carries_a_secret(words: str) -> None:
    """Secrets are taken out of event and fields alike, short and long, once and again."""
    out = io.StringIO()
    log = build_log("info", out, StoppedClock(), Scrubber(["plainword"]))

    for _ in range(2):
        log.info(words, text=words, deep={"list": [words]})

    assert out.getvalue().count("[REDACTED]") >= 6
    assert not {"plainword", "abcdefgh"} & set(re.findall(r"\w+", out.getvalue()))


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
