"""Earlier versions of entries, kept when a publisher changes the text."""

from dataclasses import dataclass
from datetime import datetime

from aggregator.models.entry import SafeHtml
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time

KEPT = 20
"""Versions kept of an entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """An earlier wording of an entry, in force until a change."""

    until: datetime
    title: str
    text: str
    content: SafeHtml


def add(db: Connection, entry_id: int, until: datetime) -> None:
    """Keep an entry's stored wording as the version that was in force until now."""
    db.execute(
        "insert or ignore into versions(entry_id, until, title, text, content)"
        " select id, ?, title, text, content from entries where id = ?",
        (format_time(until), entry_id),
    )
    db.execute(
        "delete from versions where entry_id = ?1 and until not in (select until from versions"
        f" where entry_id = ?1 order by until desc limit {KEPT})",
        (entry_id,),
    )


def of_entry(db: Connection, entry_id: int) -> list[Version]:
    """Return an entry's earlier versions, oldest first."""
    rows = db.execute(
        "select until, title, text, content from versions where entry_id = ? order by until",
        (entry_id,),
    )
    return [
        Version(until=parse_time(row[0]), title=row[1], text=row[2], content=SafeHtml(row[3]))
        for row in rows
    ]
