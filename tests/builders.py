"""Builders of the data that stages exchange, and a store that takes poll results."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aggregator.ingest import batch
from aggregator.ingest.source_update import HOST_LIMITED, Context, Ingested
from aggregator.models.config import Config, Section, Site, Source, View
from aggregator.models.entry import Entry, Feed, SafeHtml, StoredEntry
from aggregator.models.poll import (
    Failed,
    FailureKind,
    ParsedDocument,
    PollResult,
    Request,
    Transfer,
    Unchanged,
    Validators,
)
from aggregator.models.query import Query
from aggregator.policy.filter_rules import Rulebook
from aggregator.store.database import change_log, site_id
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries
from aggregator.store.queries import select
from aggregator.store.sources import sources, sync
from aggregator.store.sources.sources import SourceState

URL = "https://a.example/feed"
START = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)


def make_entry(name: str, *, title: str = "", published: datetime | None = None) -> Entry:
    page = f"https://a.example/{name}"
    return Entry(
        guid=name,
        link=page,
        canonical_url=page,
        title=title or f"Title {name}",
        summary="",
        content=SafeHtml(f"<p>{name}</p>"),
        text=name,
        published=published,
        updated=None,
        fingerprint=(title or name).encode(),
        item_hash=f"{name}|{title}".encode().ljust(16, b".")[:16],
    )


def make_document(*entries: Entry, **fields: Any) -> ParsedDocument:
    defaults: dict[str, Any] = {
        "url": URL,
        "feed": Feed(title="A", link="https://a.example/"),
        "entries": entries,
        "body_hash": b"body",
        "item_hashes": b"".join(entry.item_hash for entry in entries),
        "validators": Validators(etag='"1"', last_modified="then"),
        "transfer": Transfer(status=200, received=1000),
    }
    return ParsedDocument(**defaults | fields)


def failed(kind: FailureKind = FailureKind.HTTP_STATUS, **transfer: Any) -> Failed:
    return Failed(kind=kind, detail="it failed", transfer=Transfer(**transfer))


class Ingester:
    """Stores poll results of its sources, each in one transaction a minute after the last."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, START
        self.sections: tuple[Section, ...] = ()
        self.views: tuple[View, ...] = ()
        self.source = Source(id="a", url=URL, sections=("world",))
        self.others = [
            Source(id=f"b{n}", url=f"https://a.example/{n}") for n in range(HOST_LIMITED)
        ]
        site_id.ensure(store, "https://us.example")
        with store.transaction() as db:
            sync.apply(db, [self.source, *self.others], now=self.now, first_polls={})

    @property
    def config(self) -> Config:
        return Config(
            path="",
            site=Site(base_url="https://us.example"),
            storage="",
            sections=self.sections,
            sources=(self.source, *self.others),
            views=self.views,
        )

    @property
    def context(self) -> Context:
        config = self.config
        return Context(
            config=config,
            sources={source.id: source for source in config.sources},
            rulebook=Rulebook.of(config),
            now=self.now,
            random=lambda: 0.5,
        )

    def poll(
        self,
        outcome: ParsedDocument | Unchanged | Failed,
        source_id: str = "a",
        discovered: str = "",
        *,
        archive: bool = False,
    ) -> Ingested | None:
        self.now += timedelta(minutes=1)
        result = PollResult(
            source_id=source_id, outcome=outcome, discovered=discovered, archive=archive
        )
        with self.store.transaction() as db:
            done = batch.ingest(db, [result], self.context)
        return done[0] if done else None

    def state(self, source_id: str = "a") -> SourceState:
        with self.store.reading() as db:
            state = sources.get(db, source_id)
        assert state is not None
        return state

    def request(self, source_id: str = "a") -> Request:
        with self.store.reading() as db:
            [request] = batch.requests(db, [source_id], self.context)
        return request

    def last_seen(self, guid: str) -> str | None:
        """Return when an entry left the document, None while it is in it."""
        with self.store.reading() as db:
            row = db.execute("select last_seen from entries where guid = ?", (guid,)).fetchone()
        last_seen: str | None = row[0]
        return last_seen

    def entry(self, guid: str) -> StoredEntry:
        with self.store.reading() as db:
            stored = entries.find(db, guid)
        assert stored is not None
        return stored

    def visible_guids(self) -> list[str]:
        with self.store.reading() as db:
            return [
                stored.entry.guid
                for stored in select.select(db, Query(section=("world",)), limit=99)
            ]

    def versions(self) -> dict[str, int]:
        with self.store.reading() as db:
            return change_log.versions(db)
