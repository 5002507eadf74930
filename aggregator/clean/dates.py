"""Dates as far as they can be believed."""

from datetime import UTC, datetime, timedelta

EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
"""Before feeds and the web: what is dated earlier has a default date, such as the epoch's."""

SLACK = timedelta(minutes=1)


def clamp(moment: datetime | None, now: datetime) -> datetime | None:
    """Return a date in UTC to the second: not in the future, None when absent or impossible."""
    if moment is None:
        return None
    try:
        moment = moment.astimezone(UTC).replace(microsecond=0)
    except (OverflowError, ValueError):
        return None
    if moment < EARLIEST:
        return None
    return min(moment, now.astimezone(UTC).replace(microsecond=0))
