"""Times as pages show them: in GMT, then in each configured time zone; pure."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from aggregator.models.config import Zone

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def long_day(value: date) -> str:
    """Return a day as `Saturday, 27 June 2009`, independent of the system's locale."""
    return f"{_DAYS[value.weekday()]}, {value.day} {_MONTHS[value.month - 1]} {value.year}"


def short_day(value: date) -> str:
    """Return a day as `27 June 2009`."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def in_zones(at: datetime, zones: Sequence[Zone]) -> str:
    """Return a time as `21:26 GMT, Saturday, 27 June 2009 · 22:26 UK`.

    The day is repeated for a zone where it differs: `· 06:26 Tokyo, Sunday, 28 June 2009`.
    """
    at = at.astimezone(UTC)
    parts = [f"{at:%H:%M} GMT, {long_day(at)}"]
    for zone in zones:
        local = at.astimezone(ZoneInfo(zone.name))
        other_day = "" if local.date() == at.date() else f", {long_day(local)}"
        parts.append(f"{local:%H:%M} {zone.label}{other_day}")
    return " · ".join(parts)


def short_time(at: datetime, now: datetime) -> str:
    """Return a time as `21:26 GMT` if it is today, else as `26 June, 21:26 GMT`."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    if at.date() == now.date():
        return time_of_day(at)
    day_and_month = f"{at.day} {_MONTHS[at.month - 1]}"
    year = "" if at.year == now.year else f" {at.year}"
    return f"{day_and_month}{year}, {time_of_day(at)}"


def time_of_day(at: datetime) -> str:
    """Return a time as `21:26 GMT`."""
    return f"{at.astimezone(UTC):%H:%M} GMT"


def rfc3339(at: datetime) -> str:
    """Return a time as `2009-06-27T21:26:00Z` (RFC 3339)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_or_none(time: datetime | None) -> str | None:
    """Return a time for programs (RFC 3339), None for None."""
    return rfc3339(time) if time else None


def datetime_local(at: datetime) -> str:
    """Return a time in GMT as the value of an HTML input, `2009-06-27T21:26`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")


def playtime(seconds: int) -> str:
    """Return a duration in seconds as `3:07` or `1:02:03`."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
