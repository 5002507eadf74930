"""Entries: stored, revised, hidden, released, expired and looked up."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aggregator.models.entry import RETRACTED, Entry, KnownEntry, RuleResult, StoredEntry
from aggregator.models.numbers import parse_number
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import (
    format_time,
    format_time_or_none,
    parse_time,
    parse_time_or_none,
)
from aggregator.store.entries import lists, versions
from aggregator.store.entries.lists import Listing
from aggregator.store.entries.rows import (
    NewRow,
    assignments,
    entry_values,
    insert_rows,
    last_given_id,
    load_entry,
    load_stored,
    ruling_values,
    stored_values,
)

NO_RULING = RuleResult()

_KEPT_ON_REVISION = frozenset({"guid"})
"""Columns of an entry as published that a revision leaves: our feeds name the entry by its guid."""

_INDEXED = ("title", "text")
"""Columns that the search index covers: an update that names them indexes the entry again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry to be stored.

    Args:
        uri: Its id in our feeds.
        hidden: Why no view shows it, None when views do.
        known_by: The keys that identify it, as in `StoredEntry`.
    """

    entry: Entry
    uri: str
    sort_at: datetime
    hidden: str | None = None
    ruling: RuleResult = NO_RULING
    known_by: str = ""


def insert(
    db: Connection,
    source_id: str,
    new: Sequence[NewEntry],
    *,
    first_seen: datetime,
    sections: Sequence[str],
) -> list[int]:
    """Store new entries of a source and return their ids.

    Args:
        sections: The sections of the source, for entries that no rule moves.
    """
    time = format_time(first_seen)
    rows = [
        (
            each.entry,
            each.ruling,
            NewRow(
                source_id=source_id,
                uri=each.uri,
                first_seen=time,
                changed=time,
                sort_at=format_time(each.sort_at),
                hidden=each.hidden or None,
                known_by=each.known_by,
            ),
        )
        for each in new
    ]
    ids = insert_rows(db, rows)
    shown = [
        Listing(entry_id, row.sort_at, entry, ruling)
        for entry_id, (entry, ruling, row), each in zip(ids, rows, new, strict=True)
        if each.hidden is None
    ]
    lists.add(db, shown, sections)
    return list(ids)


def revise(
    db: Connection,
    entry_id: int,
    entry: Entry,
    *,
    now: datetime,
    changed: bool,
    sections: Sequence[str],
    ruling: RuleResult = NO_RULING,
    matched: str = "",
    is_upgrade: bool = False,
) -> None:
    """Overwrite an entry; its place in the lists stays.

    A shown entry that the ruling drops counts as withdrawn, because feeds have published it.

    Args:
        now: The time of the revision.
        changed: Whether the text changed, which keeps the earlier version.
        sections: The sections of the source, for an entry that no rule moves.
        matched: The key that identified it.
        is_upgrade: Whether a newer reader read it: its guid and date are then replaced too.
    """
    if changed:
        versions.add(db, entry_id, now)
    before = db.execute(
        "select published, changed, sort_at, hidden from entries where id = ?", (entry_id,)
    ).fetchone()
    hidden = _hidden_reason(before["hidden"] or "", ruling)
    values = entry_values(entry) | ruling_values(ruling)
    values |= stored_values(hidden=hidden, matched=matched)
    if not (hidden and before["hidden"]):
        values |= stored_values(withdrawn=now if hidden else None)
    values["changed"] = format_time(now) if changed else before["changed"]
    if not is_upgrade:
        values["published"] = values["published"] or before["published"]
        for name in _KEPT_ON_REVISION:
            del values[name]
    _overwrite(db, entry_id, values)
    lists.remove(db, [entry_id])
    if not hidden:
        lists.add(db, [Listing(entry_id, before["sort_at"], entry, ruling)], sections)


def replace_link(db: Connection, entry_id: int, link: str) -> None:
    """Write another address of an entry's page; views show it with their next change."""
    db.execute("update entries set url = ? where id = ?", (link, entry_id))


