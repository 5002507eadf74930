"""Retention: entries deleted when they have been out of their feed's document for long enough."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, format_time_or_none, parse_time
from aggregator.store.entries import lists

BATCH = 5_000
"""Entries deleted in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoffs:
    """The times before which an entry must have left its document to be deleted, None for never.

    Args:
        default: For sources without a cutoff of their own.
        by_source: For the others, by id.
    """

    default: datetime | None = None
    by_source: Mapping[str, datetime | None] = field(default_factory=dict)

    @property
    def latest(self) -> datetime | None:
        """The latest cutoff, None if nothing is ever deleted."""
        return max(filter(None, (self.default, *self.by_source.values())), default=None)


@dataclass(frozen=True, slots=True)
class Expired:
    """The entries deleted in one batch: their number, and when the last of them left."""

    count: int
    last: datetime | None = None


def expire(
    db: Connection, cutoffs: Cutoffs, *, since: datetime | None = None, limit: int = BATCH
) -> Expired:
    """Delete the entries that left their document first.

    Their aliases stay, so that an expired item that returns is not taken for a new one.

    Args:
        since: Where the previous batch ended, to pass over the entries that it kept.
    """
    rows = db.execute(
        "with own(source_id, cutoff) as materialized (select key, value from json_each(:own))"
        " select e.id, e.last_seen from entries e indexed by entries_last_seen"
        " left join own on own.source_id = e.source_id"
        " where e.last_seen >= :since and e.last_seen < :latest"
        " and e.last_seen < iif(own.source_id is null, :default, own.cutoff)"
        " order by e.last_seen limit :limit",
        {
            "own": json.dumps(
                {key: format_time_or_none(time) for key, time in cutoffs.by_source.items()}
            ),
            "since": format_time(since) if since else "",
            "latest": format_time_or_none(cutoffs.latest),
            "default": format_time_or_none(cutoffs.default),
            "limit": limit,
        },
    ).fetchall()
    if not rows:
        return Expired(0)
    _delete(db, [row[0] for row in rows])
    return Expired(len(rows), parse_time(rows[-1][1]))


def _delete(db: Connection, ids: list[int]) -> None:
    lists.remove(db, ids)
    db.execute(
        "update sources set entries = max(0, entries - gone.n) from (select source_id, count(*) as"
        " n from entries where id in (select value from json_each(?)) group by source_id) as gone"
        " where sources.id = gone.source_id",
        (json.dumps(ids),),
    )
    db.executemany("delete from entries where id = ?", [(entry_id,) for entry_id in ids])
