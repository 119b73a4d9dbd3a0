"""What the program logs and how: lines for people, or one JSON object a line for machines (``INNOMAP_LOG_FORMAT``).

No address of a client, no query, no value of a statement and no key is ever part of it.
"""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from app.settings import Settings

#: The header that carries a request's id, in and out.
REQUEST_ID_HEADER = "X-Request-ID"
#: The request that is being answered; stands in every line that is written meanwhile.
REQUEST_ID: ContextVar[str] = ContextVar("innomap_request_id", default="")
#: What a record has anyway; everything else was given by ``extra=``.
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
#: Loggers that tell more than an operator wants to know.
_CHATTY = ("alembic", "matplotlib")


class Lines(logging.Formatter):
    """``INFO innomap: message key=value [request]``."""

    def format(self, record: logging.LogRecord) -> str:
        more = "".join(f" {name}={value}" for name, value in _given(record).items())
        request = f" [{REQUEST_ID.get()}]" if REQUEST_ID.get() else ""
        text = f"{record.levelname} {record.name}: {record.getMessage()}{more}{request}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class Json(logging.Formatter):
    """One object a line: time, level, logger, message, request_id, exception, and what the record carries."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if REQUEST_ID.get():
            told["request_id"] = REQUEST_ID.get()
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told | _given(record), ensure_ascii=False, default=str)


def _given(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _USUAL}


def log_config(settings: Settings) -> dict[str, Any]:
    """Configuration of ``logging``; the same for the command, and in each web process."""
    formatter = f"{__name__}.{'Json' if settings.log_format == 'json' else 'Lines'}"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"told": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "told"}},
        "root": {"level": settings.log_level, "handlers": ["stderr"]},
        "loggers": {name: {"level": "WARNING"} for name in _CHATTY},
    }
