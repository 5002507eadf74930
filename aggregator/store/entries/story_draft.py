"""Stories that are rebuilt beside those that are shown, and take their place at the end."""

from dataclasses import dataclass
from datetime import datetime

from aggregator.store.database import metadata
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import parse_time

_PLACE = "stories rebuilt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a rebuild has come: with which rules, and its last entry."""

    rules: str
    after: int


def begin(db: Connection, rules: str) -> int:
    """Begin a rebuild, or go on with one by the same rules; return its last entry, 0 for none."""
    written, _, after = metadata.get(db, _PLACE).rpartition(" ")
    if written == rules:
        return int(after)
    _empty(db)
    save(db, Place(rules=rules, after=0))
    return 0


def save(db: Connection, place: Place) -> None:
    """Store how far the rebuild has come, in the transaction of its work."""
    metadata.put(db, _PLACE, f"{place.rules} {place.after}")


def next_entries(db: Connection, after: int, limit: int) -> list[tuple[int, datetime]]:
    """Return the next entries by id, with when they were first seen."""
    rows = db.execute(
        "select id, first_seen from entries where id > ? order by id limit ?", (after, limit)
    )
    return [(row[0], parse_time(row[1])) for row in rows]


def count(db: Connection, after: int) -> int:
    """Return how many entries are still to come."""
    row = db.execute("select count(*) from entries where id > ?", (after,)).fetchone()
    return int(row[0])


def publish(db: Connection) -> int:
    """Put the rebuilt stories in the place of those shown; return how many entries changed.

    A rebuilt story keeps the id, and so the address, of the story that it has most entries in
    common with, if the first entry of that story is in it.
    """
    _keep_ids(db)
    before = db.total_changes
    db.execute(
        "delete from story_members where entry_id not in (select entry_id from story_members_draft)"
    )
    db.execute(
        "insert into story_members(entry_id, story_id, source_id, at, reason, similarity, evidence)"
        " select entry_id, story_id, source_id, at, reason, similarity, evidence"
        " from story_members_draft where true on conflict(entry_id) do update set"
        " story_id = excluded.story_id, reason = excluded.reason,"
        " similarity = excluded.similarity, evidence = excluded.evidence"
        " where (story_id, reason, similarity, evidence)"
        " is not (excluded.story_id, excluded.reason, excluded.similarity, excluded.evidence)"
    )
    changed = db.total_changes - before
    db.execute("delete from story_keys")
    db.execute("insert into story_keys select * from story_keys_draft")
    _empty(db)
    metadata.put(db, _PLACE, "")
    return changed


def _keep_ids(db: Connection) -> None:
    rows = db.execute(
        "select rebuilt, shown from (select n.story_id as rebuilt, o.story_id as shown,"
        " row_number() over (partition by n.story_id order by count(*) desc, o.story_id) as place"
        " from story_members_draft n join story_members o on o.entry_id = n.entry_id"
        " join story_members_draft f on f.entry_id = o.story_id and f.story_id = n.story_id"
        " group by n.story_id, o.story_id) where place = 1 and rebuilt != shown"
    ).fetchall()
    for rebuilt, shown in rows:
        # Why the two are one story holds in either direction.
        db.execute(
            "update story_members_draft set (reason, similarity, evidence) = (select reason,"
            " similarity, evidence from story_members_draft where entry_id = ?)"
            " where entry_id = ?",
            (shown, rebuilt),
        )
        db.execute(
            "update story_members_draft set reason = '', similarity = 1.0, evidence = ''"
            " where entry_id = ?",
            (shown,),
        )
        db.execute(
            "update story_members_draft set story_id = ? where story_id = ?", (shown, rebuilt)
        )


def _empty(db: Connection) -> None:
    db.execute("delete from story_members_draft")
    db.execute("delete from story_keys_draft")
