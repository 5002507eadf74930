"""Bounds of credible dates."""

from datetime import UTC, datetime

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
"""Earlier dates are defaults of software: the year 1, or the epoch in some time zone."""


def clamp(date: datetime | None, now: datetime) -> datetime | None:
    """Return a date in UTC to the second: at most `now`, None when absent or before `EARLIEST`.

    Args:
        date: As published, in UTC if it has no zone.
        now: The time of the poll.
    """
    if date is None:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    if date < EARLIEST:
        return None
    date = min(date, now)
    if date.tzinfo is UTC and not date.microsecond:  # most are
        return date
    return date.astimezone(UTC).replace(microsecond=0)
