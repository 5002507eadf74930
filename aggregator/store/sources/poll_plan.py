"""Plans: when each source is polled next, and why."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.models.poll import NextPoll
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time, parse_time_or_none
from aggregator.store.sources.sources import COLUMNS, SourceState, load_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A source that is due."""

    source_id: str
    host: str
    next_poll: datetime


def due(db: Connection, now: datetime, limit: int = 100_000) -> list[Due]:
    """Return the sources that are due, longest overdue first."""
    rows = db.execute(
        "select id, host, next_poll_at from sources indexed by sources_due"
        " where enabled and configured and next_poll_at <= ? order by next_poll_at limit ?",
        (format_time(now), limit),
    )
    return [Due(source_id=row[0], host=row[1], next_poll=parse_time(row[2])) for row in rows]


def next_due(db: Connection) -> datetime | None:
    """Return when the next poll of any source is due, None without sources."""
    row = db.execute(
        "select min(next_poll_at) from sources where enabled and configured"
    ).fetchone()
    return parse_time_or_none(row[0])


def save(db: Connection, plans: Mapping[str, NextPoll], now: datetime) -> None:
    """Set when sources are polled next, and why."""
    db.executemany(
        "update sources set planned_at = ?, next_poll_at = ?, next_poll_reason = ? where id = ?",
        [
            (format_time(now), format_time(plan.at), plan.reason, source_id)
            for source_id, plan in plans.items()
        ],
    )


def gate_host(db: Connection, host: str, given: datetime, until: datetime, reason: str) -> None:
    """Poll no source of a host before a time (Retry-After); never shortens a gate."""
    db.execute(
        "update sources set gate_from = ?, gate_until = ? where host = ?"
        " and (gate_until is null or gate_until < ?)",
        (format_time(given), format_time(until), host, format_time(until)),
    )
    db.execute(
        "update sources set planned_at = ?, next_poll_at = ?, next_poll_reason = ? where host = ?"
        " and next_poll_at < ?",
        (format_time(given), format_time(until), reason, host, format_time(until)),
    )


def poll_now(db: Connection, source_id: str, now: datetime, reason: str = "requested") -> bool:
    """Make a source due at once; False when a Retry-After forbids it."""
    cursor = db.execute(
        "update sources set planned_at = ?1, next_poll_at = ?1, next_poll_reason = ?3"
        " where id = ?2 and (gate_until is null or gate_until <= ?1)",
        (format_time(now), source_id, reason),
    )
    return bool(cursor.rowcount)


def force(db: Connection, now: datetime, source_ids: Sequence[str] = ()) -> None:
    """Make the named sources due now, or all; a Retry-After still holds.

    Without names, sources that answered 410 Gone are left out.
    """
    names = json.dumps(list(source_ids))
    db.execute(
        "update sources set planned_at = ?1, next_poll_at = ?1, next_poll_reason = 'requested'"
        " where enabled and configured and (gate_until is null or gate_until <= ?1)"
        " and case ?2 when '[]' then health != 'gone'"
        " else id in (select value from json_each(?2)) end",
        (format_time(now), names),
    )


def made_after(db: Connection, time: datetime) -> list[SourceState]:
    """Return the sources whose plan or gate was made after a time: by a clock that ran ahead."""
    rows = db.execute(
        f"{COLUMNS} where s.planned_at > ?1 or s.gate_from > ?1", (format_time(time),)
    )
    return [load_state(row) for row in rows]
