"""Times as the pages say them: GMT first, then each zone that the configuration names."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from aggregator.models.config import Zone

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def day(value: date) -> str:
    """Return a day in full, `Saturday, 27 June 2009`, whatever the system's language."""
    return f"{_DAYS[value.weekday()]}, {value.day} {_MONTHS[value.month - 1]} {value.year}"


def short_day(value: date) -> str:
    """Return a day without its weekday, `27 June 2009`."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def in_zones(moment: datetime, zones: Sequence[Zone]) -> str:
    """Return a moment as `21:26 GMT, Saturday, 27 June 2009 · 22:26 UK`.

    A zone whose day is another one names it: `· 06:26 Tokyo, Sunday, 28 June 2009`.
    """
    moment = moment.astimezone(UTC)
    parts = [f"{moment:%H:%M} GMT, {day(moment)}"]
    for zone in zones:
        local = moment.astimezone(ZoneInfo(zone.name))
        other_day = "" if local.date() == moment.date() else f", {day(local)}"
        parts.append(f"{local:%H:%M} {zone.label}{other_day}")
    return " · ".join(parts)


def when(moment: datetime, now: datetime) -> str:
    """Return a moment as briefly as is clear: `21:26 GMT` today, else with its day before."""
    moment, now = moment.astimezone(UTC), now.astimezone(UTC)
    if moment.date() == now.date():
        return clock(moment)
    named = f"{moment.day} {_MONTHS[moment.month - 1]}"
    year = "" if moment.year == now.year else f" {moment.year}"
    return f"{named}{year}, {clock(moment)}"


def clock(moment: datetime) -> str:
    """Return a moment as `21:26 GMT`."""
    return f"{moment.astimezone(UTC):%H:%M} GMT"


def machine(moment: datetime) -> str:
    """Return a moment as programs read it (RFC 3339)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def minute(moment: datetime) -> str:
    """Return a moment in GMT as forms have it, `2009-06-27T21:26`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")


def length(seconds: int) -> str:
    """Return a length of sound or film, `3:07` or `1:02:03`."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
