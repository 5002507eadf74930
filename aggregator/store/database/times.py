"""Times in the database: text in UTC to the second, such as `2009-06-27T21:26:00Z`."""

from datetime import UTC, datetime
from functools import lru_cache


def format_time(time: datetime) -> str:
    """Return a time as it is stored; texts sort in the order of their times."""
    return _format_utc(time.astimezone(UTC))


def format_time_or_none(time: datetime | None) -> str | None:
    """Return a time as it is stored, None for NULL."""
    return format_time(time) if time else None


@lru_cache(maxsize=1024)  # a transaction writes its own time into many rows
def _format_utc(time: datetime) -> str:
    return time.isoformat(timespec="seconds")[:19] + "Z"


def parse_time(text: str) -> datetime:
    """Return the time in a column that is never NULL."""
    return datetime.fromisoformat(text)


def parse_time_or_none(text: str | None) -> datetime | None:
    """Return the time in a column, None for NULL and ""."""
    return datetime.fromisoformat(text) if text else None
