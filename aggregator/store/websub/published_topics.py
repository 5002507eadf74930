"""Topics of our hub: the version and digest of each feed that subscribers have been sent."""

from datetime import datetime

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time
from aggregator.store.websub import verification_queue


def digests(db: Connection) -> dict[str, str]:
    """Return each topic with subscribers, verified or pending, and the digest of its version."""
    rows = db.execute(
        "select s.topic, coalesce(t.digest, '') from (select topic from subscribers union"
        " select topic from wishes where mode = 'subscribe') s"
        " left join topics t on t.url = s.topic"
    )
    return {row[0]: row[1] for row in rows}


def version(db: Connection, topic: str) -> int:
    """Return the current version of a topic, 0 before the first."""
    row = db.execute("select version from topics where url = ?", (topic,)).fetchone()
    return int(row[0]) if row else 0


def add(db: Connection, topic: str, digest: str) -> None:
    """Store the digest of a topic before its first subscriber is verified; nothing is due."""
    db.execute(
        "insert or ignore into topics(url, version, digest) values (?, 1, ?)", (topic, digest)
    )


def publish(db: Connection, topic: str, digest: str, now: datetime) -> int:
    """Store a new version and make it due to all subscribers; return their number."""
    db.execute(
        "insert into topics(url, version, digest) values (?, 1, ?) on conflict(url)"
        " do update set version = version + 1, digest = excluded.digest",
        (topic, digest),
    )
    return db.execute(
        "update subscribers set due_at = ?, attempts = 0 where topic = ?",
        (format_time(now), topic),
    ).rowcount


def close(db: Connection, topic: str, now: datetime) -> None:
    """Delete a topic that no longer exists, and queue a denial for each subscriber (§5.2)."""
    for row in db.execute("delete from subscribers where topic = ? returning *", (topic,)):
        verification_queue.put(db, topic, row["callback"], row["host"], mode="denied", now=now)
    db.execute("update wishes set mode = 'denied' where topic = ?", (topic,))
    db.execute("delete from topics where url = ?", (topic,))


def delete_unused(db: Connection) -> None:
    """Delete the topics without subscribers, verified or pending."""
    db.execute(
        "delete from topics where url not in"
        " (select topic from subscribers union select topic from wishes)"
    )
