"""Entries: written once, found by view; lists are read along an index and never counted."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aggregator.models.entry import (
    Author,
    Enclosure,
    Entry,
    Extension,
    Image,
    KnownEntry,
    Origin,
    RuleResult,
    SafeHtml,
    StoredEntry,
)
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import (
    format_time,
    format_time_or_none,
    parse_time,
    parse_time_or_none,
)

VERSIONS_KEPT = 20
UNRULED = RuleResult()

_INSERT = (
    "insert into entries(source_id, guid, uri, url, canonical_url, title, summary, content,"
    " text, published, updated, first_seen, changed, sort_at, hidden, language, audio, video,"
    " picture, authors, categories, enclosures, image, origin, via, comments, extensions,"
    f" fingerprint, sections, tags, ruled, priority, known_by) values ({', '.join('?' * 33)})"
)

# Made once: `json.dumps` with arguments makes an encoder for each call.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_NOUNS = ("section", "view", "category", "author")
"""What lists of entries are by, each in a table of its own."""

_Placed = tuple[int, str, Entry, RuleResult]
"""An entry's id, place in time and rulings: what puts it into the lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """An earlier wording of an entry, in force until a moment."""

    until: datetime
    title: str
    text: str
    content: SafeHtml


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry that is to be stored.

    Args:
        uri: What our feeds name it by.
        hidden: Why it is in no view, None when it is.
        known_by: What it will be recognised by, in words.
    """

    entry: Entry
    uri: str
    sort_at: datetime
    hidden: str | None = None
    ruling: RuleResult = UNRULED
    known_by: str = ""


def insert(
    db: Connection,
    source_id: str,
    fresh: Sequence[NewEntry],
    *,
    first_seen: datetime,
    sections: Sequence[str],
) -> list[int]:
    """Store new entries of a source and return their ids.

    Args:
        sections: Those of the source, where an entry stands when the rules name no others.
    """
    seen = format_time(first_seen)
    ids: list[int] = []
    placed: list[_Placed] = []
    for one in fresh:
        entry, sort_at = one.entry, format_time(one.sort_at)
        cursor = db.execute(
            _INSERT,
            (
                source_id, entry.guid, one.uri, entry.link, entry.canonical_url, entry.title,
                entry.summary, entry.content, entry.text, format_time_or_none(entry.published),
                format_time_or_none(entry.updated), seen, seen, sort_at, one.hidden, entry.language,
                *_kinds(entry), *_lists(entry), entry.fingerprint, *_ruled(one.ruling),
                one.known_by,
            ),
        )  # fmt: skip
        entry_id = cursor.lastrowid
        if entry_id is None:  # SQLite always gives one after an insert
            raise RuntimeError("no row id after an insert")
        ids.append(entry_id)
        if one.hidden is None:
            placed.append((entry_id, sort_at, entry, one.ruling))
    _place(db, placed, sections)
    return ids


def revise(
    db: Connection,
    entry_id: int,
    entry: Entry,
    *,
    changed: datetime | None,
    sections: Sequence[str],
    ruling: RuleResult = UNRULED,
    matched: str = "",
) -> None:
    """Overwrite an entry; with `changed`, as a real change that keeps the earlier wording.

    `matched` is what it was recognised by. Its place in the lists stays: a correction is no news.
    """
    if changed is not None:
        db.execute(
            "insert or ignore into versions(entry_id, until, title, text, content)"
            " select id, ?, title, text, content from entries where id = ?",
            (format_time(changed), entry_id),
        )
        db.execute(
            "delete from versions where entry_id = ?1 and until not in (select until from versions"
            f" where entry_id = ?1 order by until desc limit {VERSIONS_KEPT})",
            (entry_id,),
        )
    row = db.execute("select sort_at, hidden from entries where id = ?", (entry_id,)).fetchone()
    hidden = _hidden(row["hidden"] or "", ruling)
    db.execute(
        "update entries set url = ?, canonical_url = ?, summary = ?, content = ?,"
        " published = coalesce(?, published), updated = ?, language = ?, audio = ?,"
        " video = ?, picture = ?, authors = ?, categories = ?, enclosures = ?, image = ?,"
        " origin = ?, via = ?, comments = ?, extensions = ?, fingerprint = ?, sections = ?,"
        " tags = ?, ruled = ?, priority = ?, hidden = ?, matched = ?, last_seen = null,"
        " changed = coalesce(?, changed) where id = ?",
        (
            entry.link, entry.canonical_url, entry.summary, entry.content,
            format_time_or_none(entry.published), format_time_or_none(entry.updated),
            entry.language, *_kinds(entry), *_lists(entry), entry.fingerprint, *_ruled(ruling),
            hidden or None, matched, format_time_or_none(changed), entry_id,
        ),
    )  # fmt: skip
    # Apart, so that the search index is only rewritten when its words change.
    db.execute(
        "update entries set title = ?1, text = ?2 where id = ?3 and (title != ?1 or text != ?2)",
        (entry.title, entry.text, entry_id),
    )
    _displace(db, [entry_id])
    if not hidden:
        _place(db, [(entry_id, row["sort_at"], entry, ruling)], sections)


def rule(
    db: Connection, held: StoredEntry, ruling: RuleResult, sections: Sequence[str], now: datetime
) -> None:
    """Let other rules hold for an entry; what they take back is withdrawn."""
    hidden = _hidden(held.hidden, ruling)
    withdrawn = (held.withdrawn or now) if hidden and not held.hidden else held.withdrawn
    db.execute(
        "update entries set hidden = ?, withdrawn = ?, sections = ?, tags = ?, ruled = ?,"
        " priority = ? where id = ?",
        (
            hidden or None,
            format_time_or_none(withdrawn) if hidden else None,
            *_ruled(ruling),
            held.id,
        ),
    )
    _displace(db, [held.id])
    if not hidden:
        _place(db, [(held.id, format_time(held.sort_at), held.entry, ruling)], sections)


def _hidden(before: str, ruling: RuleResult) -> str:
    """Return why an entry is in no view: a ruling takes the place of one, and of nothing else."""
    return before if before and not before.startswith("dropped") else ruling.dropped


def of_source(db: Connection, source_id: str, *, after: int, limit: int) -> list[StoredEntry]:
    """Return a source's entries with a higher id, as its publisher wrote them."""
    rows = db.execute(
        "select * from entries where source_id = ? and id > ? order by id limit ?",
        (source_id, after, limit),
    )
    return [stored(row, tagged=False) for row in rows]


