"""When a server wants to be asked again: RFC 9111 §4.2 and RFC 9110 §10.2.3.

Whatever a header says, nothing here raises: what can't be read counts as not said, or as stale
where the RFC wants that.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from aggregator.fetch import headers
from aggregator.model import Freshness

_UNSAID = Freshness()
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
    directives = _directives(fields)
    return Freshness(
        lifetime=_lifetime(fields, directives, now),
        no_store="no-store" in directives,
        retry_after=_retry_after(headers.first(fields, "retry-after"), fields, now),
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


def _directives(fields: headers.Fields) -> dict[str, list[str]]:
    # A quoted list is cut at its commas; no directive that is read here has one.
    directives: dict[str, list[str]] = {}
    for member in headers.members(fields, "cache-control"):
        name, _, argument = member.partition("=")
        directives.setdefault(name.strip().lower(), []).append(argument.strip().strip('"'))
    return directives


def _lifetime(
    fields: headers.Fields, directives: dict[str, list[str]], now: datetime
) -> timedelta | None:
    if "" in directives.get("no-cache", ()):
        return timedelta(0)  # to be revalidated each time, so never fresh (RFC 9111 §5.2.2.4)
    if "max-age" in directives:
        # Of several the smallest, and one that is no number is stale (RFC 9111 §4.2.1).
        fresh = timedelta(seconds=min(_seconds(value) or 0 for value in directives["max-age"]))
    elif "expires" in fields:
        expires = date(headers.first(fields, "expires"))  # "0" and "-1" are dates long past (§5.3)
        fresh = expires - _sent(fields, now) if expires else timedelta(0)
    else:
        return None
    age = _seconds(headers.first(fields, "age").partition(",")[0].strip()) or 0
    return max(fresh - timedelta(seconds=age), timedelta(0))


def _retry_after(value: str, fields: headers.Fields, now: datetime) -> timedelta | None:
    seconds = _seconds(value)
    if seconds is not None:
        return timedelta(seconds=seconds)
    moment = date(value) if value else None
    # By the server's own clock: ours may differ by any amount.
    return max(moment - _sent(fields, now), timedelta(0)) if moment else None


def _seconds(value: str) -> int | None:
    if not (value.isascii() and value.isdigit()):
        return None
    return min(int(value), _LONGEST) if len(value) <= 12 else _LONGEST
