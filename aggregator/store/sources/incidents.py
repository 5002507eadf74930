"""Incidents: the faults of sources, from their first sign to their end; one row each."""

from dataclasses import dataclass
from datetime import datetime

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time, parse_time_or_none

KEPT = 100
"""Incidents kept of a source: a source with one every hour must not fill the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident.

    `kind` is failing, gone, waiting, silent, quarantined, unreadable, moved, gap or selector.
    """

    id: int
    source_id: str
    kind: str
    opened: datetime
    closed: datetime | None
    changed: datetime
    detail: str


def open(db: Connection, source_id: str, kind: str, detail: str, now: datetime) -> None:
    """Open an incident, unless one of its kind is open."""
    db.execute(
        "insert into incidents(source_id, kind, opened, changed, detail)"
        " select ?1, ?2, ?3, ?3, ?4 where not exists (select 1 from incidents"
        " where source_id = ?1 and kind = ?2 and closed is null)",
        (source_id, kind, format_time(now), detail),
    )


def note(db: Connection, source_id: str, kind: str, detail: str, now: datetime) -> None:
    """Record an incident without duration, such as a move."""
    db.execute(
        "insert into incidents(source_id, kind, opened, closed, changed, detail)"
        " values (?1, ?2, ?3, ?3, ?3, ?4)",
        (source_id, kind, format_time(now), detail),
    )


def close(db: Connection, source_id: str, now: datetime, *, but: str = "") -> None:
    """Close a source's open incidents of its polls, except those of the kind `but`."""
    db.execute(
        "update incidents set closed = ?1, changed = ?1"
        " where source_id = ?2 and closed is null and kind not in (?3, 'unreadable')",
        (format_time(now), source_id, but),
    )


def close_kind(db: Connection, source_id: str, kind: str, now: datetime) -> None:
    """Close a source's open incident of one kind."""
    db.execute(
        "update incidents set closed = ?1, changed = ?1"
        " where source_id = ?2 and closed is null and kind = ?3",
        (format_time(now), source_id, kind),
    )


def forget(db: Connection, before: datetime) -> None:
    """Delete incidents closed before a time, and all but the latest `KEPT` of each source."""
    db.execute("delete from incidents where closed < ?", (format_time(before),))
    db.execute(
        "delete from incidents where closed is not null and id in (select id from (select id,"
        " row_number() over (partition by source_id order by id desc) as place from incidents)"
        " where place > ?)",
        (KEPT,),
    )


def recent(db: Connection, limit: int = 50, source_id: str = "") -> list[Incident]:
    """Return the latest changed incidents, of all sources or of one."""
    rows = db.execute(
        "select * from incidents where ? in ('', source_id) order by changed desc, id desc limit ?",
        (source_id, limit),
    )
    return [
        Incident(
            id=row["id"],
            source_id=row["source_id"],
            kind=row["kind"],
            opened=parse_time(row["opened"]),
            closed=parse_time_or_none(row["closed"]),
            changed=parse_time(row["changed"]),
            detail=row["detail"],
        )
        for row in rows
    ]
