"""Views as of a past time: the entries seen by then, with their text of then, not yet withdrawn.

The past is computed from today's rows. Entries that retention deleted and views that a newer
configuration changed are missing in it, and a search looks at today's texts. A story appears as its
first entry, because the members of that time are not stored.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, TypeVar

from aggregator.models.entry import REMOVED, RETRACTED, SafeHtml, StoredEntry
from aggregator.models.query import Query, Sort
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time
from aggregator.store.entries import entries, stories
from aggregator.store.queries import conditions, summaries
from aggregator.store.queries import select as views
from aggregator.store.queries.conditions import Condition, statement
from aggregator.store.queries.fts import expression
from aggregator.store.queries.select import Cursor
from aggregator.store.queries.summaries import EntrySummary

Kind = TypeVar("Kind", EntrySummary, StoredEntry)

SUMMARY = 280
"""Characters of an earlier text shown as its summary, which is not stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A past time.

    Args:
        last: The id of the last entry seen by then, 0 for none; ids follow arrival.
        undone: Whether any entry was withdrawn later.
    """

    at: datetime
    last: int
    undone: bool

    @classmethod
    def of(cls, db: Connection, at: datetime) -> "Snapshot":
        """Look up a time."""
        later = db.execute(
            "select 1 from entries indexed by entries_withdrawn where withdrawn > ? limit 1",
            (format_time(at),),
        ).fetchone()
        return cls(at=at, last=_last_id(db, at), undone=later is not None)


def oldest(db: Connection) -> datetime | None:
    """Return when the oldest stored entry was first seen, None without entries."""
    row = db.execute("select first_seen from entries order by id limit 1").fetchone()
    return parse_time(row[0]) if row else None


def _last_id(db: Connection, at: datetime) -> int:
    low, high, then = 0, entries.last_id(db), format_time(at)
    while low < high:
        middle = (low + high + 1) // 2
        row = db.execute(
            "select id, first_seen from entries where id >= ? order by id limit 1", (middle,)
        ).fetchone()
        if row[1] <= then:
            low = row[0]
        else:
            high = middle - 1
    return low


def last_change(db: Connection, then: Snapshot) -> datetime | None:
    """Return when, by that time, an entry was last added or corrected."""
    (changed,) = db.execute(
        "select max(at) from (select first_seen as at from entries where id = ?"
        " union all select max(until) from versions where until <= ?)",
        (then.last, format_time(then.at)),
    ).fetchone()
    return parse_time(changed) if changed else None


def select(
    db: Connection, query: Query, then: Snapshot, *, limit: int, before: Cursor | None = None
) -> list[EntrySummary]:
    """Return the view's entries, without their texts."""
    ids = select_ids(db, query, then, limit=limit, before=before)
    return _as_they_stood(db, summaries.get_many(db, ids), ids, then, _listed_as)


def select_whole(db: Connection, query: Query, then: Snapshot, *, limit: int) -> list[StoredEntry]:
    """Return the view's entries, whole."""
    ids = select_ids(db, query, then, limit=limit)
    past = _as_they_stood(db, entries.get_many(db, ids), ids, then, _stored_as)
    return [_not_later(replace(entry, withdrawn=None), then.at) for entry in past]


def _not_later(stored: StoredEntry, at: datetime) -> StoredEntry:
    """Return an entry without the publisher's date of a change that had not happened yet."""
    updated = stored.entry.updated
    if updated is None or updated <= at:
        return stored
    return replace(stored, entry=replace(stored.entry, updated=None))


def _as_they_stood(
    db: Connection,
    present: Mapping[int, Kind],
    ids: Sequence[int],
    then: Snapshot,
    worded: Callable[[Kind, "_Wording"], Kind],
) -> list[Kind]:
    """Return the entries with their texts and dates of that time, none hidden."""
    wordings, changed = _wordings(db, ids, then.at), _changed(db, ids, then.at)
    past = []
    for entry_id in ids:
        entry = present[entry_id]
        if entry_id in wordings:
            entry = worded(entry, wordings[entry_id])
        is_retracted = entry.retracted is not None and entry.retracted <= then.at
        retracted = entry.retracted if is_retracted else None
        past.append(replace(entry, changed=changed[entry_id], hidden="", retracted=retracted))
    return past


def _listed_as(entry: EntrySummary, wording: "_Wording") -> EntrySummary:
    summary = entry.summary if wording.summary is None else wording.summary
    return replace(entry, title=wording.title, summary=summary)


def _stored_as(one: StoredEntry, wording: "_Wording") -> StoredEntry:
    summary = one.entry.summary if wording.summary is None else wording.summary
    entry = replace(
        one.entry,
        title=wording.title,
        text=wording.text,
        content=wording.content,
        summary=summary,
    )
    return replace(one, entry=entry)


