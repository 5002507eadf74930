"""The subscribers of our hub: who wants what, who was told what, and the queue of both.

The queue is in the rows: a subscriber is due when it was not told the topic's latest version. A
document that fails to arrive is so never older than the one that is tried next.
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

LOG_KEPT = 2_000

MOST_SUBSCRIBERS, MOST_AT_HOST, MOST_OF_CALLBACK = 10_000, 1_000, 100
MOST_WISHES, MOST_OF_HOST = 1_000, 100
"""Wishes that wait to be verified, of all and of callbacks on one host."""

HOST_SHARE = 50
"""Told or asked at once on one host: one that answers slowly keeps nobody else from his turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A verified subscription at our hub.

    Args:
        version: Of the topic, that is to be told.
        attempts: To tell this version; `failures`: in a row, over all versions.
        last: When it was last told anything, with its status or failure in words.
    """

    id: int
    topic: str
    callback: str
    host: str
    secret: str = field(repr=False)
    verified: datetime
    lease_until: datetime
    version: int
    attempts: int
    failures: int
    due: datetime | None
    last: datetime | None
    detail: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A line of the log: what was sent to a subscriber, and what came of it.

    Args:
        kind: push, subscribe, unsubscribe, denied, ping or expired.
        status: HTTP, 0 when no answer came.
        detail: "" when all went well.
    """

    at: datetime
    kind: str
    topic: str
    callback: str
    status: int = 0
    milliseconds: int = 0
    detail: str = ""


# --- wishes ----------------------------------------------------------------------------------


def wish(
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
    """Queue a request for its verification, in the place of an earlier one; return why not."""
    total, of_host = db.execute(
        "select count(*), count(*) filter (where host = ?) from wishes"
        " where not (topic = ? and callback = ?)",
        (host, topic, callback),
    ).fetchone()
    if total >= MOST_WISHES or of_host >= MOST_OF_HOST:
        return "too many requests wait to be verified; come again in a minute"
    if mode == "subscribe" and not _is_subscribed(db, topic, callback):
        subscribed, at_host, of_callback = db.execute(
            "select count(*), count(*) filter (where host = ?),"
            " count(*) filter (where callback = ?) from subscribers",
            (host, callback),
        ).fetchone()
        if subscribed >= MOST_SUBSCRIBERS:
            return "this hub has as many subscribers as it can serve"
        if at_host >= MOST_AT_HOST:
            return f"a host may have {MOST_AT_HOST} subscriptions"
        if of_callback >= MOST_OF_CALLBACK:
            return f"a callback may subscribe to {MOST_OF_CALLBACK} topics"
    _queue(db, topic, callback, host, mode, secret, lease, now)
    return ""


def _is_subscribed(db: Connection, topic: str, callback: str) -> bool:
    row = db.execute(
        "select 1 from subscribers where topic = ? and callback = ?", (topic, callback)
    ).fetchone()
    return row is not None


def _queue(
    db: Connection,
    topic: str,
    callback: str,
    host: str,
    mode: str,
    secret: str,
    lease: timedelta,
    now: datetime,
) -> None:
    db.execute(
        "insert or replace into wishes(topic, callback, host, mode, secret, lease, due_at)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        (topic, callback, host, mode, secret, int(lease.total_seconds()), format_time(now)),
    )


def wishes(db: Connection, now: datetime, limit: int) -> list[PendingSubscription]:
    """Return the requests that are to be verified now, those that wait longest first."""
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
        for row in db.execute(
            "select * from wishes where due_at <= ? order by due_at, id limit ?",
            (format_time(now), limit),
        )
    ]


def postpone(db: Connection, wish: int, again: datetime) -> None:
    """Verify a request later, as its callback could not be reached."""
    db.execute(
        "update wishes set attempts = attempts + 1, due_at = ? where id = ?",
        (format_time(again), wish),
    )


def judged(db: Connection, wish: int) -> bool:
    """Take a request out of the queue; False when a later one has taken its place."""
    return bool(db.execute("delete from wishes where id = ?", (wish,)).rowcount)