def _kinds(entry: Entry) -> tuple[bool, bool, bool]:
    kinds = {enclosure.type.partition("/")[0] for enclosure in entry.enclosures}
    return "audio" in kinds, "video" in kinds, entry.image is not None


def _lists(entry: Entry) -> tuple[str, ...]:
    return (
        _json([_fields(author) for author in entry.authors]),
        _json(list(entry.categories)),
        _json([_fields(enclosure) for enclosure in entry.enclosures]),
        _json(_fields(entry.image)) if entry.image else "",
        _json(_fields(entry.origin)) if entry.origin else "",
        entry.via,
        entry.comments,
        _json([[x.name, x.text, x.attributes] for x in entry.extensions]),
    )


def _ruled(ruling: RuleResult) -> tuple[str | None, str, str, bool]:
    return (
        None if ruling.sections is None else json.dumps(ruling.sections),
        _json(ruling.categories),
        _json(ruling.reasons),
        ruling.priority,
    )


def _fields(value: Author | Enclosure | Image | Origin) -> dict[str, object]:
    # Not asdict, which copies deeply: it cost as much as the insert itself.
    return {name: getattr(value, name) for name in value.__slots__}


def _json(value: object) -> str:
    return _encode(value) if value else ""


def _place(db: Connection, placed: Iterable[_Placed], sections: Sequence[str]) -> None:
    rows: dict[str, list[tuple[str, str, int]]] = {noun: [] for noun in _NOUNS}
    for entry_id, sort_at, entry, ruling in placed:
        categories = (*entry.categories, *ruling.categories)
        for noun, values in (
            ("section", sections if ruling.sections is None else ruling.sections),
            ("view", ruling.views),
            ("category", [text.casefold() for text in categories]),
            ("author", [a.name.casefold() for a in entry.authors if a.name]),
        ):
            rows[noun] += [(value, sort_at, entry_id) for value in values]
    for noun, found in rows.items():
        if found:
            db.executemany(
                f"insert or ignore into entry_{noun}({noun}, sort_at, entry_id) values (?, ?, ?)",
                found,
            )


def _displace(db: Connection, entry_ids: Iterable[int]) -> None:
    keys = [(entry_id,) for entry_id in entry_ids]
    for noun in _NOUNS:
        db.executemany(f"delete from entry_{noun} where entry_id = ?", keys)


