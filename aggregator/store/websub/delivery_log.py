"""The log of our hub: requests sent to subscribers, and their results."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time

KEPT = 2_000
"""Lines in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A request to a subscriber and its result.

    Args:
        kind: push, subscribe, unsubscribe, denied, ping or expired.
        status: HTTP status, 0 without a response.
        detail: The failure, "" after success.
    """

    at: datetime
    kind: str
    topic: str
    callback: str
    status: int = 0
    milliseconds: int = 0
    detail: str = ""


def add(db: Connection, deliveries: Sequence[Delivery]) -> None:
    """Add lines to the log, and delete the oldest beyond `KEPT`."""
    db.executemany(
        "insert into deliveries(at, kind, topic, callback, status, milliseconds, detail)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                format_time(delivery.at), delivery.kind, delivery.topic, delivery.callback,
                delivery.status, delivery.milliseconds, delivery.detail,
            )
            for delivery in deliveries[-KEPT:]
        ],
    )  # fmt: skip
    db.execute("delete from deliveries where id <= (select max(id) from deliveries) - ?", (KEPT,))


def recent(db: Connection, limit: int) -> list[Delivery]:
    """Return the last deliveries, newest first."""
    rows = db.execute("select * from deliveries order by id desc limit ?", (limit,))
    return [
        Delivery(
            at=parse_time(row["at"]),
            kind=row["kind"],
            topic=row["topic"],
            callback=row["callback"],
            status=row["status"],
            milliseconds=row["milliseconds"],
            detail=row["detail"],
        )
        for row in rows
    ]
