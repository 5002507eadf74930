"""Plans: when each source is polled next, and why."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.models.poll import NextPoll
from aggregator.models.urls import origin_of
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


def gate_origin(
    db: Connection, state: SourceState, given: datetime, until: datetime, reason: str
) -> list[str]:
    """Poll no source of a source's origin before a time (Retry-After); never shortens a gate.

    Returns:
        The ids of all sources of the origin: of the same scheme, host and port.
    """
    origin = origin_of(state.poll_url)
    rows = db.execute(
        "select id, coalesce(nullif(discovered_url, ''), nullif(moved_to, ''), url)"
        " from sources where host = ?",
        (state.host,),
    )
    gated = [source_id for source_id, url in rows if origin_of(url) == origin]
    names = json.dumps(gated)
    db.execute(
        "update sources set gate_from = ?1, gate_until = ?2"
        " where id in (select value from json_each(?3))"
        " and (gate_until is null or gate_until < ?2)",
        (format_time(given), format_time(until), names),
    )
    db.execute(
        "update sources set planned_at = ?1, next_poll_at = ?2, next_poll_reason = ?4"
        " where id in (select value from json_each(?3)) and next_poll_at < ?2",
        (format_time(given), format_time(until), names, reason),
    )
    return gated


def poll_now(db: Connection, source_id: str, now: datetime, reason: str = "requested") -> bool:
    """Make a source due at once; False when a Retry-After forbids it."""
    cursor = db.execute(
        "update sources set planned_at = ?1, next_poll_at = ?1, next_poll_reason = ?3"
        " where id = ?2 and (gate_until is null or gate_until <= ?1)",
        (format_time(now), source_id, reason),
    )
    return bool(cursor.rowcount)


def force(db: Connection, now: datetime) -> None:
    """Make all sources due now, but those that answered 410 Gone or wait for a Retry-After."""
    db.execute(
        "update sources set planned_at = ?1, next_poll_at = ?1, next_poll_reason = 'requested'"
        " where enabled and configured and (gate_until is null or gate_until <= ?1)"
        " and health != 'gone'",
        (format_time(now),),
    )


def request(db: Connection, now: datetime, source_ids: Sequence[str]) -> None:
    """Make sources due now because the user named them, which lifts a Retry-After."""
    db.execute(
        "update sources set planned_at = ?1, next_poll_at = ?1, next_poll_reason = 'requested',"
        " gate_from = null, gate_until = null"
        " where enabled and configured and id in (select value from json_each(?2))",
        (format_time(now), json.dumps(list(source_ids))),
    )


def made_after(db: Connection, time: datetime) -> list[SourceState]:
    """Return the sources with a plan or gate made after a time: by a clock that ran ahead."""
    rows = db.execute(
        f"{COLUMNS} where s.planned_at > ?1 or s.gate_from > ?1", (format_time(time),)
    )
    return [load_state(row) for row in rows]
