"""When a server wants to be asked again: RFC 9111 §4.2 and RFC 9110 §10.2.3.

Whatever a header says, nothing here raises: what can't be read counts as not said, or as stale
where the RFC wants that.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from aggregator.fetch import headers
from aggregator.models.poll import Freshness

_UNSAID = Freshness()
_STALE = timedelta(0)
_LONGEST = 2**31
"""Seconds; what larger numbers count as (RFC 9111 §1.2.2)."""


def read(fields: headers.Fields, now: datetime) -> Freshness:
    """Return what one response says of the next request.

    Args:
        fields: The response's header.
        now: When the response came; used only where it has no Date of its own.
    """
    if not ("cache-control" in fields or "expires" in fields or "retry-after" in fields):
        return _UNSAID
    said = _said(tuple(fields.get("cache-control", ())))
    return Freshness(
        lifetime=_lifetime(fields, said.max_age, now),
        no_store=said.no_store,
        retry_after=_retry_after(fields, now) if "retry-after" in fields else None,
    )


def date(value: str) -> datetime | None:
    """Read an HTTP date in any of its three forms (RFC 9110 §5.6.7); None when it is none."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _sent(fields: headers.Fields, now: datetime) -> datetime:
    return date(headers.first(fields, "date")) or now


class _Said(NamedTuple):
    max_age: int | None
    no_store: bool


@lru_cache(maxsize=128)
def _said(lines: tuple[str, ...]) -> _Said:
    """Read Cache-Control; most servers use one of a few, so it is read once."""
    # A quoted list is cut at its commas; no directive that is read here has one.
    directives: dict[str, list[str]] = {}
    for member in headers.members({"": lines}, ""):
        name, _, argument = member.partition("=")
        directives.setdefault(name.strip().lower(), []).append(argument.strip().strip('"'))
    max_age = None
    if "" in directives.get("no-cache", ()):
        max_age = 0  # to be revalidated each time, so never fresh (RFC 9111 §5.2.2.4)
    elif "max-age" in directives:
        # Of several the smallest, and one that is no number is stale (RFC 9111 §4.2.1).
        max_age = min(_seconds(value) or 0 for value in directives["max-age"])
    return _Said(max_age, "no-store" in directives)


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
    value = headers.first(fields, "retry-after")
    seconds = _seconds(value)
    if seconds is not None:
        return timedelta(seconds=seconds)
    moment = date(value)
    # By the server's own clock: ours may differ by any amount.
    return max(moment - _sent(fields, now), _STALE) if moment else None


def _seconds(value: str) -> int | None:
    if not (value.isascii() and value.isdigit()):
        return None
    return min(int(value), _LONGEST) if len(value) <= 12 else _LONGEST
