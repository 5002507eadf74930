"""Requests to our hub that wait for their verification; the table is `wishes`."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time

MOST_PENDING, MOST_PENDING_AT_HOST = 1_000, 100
"""Requests waiting for verification: in all, and with callbacks on one host."""

MOST_SUBSCRIBERS, MOST_AT_HOST, MOST_OF_CALLBACK = 10_000, 1_000, 100
"""Subscriptions: in all, with callbacks on one host, and of one callback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSubscription:
    """A request that waits for its verification; `mode` is subscribe, unsubscribe or denied."""

    id: int
    topic: str
    callback: str
    mode: str
    secret: str = field(repr=False)
    lease: timedelta
    attempts: int


def add(
    db: Connection,
    *,
    topic: str,
    callback: str,
    host: str,
    mode: str,
    secret: str,
    lease: timedelta,
    now: datetime,
) -> str:
    """Queue a request, replacing an earlier one of the callback; return the refusal, "" for none.

    Args:
        host: The host of the callback.
    """
    total, at_host = db.execute(
        "select count(*), count(*) filter (where host = ?) from wishes"
        " where not (topic = ? and callback = ?)",
        (host, topic, callback),
    ).fetchone()
    if total >= MOST_PENDING or at_host >= MOST_PENDING_AT_HOST:
        return "too many requests are waiting for verification; try again in a minute"
    if mode == "subscribe" and not _is_subscribed(db, topic, callback):
        refusal = _refusal(db, callback, host)
        if refusal:
            return refusal
    put(db, topic, callback, host, mode=mode, now=now, secret=secret, lease=lease)
    return ""


def _is_subscribed(db: Connection, topic: str, callback: str) -> bool:
    row = db.execute(
        "select 1 from subscribers where topic = ? and callback = ?", (topic, callback)
    ).fetchone()
    return row is not None


def _refusal(db: Connection, callback: str, host: str) -> str:
    total, at_host, of_callback = db.execute(
        "select count(*), count(*) filter (where host = ?),"
        " count(*) filter (where callback = ?) from subscribers",
        (host, callback),
    ).fetchone()
    if total >= MOST_SUBSCRIBERS:
        return "this hub has reached its limit of subscribers"
    if at_host >= MOST_AT_HOST:
        return f"a host may have at most {MOST_AT_HOST} subscriptions"
    if of_callback >= MOST_OF_CALLBACK:
        return f"a callback may subscribe to at most {MOST_OF_CALLBACK} topics"
    return ""


def put(
    db: Connection,
    topic: str,
    callback: str,
    host: str,
    *,
    mode: str,
    now: datetime,
    secret: str = "",
    lease: timedelta = timedelta(0),
) -> None:
    """Queue a request without checking the limits."""
    db.execute(
        "insert or replace into wishes(topic, callback, host, mode, secret, lease, due_at)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        (topic, callback, host, mode, secret, int(lease.total_seconds()), format_time(now)),
    )


def due(db: Connection, now: datetime, limit: int) -> list[PendingSubscription]:
    """Return the requests to verify now, longest waiting first."""
    rows = db.execute(
        "select * from wishes where due_at <= ? order by due_at, id limit ?",
        (format_time(now), limit),
    )
    return [
        PendingSubscription(
            id=row["id"],
            topic=row["topic"],
            callback=row["callback"],
            mode=row["mode"],
            secret=row["secret"],
            lease=timedelta(seconds=row["lease"]),
            attempts=row["attempts"],
        )
        for row in rows
    ]


def postpone(db: Connection, pending_id: int, retry_at: datetime) -> None:
    """Verify a request later, because its callback could not be reached."""
    db.execute(
        "update wishes set attempts = attempts + 1, due_at = ? where id = ?",
        (format_time(retry_at), pending_id),
    )


def remove(db: Connection, pending_id: int) -> bool:
    """Remove a request from the queue; return False if a later request has replaced it."""
    return bool(db.execute("delete from wishes where id = ?", (pending_id,)).rowcount)


def newest_id(db: Connection) -> int:
    """Return the id of the newest request, 0 without any."""
    return int(db.execute("select coalesce(max(id), 0) from wishes").fetchone()[0])