def select_ids(
    db: Connection, query: Query, then: Snapshot, *, limit: int, before: Cursor | None = None
) -> list[int]:
    """Return the ids of the entries that `select` returns."""
    query = replace(query, sort=Sort.NEWEST)
    # No entry is dated after its arrival, so the walk can begin at that time.
    before = before or Cursor(sort_at=then.at, id=views.LAST_ID)
    back = _taken_back(db, query, then, limit, before) if then.undone else []
    most = limit + len(back)  # a restored entry may take the place of another in a story
    ids = set(views.select_ids(db, query, limit=most, before=before, until_id=then.last))
    if back and views.is_collapsed(query):
        ids = _first_reports(db, ids | set(back))
    else:
        ids |= set(back)
    rows = db.execute(
        "select id from entries where id in (select value from json_each(?))"
        " order by sort_at desc, id desc limit ?",
        (json.dumps(sorted(ids)), limit),
    )
    return [row[0] for row in rows]


def _first_reports(db: Connection, ids: set[int]) -> set[int]:
    """Return only the first entry of each story: a restored one may be its first."""
    story_ids = stories.of_entries(db, ids)
    firsts: dict[int, int] = {}
    for entry_id in sorted(story_ids):
        firsts.setdefault(story_ids[entry_id], entry_id)
    return ids - (story_ids.keys() - firsts.values())


def _taken_back(
    db: Connection, query: Query, then: Snapshot, limit: int, before: Cursor
) -> list[int]:
    """Return entries of the view that were withdrawn after that time, newest first.

    Those that were taken down stay hidden.

    They are no longer in the lists by section, category, author and view. A section is matched by
    the entry's source; queries by the others, and queries that only exclude words, leave them out.
    """
    if query.category or query.author or query.view or (query.exclude and not query.q):
        return []
    where = [
        Condition("e.withdrawn is not null"),
        Condition("e.hidden not like ?", (f"{REMOVED}%",)),
        Condition("e.hidden != ?", (RETRACTED,)),
        conditions.after("e.withdrawn", format_time(then.at)),
        conditions.until("e.id", then.last),
        conditions.before("e.sort_at", "e.id", before.sort_at, before.id),
    ]
    if query.source:
        where.append(conditions.one_of("e.source_id", query.source))
    if query.section:
        where.append(conditions.is_in_sections_of_source("e", query.section))
    if query.lang:
        where.append(conditions.one_of("e.language", query.lang))
    if query.has:
        where.append(conditions.has_kind("e", query.has))
    if query.since:
        where.append(conditions.is_since("e", query.since))
    if query.q:
        where.append(conditions.is_match("e", expression(query.q, query.exclude).match))
    rows = db.execute(
        *statement(
            "e.id",
            "entries e indexed by entries_taken_back",
            where,
            "order by e.sort_at desc, e.id desc limit ?",
            limit,
        )
    )
    return [row[0] for row in rows]


class _Wording(NamedTuple):
    """The texts of an entry at a past time; `summary` is None if it is today's."""

    title: str
    text: str
    content: SafeHtml
    summary: str | None


def _wordings(db: Connection, ids: Iterable[int], at: datetime) -> dict[int, _Wording]:
    """Return the texts that entries had at a time, of entries that have other texts now."""
    rows = db.execute(
        "select v.entry_id, min(v.until), v.title, v.text, v.content, v.text = e.text"
        " from versions v join entries e on e.id = v.entry_id"
        " where v.entry_id in (select value from json_each(?)) and v.until > ?"
        " group by v.entry_id",
        (json.dumps(list(ids)), format_time(at)),
    )
    return {
        row[0]: _Wording(
            title=row[2],
            text=row[3],
            content=SafeHtml(row[4]),
            summary=None if row[5] else _summary(row[3]),
        )
        for row in rows
    }


def _summary(text: str) -> str:
    return text if len(text) <= SUMMARY else f"{text[:SUMMARY].rsplit(' ', 1)[0]}…"


def _changed(db: Connection, ids: Iterable[int], at: datetime) -> dict[int, datetime]:
    """Return when each entry was last changed by a time, or first seen."""
    rows = db.execute(
        "select e.id, coalesce(max(v.until), e.first_seen) from entries e left join versions v"
        " on v.entry_id = e.id and v.until <= ? where e.id in (select value from json_each(?))"
        " group by e.id",
        (format_time(at), json.dumps(list(ids))),
    )
    return {row[0]: parse_time(row[1]) for row in rows}
