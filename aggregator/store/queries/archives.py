"""Archives of merged feeds (RFC 5005 §4): ranges of a view's entries, and their documents.

A range holds the entries of its view with an id after `after_id` and up to `last_id`. The document
served for it is stored, because entries are revised later and an archive must not change.
"""

from dataclasses import dataclass

from aggregator.models.query import Query
from aggregator.store.database.connection import Connection
from aggregator.store.queries import select

SIZE = 50
"""Entries in a closed range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A closed range; `number` counts from 1, the oldest."""

    number: int
    after_id: int
    last_id: int


NONE = Range(number=0, after_id=0, last_id=0)
"""The range before the first."""


def newest(db: Connection, view: str) -> Range:
    """Return the newest closed range of a view, `NONE` without any."""
    row = db.execute(
        "select number, after_id, last_id from archives where view = ?"
        " order by number desc limit 1",
        (view,),
    ).fetchone()
    return Range(number=row[0], after_id=row[1], last_id=row[2]) if row else NONE


def get(db: Connection, view: str, number: int) -> Range | None:
    """Return a range by number, None if it is not closed yet."""
    row = db.execute(
        "select number, after_id, last_id from archives where view = ? and number = ?",
        (view, number),
    ).fetchone()
    return Range(number=row[0], after_id=row[1], last_id=row[2]) if row else None


def ranges(db: Connection, view: str) -> list[Range]:
    """Return the closed ranges of a view."""
    rows = db.execute(
        "select number, after_id, last_id from archives where view = ? order by number", (view,)
    )
    return [Range(number=row[0], after_id=row[1], last_id=row[2]) for row in rows]


def close(db: Connection, view: str, query: Query) -> Range:
    """Close every full range, in the caller's transaction; return the newest."""
    last = newest(db, view)
    ids = select.arrival_ids(db, query, after_id=last.last_id)
    ends = ids[SIZE - 1 :: SIZE]
    begins = [last.last_id, *ends]
    db.executemany(
        "insert into archives values (?, ?, ?, ?)",
        [
            (view, last.number + count, after_id, last_id)
            for count, (after_id, last_id) in enumerate(zip(begins, ends, strict=False), 1)
        ],
    )
    return newest(db, view)


def get_document(db: Connection, view: str, number: int, variant: str) -> bytes | None:
    """Return the document of a range, None before its first request."""
    row = db.execute(
        "select body from archive_documents where view = ? and number = ? and variant = ?",
        (view, number, variant),
    ).fetchone()
    return bytes(row[0]) if row else None


def save_document(db: Connection, view: str, number: int, variant: str, body: bytes) -> bytes:
    """Store the document of a range unless one is stored; return the stored one."""
    db.execute(
        "insert or ignore into archive_documents(view, number, variant, body) values (?, ?, ?, ?)",
        (view, number, variant, body),
    )
    return get_document(db, view, number, variant) or body


def forget_entry(db: Connection, entry_id: int) -> None:
    """Delete the documents with an entry; the next requests render them again."""
    db.execute(
        "delete from archive_documents where exists (select 1 from archives a"
        " where a.view = archive_documents.view and a.number = archive_documents.number"
        " and a.after_id < ?1 and a.last_id >= ?1)",
        (entry_id,),
    )


def forget(db: Connection) -> int:
    """Delete the documents of ranges in which every entry has expired; return how many."""
    cursor = db.execute(
        "delete from archive_documents where exists (select 1 from archives a"
        " where a.view = archive_documents.view and a.number = archive_documents.number"
        " and a.last_id < (select coalesce(min(id), 0) from entries))"
    )
    return cursor.rowcount