# --- subscribers -----------------------------------------------------------------------------


def subscribe(
    db: Connection, wish: PendingSubscription, host: str, version: int, now: datetime
) -> None:
    """Store or renew a verified subscription; what it was not told yet stays due.

    Args:
        version: Of the topic when the verification was sent: a later one is due at once.
    """
    db.execute(
        "insert into subscribers(topic, callback, host, secret, verified, lease_until, due_at)"
        " values (?1, ?2, ?3, ?4, ?5, ?6,"
        " case when (select version from topics where url = ?1) > ?7 then ?5 end)"
        " on conflict(topic, callback)"
        " do update set secret = excluded.secret, verified = excluded.verified,"
        " lease_until = excluded.lease_until",
        (
            wish.topic,
            wish.callback,
            host,
            wish.secret,
            format_time(now),
            format_time(now + wish.lease),
            version,
        ),
    )


def unsubscribe(db: Connection, topic: str, callback: str) -> None:
    """End a subscription."""
    db.execute("delete from subscribers where topic = ? and callback = ?", (topic, callback))


def remove(db: Connection, subscriber: int) -> None:
    """End a subscription whose callback is gone."""
    db.execute("delete from subscribers where id = ?", (subscriber,))


def any_expired(db: Connection, now: datetime, longest: timedelta) -> bool:
    """Return whether `expire` has anything to do."""
    first, last = db.execute(
        "select min(lease_until), max(lease_until) from subscribers"
    ).fetchone()
    return first is not None and (first <= format_time(now) or last > format_time(now + longest))


def expire(db: Connection, now: datetime, longest: timedelta) -> list[tuple[str, str]]:
    """End the subscriptions whose lease has run out; return `(topic, callback)` of each.

    Those that a clock which ran ahead gave a longer lease than any get the longest.
    """
    latest = format_time(now + longest)
    db.execute("update subscribers set lease_until = ?1 where lease_until > ?1", (latest,))
    rows = db.execute(
        "delete from subscribers where lease_until <= ? returning topic, callback",
        (format_time(now),),
    )
    return [(row[0], row[1]) for row in rows]


def topics(db: Connection) -> dict[str, str]:
    """Return each topic that is or may soon be subscribed to, with the digest of what was told."""
    rows = db.execute(
        "select s.topic, coalesce(t.digest, '') from (select topic from subscribers union"
        " select topic from wishes where mode = 'subscribe') s"
        " left join topics t on t.url = s.topic"
    )
    return {row[0]: row[1] for row in rows}


def version(db: Connection, topic: str) -> int:
    """Return the version of a topic that is told now, 0 before the first."""
    row = db.execute("select version from topics where url = ?", (topic,)).fetchone()
    return int(row[0]) if row else 0


def begin_topic(db: Connection, topic: str, digest: str) -> None:
    """Note what a topic holds before its first subscriber is verified; nothing is due."""
    db.execute("insert or ignore into topics values (?, 1, ?)", (topic, digest))


def changed(db: Connection, topic: str, digest: str, now: datetime) -> int:
    """Make a topic's new version due to all its subscribers; return how many those are."""
    db.execute(
        "insert into topics values (?, 1, ?) on conflict(url)"
        " do update set version = version + 1, digest = excluded.digest",
        (topic, digest),
    )
    return db.execute(
        "update subscribers set due_at = ?, attempts = 0 where topic = ?", (format_time(now), topic)
    ).rowcount


def close_topic(db: Connection, topic: str, now: datetime) -> None:
    """End all subscriptions to what is no topic any more; each subscriber is told (§5.2)."""
    for row in db.execute("delete from subscribers where topic = ? returning *", (topic,)):
        _queue(db, topic, row["callback"], row["host"], "denied", "", timedelta(0), now)
    db.execute("update wishes set mode = 'denied' where topic = ?", (topic,))
    db.execute("delete from topics where url = ?", (topic,))


