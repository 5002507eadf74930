"""Log output: one line per event in UTC, without the secrets of the configuration."""

import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aggregator.cli import masked

FORMATS = ("text", "json")
FORMAT, LEVEL = "AGGREGATOR_LOG_FORMAT", "AGGREGATOR_LOG_LEVEL"
"""Environment variables by which the worker processes of the web server log alike."""

VERBOSE, NORMAL, QUIET, EVERYTHING = "verbose", "normal", "quiet", "everything"

_LEVELS = {
    VERBOSE: logging.DEBUG, NORMAL: logging.INFO, QUIET: logging.WARNING, EVERYTHING: logging.DEBUG,
}  # fmt: skip

LIBRARIES = ("apscheduler",)
"""Libraries that log every task they run."""

_FIELD = re.compile(r"([a-z_0-9]+)=(\S*)")


class TextFormatter(logging.Formatter):
    """Masks secrets in the whole record, tracebacks included."""

    def __init__(self) -> None:
        """Begin each line with the time and the level."""
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatTime(self, record: logging.LogRecord, _format: str | None = None) -> str:
        """Return the time of a record in UTC."""
        return _time(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        return masked.text(super().format(record))


class JsonFormatter(logging.Formatter):
    """Writes a JSON object per line, with the fields of `key=value` messages as its members."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a JSON object."""
        values = {
            "time": _time(record),
            "level": record.levelname.lower(),
            **_fields(record),
        }
        if record.exc_info:
            values["traceback"] = self.formatException(record.exc_info)
        masked_values = {
            key: masked.text(value) if isinstance(value, str) else value
            for key, value in values.items()
        }
        return json.dumps(masked_values, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields of a `key=value` message with their values, else the message."""
    parts = str(record.msg).split(" ")
    matches = [match for match in map(_FIELD.fullmatch, parts) if match]
    args = record.args if isinstance(record.args, tuple) else ()
    if len(matches) < len(parts) or sum("%" in match[2] for match in matches) != len(args):
        return {"message": record.getMessage()}
    values = iter(args)
    return {match[1]: _plain(next(values)) if "%" in match[2] else match[2] for match in matches}


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | None) else str(value)


def start(*, level: str = NORMAL, format: str = "text") -> None:
    """Log to stderr.

    Args:
        level: `quiet` for warnings and errors, `normal` for events, `verbose` for polls without
            news too, `everything` for the messages of libraries too.
        format: One of `FORMATS`.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
    is_everything = level == EVERYTHING
    root = logging.DEBUG if is_everything else max(_LEVELS[level], logging.INFO)
    logging.basicConfig(level=root, handlers=[handler])
    logging.getLogger("aggregator").setLevel(_LEVELS[level])
    for library in LIBRARIES:
        logging.getLogger(library).setLevel(logging.DEBUG if is_everything else logging.ERROR)


def export(*, level: str, format: str) -> None:
    """Pass the settings on to the processes that this one starts."""
    os.environ |= {LEVEL: level, FORMAT: format}


def start_like_parent(environ: Mapping[str, str]) -> None:
    """Log as the process that exported its settings."""
    start(level=environ.get(LEVEL, NORMAL), format=environ.get(FORMAT, "text"))
