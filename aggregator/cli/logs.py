"""Log output: one line per event, without the secrets of the configuration."""

import logging
import sys
from collections.abc import Iterable

from aggregator.policy.masking import Masker

QUIET = ("apscheduler", "pebble")
"""Libraries that log every task they run."""


class _Formatter(logging.Formatter):
    """Masks secrets in the whole record, tracebacks included."""

    masker = Masker(())

    def format(self, record: logging.LogRecord) -> str:
        return self.masker.text(super().format(record))


formatter = _Formatter("%(asctime)s %(levelname)s %(message)s")


def start(*, debug: bool) -> None:
    """Log to stderr: events, and with `debug` the libraries' messages too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, handlers=[handler])
    for library in QUIET:
        logging.getLogger(library).setLevel(logging.DEBUG if debug else logging.ERROR)


def mask(secrets: Iterable[str]) -> None:
    """Mask these secrets from now on, in every line that this process logs."""
    formatter.masker = Masker(secrets)
