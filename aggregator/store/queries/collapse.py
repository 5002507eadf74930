"""Collapsed views: a view shows a story once, in the place of its first entry in the view.

So no later entry of the story moves it or makes it new.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aggregator.models.query import Query
from aggregator.store.database.connection import Connection
from aggregator.store.queries import select


@dataclass(frozen=True, slots=True, kw_only=True)
class CollapsedEntry:
    """An entry of a story within a view; `length` is its text's in characters."""

    entry_id: int
    source_id: str
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CollapsedStory:
    """A story as a view shows it.

    Args:
        known: The entry that gives the story its id: the first that was ever in the view. A view
            with a time limit may no longer show it.
        entries: The collapsed entries, in order of arrival; the first one's place is shown.
    """

    known: int
    entries: tuple[CollapsedEntry, ...]


def get_stories(
    db: Connection, query: Query, entry_ids: Sequence[int]
) -> dict[int, CollapsedStory]:
    """Return the stories that a view shows in the places of entries; most entries have none."""
    if not select.is_collapsed(query):
        return {}
    collapsed = _collapsed(db, query, entry_ids)
    ever = collapsed
    if query.since is not None:
        ever = _collapsed(db, replace(query, since=None), entry_ids)
    return {
        entry_id: CollapsedStory(known=ever[entry_id][0].entry_id, entries=tuple(found))
        for entry_id, found in collapsed.items()
        if len(ever[entry_id]) > 1
    }


def _collapsed(
    db: Connection, query: Query, entry_ids: Iterable[int]
) -> dict[int, list[CollapsedEntry]]:
    in_view = select.member_in_view(db, query)
    rows = db.execute(
        "select s.entry_id, m.entry_id, m.source_id, (select length(text) from entries where"
        " id = m.entry_id) from story_members s join story_members m on m.story_id = s.story_id"
        f" where s.entry_id in (select value from json_each(?)) and {in_view.sql}"
        " order by s.entry_id, m.entry_id",
        [json.dumps(list(entry_ids)), *in_view.values],
    )
    by_entry: dict[int, list[CollapsedEntry]] = {}
    for row in rows:
        entry = CollapsedEntry(entry_id=row[1], source_id=row[2], length=row[3])
        by_entry.setdefault(row[0], []).append(entry)
    return by_entry


def places(db: Connection, query: Query, entry_ids: Iterable[int]) -> set[int]:
    """Return the entries in whose places a view shows some of its entries."""
    wanted = set(entry_ids)
    if not select.is_collapsed(query):
        return wanted
    collapsed = _collapsed(db, query, wanted)
    return (wanted - collapsed.keys()) | {story[0].entry_id for story in collapsed.values()}
