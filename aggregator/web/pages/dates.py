"""Times as pages show them, in the language of the interface: in GMT, then in each time zone."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from aggregator.models.config import Zone
from aggregator.models.messages import DAYS, MONTHS
from aggregator.web.i18n import gettext, pgettext


def long_day(value: date) -> str:
    """Return a day as `Saturday, 27 June 2009`, independent of the system's locale."""
    day = gettext(DAYS[value.weekday()])
    return gettext("%(weekday)s, %(day)s", weekday=day, day=short_day(value))


def short_day(value: date) -> str:
    """Return a day as `27 June 2009`."""
    return gettext("%(day)s %(year)s", day=_day_and_month(value), year=value.year)


def _day_and_month(value: date) -> str:
    number = pgettext("first day of a month", "1") if value.day == 1 else value.day
    return gettext("%(number)s %(month)s", number=number, month=gettext(MONTHS[value.month - 1]))


def in_zones(at: datetime, zones: Sequence[Zone]) -> str:
    """Return a time as `21:26 GMT, Saturday, 27 June 2009 · 22:26 UK`.

    The day is repeated for a zone where it differs: `· 06:26 Tokyo, Sunday, 28 June 2009`.
    """
    at = at.astimezone(UTC)
    parts = [_on_day(time_of_day(at), at)]
    for zone in zones:
        local = at.astimezone(ZoneInfo(zone.name))
        time = f"{local:%H:%M} {zone.label}"
        parts.append(time if local.date() == at.date() else _on_day(time, local))
    return " · ".join(parts)


def _on_day(time: str, day: date) -> str:
    return gettext("%(time)s, %(day)s", time=time, day=long_day(day))


def short_time(at: datetime, now: datetime | None) -> str:
    """Return a time as `21:26 GMT` if it is today, else as `26 June, 21:26 GMT`.

    Args:
        now: The current time, None for pages that are read on any day; they get the year too.
    """
    at, now = at.astimezone(UTC), now.astimezone(UTC) if now else None
    if now and at.date() == now.date():
        return time_of_day(at)
    day = _day_and_month(at) if now and at.year == now.year else short_day(at)
    return gettext("%(day)s, %(time)s", day=day, time=time_of_day(at))


def time_of_day(at: datetime) -> str:
    """Return a time as `21:26 GMT`."""
    return f"{at.astimezone(UTC):%H:%M} GMT"


def rfc3339(at: datetime) -> str:
    """Return a time as `2009-06-27T21:26:00Z` (RFC 3339)."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


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
