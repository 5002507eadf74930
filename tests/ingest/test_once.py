"""Exactly once: each item is stored once, however the feed repeats, reorders or edits it.

Whole polls over a real database, from the bytes of a document to its entries and back.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.ingest.source_update import Ingested
from aggregator.models.poll import Fetched, PollResult, Transfer, Validators
from aggregator.models.query import Query
from aggregator.polling import parsing, stages
from aggregator.polling.stages import Body
from aggregator.store.database.connection import Store
from aggregator.store.entries.retention import Cutoffs, expire
from aggregator.store.queries import select
from tests.builders import URL, Ingester

Item = tuple[str, str, str]
"""Guid, page and title; "" for none."""

TABLES = ("entry_section", "entry_category", "entry_author")


@contextmanager
def new_ingester() -> Iterator[Ingester]:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(str(Path(folder) / "test.db"))
        try:
            yield Ingester(store)
        finally:
            store.close()


def rss(items: list[Item], comment: str = "") -> bytes:
    """Write a document; another `comment` makes another body of the same items."""
    written = []
    for guid, page, title in items:
        elements = f"<guid isPermaLink='false'>{guid}</guid>" if guid else ""
        elements += f"<link>https://a.example/{page}</link>" if page else ""
        written.append(f"<item>{elements}<title>{title}</title></item>")
    shell = "<rss version='2.0'><channel><title>A</title><!-- %s -->%s</channel></rss>"
    return (shell % (comment, "".join(written))).encode()


def polled(ingester: Ingester, body: bytes) -> Ingested:
    """Poll as the service does: the request from the database, the answer through all gates."""
    fetched = Fetched(
        url=URL,
        body=body,
        content_type="application/rss+xml",
        validators=Validators(etag='"1"'),
        transfer=Transfer(status=200),
    )
    checked = stages.check_fetch(ingester.request(), fetched)
    result = (
        parsing.parse_documents([checked], ingester.now)[0]
        if isinstance(checked, Body)
        else checked
    )
    assert isinstance(result, PollResult)
    done = ingester.poll(result.outcome)
    assert done is not None
    return done


def expire_left(ingester: Ingester) -> None:
    """Delete all entries that have left the document, as retention does."""
    with ingester.store.transaction() as db:
        expire(db, Cutoffs(default=ingester.now + timedelta(days=1)))


def sound(ingester: Ingester) -> None:
    """Check the invariants of every database."""
    with ingester.store.transaction() as db:
        db.execute("insert into entries_fts(entries_fts, rank) values ('integrity-check', 1)")
        for table in TABLES:
            orphans = f"select count(*) from {table} where entry_id not in (select id from entries)"
            assert db.execute(orphans).fetchone()[0] == 0
        stored = db.execute("select count(*) from entries where source_id = 'a'").fetchone()[0]
    assert ingester.state().entries == stored


documents = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=6, unique_by=lambda item: item[0]
)
"""Numbers of items with their version: a document edits, reorders, drops or brings back."""


@settings(max_examples=40)
@given(st.lists(st.tuples(documents, st.booleans()), max_size=8))
def test_items_that_are_edited_reordered_gone_and_back_are_stored_once(
    feeds: list[tuple[list[tuple[int, int]], bool]],
) -> None:
    standing: dict[str, str] = {}
    stored: dict[str, str] = {}
    expired: set[str] = set()
    with new_ingester() as ingester:
        for number, (document, purge) in enumerate(feeds):
            items = [(f"g{n}", f"p{n}", f"Item {n} version {v}") for n, v in document]
            polled(ingester, rss(items, str(number)))
            standing = {guid: title for guid, _, title in items if guid not in expired}
            stored |= standing
            with ingester.store.reading() as db:
                found = [one.entry for one in select.select(db, Query(), limit=99)]
            assert len(found) == len(stored)
            assert {one.guid: one.title for one in found} == stored
            assert {one.guid for one in found if ingester.last_seen(one.guid) is None} == set(
                standing
            )
            if purge:
                expire_left(ingester)
                expired |= stored.keys() - standing.keys()
                stored = dict(standing)
        sound(ingester)


colliding = st.lists(
    st.tuples(
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["", "1", "2"]),
        st.sampled_from(["One", "Two"]),
    ),
    max_size=5,
)


@settings(max_examples=40)
@given(st.lists(colliding, max_size=4))
def test_repeated_document_changes_nothing_even_if_keys_collide(
    feeds: list[list[Item]],
) -> None:
    with new_ingester() as ingester:
        for number, items in enumerate(feeds):
            polled(ingester, rss(items, str(number)))
            before = ingester.visible_guids()
            versions = ingester.versions()
            again = polled(ingester, rss(items, f"{number} again"))
            assert (again.new, again.changed) == ((), ())
            assert ingester.visible_guids() == before
            assert ingester.versions()["status"] > versions["status"]
            assert {**ingester.versions(), "status": 0} == {**versions, "status": 0}
        sound(ingester)
