"""Read when a server allows the next request: RFC 9111 §4.2 and RFC 9110 §10.2.3.

Nothing here raises: an unreadable header counts as absent, or as stale where the RFC says so.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from aggregator.fetch import headers
from aggregator.models.poll import Freshness

_UNSPECIFIED = Freshness()
_STALE = timedelta(0)
_MAX_AGE = 2**31
"""Seconds; larger numbers count as this one (RFC 9111 §1.2.2)."""

MAX_WAIT, MAX_DATE_WAIT = timedelta(days=7), timedelta(days=30)
"""The longest Retry-After that is obeyed, of a number of seconds and of a date: a larger one is in
another unit, or a mistake."""

_EPOCH_RANGE = 365 * 86_400
"""Seconds around the present within which a Retry-After is read as a time since 1970."""


def parse(fields: headers.Fields, now: datetime) -> Freshness:
    """Return when one response allows the next request.

    Args:
        fields: The response's header.
        now: When the response came; used only if it has no Date.
    """
    if not ("cache-control" in fields or "expires" in fields or "retry-after" in fields):
        return _UNSPECIFIED
    control = _cache_control(tuple(fields.get("cache-control", ())))
    return Freshness(
        lifetime=_lifetime(fields, control.max_age, now),
        no_store=control.no_store,
        retry_after=_retry_after(fields, now),
    )


def date(value: str) -> datetime | None:
    """Return an HTTP date in any of its three forms (RFC 9110 §5.6.7), None if it is none."""
    try:
        time = parsedate_to_datetime(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _sent(fields: headers.Fields, now: datetime) -> datetime:
    return date(headers.first(fields, "date")) or now


class _CacheControl(NamedTuple):
    max_age: int | None
    no_store: bool


@lru_cache(maxsize=128)
def _cache_control(lines: tuple[str, ...]) -> _CacheControl:
    """Return the parts of Cache-Control; cached, as most servers send one of a few values."""
    # This cuts a quoted list at its commas; no directive used here has one.
    directives: dict[str, list[str]] = {}
    for member in headers.members({"": lines}, ""):
        name, _, argument = member.partition("=")
        directives.setdefault(name.strip().lower(), []).append(argument.strip().strip('"'))
    max_age = None
    if "" in directives.get("no-cache", ()):
        max_age = 0  # always to be revalidated, so never fresh (RFC 9111 §5.2.2.4)
    elif "max-age" in directives:
        # The smallest of several; one that is not a number is stale (RFC 9111 §4.2.1).
        max_age = min(_seconds(value) or 0 for value in directives["max-age"])
    return _CacheControl(max_age, "no-store" in directives)


def _lifetime(fields: headers.Fields, max_age: int | None, now: datetime) -> timedelta | None:
    if max_age is not None:
        fresh = timedelta(seconds=max_age)
    elif "expires" in fields:
        expires = date(headers.first(fields, "expires"))  # "0" and "-1" are dates long past (§5.3)
        fresh = expires - _sent(fields, now) if expires else _STALE
    else:
        return None
    if "age" in fields:
        age = _seconds(headers.first(fields, "age").partition(",")[0].strip()) or 0
        fresh -= timedelta(seconds=age)
    return max(fresh, _STALE)


def _retry_after(fields: headers.Fields, now: datetime) -> timedelta | None:
    value, sent = headers.first(fields, "retry-after"), _sent(fields, now)
    number = _number(value)
    if number is None:
        # By the server's own clock: ours may differ by any amount.
        time = date(value)
        return min(max(time - sent, _STALE), MAX_DATE_WAIT) if time else None
    for epoch in (number, number / 1000):  # seconds or milliseconds since 1970
        wait = epoch - sent.timestamp()
        if abs(wait) < _EPOCH_RANGE:
            return min(timedelta(seconds=max(round(wait), 0)), MAX_DATE_WAIT)
    return timedelta(seconds=min(number, MAX_WAIT.total_seconds()))


def _seconds(value: str) -> int | None:
    number = _number(value)
    return None if number is None else min(number, _MAX_AGE)


def _number(value: str) -> int | None:
    """Return a number; of a longer one its first 20 digits, which is large enough."""
    return int(value[:20]) if value.isascii() and value.isdigit() else None
