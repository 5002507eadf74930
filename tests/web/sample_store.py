"""A store with sources and entries for tests, filled without polling."""

import hashlib
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aggregator.ingest import stories
from aggregator.models.config import Config, Media, Section, Site, Source, View
from aggregator.models.entry import Entry, SafeHtml
from aggregator.models.query import parse
from aggregator.store.database import change_log, site_id
from aggregator.store.database.connection import Connection, Store
from aggregator.store.entries import entries, search_index
from aggregator.store.sources import icons, poll_log, sync
from aggregator.store.sources.icons import StoredIcon
from aggregator.store.websub.subscriptions import Subscription

START = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
BASE = "https://site.example"
ICON = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAYAAABzenr0AAAAMElEQVR42u3OQQEAQAQAMC6NTNJpemL4bAmW1fPj0I"
    "tjAgICAgICAgICAgICAgICC2OkAmH4JwSMAAAAAElFTkSuQmCC"
)
"""A PNG of 32 × 32 pixels."""

CONFIG = Config(
    path="sources.yaml",
    site=Site(title="The Site", description="All the news", base_url=BASE),
    storage="",
    sections=(
        Section(id="world", title="World", description="From abroad"),
        Section(id="local", title="Local"),
    ),
    sources=(
        Source(id="herald", url="https://herald.example/feed", title="Herald", sections=("world",)),
        Source(
            id="post", url="https://post.example/rss", title="Post", sections=("world", "local")
        ),
        Source(id="odd", url="https://odd.example/feed"),
    ),
    views=(View(id="rain", title="Rain", query=parse("q=rain"), description="Wet"),),
)

ASKED = Subscription(
    token="our-token",
    source_id="herald",
    hub="https://hub.example/?key=their-key",
    topic="https://herald.example/feed",
    callback="https://site.example/websub/our-token",
    secret="our-secret",
    state="asked",
    since=START,
    act=START,
    failures=1,
    detail="the hub has not answered yet",
)
"""A subscription that the hub of `herald` has not confirmed yet."""


def proxied(config: Config, folder: Path) -> Config:
    """Return a configuration with the image proxy, which may fetch from this machine."""
    return replace(
        config,
        media=Media(proxy=True),
        storage=str(folder / "test.db"),
        allow=("127.0.0.0/8",),
    )


def make_entry(number: int, published: datetime | None = None) -> Entry:
    link = f"https://news.example/{number}"
    return Entry(
        guid=link,
        link=link,
        canonical_url=link,
        title=f"Report {number}",
        summary=f"Summary {number}",
        content=SafeHtml(f"<p>Content of {number}</p>"),
        text=f"Content of {number}" + (" rain" if number % 2 else " sun"),
        published=published,
        updated=None,
        fingerprint=b"%d" % number,
    )


class SampleStore:
    """Puts entries into a store; each call is one transaction at a later minute."""

    def __init__(self, store: Store, config: Config = CONFIG) -> None:
        self.store, self.config = store, config
        self.now = START
        self.number = 0
        site_id.ensure(store, config.site.base_url)
        with store.transaction() as db:
            sync.apply(db, config.sources, now=START, first_polls={})

    def add(self, source_id: str, count: int = 1, *, age: timedelta = timedelta(0)) -> list[int]:
        self.now += timedelta(minutes=1)
        added = []
        with self.store.transaction() as db:
            last = entries.last_id(db)
            for _ in range(count):
                self.number += 1
                entry = make_entry(self.number, self.now - age)
                added.append(self._insert(db, source_id, entry))
            self._follow(db, last, added)
            self._bump(db, source_id)
        return added

    def put(self, source_id: str, entry: Entry, *, uri: str = "") -> int:
        self.now += timedelta(minutes=1)
        with self.store.transaction() as db:
            last = entries.last_id(db)
            added = self._insert(db, source_id, entry, uri=uri)
            self._follow(db, last, [added])
            self._bump(db, source_id)
        return added

    def _follow(self, db: Connection, last: int, added: list[int]) -> None:
        search_index.add_new(db, last)
        stories.follow(db, added, self.now)

    def _insert(self, db: Connection, source_id: str, entry: Entry, uri: str = "") -> int:
        sort_at = min(entry.published or self.now, self.now)
        new = entries.NewEntry(entry=entry, uri=uri or entry.guid, sort_at=sort_at)
        [entry_id] = entries.insert(
            db, source_id, [new], first_seen=self.now, sections=self._sections(source_id)
        )
        return entry_id

    def revise(self, entry_id: int, title: str) -> None:
        self.now += timedelta(minutes=1)
        with self.store.transaction() as db:
            stored = entries.get(db, entry_id)
            assert stored is not None
            entries.revise(
                db,
                entry_id,
                replace(stored.entry, title=title),
                now=self.now,
                changed=True,
                sections=self._sections(stored.source_id),
            )
            self._bump(db, stored.source_id)

    def give_icon(self, source_id: str, image: bytes = ICON) -> str:
        """Give a source an icon and return its hash."""
        hash = hashlib.sha256(image).hexdigest()[:16]
        with self.store.transaction() as db:
            place = f"https://{source_id}.example/icon.png"
            icons.put(db, StoredIcon(place=place, hash=hash, image=image, due=self.now))
            icons.assign(db, {source_id: (hash, self.now)})
        return hash

    def withdraw(self, entry_id: int) -> None:
        self.now += timedelta(minutes=1)
        with self.store.transaction() as db:
            stored = entries.get(db, entry_id)
            assert stored is not None
            entries.hide(db, [entry_id], "withdrawn", withdrawn=self.now)
            self._bump(db, stored.source_id)

    def _sections(self, source_id: str) -> tuple[str, ...]:
        return next(s.sections for s in self.config.sources if s.id == source_id)

    def _bump(self, db: Connection, source_id: str) -> None:
        scopes = [change_log.section_scope(section) for section in self._sections(source_id)]
        change_log.bump(db, [change_log.ALL, change_log.source_scope(source_id), *scopes], self.now)


@contextmanager
def open_sample(folder: Path, config: Config = CONFIG) -> Iterator[SampleStore]:
    store = Store(str(folder / "test.db"))
    try:
        yield SampleStore(store, config)
    finally:
        store.close()


def log_polls(
    sample: SampleStore, source_id: str, times: Sequence[datetime], outcome: str = "ok"
) -> None:
    """Log polls of a source, each with 2 new entries, 1000 bytes and 250 ms."""
    rows = [
        poll_log.PollRow(
            source_id=source_id,
            at=at,
            outcome=outcome,
            status=200,
            milliseconds=250,
            bytes=1000,
            conditional=True,
            new=2,
            changed=0,
            detail="",
            next_poll=at,
            reason="",
        )
        for at in times
    ]
    with sample.store.transaction() as db:
        poll_log.add(db, [(row, number, 0) for number, row in enumerate(rows)])
