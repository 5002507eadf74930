"""Collapsed views: which entries stand behind each story that a view shows once.

The first of a story's entries that is in a view holds its place there, so that nothing that comes
later moves it or makes it new.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aggregator.models.query import Query
from aggregator.store.database.connection import Connection
from aggregator.store.queries import select


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An entry of a story within a view; `length` of its text in characters."""

    entry_id: int
    source_id: str
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CollapsedStory:
    """A story as a view shows it.

    Args:
        known: The entry under whose id it is known: the first that ever was in the view, which
            may have left it where a view looks back for so long and no longer.
        reports: What is collapsed into it, in order of arrival; the first holds its place.
    """

    known: int
    reports: tuple[Report, ...]


def shown(db: Connection, query: Query, entry_ids: Sequence[int]) -> dict[int, CollapsedStory]:
    """Return the stories among the entries that a view shows, by entry; most stand alone."""
    if not select.is_collapsed(query):
        return {}
    reports = _reports(db, query, entry_ids)
    ever = reports
    if query.since is not None or query.within is not None:
        ever = _reports(db, replace(query, since=None, within=None), entry_ids)
    return {
        entry_id: CollapsedStory(known=ever[entry_id][0].entry_id, reports=tuple(found))
        for entry_id, found in reports.items()
        if len(ever[entry_id]) > 1
    }


def _reports(db: Connection, query: Query, entry_ids: Iterable[int]) -> dict[int, list[Report]]:
    in_view = select.member_in_view(db, query)
    rows = db.execute(
        "select s.entry_id, m.entry_id, m.source_id, (select length(text) from entries where"
        " id = m.entry_id) from story_members s join story_members m on m.story_id = s.story_id"
        f" where s.entry_id in (select value from json_each(?)) and {in_view.sql}"
        " order by s.entry_id, m.entry_id",
        [json.dumps(list(entry_ids)), *in_view.values],
    )
    found: dict[int, list[Report]] = {}
    for row in rows:
        report = Report(entry_id=row[1], source_id=row[2], length=row[3])
        found.setdefault(row[0], []).append(report)
    return found


def places(db: Connection, query: Query, entry_ids: Iterable[int]) -> set[int]:
    """Return the entries that a view shows in the place of some of its entries, those alone too."""
    wanted = set(entry_ids)
    if not select.is_collapsed(query):
        return wanted
    reports = _reports(db, query, wanted)
    return (wanted - reports.keys()) | {found[0].entry_id for found in reports.values()}
