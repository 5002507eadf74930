"""Stories: the entries of different sources that report one event, and the keys to find them."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from aggregator.models import evidence
from aggregator.models.evidence import Evidence
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time

COVERED_DEPTH = 2_000
"""Latest stories among which the most covered are chosen."""

SLOTS = 8
"""Entries found by one key: mostly the latest."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Where stories are: members, and the keys to find them."""

    members: str
    keys: str


LIVE = Tables("story_members", "story_keys")
DRAFT = Tables("story_members_draft", "story_keys_draft")
"""Stories as they are shown, and as they are being rebuilt."""


class ComparedEntry(NamedTuple):
    """The compared fields of an entry, as in `StoredEntry` and `Entry`.

    Args:
        feed: URL of the feed that it was copied from, else of its source.
    """

    id: int
    source_id: str
    uri: str
    guid: str
    canonical_url: str
    title: str
    summary: str
    via: str
    sort_at: datetime
    hidden: str
    feed: str


class Member(NamedTuple):
    """An entry of a story, with its similarity to the first entry, 0 to 1.

    Args:
        at: Its place in lists.
        reason: Why it belongs to the story, "" for the first.
        evidence: What it and the first agree in.
    """

    story: int
    entry_id: int
    source_id: str
    at: datetime
    reason: str = ""
    similarity: float = 1.0
    evidence: Evidence | None = None


_FEED = "coalesce(nullif(json_extract(nullif(origin, ''), '$.url'), ''), s.url)"


def compared(db: Connection, entry_ids: Iterable[int]) -> dict[int, ComparedEntry]:
    """Return the compared fields of entries by id, in the order of ids."""
    rows = db.execute(
        "select e.id, source_id, uri, guid, canonical_url, e.title, summary, via, sort_at,"
        f" coalesce(hidden, ''), {_FEED} from entries e join sources s on s.id = source_id"
        " where e.id in (select value from json_each(?)) order by e.id",
        (json.dumps(sorted(entry_ids)),),
    )
    entries: dict[int, ComparedEntry] = {}
    for row in rows:
        values = (*row[:8], parse_time(row[8]), *row[9:])
        entries[row[0]] = ComparedEntry._make(values)
    return entries


