"""Corrections: changes of the title or text of shown entries, newest first."""

from dataclasses import dataclass
from datetime import datetime

from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time
from aggregator.store.queries.select import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The title and text of an entry."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCorrection:
    """A change of an entry's title or text, and the time of the poll that found it."""

    entry_id: int
    at: datetime
    before: Wording
    after: Wording

    @property
    def place(self) -> Cursor:
        """Its place in the list."""
        return Cursor(sort_at=self.at, id=self.entry_id)


def recent(db: Connection, limit: int, before: Cursor | None = None) -> list[StoredCorrection]:
    """Return the latest corrections, from a place on.

    Changes of other fields, such as the image, are no corrections.
    """
    rows = db.execute(
        "select v.entry_id, v.until, v.title, v.text, coalesce(n.title, e.title) as new_title,"
        " coalesce(n.text, e.text) as new_text"
        " from versions v join entries e on e.id = v.entry_id left join versions n"
        " on n.entry_id = v.entry_id and n.until = (select min(until) from versions"
        " where entry_id = v.entry_id and until > v.until)"
        " where (v.until, v.entry_id) < (?, ?) and e.hidden is null"
        " and (v.title != new_title or v.text != new_text)"
        " order by v.until desc, v.entry_id desc limit ?",
        (format_time(before.sort_at) if before else "9", before.id if before else 0, limit),
    )
    return [
        StoredCorrection(
            entry_id=row[0],
            at=parse_time(row[1]),
            before=Wording(title=row[2], text=row[3]),
            after=Wording(title=row[4], text=row[5]),
        )
        for row in rows
    ]