def put_page_text(db: Connection, entry_id: int, entry: Entry, *, sort_at: datetime) -> None:
    """Write the text of an entry's page, and values of the page that the feed lacks.

    It is no revision: `changed` stays, and no earlier version is kept. The caller applies the rules
    again, which also writes the lists.
    """
    names = (
        "content", "text", "summary", "image", "picture", "authors", "published", "text_from",
        "edits",
    )  # fmt: skip
    written = entry_values(entry)
    values = {name: written[name] for name in names} | stored_values(sort_at=sort_at)
    db.execute(
        f"update entries set {assignments(values)} where id = :id", values | {"id": entry_id}
    )


def _overwrite(db: Connection, entry_id: int, values: dict[str, object]) -> None:
    apart = {name: values.pop(name) for name in _INDEXED}
    db.execute(
        f"update entries set {assignments(values)}, last_seen = null where id = :id",
        values | {"id": entry_id},
    )
    db.execute(
        "update entries set title = :title, text = :text"
        " where id = :id and (title != :title or text != :text)",
        apart | {"id": entry_id},
    )


def apply_ruling(
    db: Connection, stored: StoredEntry, ruling: RuleResult, sections: Sequence[str], now: datetime
) -> None:
    """Replace an entry's ruling; an entry that the new ruling drops counts as withdrawn.

    Args:
        stored: The entry; its `retracted` is stored with the ruling.
    """
    before = "" if stored.hidden == RETRACTED else stored.hidden
    hidden = _hidden_reason(before, ruling)
    withdrawn = (stored.withdrawn or now) if hidden and not stored.hidden else stored.withdrawn
    values = ruling_values(ruling)
    values |= stored_values(
        hidden=hidden,
        withdrawn=withdrawn if hidden else None,
        retracted=stored.retracted,
    )
    db.execute(
        f"update entries set {assignments(values)} where id = :id", values | {"id": stored.id}
    )
    lists.remove(db, [stored.id])
    if not hidden:
        listing = Listing(stored.id, format_time(stored.sort_at), stored.entry, ruling)
        lists.add(db, [listing], sections)


def _hidden_reason(before: str, ruling: RuleResult) -> str:
    """Return why no view shows an entry; a ruling replaces only an earlier ruling's reason."""
    return before if before and not before.startswith("dropped") else ruling.dropped


def of_source(db: Connection, source_id: str, *, after: int, limit: int) -> list[StoredEntry]:
    """Return a source's entries with an id above `after`, with the publisher's categories only."""
    rows = db.execute(
        "select * from entries where source_id = ? and id > ? order by id limit ?",
        (source_id, after, limit),
    )
    return [load_stored(row, tagged=False) for row in rows]


def get_for_ruling(db: Connection, entry_ids: Iterable[int]) -> list[StoredEntry]:
    """Return entries with the publisher's categories only; unknown ids are left out."""
    return [load_stored(row, tagged=False) for row in _rows(db, entry_ids)]


def get_retracted(db: Connection, entry_ids: Iterable[int]) -> list[StoredEntry]:
    """Return those of the entries that are marked as retracted, as `get_for_ruling` does."""
    return [stored for stored in get_for_ruling(db, entry_ids) if stored.retracted]


def get_places(db: Connection, entry_ids: Iterable[int]) -> dict[int, tuple[datetime, int]]:
    """Return the place of entries in the order of lists, by id; unknown ids are left out."""
    rows = db.execute(
        "select id, sort_at from entries where id in (select value from json_each(?))",
        (json.dumps(list(entry_ids)),),
    )
    return {row[0]: (parse_time(row[1]), row[0]) for row in rows}


def last_id(db: Connection) -> int:
    """Return the highest id in use, 0 in an empty table."""
    return int(db.execute("select coalesce(max(id), 0) from entries").fetchone()[0])


def is_deleted(db: Connection, entry_id: int) -> bool:
    """Return whether an id that is not in use once was; ids are given in order, and never twice."""
    return 0 < entry_id <= last_given_id(db)


def hide(
    db: Connection, entry_ids: Sequence[int], reason: str, *, withdrawn: datetime | None
) -> None:
    """Take entries out of every view.

    Args:
        withdrawn: When the publisher or the operator took them back, None for another reason.
    """
    db.executemany(
        "update entries set hidden = ?, withdrawn = ? where id = ?",
        [(reason, format_time_or_none(withdrawn), entry_id) for entry_id in entry_ids],
    )
    lists.remove(db, entry_ids)


