"""Bounds of credible dates."""

from datetime import UTC, datetime

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
"""Earlier dates are defaults of software: the year 1, or the epoch in some time zone."""


def clamp(moment: datetime | None, now: datetime) -> datetime | None:
    """Return a date in UTC to the second: at most `now`, None when absent or before `EARLIEST`.

    Args:
        moment: As published, in UTC if it has no zone.
        now: The time of the poll.
    """
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment < EARLIEST:
        return None
    return min(moment, now).astimezone(UTC).replace(microsecond=0)
