"""Lists of entries: the tables by section, view, category and author, each in order of time."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from aggregator.models.entry import Entry, RuleResult
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time

LISTS = ("section", "view", "category", "author")
"""The nouns that have a table `entry_<noun>`."""


class Listing(NamedTuple):
    """An entry that goes into lists, at `sort_at` as the database has it."""

    entry_id: int
    sort_at: str
    entry: Entry
    ruling: RuleResult


def add(db: Connection, listings: Iterable[Listing], sections: Sequence[str]) -> None:
    """Put entries of one source into the lists.

    Args:
        sections: The sections of the source, for entries that no rule moved.
    """
    rows: dict[str, list[tuple[str, str, int]]] = {noun: [] for noun in LISTS}
    in_section, in_view, of_category, by_author = rows.values()
    for entry_id, sort_at, entry, ruling in listings:
        for section in sections if ruling.sections is None else ruling.sections:
            in_section.append((section, sort_at, entry_id))
        for view in ruling.views:
            in_view.append((view, sort_at, entry_id))
        for text in (*entry.categories, *ruling.categories):
            of_category.append((text.casefold(), sort_at, entry_id))
        for author in entry.authors:
            if author.name:
                by_author.append((author.name.casefold(), sort_at, entry_id))
    for noun, listed in rows.items():
        if listed:
            db.executemany(
                f"insert or ignore into entry_{noun}({noun}, sort_at, entry_id) values (?, ?, ?)",
                listed,
            )


def remove(db: Connection, entry_ids: Iterable[int]) -> None:
    """Take entries out of all lists."""
    keys = [(entry_id,) for entry_id in entry_ids]
    for noun in LISTS:
        db.executemany(f"delete from entry_{noun} where entry_id = ?", keys)


def move_source(
    db: Connection, source_id: str, *, left: Iterable[str], joined: Iterable[str]
) -> None:
    """List a source's entries in other sections, except the entries that rules moved."""
    for section in left:
        db.execute(
            "delete from entry_section where section = ? and entry_id in"
            " (select id from entries where source_id = ? and sections is null)",
            (section, source_id),
        )
    for section in joined:
        db.execute(
            "insert or ignore into entry_section(section, sort_at, entry_id)"
            " select ?, sort_at, id from entries where source_id = ? and hidden is null"
            " and sections is null",
            (section, source_id),
        )


def top_categories(db: Connection, since: datetime, limit: int = 30) -> list[tuple[str, int]]:
    """Return the commonest categories of entries since a time, in their usual spelling."""
    rows = db.execute(
        "select category, count(*) as n from entry_category where sort_at >= ?"
        " group by category order by n desc, category limit ?",
        (format_time(since), limit),
    ).fetchall()
    return [(_usual_spelling(db, folded), n) for folded, n in rows]


SPELLINGS = 50
"""Newest entries of a category whose spellings are counted."""


def _usual_spelling(db: Connection, folded: str) -> str:
    """Return a category as most of its newest entries spell it, at a tie the newest."""
    rows = db.execute(
        "select e.categories from entry_category c join entries e on e.id = c.entry_id"
        " where c.category = ? order by c.sort_at desc, c.entry_id desc limit ?",
        (folded, SPELLINGS),
    )
    counts = Counter(
        name for row in rows for name in json.loads(row[0] or "[]") if name.casefold() == folded
    )
    return max(counts, key=lambda name: counts[name], default=folded)
