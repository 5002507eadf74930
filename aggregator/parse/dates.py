"""Dates and durations as feeds write them; what can't be read is None, never a guess of today."""

import re
from datetime import UTC, datetime, timedelta

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
_ZONE_NAME = re.compile(r"\d:\d\d\s+([A-Za-z]{3,4})$")
# Without a year or a month's name feedparser fills in today.
_SAYS_A_DATE = re.compile(r"[0-9]{4}|[A-Za-z]{3}|^\d\d-\d\d-\d\d")
_CLOCK = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,5}):)?(\d{1,9})(?:\.\d*)?")


def moment(raw: str, parts: tuple[int, ...] | None) -> datetime | None:
    """Return the moment of a date that feedparser read.

    Args:
        raw: The text of the element.
        parts: feedparser's reading: year, month, day, hour, minute, second … in GMT.
    """
    if not parts or raw.startswith("-") or not _SAYS_A_DATE.search(raw):
        return None
    year, month, day, hour, minute, second = parts[:6]
    zone = _ZONE_NAME.search(raw)
    east = ZONES.get(zone[1].upper(), 0) if zone else 0
    try:
        read = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        return read - timedelta(hours=east)
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
