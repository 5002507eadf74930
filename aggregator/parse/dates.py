"""Dates and durations as feeds write them; what can't be read is None, never a guess of today."""

import re
from datetime import UTC, datetime, timedelta

from feedparser.datetimes import _parse_date

LONGEST = 30 * 24 * 3600
"""Seconds; a longer duration of a recording is a mistake."""

# Hours east of Greenwich of zones that are met in RFC 822 dates but are not of RFC 822, so that
# feedparser takes them for GMT. Only names that mean one zone, or nearly always that one.
ZONES = {
    "AEDT": 11,
    "AEST": 10,
    "BST": 1,
    "CEST": 2,
    "CET": 1,
    "EEST": 3,
    "EET": 2,
    "HKT": 8,
    "IST": 5.5,
    "JST": 9,
    "KST": 9,
    "MSK": 3,
    "NZDT": 13,
    "NZST": 12,
    "PKT": 5,
    "SGT": 8,
    "WAT": 1,
    "WEST": 1,
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBERS = {name: f"{number:02}" for number, name in enumerate(_MONTHS, 1)}
_RFC_822 = re.compile(
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ({'|'.join(_MONTHS)}) (\d{{4}}) (\d\d:\d\d:\d\d)"
    r" (?:GMT|([+-]\d{4}))",
    re.ASCII,
)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_ZONE_NAME = re.compile(r"\d:\d\d\s+([A-Za-z]{3,4})$")
# Without a year or a month's name feedparser fills in today.
_SAYS_A_DATE = re.compile(r"[0-9]{4}|[A-Za-z]{3}|^\d\d-\d\d-\d\d")
_CLOCK = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,5}):)?(\d{1,9})(?:\.\d*)?")


def moment(raw: str, read: tuple[int, ...] | str | None) -> datetime | None:
    """Return the moment of a date as feedparser reads it.

    Args:
        raw: The text of the element.
        read: feedparser's reading: year, month, day, hour, minute, second … in GMT; or the text
            that it would have read.
    """
    if isinstance(read, str):
        if read == raw and (usual := _usual(raw)):
            return usual
        parts: tuple[int, ...] | None = _parse_date(read)
    else:
        parts = read
    if not parts or raw.startswith("-") or not _SAYS_A_DATE.search(raw):
        return None
    year, month, day, hour, minute, second = parts[:6]
    zone = _ZONE_NAME.search(raw)
    east = ZONES.get(zone[1].upper(), 0) if zone else 0
    try:
        stated = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        return stated - timedelta(hours=east)
    except (ValueError, OverflowError):
        return None


def _usual(text: str) -> datetime | None:
    """Return the moment of a date in one of the two usual forms, in a quarter of the time."""
    words = _RFC_822.fullmatch(text)
    if words:
        day, month, year, clock, zone = words.groups("Z")
        text = f"{year}-{_NUMBERS[month]}-{day}T{clock}{zone}"
    elif not _RFC_3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def rfc3339(text: str) -> datetime | None:
    """Return the moment of an RFC 3339 date, in UTC; without a zone it counts as UTC."""
    try:
        read = datetime.fromisoformat(text.strip().upper())
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def seconds(text: str) -> int | None:
    """Return the seconds of `h:m:s`, `m:s` or `s`, the forms of itunes:duration."""
    clock = _CLOCK.fullmatch(text.strip())
    if not clock:
        return None
    hours, minutes, rest = (int(part or 0) for part in clock.groups())
    total = hours * 3600 + minutes * 60 + rest
    return total if 0 < total <= LONGEST else None
