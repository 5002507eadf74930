"""Logs a failing database once per reason, not once per attempt."""

import logging

from aggregator.errors import StoreError

logger = logging.getLogger("aggregator")


class OutageLog:
    """The reason why the database fails now, for one thread that retries."""

    def __init__(self) -> None:
        """Start without a failure."""
        self._reason = ""

    def report(self, error: StoreError) -> None:
        """Log an error, unless it is the one logged last."""
        if str(error) != self._reason:
            self._reason = str(error)
            logger.error("event=store_failed error=%r", self._reason)

    def end(self) -> None:
        """Note that the database works: the next error is logged, the same one included."""
        self._reason = ""
