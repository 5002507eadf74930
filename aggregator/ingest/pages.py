"""Which pages are fetched for the text of entries: the queue, as entries and settings fill it.

An entry is stored with its feed's text first, and queued in the same transaction.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from aggregator.ingest.document_changes import DocumentChanges
from aggregator.models.config import Content, Source
from aggregator.models.entry import StoredEntry
from aggregator.models.urls import host_of, origin_of
from aggregator.store.database.connection import Connection
from aggregator.store.entries import entries, page_queue
from aggregator.store.entries.page_queue import QueuedPage

MOST_WAITING = 500
"""Pages of one source that may wait; further entries keep the feed's text."""

LEAST_PAUSE = timedelta(hours=1)
"""Between two fetches of a page, for a feed that keeps changing its entry."""


def enqueue(db: Connection, source: Source | None, changes: DocumentChanges, now: datetime) -> None:
    """Queue the pages of a document's new entries, and again those of changed ones."""
    if source is None or source.content is not Content.FULL:
        return
    page_queue.requeue(db, changes.feed_lengths.items(), now, LEAST_PAUSE)
    room = MOST_WAITING - page_queue.count_due(db, source.id)
    newest = sorted(changes.new, reverse=True)[: max(room, 0)]
    found = entries.get_many(db, newest).values()
    page_queue.add(db, [_queued(stored, now) for stored in found if _is_wanted(stored)])


def _is_wanted(stored: StoredEntry) -> bool:
    return not stored.hidden and bool(origin_of(stored.entry.link))


def _queued(stored: StoredEntry, now: datetime) -> QueuedPage:
    return QueuedPage(
        entry_id=stored.id,
        source_id=stored.source_id,
        url=stored.entry.link,
        host=host_of(stored.entry.link),
        page=stored.entry.canonical_url,
        due=now,
        feed_length=len(stored.entry.text),
    )


def drop_unwanted(db: Connection, wanted: Iterable[Source]) -> None:
    """Fetch no more pages for sources that are not configured to have them."""
    full = [each.id for each in wanted if each.enabled and each.content is Content.FULL]
    page_queue.drop_due(db, full)
