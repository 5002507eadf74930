"""The inbox: documents that hubs pushed, until the scheduler ingests them."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time
from aggregator.store.websub.subscriptions import Subscription

MOST_OF_SOURCE, MOST_BYTES = 50, 100_000_000
"""Pushes of one source, and bytes in all, from which on hubs are asked to try again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A document that a hub pushed, not parsed yet."""

    id: int
    source_id: str
    at: datetime
    topic: str
    content_type: str
    body: bytes = field(repr=False)


def add(
    db: Connection,
    subscription: Subscription,
    *,
    content_type: str,
    body: bytes,
    algorithm: str,
    now: datetime,
) -> bool:
    """Put a push in the inbox; return False if it is full.

    Args:
        algorithm: The algorithm of its signature.
    """
    of_source, size = db.execute(
        "select count(*) filter (where source_id = ?), coalesce(sum(length(body)), 0) from inbox",
        (subscription.source_id,),
    ).fetchone()
    if of_source >= MOST_OF_SOURCE or size + len(body) > MOST_BYTES:
        return False
    db.execute(
        "insert into inbox(source_id, at, topic, content_type, body) values (?, ?, ?, ?, ?)",
        (subscription.source_id, format_time(now), subscription.topic, content_type, body),
    )
    db.execute(
        "update subscriptions set pushes = pushes + 1, last_push_at = ?, algorithm = ?"
        " where token = ?",
        (format_time(now), algorithm, subscription.token),
    )
    return True


def next_pushes(db: Connection, busy: Collection[str], limit: int) -> list[Push]:
    """Return the oldest push of each source that is not busy: its pushes are ingested in order."""
    rows = db.execute(
        "select * from inbox where id in (select min(id) from inbox group by source_id)"
        " and source_id not in (select value from json_each(?)) order by id limit ?",
        (json.dumps(sorted(busy)), limit),
    )
    return [
        Push(
            id=row["id"],
            source_id=row["source_id"],
            at=parse_time(row["at"]),
            topic=row["topic"],
            content_type=row["content_type"],
            body=row["body"],
        )
        for row in rows
    ]


def count(db: Connection) -> int:
    """Return the number of pushes in the inbox."""
    return int(db.execute("select count(*) from inbox").fetchone()[0])


def take(db: Connection, push_id: int, source_id: str) -> None:
    """Remove a push, in the transaction that stores its entries."""
    db.execute("delete from inbox where id = ?", (push_id,))
    db.execute("update subscriptions set suspected = null where source_id = ?", (source_id,))
