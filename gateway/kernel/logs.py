import logging
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import orjson
import structlog

from gateway.kernel.clock import Clock
from gateway.kernel.masking import Scrubber

LogLevel = Literal["debug", "info", "warning", "error"]
Log = structlog.typing.FilteringBoundLogger


def build_log(level: LogLevel, stream: TextIO, clock: Clock, scrubber: Scrubber) -> Log:
    """Builds the logger that writes one JSON object per line, free of secrets, to a stream."""

    def order(_logger: Any, _method: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        moment = clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"time": moment, "level": record["level"], "event": record["event"], **record}

    log: Log = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            scrubber,
            order,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        context_class=dict,
    )
    return log


def _to_json(record: MutableMapping[str, Any], default: Any, **_: Any) -> str:
    return orjson.dumps(record, default=default).decode()


class LogBridge(logging.Handler):
    """Hands the records of the standard library's loggers, which our dependencies use, to ours."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        exc_info = record.exc_info if record.exc_info and record.exc_info[0] else None
        self._log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=exc_info)