def index_new(db: Connection, after_id: int) -> int:
    """Put the entries with a higher id into the search index; return the highest id there is.

    Once for a transaction if possible, a third cheaper than entry by entry. But what is not in
    the index yet must not be revised: the update would take out of it what it does not have.
    """
    db.execute(
        "insert into entries_fts(rowid, title, text)"
        " select id, title, text from entries where id > ?",
        (after_id,),
    )
    return last_id(db)


def last_id(db: Connection) -> int:
    """Return the highest id in use, 0 in an empty table."""
    return int(db.execute("select coalesce(max(id), 0) from entries").fetchone()[0])


def hide(
    db: Connection, entry_ids: Sequence[int], reason: str, *, withdrawn: datetime | None
) -> None:
    """Take entries out of every view; `withdrawn` when the publisher or a rule took them back."""
    db.executemany(
        "update entries set hidden = ?, withdrawn = ? where id = ?",
        [(reason, format_time_or_none(withdrawn), entry_id) for entry_id in entry_ids],
    )
    _displace(db, entry_ids)


def left_document(db: Connection, entry_ids: Iterable[int], now: datetime) -> None:
    """Note that entries no longer stand in their source's document; retention counts from here."""
    db.executemany(
        "update entries set last_seen = ? where id = ?",
        [(format_time(now), entry_id) for entry_id in entry_ids],
    )


def back_in_document(db: Connection, entry_ids: Iterable[int]) -> None:
    """Note that entries stand in their source's document again."""
    db.executemany(
        "update entries set last_seen = null where id = ? and last_seen is not null",
        [(entry_id,) for entry_id in entry_ids],
    )


def expire(db: Connection, before: datetime, limit: int = 5_000) -> int:
    """Delete entries last seen before a moment, and return how many; their aliases stay."""
    ids = [
        row[0]
        for row in db.execute(
            "select id from entries where last_seen is not null and last_seen < ? limit ?",
            (format_time(before), limit),
        )
    ]
    _displace(db, ids)
    db.execute(
        "update sources set entries = max(0, entries - gone.n) from (select source_id, count(*) as"
        " n from entries where id in (select value from json_each(?)) group by source_id) as gone"
        " where sources.id = gone.source_id",
        (json.dumps(ids),),
    )
    db.executemany("delete from entries where id = ?", [(entry_id,) for entry_id in ids])
    return len(ids)


def known(db: Connection, entry_ids: Iterable[int]) -> dict[int, KnownEntry]:
    """Return what identity must know of the entries that still exist."""
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


def moments(db: Connection, source_id: str, limit: int = 21) -> list[datetime]:
    """Return when a source's latest entries were published, or seen where it doesn't say."""
    rows = db.execute(
        "select coalesce(published, first_seen) from entries where source_id = ?"
        " order by sort_at desc, id desc limit ?",
        (source_id, limit),
    )
    return [parse_time(row[0]) for row in rows]


def any_of(db: Connection, source_id: str) -> bool:
    """Return whether a source has entries."""
    row = db.execute("select 1 from entries where source_id = ? limit 1", (source_id,)).fetchone()
    return row is not None


def held(db: Connection, source_id: str) -> str:
    """Return why entries of a source are in quarantine, "" when none are."""
    row = db.execute(
        "select hidden from entries where source_id = ? and hidden like 'quarantine%'"
        " order by sort_at desc, id desc limit 1",
        (source_id,),
    ).fetchone()
    return str(row[0]).partition(": ")[2] if row else ""


def release(
    db: Connection, source_id: str, sections: Sequence[str], evaluate: Callable[[Entry], RuleResult]
) -> int:
    """Show a source's quarantined entries as the rules have it; return how many there were."""
    rows = db.execute(
        "select * from entries where source_id = ? and hidden like 'quarantine%'", (source_id,)
    ).fetchall()
    for row in rows:
        held = replace(stored(row, tagged=False), hidden="")
        rule(db, held, evaluate(held.entry), sections, held.first_seen)
    return len(rows)


def get(db: Connection, entry_id: int) -> StoredEntry | None:
    """Return one entry, hidden ones too; None when the id is unknown or has expired."""
    row = db.execute("select * from entries where id = ?", (entry_id,)).fetchone()
    return stored(row) if row else None


