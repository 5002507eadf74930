"""Collapsed stories: which report is shown of each, and which others are named beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aggregator.models.config import Config
from aggregator.models.entry import StoredEntry
from aggregator.models.query import Lead, Query
from aggregator.store.database.connection import Connection
from aggregator.store.queries import collapse
from aggregator.store.queries.collapse import CollapsedEntry, CollapsedStory


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is shown of a story in a view: ids of entries.

    Args:
        lead: Whose words are shown.
        known: Under whose id and date they are shown, so that no later report makes them new.
        others: Which are named beside it, in order of arrival.
    """

    lead: int
    known: int
    others: tuple[int, ...]


def choose(
    db: Connection, query: Query, entry_ids: Sequence[int], config: Config
) -> dict[int, Choice]:
    """Return what is shown of the stories among a view's entries, by entry; most stand alone."""
    found = collapse.get_stories(db, query, entry_ids)
    if not found:
        return {}
    priorities = {source.id: source.priority for source in config.sources}
    return {entry_id: _choice(story, query.lead, priorities) for entry_id, story in found.items()}


def _choice(story: CollapsedStory, wanted: Lead, priorities: dict[str, int]) -> Choice:
    def worth(report: CollapsedEntry) -> int:
        match wanted:
            case Lead.PRIORITY:
                return priorities.get(report.source_id, 0)
            case Lead.LONGEST:
                return report.length
            case Lead.FIRST:
                return 0

    lead = max(story.entries, key=worth)  # of equals the first
    return Choice(
        lead=lead.entry_id,
        known=story.known,
        others=tuple(one.entry_id for one in story.entries if one != lead),
    )


def as_known(lead: StoredEntry, known: StoredEntry) -> StoredEntry:
    """Return a story's lead under the id and dates of the entry it is known by.

    Only what the lead's own publisher changed is a change of it.
    """
    if lead.id == known.id:
        return lead
    return replace(
        lead,
        uri=known.uri,
        first_seen=known.first_seen,
        sort_at=known.sort_at,
        changed=lead.changed if lead.changed > lead.first_seen else known.first_seen,
        entry=replace(lead.entry, published=known.entry.published),
    )
