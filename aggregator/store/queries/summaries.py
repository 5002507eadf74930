"""Entries as lists show them, read without their texts, which make up most of a row."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from aggregator.models.entry import Image
from aggregator.models.query import Query
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import parse_time, parse_time_or_none
from aggregator.store.queries import select as views
from aggregator.store.queries.select import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySummary:
    """An entry in a list; the fields are those of `StoredEntry` and `Entry`.

    Args:
        kind: audio or video if it has such an enclosure, else "".
    """

    id: int
    source_id: str
    uri: str
    link: str
    canonical_url: str
    title: str
    summary: str
    language: str
    image: Image | None
    kind: str
    sort_at: datetime
    changed: datetime
    hidden: str
    retracted: datetime | None = None


def get_many(db: Connection, entry_ids: Iterable[int]) -> dict[int, EntrySummary]:
    """Return entries by id; unknown ids are left out."""
    rows = db.execute(
        "select id, source_id, uri, url, canonical_url, title, summary, language, image, audio,"
        " video, sort_at, changed, hidden, retracted from entries"
        " where id in (select value from json_each(?))",
        (json.dumps(list(entry_ids)),),
    )
    return {
        row[0]: EntrySummary(
            id=row[0],
            source_id=row[1],
            uri=row[2],
            link=row[3],
            canonical_url=row[4],
            title=row[5],
            summary=row[6],
            language=row[7],
            image=Image(**json.loads(row[8])) if row[8] else None,
            kind="audio" if row[9] else "video" if row[10] else "",
            sort_at=parse_time(row[11]),
            changed=parse_time(row[12]),
            hidden=row[13] or "",
            retracted=parse_time_or_none(row[14]),
        )
        for row in rows
    }


def select(
    db: Connection, query: Query, *, limit: int, before: Cursor | None = None
) -> list[EntrySummary]:
    """Return the view's entries, as `select.select` does."""
    ids = views.select_ids(db, query, limit=limit, before=before)
    by_id = get_many(db, ids)
    return [by_id[entry_id] for entry_id in ids]


def newer(db: Connection, query: Query, *, limit: int, since: Cursor) -> list[EntrySummary]:
    """Return the view's entries at and above a place, from the place upwards."""
    ids = views.newer_ids(db, query, limit=limit, since=since)
    by_id = get_many(db, ids)
    return [by_id[entry_id] for entry_id in ids]
