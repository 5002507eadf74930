"""Dates as far as they can be believed."""

from datetime import UTC, datetime

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
"""What is dated earlier has a default date: the year 1, or the epoch in some time zone."""


def clamp(moment: datetime | None, now: datetime) -> datetime | None:
    """Return a date in UTC to the second: not in the future, None when absent or impossible.

    Args:
        moment: As published; without a zone it is taken for UTC.
        now: The moment of the poll.
    """
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment < EARLIEST:
        return None
    return min(moment, now).astimezone(UTC).replace(microsecond=0)
