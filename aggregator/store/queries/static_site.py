"""The content of a site of files: entries in their lists, and digests of all that pages show."""

import json
from collections.abc import Collection

import xxhash

from aggregator.store.database.connection import Connection

UNSHOWN = frozenset({"last_seen"})
"""Columns of entries that change with polls and that no page shows."""

Shown = tuple[str, str, int]
"""Source of an entry, digest of all that pages show of it, and its story, 0 for none."""


def index_parts(db: Connection, size: int) -> list[int]:
    """Return the numbers of the parts with an entry, the newest first; a part spans `size` ids."""
    rows = db.execute(
        "select distinct id / ? from entries where hidden is null order by 1 desc", (size,)
    )
    return [row[0] for row in rows]


def index_part(db: Connection, part: int, size: int) -> list[int]:
    """Return the ids of a part that pages show, the newest first."""
    rows = db.execute(
        "select id from entries where id >= ? and id < ? and hidden is null order by id desc",
        (part * size, (part + 1) * size),
    )
    return [row[0] for row in rows]


def count_named(db: Connection, noun: str, name: str, most: int) -> int:
    """Return how many entries a category or an author has, counted up to `most`."""
    (count,) = db.execute(
        f"select count(*) from (select 1 from entry_{noun} x join entries e on e.id = x.entry_id"
        f" where x.{noun} = ? and e.hidden is null limit ?)",
        (name.casefold(), most),
    ).fetchone()
    return int(count)


def newest_first(db: Connection) -> list[int]:
    """Return the ids of all entries that pages show."""
    rows = db.execute("select id from entries where hidden is null order by sort_at desc, id desc")
    return [row[0] for row in rows]


def lists(db: Connection, noun: str) -> dict[str, list[int]]:
    """Return the entries of each section, category or author, the newest first.

    Categories and authors are case-folded.
    """
    found: dict[str, list[int]] = {}
    rows = db.execute(
        f"select x.{noun}, x.entry_id from entry_{noun} x join entries e on e.id = x.entry_id"
        f" where e.hidden is null order by x.{noun}, x.sort_at desc, x.entry_id desc"
    )
    for name, entry_id in rows:
        found.setdefault(name, []).append(entry_id)
    return found


def sources(db: Connection) -> dict[str, str]:
    """Return a digest of each source as pages show it, apart from its entries."""
    rows = db.execute(
        "select s.id, s.title, s.url, s.feed_title, s.link, s.feed, s.icon, s.configured,"
        " (select group_concat(section) from source_sections where source_id = s.id)"
        " from sources s"
    )
    return {row[0]: digest(tuple(row)) for row in rows}


def last_changes(db: Connection) -> dict[str, str]:
    """Return when the entries of each source last changed, as its page shows."""
    return {row[0]: row[1] or "" for row in db.execute("select id, last_change_at from sources")}


def shown(db: Connection, ids: Collection[int]) -> dict[int, Shown]:
    """Return the digests of entries by id."""
    columns = [row[1] for row in db.execute("pragma table_info(entries)") if row[1] not in UNSHOWN]
    rows = db.execute(
        f"select e.id, e.source_id, m.story_id, m.reason, m.similarity, m.evidence,"
        f" {', '.join(f'e.{column}' for column in columns)}"
        " from entries e left join story_members m on m.entry_id = e.id"
        " where e.id in (select value from json_each(?))",
        (json.dumps(list(ids)),),
    )
    return {row[0]: (row[1], digest(tuple(row)), row[2] or 0) for row in rows}


def story_ids(db: Connection) -> dict[int, int]:
    """Return the story of each entry that has one."""
    return dict(db.execute("select entry_id, story_id from story_members").fetchall())


def of_stories(db: Connection, story_ids: Collection[int]) -> set[int]:
    """Return the entries of stories."""
    rows = db.execute(
        "select entry_id from story_members where story_id in (select value from json_each(?))",
        (json.dumps(sorted(story_ids)),),
    )
    return {row[0] for row in rows}


def digest(values: object) -> str:
    """Return a digest of values, by their `repr`."""
    return xxhash.xxh3_64_hexdigest(repr(values).encode("utf-8", "surrogatepass"))
