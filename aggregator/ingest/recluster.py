"""Stories rebuilt from all stored entries, while the service runs.

    next entries | stories of a draft, as when they came | ... | publish the draft

Each step is a short transaction that also stores its place, so a rebuild that ends early goes on
there and gives the same stories. The last one adds the entries that came meanwhile.
"""

from collections.abc import Callable
from datetime import datetime
from itertools import groupby

from aggregator.dedupe import clustering, weights
from aggregator.ingest import stories, story_corrections
from aggregator.models.config import Config
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection, Store
from aggregator.store.entries import stories as stored
from aggregator.store.entries import story_draft
from aggregator.store.entries.stories import DRAFT
from aggregator.store.entries.story_draft import Place

STEP = 250
"""Entries of one transaction, so that polls wait no longer than half a second."""

RULES = f"{clustering.VERSION.decode()}:{weights.BIAS}"
"""A rebuild that was begun by other rules begins again."""


def rebuild(
    store: Store, config: Config, now: datetime, on_step: Callable[[int], None] = lambda _: None
) -> int:
    """Rebuild all stories; return how many entries changed.

    Args:
        config: Its corrections of stories hold after the rebuild too.
        on_step: Called after each transaction with the number of entries still to come.
    """
    with store.transaction() as db:
        after = story_draft.begin(db, RULES)
        left = story_draft.count(db, after)
    on_step(left)
    while True:
        with store.transaction() as db:
            rows = story_draft.next_entries(db, after, STEP)
            _add(db, rows)
            if len(rows) < STEP:
                return _finish(db, config, now)
            after = rows[-1][0]
            story_draft.save(db, Place(rules=RULES, after=after))
        left -= len(rows)
        on_step(left)


def _add(db: Connection, rows: list[tuple[int, datetime]]) -> None:
    """Add entries as when they came: keys have expired, and old entries were a backlog."""
    for day, group in groupby(rows, key=lambda row: row[1].toordinal()):
        of_day = list(group)
        stored.forget(db, day, DRAFT)
        stories.follow(db, [entry_id for entry_id, _ in of_day], of_day[-1][1], DRAFT)


def _finish(db: Connection, config: Config, now: datetime) -> int:
    stored.forget(db, now.toordinal(), DRAFT)
    changed = story_draft.publish(db)
    story_corrections.apply(db, config.stories)
    scopes = change_log.versions(db).keys() - {change_log.ARCHIVES}
    change_log.bump(db, scopes, now)
    return changed
