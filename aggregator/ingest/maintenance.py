"""Maintenance: synchronise with the configuration, reapply rules, delete expired rows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from aggregator.ingest import mended, pages, retractions, story_corrections
from aggregator.models.config import FOREVER, Config
from aggregator.models.entry import REMOVED, StoredEntry
from aggregator.policy.filter_rules import Rulebook
from aggregator.store.database import change_log, metadata, site_id
from aggregator.store.database.connection import Connection, Store
from aggregator.store.database.times import format_time, parse_time_or_none
from aggregator.store.entries import entries, lists, search_index, stories
from aggregator.store.entries.retention import BATCH, Cutoffs, Expired, expire
from aggregator.store.queries import archives
from aggregator.store.sources import documents, icons, incidents, poll_log, robots, sources, sync
from aggregator.store.sources.sources import SourceState

NIGHTS = timedelta(days=3)
"""Time since the last run from which a run counts as one after an outage."""

INCIDENTS_KEPT = timedelta(days=366)
ICONS_KEPT = timedelta(days=60)
"""Time for which icons that no source shows are kept, counted from the next look-up."""

RULED_AT_ONCE = 500
"""Entries per transaction when rules are reapplied, so that polls wait no longer."""


INDEXED_BATCHES = 4
"""Batches of entries that one call adds to the search index."""


def synchronise(store: Store, config: Config, now: datetime) -> sync.SyncSummary:
    """Synchronise the database with a configuration; its sources in one transaction."""
    site_id.ensure(store, config.site.base_url)
    with store.transaction() as db:
        summary = sync.apply(db, config.sources, now=now, first_polls={})
        # The first poll of the new URL marks the entries that are in its document too.
        entries.mark_left(db, documents.delete(db, summary.moved), now)
        for change in summary.resectioned:
            lists.move_source(db, change.source_id, left=change.left, joined=change.joined)
            sections = (*change.left, *change.joined)
            change_log.bump(db, [change_log.section_scope(name) for name in sections], now)
        mended.poll_changed(db, config, now)
        pages.drop_unwanted(db, config.sources)
        corrected = story_corrections.apply(db, config.stories)
        if summary != sync.SyncSummary() or corrected:
            change_log.bump_all(db)
    return summary


def reapply_rules(
    store: Store, config: Config, now: datetime, stopping: Callable[[], bool] = lambda: False
) -> int:
    """Apply the rules of a configuration to stored entries; return the number of entries.

    Only sources with changed rules are processed. After a stop, the next call starts again with the
    source that was interrupted.
    """
    rulebook = Rulebook.of(config)
    with store.reading() as db:
        before = sources.rule_digests(db)
    count = 0
    for source in config.sources:
        digest = rulebook.stamp(source.id, source.sections)
        if before.get(source.id, digest) == digest:
            continue
        after: int | None = 0
        while after is not None and not stopping():
            with store.transaction() as db:
                batch = entries.of_source(db, source.id, after=after, limit=RULED_AT_ONCE)
                for stored in batch:
                    retractions.apply_rules(db, stored, rulebook, source.sections, now)
                count += len(batch)
                after = batch[-1].id if len(batch) == RULED_AT_ONCE else None
                if after is None:
                    sources.save_rule_digest(db, source.id, digest)
                if batch:
                    change_log.bump_all(db)
    return count


def index_older(store: Store, stopping: Callable[[], bool] = lambda: False) -> int:
    """Add some entries of an earlier version to the search index; return how many, 0 at the end."""
    with store.reading() as db:
        if search_index.is_complete(db):
            return 0
    count = 0
    for _ in range(INDEXED_BATCHES):
        with store.transaction() as db:
            added = search_index.add_older(db)
        count += added
        if not added or stopping():
            break
    return count


def run_maintenance(
    store: Store, config: Config, now: datetime, stopping: Callable[[], bool]
) -> None:
    """Delete expired entries and log rows, and optimise the file; call it nightly.

    Nothing is deleted in the first run, and in a run after an outage: a clock that jumps ahead by
    years would make every entry old, and so there is a day to correct it.
    """
    with store.transaction() as db:
        last = parse_time_or_none(metadata.get(db, "housekeeping"))
        metadata.put(db, "housekeeping", format_time(now))
    if last is None or now - last > NIGHTS:
        return
    _expire(store, cutoffs(config, now), stopping)
    with store.transaction() as db:
        poll_log.forget(db, now)
        incidents.forget(db, now - INCIDENTS_KEPT)
        archives.forget(db)
        icons.forget(db, now - ICONS_KEPT)
        robots.forget(db, now)
        stories.forget(db, now.toordinal())
    store.optimise()


def cutoffs(config: Config, now: datetime) -> Cutoffs:
    """Return when an entry must have left its feed's document to be deleted now."""
    return Cutoffs(
        default=_cutoff(config.defaults.retention, now),
        by_source={
            source.id: _cutoff(source.retention, now)
            for source in config.sources
            if source.retention is not None
        },
    )


def _cutoff(retention: timedelta, now: datetime) -> datetime | None:
    return None if retention == FOREVER else now - retention


def _expire(store: Store, cutoffs: Cutoffs, stopping: Callable[[], bool]) -> None:
    expired = Expired(BATCH)
    while expired.count == BATCH and not stopping():
        with store.transaction() as db:
            expired = expire(db, cutoffs, since=expired.last)


def release(db: Connection, state: SourceState, rulebook: Rulebook, now: datetime) -> int:
    """Release a source's quarantined entries; return their number."""
    evaluate = partial(rulebook.evaluate_stored, state.sections)
    count = entries.release(db, state.id, state.sections, evaluate)
    if state.health == "quarantined":
        sources.update(db, state.id, {"health": "fine", "health_since": now, "error": ""})
        incidents.close(db, state.id, now)
    scopes = [change_log.ALL, change_log.STATUS, change_log.source_scope(state.id)]
    change_log.bump(db, scopes + [change_log.section_scope(s) for s in state.sections], now)
    return count


def hide_entry(db: Connection, stored: StoredEntry, reason: str, now: datetime) -> None:
    """Take an entry out of pages, feeds and archives for good; feeds tell readers to delete it."""
    entries.hide(db, [stored.id], f"{REMOVED}{reason}", withdrawn=now)
    _entry_changed(db, stored, now)


def show_entry(db: Connection, stored: StoredEntry, rulebook: Rulebook, now: datetime) -> None:
    """Take back `hide_entry`; the rules decide whether views show the entry."""
    state = sources.get(db, stored.source_id)
    sections = state.sections if state else ()
    unhidden = replace(stored, hidden="", withdrawn=None)
    retractions.apply_rules(db, unhidden, rulebook, sections, now)
    _entry_changed(db, stored, now)


def _entry_changed(db: Connection, stored: StoredEntry, now: datetime) -> None:
    archives.forget_entry(db, stored.id)
    state = sources.get(db, stored.source_id)
    sections = {*(state.sections if state else ()), *(stored.ruling.sections or ())}
    scopes = [change_log.ALL, change_log.ARCHIVES, change_log.source_scope(stored.source_id)]
    change_log.bump(db, scopes + [change_log.section_scope(s) for s in sections], now)
