"""Subscribers of our hub, verified; their rows are the queue of deliveries.

A subscriber is due when it has not received the latest version of its topic. A delivery that
fails is retried with the version of that time, never with an older document.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import (
    format_time,
    format_time_or_none,
    parse_time,
    parse_time_or_none,
)
from aggregator.store.websub.verification_queue import PendingSubscription

HOST_SHARE = 50
"""Simultaneous requests to one host: a slow host must not delay the other subscribers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A verified subscription at our hub.

    Args:
        version: The version of the topic to send.
        attempts: Attempts to send this version; `failures` counts in a row, over all versions.
        due: When to send it, None when it has been sent.
        last: When the last attempt was made; `detail` is its failure.
    """

    id: int
    topic: str
    callback: str
    host: str
    secret: str = field(repr=False)
    lease_until: datetime
    version: int
    attempts: int
    failures: int
    due: datetime | None
    last: datetime | None
    detail: str


def add(
    db: Connection, pending: PendingSubscription, host: str, version: int, now: datetime
) -> None:
    """Store or renew a verified subscription; a renewed one keeps its due delivery.

    Args:
        version: Of the topic when the verification was sent: a later one is due at once.
    """
    db.execute(
        "insert into subscribers(topic, callback, host, secret, verified, lease_until, due_at)"
        " values (:topic, :callback, :host, :secret, :now, :lease_until,"
        " case when (select version from topics where url = :topic) > :version then :now end)"
        " on conflict(topic, callback)"
        " do update set secret = excluded.secret, verified = excluded.verified,"
        " lease_until = excluded.lease_until",
        {
            "topic": pending.topic,
            "callback": pending.callback,
            "host": host,
            "secret": pending.secret,
            "now": format_time(now),
            "lease_until": format_time(now + pending.lease),
            "version": version,
        },
    )


def unsubscribe(db: Connection, topic: str, callback: str) -> None:
    """Delete the subscription of a callback to a topic."""
    db.execute("delete from subscribers where topic = ? and callback = ?", (topic, callback))


def remove(db: Connection, subscriber_id: int) -> None:
    """Delete a subscription after its callback answered 410 Gone."""
    db.execute("delete from subscribers where id = ?", (subscriber_id,))


def any_expired(db: Connection, now: datetime, longest: timedelta) -> bool:
    """Return whether `expire` has anything to do."""
    first, last = db.execute(
        "select min(lease_until), max(lease_until) from subscribers"
    ).fetchone()
    return first is not None and (first <= format_time(now) or last > format_time(now + longest))


def expire(db: Connection, now: datetime, longest: timedelta) -> list[tuple[str, str]]:
    """Delete the subscriptions with an expired lease; return `(topic, callback)` of each.

    Leases longer than the longest, given by a clock that ran ahead, are cut to the longest.
    """
    latest = format_time(now + longest)
    db.execute("update subscribers set lease_until = ?1 where lease_until > ?1", (latest,))
    rows = db.execute(
        "delete from subscribers where lease_until <= ? returning topic, callback",
        (format_time(now),),
    )
    return [(row[0], row[1]) for row in rows]


_COLUMNS = (
    "select s.*, coalesce(t.version, 0) as version from subscribers s"
    " left join topics t on t.url = s.topic"
)


def due(
    db: Connection,
    now: datetime,
    busy: Sequence[int],
    limit: int,
    under_way: Mapping[str, int] = MappingProxyType({}),
) -> list[Subscriber]:
    """Return the subscribers to send to now; those that failed before come last.

    Args:
        busy: Subscribers to which a request is under way.
        under_way: Requests under way to each host; each host gets at most `HOST_SHARE`.
    """
    if not limit:
        return []
    rows = db.execute(
        f"{_COLUMNS} where s.due_at <= ?1 and s.lease_until > ?1"
        f" and s.id not in ({','.join(map(str, busy)) or '0'})"
        " order by s.failures, s.due_at, s.topic, s.id",
        (format_time(now),),
    )
    hosts = Counter(under_way)
    chosen: list[Subscriber] = []
    for row in rows:
        if hosts[row["host"]] < HOST_SHARE:
            hosts[row["host"]] += 1
            chosen.append(_load(row))
            if len(chosen) == limit:
                break
    return chosen


def by_failures(db: Connection, limit: int) -> list[Subscriber]:
    """Return subscribers, most failures first."""
    rows = db.execute(f"{_COLUMNS} order by s.failures desc, s.topic, s.id limit ?", (limit,))
    return [_load(row) for row in rows]


def newest_id(db: Connection) -> int:
    """Return the id of the newest subscriber, 0 without any."""
    return int(db.execute("select coalesce(max(id), 0) from subscribers").fetchone()[0])


def count(db: Connection) -> int:
    """Return the number of subscribers."""
    return int(db.execute("select count(*) from subscribers").fetchone()[0])


def mark_delivered(db: Connection, subscriber_id: int, version: int, now: datetime) -> None:
    """Note that a subscriber received a version; a later version stays due."""
    db.execute(
        "update subscribers set attempts = 0, failures = 0, last_at = ?3, detail = '',"
        " due_at = case when (select version from topics where url = topic) > ?2 then due_at end"
        " where id = ?1",
        (subscriber_id, version, format_time(now)),
    )


def mark_failed(
    db: Connection,
    subscriber_id: int,
    version: int,
    *,
    retry_at: datetime | None,
    detail: str,
    now: datetime,
) -> None:
    """Note that a delivery failed, and when to retry it, None for never."""
    db.execute(
        "update subscribers set attempts = attempts + 1, failures = failures + 1, last_at = ?3,"
        " detail = ?4, due_at ="
        " case when (select version from topics where url = topic) > ?2 then due_at else ?5 end"
        " where id = ?1",
        (subscriber_id, version, format_time(now), detail, format_time_or_none(retry_at)),
    )


def _load(row: Mapping[str, Any]) -> Subscriber:
    return Subscriber(
        id=row["id"],
        topic=row["topic"],
        callback=row["callback"],
        host=row["host"],
        secret=row["secret"],
        lease_until=parse_time(row["lease_until"]),
        version=row["version"],
        attempts=row["attempts"],
        failures=row["failures"],
        due=parse_time_or_none(row["due_at"]),
        last=parse_time_or_none(row["last_at"]),
        detail=row["detail"],
    )
