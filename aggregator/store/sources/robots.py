"""The robots.txt of origins, each kept until it has to be fetched again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time

KEPT = timedelta(days=7)
"""How long a robots.txt is kept that no page was fetched by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRobots:
    """The robots.txt of an origin; `rules` are None if it could not be fetched."""

    until: datetime
    rules: str | None


def get(db: Connection, origin: str) -> StoredRobots | None:
    """Return the robots.txt of an origin, None if it was never fetched."""
    row = db.execute("select until, body from robots where origin = ?", (origin,)).fetchone()
    return StoredRobots(until=parse_time(row[0]), rules=row[1]) if row else None


def put(db: Connection, origin: str, rules: str | None, until: datetime) -> None:
    """Store a robots.txt; None keeps the earlier one."""
    db.execute(
        "insert into robots(origin, until, body) values (?1, ?2, ?3)"
        " on conflict(origin) do update set until = ?2, body = coalesce(?3, body)",
        (origin, format_time(until), rules),
    )


def forget(db: Connection, now: datetime) -> None:
    """Delete the files that have not been needed for long."""
    db.execute("delete from robots where until < ?", (format_time(now - KEPT),))
