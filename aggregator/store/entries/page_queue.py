"""The queue of pages to be fetched for the text of entries; one row per entry.

A row stays when its page has been fetched: it says how that went, and holds the validators for a
later fetch, after the feed changed the entry.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.models.poll import Validators
from aggregator.store.database.connection import Connection
from aggregator.store.database.times import format_time, parse_time_or_none

GOOD = frozenset({"page", "unchanged", "shorter"})
"""Outcomes of fetches that found a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedPage:
    """The page of an entry.

    Args:
        url: Where it is, after redirects to other hosts.
        page: The entry's canonical URL, which entries of several sources may share.
        due: When it is fetched, None if it is not.
        attempts: Failed fetches in a row.
        moves: Redirects to other hosts.
        feed_length: Characters of the feed's own text.
        outcome: `page`, `unchanged`, `shorter` or a `FailureKind`; "" before the first fetch.
        detail: The outcome for people.
        settled: When it was last fetched, or given up.
    """

    entry_id: int
    source_id: str
    url: str
    host: str
    page: str
    due: datetime | None
    feed_length: int
    attempts: int = 0
    moves: int = 0
    outcome: str = ""
    detail: str = ""
    settled: datetime | None = None
    validators: Validators = Validators()
    validators_url: str = ""

    @property
    def status(self) -> str:
        """How its fetch went or when it is due, in a phrase."""
        since = f"{self.settled:%Y-%m-%d %H:%M} UTC" if self.settled else ""
        if self.due is not None:
            detail = f" ({self.detail})" if self.detail else ""
            return f"page due {self.due:%Y-%m-%d %H:%M} UTC{detail}"
        if self.outcome in GOOD:
            detail = f": {self.detail}" if self.detail else ""
            return f"page fetched {since}{detail}"
        if self.outcome:
            return f"page given up {since}: {self.detail}"
        return "page not fetched: the source no longer has `content: full`"


def add(db: Connection, pages: Iterable[QueuedPage]) -> None:
    """Queue pages of new entries."""
    db.executemany(
        "insert or ignore into page_queue(entry_id, source_id, url, host, page, due_at,"
        " feed_length) values (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                page.entry_id, page.source_id, page.url, page.host, page.page,
                format_time(page.due) if page.due else None, page.feed_length,
            )
            for page in pages
        ],
    )  # fmt: skip


def requeue(
    db: Connection, lengths: Iterable[tuple[int, int]], now: datetime, pause: timedelta
) -> None:
    """Queue the pages of changed entries again.

    Args:
        lengths: Entry ids, with the characters of the feed's text.
        now: The time of the change.
        pause: The least time between two fetches of a page.
    """
    since, later = format_time(now - pause), format_time(now + pause)
    db.executemany(
        "update page_queue set attempts = 0, feed_length = ?1,"
        " due_at = iif(settled_at > ?2, ?3, ?4) where entry_id = ?5",
        [(length, since, later, format_time(now), entry_id) for entry_id, length in lengths],
    )


def count_due(db: Connection, source_id: str) -> int:
    """Return how many pages of a source wait to be fetched."""
    row = db.execute(
        "select count(*) from page_queue where source_id = ? and due_at is not null", (source_id,)
    ).fetchone()
    return int(row[0])


def due(db: Connection, now: datetime, *, busy: Collection[str], limit: int) -> list[QueuedPage]:
    """Return the newest due page of each host that asked for no wait.

    Args:
        busy: Hosts to leave out.
        limit: The most pages to return.
    """
    rows = db.execute(
        "select q.* from page_queue q join (select max(entry_id) as newest from page_queue"
        " where due_at <= ?1 and host not in (select value from json_each(?2))"
        " and host not in (select host from hosts where gate_until > ?1)"
        " group by host) on newest = q.entry_id order by q.entry_id desc limit ?3",
        (format_time(now), json.dumps(list(busy)), limit),
    )
    return [_load(row) for row in rows]


def is_any_due(db: Connection, now: datetime) -> bool:
    """Return whether a page is due, of any host."""
    row = db.execute(
        "select 1 from page_queue where due_at <= ? limit 1", (format_time(now),)
    ).fetchone()
    return row is not None


