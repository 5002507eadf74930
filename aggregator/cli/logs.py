"""Log output: one line per event, without the secrets of the configuration."""

import logging
import sys

from aggregator.cli import masked

QUIET = ("apscheduler", "pebble")
"""Libraries that log every task they run."""


class MaskingFormatter(logging.Formatter):
    """Masks secrets in the whole record, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        return masked.text(super().format(record))


def start(*, debug: bool) -> None:
    """Log to stderr: events, and with `debug` the libraries' messages too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(MaskingFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, handlers=[handler])
    for library in QUIET:
        logging.getLogger(library).setLevel(logging.DEBUG if debug else logging.ERROR)