def find(db: Connection, what: str) -> StoredEntry | None:
    """Return the entry with an id, uri, guid or link; the latest where several have it."""
    by_id = int(what) if what.isdecimal() and len(what) < 19 else -1
    row = db.execute(
        "select * from entries where id = ?1 or uri = ?2 or guid = ?2 or url = ?2"
        " order by id desc limit 1",
        (by_id, what),
    ).fetchone()
    return stored(row) if row else None


def get_many(db: Connection, entry_ids: Iterable[int]) -> dict[int, StoredEntry]:
    """Return entries by id; unknown ids are left out."""
    return {row["id"]: stored(row) for row in _rows(db, entry_ids)}


def as_written(db: Connection, entry_ids: Iterable[int]) -> dict[int, Entry]:
    """Return entries by id as their publishers wrote them; unknown ids are left out."""
    return {row["id"]: stored(row, tagged=False).entry for row in _rows(db, entry_ids)}


def _rows(db: Connection, entry_ids: Iterable[int]) -> Iterable[Any]:
    wanted = list(entry_ids)
    if not wanted:
        return ()
    return db.execute(
        "select * from entries where id in (select value from json_each(?))",
        (json.dumps(wanted),),
    )


def versions(db: Connection, entry_id: int) -> list[Version]:
    """Return an entry's earlier wordings, oldest first."""
    rows = db.execute(
        "select until, title, text, content from versions where entry_id = ? order by until",
        (entry_id,),
    )
    return [
        Version(until=parse_time(row[0]), title=row[1], text=row[2], content=SafeHtml(row[3]))
        for row in rows
    ]


def count(db: Connection) -> int:
    """Return how many entries are stored, from the sources' own counts."""
    return int(db.execute("select coalesce(sum(entries), 0) from sources").fetchone()[0])


def top_categories(db: Connection, since: datetime, limit: int = 30) -> list[tuple[str, int]]:
    """Return the categories that most entries since a moment carry, as the newest spells them."""
    rows = db.execute(
        "select t.category, t.n, e.categories from (select category, count(*) as n,"
        " max(entry_id) as id from entry_category where sort_at >= ? group by category"
        " order by n desc, category limit ?) t join entries e on e.id = t.id",
        (format_time(since), limit),
    )
    return [
        (next((name for name in _loads(row[2]) if name.casefold() == row[0]), row[0]), row[1])
        for row in rows
    ]


def stored(row: Any, *, tagged: bool = True) -> StoredEntry:
    """Return the entry that a whole row of the table holds.

    Args:
        tagged: Whether its categories are with those that rules gave it.
    """
    tags = tuple(_loads(row["tags"]))
    image = json.loads(row["image"]) if row["image"] else None
    origin = json.loads(row["origin"]) if row["origin"] else None
    entry = Entry(
        guid=row["guid"],
        link=row["url"],
        canonical_url=row["canonical_url"],
        title=row["title"],
        summary=row["summary"],
        content=SafeHtml(row["content"]),
        text=row["text"],
        published=parse_time_or_none(row["published"]),
        updated=parse_time_or_none(row["updated"]),
        authors=tuple(Author(**fields) for fields in _loads(row["authors"])),
        categories=(*_loads(row["categories"]), *(tags if tagged else ())),
        enclosures=tuple(Enclosure(**fields) for fields in _loads(row["enclosures"])),
        image=Image(**image) if image else None,
        origin=Origin(**origin) if origin else None,
        via=row["via"],
        comments=row["comments"],
        extensions=tuple(
            Extension(name=name, text=text, attributes=tuple((k, v) for k, v in attributes))
            for name, text, attributes in _loads(row["extensions"])
        ),
        language=row["language"],
        fingerprint=row["fingerprint"],
    )
    return StoredEntry(
        id=row["id"],
        source_id=row["source_id"],
        uri=row["uri"],
        first_seen=parse_time(row["first_seen"]),
        changed=parse_time(row["changed"]),
        sort_at=parse_time(row["sort_at"]),
        withdrawn=parse_time_or_none(row["withdrawn"]),
        hidden=row["hidden"] or "",
        entry=entry,
        ruling=RuleResult(
            sections=None if row["sections"] is None else tuple(json.loads(row["sections"])),
            categories=tags,
            priority=bool(row["priority"]),
            reasons=tuple(_loads(row["ruled"])),
        ),
        known_by=row["known_by"],
        matched=row["matched"],
    )


def _loads(text: str) -> list[Any]:
    return list(json.loads(text)) if text else []