def get(db: Connection, entry_id: int) -> QueuedPage | None:
    """Return the page of an entry, None if it was never queued."""
    row = db.execute("select * from page_queue where entry_id = ?", (entry_id,)).fetchone()
    return _load(row) if row else None


def summary(db: Connection, source_id: str) -> str:
    """Return how the pages of a source went, in a phrase; "" if none was ever queued."""
    waiting, fetched, failed = db.execute(
        "select count(due_at), count(iif(due_at is null and outcome in ('page', 'unchanged',"
        " 'shorter'), 1, null)), count(iif(due_at is null and outcome not in ('page', 'unchanged',"
        " 'shorter', ''), 1, null)) from page_queue where source_id = ?",
        (source_id,),
    ).fetchone()
    if not waiting + fetched + failed:
        return ""
    return f"{fetched:,} fetched, {waiting:,} waiting, {failed:,} given up"


def find_fetched(db: Connection, page: QueuedPage) -> QueuedPage | None:
    """Return another entry with the text of the same page, None without one."""
    row = db.execute(
        "select * from page_queue where page = ? and entry_id != ? and outcome = 'page'"
        " and page != '' order by settled_at desc limit 1",
        (page.page, page.entry_id),
    ).fetchone()
    return _load(row) if row else None


def postpone(db: Connection, entry_id: int, until: datetime, detail: str) -> None:
    """Fetch a page later, after a failed attempt."""
    db.execute(
        "update page_queue set due_at = ?, detail = ?, attempts = attempts + 1 where entry_id = ?",
        (format_time(until), detail, entry_id),
    )


def move(db: Connection, entry_id: int, url: str, host: str) -> None:
    """Set where a page is, after a redirect to another host."""
    db.execute(
        "update page_queue set url = ?, host = ?, moves = moves + 1 where entry_id = ?",
        (url, host, entry_id),
    )


def settle(
    db: Connection,
    entry_id: int,
    *,
    outcome: str,
    detail: str,
    now: datetime,
    validators: Validators | None = None,
    validators_url: str = "",
) -> None:
    """Record the end of a fetch; None keeps the validators."""
    db.execute(
        "update page_queue set due_at = null, attempts = 0, outcome = ?, detail = ?,"
        " settled_at = ? where entry_id = ?",
        (outcome, detail, format_time(now), entry_id),
    )
    if validators is not None:
        db.execute(
            "update page_queue set etag = ?, last_modified = ?, validators_url = ?"
            " where entry_id = ?",
            (validators.etag, validators.last_modified, validators_url, entry_id),
        )


def latest_outcomes(db: Connection, source_id: str, limit: int) -> list[str]:
    """Return how the last fetches of a source's pages went, latest first."""
    rows = db.execute(
        "select outcome from page_queue where source_id = ? and settled_at is not null"
        " order by settled_at desc, entry_id desc limit ?",
        (source_id, limit),
    )
    return [row[0] for row in rows]


def drop_due(db: Connection, source_ids: Collection[str]) -> None:
    """Fetch no more pages of sources other than these."""
    db.execute(
        "update page_queue set due_at = null where due_at is not null"
        " and source_id not in (select value from json_each(?))",
        (json.dumps(list(source_ids)),),
    )


def _load(row: object) -> QueuedPage:
    fields = dict(zip(row.keys(), row, strict=True))  # type: ignore[attr-defined,call-overload]
    return QueuedPage(
        entry_id=fields["entry_id"],
        source_id=fields["source_id"],
        url=fields["url"],
        host=fields["host"],
        page=fields["page"],
        due=parse_time_or_none(fields["due_at"]),
        attempts=fields["attempts"],
        moves=fields["moves"],
        feed_length=fields["feed_length"],
        outcome=fields["outcome"],
        detail=fields["detail"],
        settled=parse_time_or_none(fields["settled_at"]),
        validators=Validators(etag=fields["etag"], last_modified=fields["last_modified"]),
        validators_url=fields["validators_url"],
    )