def forget_topics(db: Connection) -> None:
    """Forget the topics that nobody subscribes to."""
    db.execute(
        "delete from topics where url not in"
        " (select topic from subscribers union select topic from wishes)"
    )


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
    """Return the subscribers to be told now; those that failed before wait behind the others.

    Args:
        under_way: How much is sent to each host already, of which none gets more than its share.
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
    found: list[Subscriber] = []
    for row in rows:
        if hosts[row["host"]] < HOST_SHARE:
            hosts[row["host"]] += 1
            found.append(_subscriber(row))
            if len(found) == limit:
                break
    return found


def listed(db: Connection, limit: int) -> list[Subscriber]:
    """Return subscribers, those in trouble first."""
    rows = db.execute(f"{_COLUMNS} order by s.failures desc, s.topic, s.id limit ?", (limit,))
    return [_subscriber(row) for row in rows]


def newest(db: Connection) -> tuple[int, int]:
    """Return the ids of the wish and the subscriber that came last, 0 without any."""
    row = db.execute(
        "select coalesce((select max(id) from wishes), 0),"
        " coalesce((select max(id) from subscribers), 0)"
    ).fetchone()
    return row[0], row[1]


def count(db: Connection) -> int:
    """Return how many subscribers there are."""
    return int(db.execute("select count(*) from subscribers").fetchone()[0])


def told(db: Connection, subscriber: int, version: int, now: datetime) -> None:
    """Note that a subscriber has a version; a later one is still due."""
    db.execute(
        "update subscribers set attempts = 0, failures = 0, last_at = ?3, detail = '',"
        " due_at = case when (select version from topics where url = topic) > ?2 then due_at end"
        " where id = ?1",
        (subscriber, version, format_time(now)),
    )


def failed(
    db: Connection,
    subscriber: int,
    version: int,
    *,
    again: datetime | None,
    detail: str,
    now: datetime,
) -> None:
    """Note that a subscriber could not be told a version, and when it is tried again, if it is."""
    db.execute(
        "update subscribers set attempts = attempts + 1, failures = failures + 1, last_at = ?3,"
        " detail = ?4, due_at ="
        " case when (select version from topics where url = topic) > ?2 then due_at else ?5 end"
        " where id = ?1",
        (subscriber, version, format_time(now), detail, format_time_or_none(again)),
    )


# --- the log ---------------------------------------------------------------------------------


def log(db: Connection, deliveries: Sequence[Delivery]) -> None:
    """Add to the log, which holds the last 2,000."""
    db.executemany(
        "insert into deliveries(at, kind, topic, callback, status, milliseconds, detail)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        [
            (format_time(d.at), d.kind, d.topic, d.callback, d.status, d.milliseconds, d.detail)
            for d in deliveries[-LOG_KEPT:]
        ],
    )
    db.execute(
        "delete from deliveries where id <= (select max(id) from deliveries) - ?", (LOG_KEPT,)
    )


def logged(db: Connection, limit: int) -> list[Delivery]:
    """Return the last deliveries, newest first."""
    rows = db.execute("select * from deliveries order by id desc limit ?", (limit,))
    return [_delivery(row) for row in rows]


def _delivery(row: Mapping[str, Any]) -> Delivery:
    return Delivery(
        at=parse_time(row["at"]),
        kind=row["kind"],
        topic=row["topic"],
        callback=row["callback"],
        status=row["status"],
        milliseconds=row["milliseconds"],
        detail=row["detail"],
    )


def _subscriber(row: Mapping[str, Any]) -> Subscriber:
    return Subscriber(
        id=row["id"],
        topic=row["topic"],
        callback=row["callback"],
        host=row["host"],
        secret=row["secret"],
        verified=parse_time(row["verified"]),
        lease_until=parse_time(row["lease_until"]),
        version=row["version"],
        attempts=row["attempts"],
        failures=row["failures"],
        due=parse_time_or_none(row["due_at"]),
        last=parse_time_or_none(row["last_at"]),
        detail=row["detail"],
    )
