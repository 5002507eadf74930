"""The search index: new entries are added by transaction, those of an earlier version by and by."""

from datetime import datetime

from aggregator.store.database import metadata
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import parse_time
from aggregator.store.entries import entries

UNINDEXED = "unindexed"
"""The fact that holds the highest id not indexed yet; all entries above it are indexed."""

BATCH = 250
"""Entries indexed in one transaction, so that polls wait no longer than a fraction of a second."""


def add_new(db: Connection, after_id: int) -> int:
    """Add the entries with an id above `after_id` to the search index; return the highest id.

    Once per transaction costs a third less than entry by entry. Call it before any of these
    entries is revised: the update trigger deletes the old text from the index, and deleting a text
    that is not there damages it.
    """
    db.execute(
        "insert into entries_fts(rowid, title, text)"
        " select id, indexed(title), indexed(text) from entries where id > ?",
        (after_id,),
    )
    return entries.last_id(db)


def add_older(db: Connection, limit: int = BATCH) -> int:
    """Add the newest entries that are not indexed yet; return how many there were.

    Args:
        limit: The most to add.
    """
    last = _unindexed(db)
    if not last:
        return 0
    rows = db.execute(
        "select id from entries where id <= ? order by id desc limit ?", (last, limit)
    ).fetchall()
    first = rows[-1][0] if rows else 1
    db.execute(
        "insert into entries_fts(rowid, title, text)"
        " select id, indexed(title), indexed(text) from entries where id between ? and ?",
        (first, last),
    )
    metadata.put(db, UNINDEXED, str(first - 1 if len(rows) == limit else 0))
    return len(rows)


def is_complete(db: Connection) -> bool:
    """Return whether all entries are indexed."""
    return not _unindexed(db)


def since(db: Connection) -> datetime | None:
    """Return the arrival of the oldest indexed entry while older ones are left, else None."""
    last = _unindexed(db)
    if not last:
        return None
    row = db.execute(
        "select first_seen from entries where id >= ? order by id limit 1", (last,)
    ).fetchone()
    return parse_time(row[0]) if row else None


def _unindexed(db: Connection) -> int:
    return int(metadata.get(db, UNINDEXED) or 0)