def origins(db: Connection, entry_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return the source of each entry, and the feed as in `ComparedEntry`."""
    rows = db.execute(
        f"select e.id, source_id, {_FEED} from entries e join sources s on s.id = source_id"
        " where e.id in (select value from json_each(?))",
        (json.dumps(list(entry_ids)),),
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def sources_of(
    db: Connection, stories: Collection[int], among: Collection[str], tables: Tables = LIVE
) -> dict[int, set[str]]:
    """Return the sources of each story, as far as they are `among` some."""
    rows = db.execute(
        f"select story_id, source_id from {tables.members}"
        " where story_id in (select value from json_each(?))"
        " and source_id in (select value from json_each(?))",
        (json.dumps(list(stories)), json.dumps(list(among))),
    )
    sources: dict[int, set[str]] = {story: set() for story in stories}
    for story, source_id in rows:
        sources[story].add(source_id)
    return sources


def by_key(db: Connection, keys: Iterable[int], tables: Tables = LIVE) -> dict[int, list[int]]:
    """Return the entries of each key, at most `SLOTS` each."""
    entry_ids: dict[int, list[int]] = {}
    rows = db.execute(
        f"select key, entry_id from {tables.keys} where key in (select value from json_each(?))",
        (json.dumps(sorted(keys)),),
    )
    for key, entry_id in rows:
        entry_ids.setdefault(key, []).append(entry_id)
    return entry_ids


def add_keys(db: Connection, keys: Iterable[tuple[int, int, int]], tables: Tables = LIVE) -> None:
    """Store keys: `(key, entry id, last day)`, the day as an ordinal."""
    db.executemany(
        f"insert or replace into {tables.keys}(key, slot, entry_id, until) values (?, ?, ?, ?)",
        sorted((key, entry_id % SLOTS, entry_id, until) for key, entry_id, until in keys),
    )


def add_members(db: Connection, members: Iterable[Member], tables: Tables = LIVE) -> None:
    """Add entries to stories; an entry that is in a story stays there."""
    db.executemany(
        f"insert or ignore into {tables.members}(entry_id, story_id, source_id, at, reason,"
        " similarity, evidence) values (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                member.entry_id,
                member.story,
                member.source_id,
                format_time(member.at),
                member.reason,
                member.similarity,
                evidence.to_json(member.evidence),
            )
            for member in members
        ],
    )


def of_entries(db: Connection, entry_ids: Iterable[int], tables: Tables = LIVE) -> dict[int, int]:
    """Return the story of each entry that has one."""
    rows = db.execute(
        f"select entry_id, story_id from {tables.members}"
        " where entry_id in (select value from json_each(?))",
        (json.dumps(list(entry_ids)),),
    )
    return {row[0]: row[1] for row in rows}


def members(
    db: Connection, stories: Collection[int], tables: Tables = LIVE, *, shown: bool = False
) -> list[Member]:
    """Return the members of stories, in order of arrival.

    Args:
        shown: Leave out entries that no view shows.
    """
    where = " and exists (select 1 from entries e where e.id = entry_id and e.hidden is null)"
    rows = db.execute(
        "select story_id, entry_id, source_id, at, reason, similarity, evidence"
        f" from {tables.members}"
        f" where story_id in (select value from json_each(?)){where if shown else ''}"
        " order by story_id, entry_id",
        (json.dumps(sorted(stories)),),
    )
    return [
        Member(
            story=row[0],
            entry_id=row[1],
            source_id=row[2],
            at=parse_time(row[3]),
            reason=row[4],
            similarity=row[5],
            evidence=evidence.from_json(row[6]),
        )
        for row in rows
    ]


def of_entry(db: Connection, entry_id: int) -> list[Member]:
    """Return the members of an entry's story, with the entry; none if it has no story."""
    story = of_entries(db, [entry_id]).get(entry_id)
    return members(db, [story]) if story is not None else []


def latest(
    db: Connection, *, limit: int, before: tuple[datetime, int] | None = None
) -> list[tuple[int, datetime]]:
    """Return stories with the times of their first entries, newest first, from a place on."""
    at, story = (format_time(before[0]), before[1]) if before else ("~", 0)
    rows = db.execute(
        "select story_id, at from story_members where entry_id = story_id"
        " and (at, story_id) < (?, ?) order by at desc, story_id desc limit ?",
        (at, story, limit),
    )
    return [(row[0], parse_time(row[1])) for row in rows]


def most_covered(db: Connection, span: timedelta, limit: int, least: int) -> list[int]:
    """Return the stories of the last `span` that most sources report, as far as that is news.

    Each source counts the less the older its report is: half after a day, a third after two.

    Args:
        span: Counted from the newest story, not from the clock: one database gives one page.
        least: Sources that a story needs.
    """
    newest = latest(db, limit=1)
    if not newest:
        return []
    now = newest[0][1]
    # Counted along an index, with hidden entries; the shown ones are only counted of the best.
    rows = db.execute(
        "select story_id from (select story_id, (select sum(1 / (1 + max(0, julianday(:now)"
        " - julianday(m.at)))) from story_members m where m.story_id = b.story_id) as weight,"
        " (select count(*) from story_members m where m.story_id = b.story_id) as n"
        " from (select story_id from story_members where entry_id = story_id and at >= :since"
        " order by at desc, story_id desc limit :depth) b)"
        " where n >= :least order by weight desc, story_id desc limit :most",
        {
            "now": format_time(now),
            "since": format_time(now - span),
            "depth": COVERED_DEPTH,
            "least": least,
            "most": 4 * limit,
        },
    )
    shown: dict[int, list[Member]] = {}
    for member in members(db, [row[0] for row in rows], shown=True):
        shown.setdefault(member.story, []).append(member)
    weights = {
        story: coverage(reports, now)
        for story, reports in shown.items()
        if len({report.source_id for report in reports}) >= least
    }
    return sorted(weights, key=lambda story: (-weights[story], -story))[:limit]


def coverage(members: Iterable[Member], now: datetime) -> float:
    """Return how many sources report a story, each the less the older its first report is."""
    ages: dict[str, float] = {}
    for member in members:
        age = max(0.0, (now - member.at) / timedelta(days=1))
        ages[member.source_id] = max(age, ages.get(member.source_id, 0.0))
    return sum(1 / (1 + age) for age in ages.values())


def forget(db: Connection, day: int, tables: Tables = LIVE) -> int:
    """Delete the keys with a last day before a day; return how many."""
    return db.execute(f"delete from {tables.keys} where until < ?", (day,)).rowcount


def leave(db: Connection, entry_id: int) -> None:
    """Take an entry out of its story, and end a story of which one entry is left."""
    story = of_entries(db, [entry_id]).get(entry_id)
    if story is None:
        return
    db.execute("delete from story_members where entry_id = ?", (entry_id,))
    if (
        db.execute("select count(*) from story_members where story_id = ?", (story,)).fetchone()[0]
        < 2
    ):
        db.execute("delete from story_members where story_id = ?", (story,))