def mark_left(db: Connection, entry_ids: Iterable[int], now: datetime) -> None:
    """Note that entries left their source's document; retention counts from this time."""
    db.executemany(
        "update entries set last_seen = ? where id = ?",
        [(format_time(now), entry_id) for entry_id in entry_ids],
    )


def mark_present(db: Connection, entry_ids: Iterable[int]) -> None:
    """Note that entries are in their source's document again."""
    db.executemany(
        "update entries set last_seen = null where id = ? and last_seen is not null",
        [(entry_id,) for entry_id in entry_ids],
    )


def get_known(db: Connection, entry_ids: Iterable[int]) -> dict[int, KnownEntry]:
    """Return the fields that identity compares, of the entries that still exist."""
    wanted = sorted(entry_ids)
    if not wanted:
        return {}
    rows = db.execute(
        "select id, guid, canonical_url, title, fingerprint, published from entries"
        " where id in (select value from json_each(?))",
        (json.dumps(wanted),),
    )
    return {
        row[0]: KnownEntry(
            id=row[0],
            guid=row[1],
            canonical_url=row[2],
            title=row[3],
            fingerprint=row[4],
            published=parse_time_or_none(row[5]),
        )
        for row in rows
    }


def publication_times(db: Connection, source_id: str, limit: int = 21) -> list[datetime]:
    """Return when a source's latest entries were published, or first seen where undated."""
    rows = db.execute(
        "select coalesce(published, first_seen) from entries where source_id = ?"
        " order by sort_at desc, id desc limit ?",
        (source_id, limit),
    )
    return [parse_time(row[0]) for row in rows]


def quarantine_reason(db: Connection, source_id: str) -> str:
    """Return why entries of a source are in quarantine, "" when none are."""
    row = db.execute(
        "select hidden from entries where source_id = ? and hidden like 'quarantine%'"
        " order by sort_at desc, id desc limit 1",
        (source_id,),
    ).fetchone()
    return str(row[0]).partition(": ")[2] if row else ""


def release(
    db: Connection,
    source_id: str,
    sections: Sequence[str],
    evaluate: Callable[[StoredEntry], RuleResult],
) -> int:
    """Show a source's quarantined entries, unless a rule drops them; return how many there were."""
    rows = db.execute(
        "select * from entries where source_id = ? and hidden like 'quarantine%'", (source_id,)
    ).fetchall()
    for row in rows:
        stored = replace(load_stored(row, tagged=False), hidden="")
        apply_ruling(db, stored, evaluate(stored), sections, stored.first_seen)
    return len(rows)


def get(db: Connection, entry_id: int) -> StoredEntry | None:
    """Return one entry, hidden ones too; None when the id is unknown or has expired."""
    row = db.execute("select * from entries where id = ?", (entry_id,)).fetchone()
    return load_stored(row) if row else None


def find(db: Connection, key: str) -> StoredEntry | None:
    """Return the entry with an id, uri, guid or link; the latest if several match."""
    by_id = parse_number(key)
    row = db.execute(
        "select * from entries where id = ?1 or uri = ?2 or guid = ?2 or url = ?2"
        " order by id desc limit 1",
        (by_id, key),
    ).fetchone()
    return load_stored(row) if row else None


def get_many(db: Connection, entry_ids: Iterable[int]) -> dict[int, StoredEntry]:
    """Return entries by id; unknown ids are left out."""
    return {row["id"]: load_stored(row) for row in _rows(db, entry_ids)}


def get_as_published(db: Connection, entry_ids: Iterable[int]) -> dict[int, Entry]:
    """Return entries by id as their publishers wrote them; unknown ids are left out."""
    return {row["id"]: load_entry(row) for row in _rows(db, entry_ids)}


def _rows(db: Connection, entry_ids: Iterable[int]) -> Iterable[Any]:
    wanted = list(entry_ids)
    if not wanted:
        return ()
    return db.execute(
        "select * from entries where id in (select value from json_each(?))",
        (json.dumps(wanted),),
    )


def count(db: Connection) -> int:
    """Return how many entries are stored, from the sources' own counts."""
    return int(db.execute("select coalesce(sum(entries), 0) from sources").fetchone()[0])
