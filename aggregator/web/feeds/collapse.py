"""Collapses stories: chooses the entry that is shown, and the others that are named with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aggregator.models.config import Config
from aggregator.models.entry import StoredEntry
from aggregator.models.query import Lead, Query
from aggregator.store.database.connection import Connection
from aggregator.store.queries import collapse as stored_collapse
from aggregator.store.queries.collapse import CollapsedEntry, CollapsedStory


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapsed:
    """How a story is shown in a view, by ids of entries.

    Args:
        lead: The entry whose title and content are shown.
        identity: The entry whose id and date are shown, so that a later report does not make
            the story new.
        others: The entries named with it, in order of arrival.
    """

    lead: int
    identity: int
    others: tuple[int, ...]


def collapse(
    db: Connection, query: Query, entry_ids: Sequence[int], config: Config
) -> dict[int, Collapsed]:
    """Return how stories among a view's entries are shown, by entry; most entries have none."""
    stories = stored_collapse.get_stories(db, query, entry_ids)
    if not stories:
        return {}
    priorities = {source.id: source.priority for source in config.sources}
    return {
        entry_id: _collapsed(story, query.lead, priorities) for entry_id, story in stories.items()
    }


def _collapsed(story: CollapsedStory, rule: Lead, priorities: dict[str, int]) -> Collapsed:
    def rank(report: CollapsedEntry) -> int:
        match rule:
            case Lead.PRIORITY:
                return priorities.get(report.source_id, 0)
            case Lead.LONGEST:
                return report.length
            case Lead.FIRST:
                return 0

    lead = max(story.entries, key=rank)  # the first of equal ones
    return Collapsed(
        lead=lead.entry_id,
        identity=story.known,
        others=tuple(report.entry_id for report in story.entries if report != lead),
    )


def with_identity(lead: StoredEntry, identity: StoredEntry) -> StoredEntry:
    """Return a story's lead with the id and dates of another entry of the story.

    It counts as changed only when its own publisher changed it.
    """
    if lead.id == identity.id:
        return lead
    return replace(
        lead,
        uri=identity.uri,
        first_seen=identity.first_seen,
        sort_at=identity.sort_at,
        changed=lead.changed if lead.changed > lead.first_seen else identity.first_seen,
        entry=replace(
            lead.entry, published=identity.entry.published, updated=identity.entry.updated
        ),
    )
