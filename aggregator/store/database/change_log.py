"""The change log: a version of each scope, by which caches notice changes."""

from collections.abc import Iterable
from datetime import datetime

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time

ALL = "all"
STATUS = "status"
ARCHIVES = "archives"
"""Archives never change, except when an entry is taken down or put back."""


def source_scope(source_id: str) -> str:
    """Return the scope of a source's entries."""
    return f"source:{source_id}"


def section_scope(section: str) -> str:
    """Return the scope of a section's entries."""
    return f"section:{section}"


def bump(db: Connection, scopes: Iterable[str], now: datetime) -> None:
    """Raise the version of each scope, in the transaction that changes it."""
    db.executemany(
        "insert into changes values (?, 1, ?)"
        " on conflict(scope) do update set version = version + 1, at = excluded.at",
        [(scope, format_time(now)) for scope in sorted(set(scopes))],
    )


def bump_all(db: Connection) -> None:
    """Raise the version of every scope, after a change of the configuration."""
    db.execute("update changes set version = version + 1")


def version(db: Connection, scope: str = ALL) -> int:
    """Return the version of a scope, 0 if it has never changed."""
    row = db.execute("select version from changes where scope = ?", (scope,)).fetchone()
    return int(row[0]) if row else 0


def versions(db: Connection) -> dict[str, int]:
    """Return the version of every scope that has changed."""
    return {row[0]: row[1] for row in db.execute("select scope, version from changes")}


def last(db: Connection, scope: str = ALL) -> datetime | None:
    """Return when a scope last changed, None if it never has."""
    row = db.execute("select at from changes where scope = ?", (scope,)).fetchone()
    return parse_time(row[0]) if row else None


def between(db: Connection, first: str, last: str) -> list[str]:
    """Return the scopes that changed at or after one stored time and before another."""
    return [
        row[0]
        for row in db.execute("select scope from changes where at >= ? and at < ?", (first, last))
    ]
