"""Poll results: entries, validators and plans are stored together."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from aggregator.ingest import batch, maintenance
from aggregator.models.config import Rule
from aggregator.models.entry import Feed
from aggregator.models.poll import Freshness, PollResult, Transfer, Validators
from aggregator.models.query import Query
from aggregator.store.database import change_log
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries, versions
from aggregator.store.entries.retention import Cutoffs, expire
from aggregator.store.queries import select
from tests.builders import START, URL, Ingester, make_document, make_entry


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "test.db"))
    yield Ingester(store)
    store.close()


A, B = make_entry("a"), make_entry("b")


def test_new_entries_are_stored_with_validators_and_schedule(ingester: Ingester) -> None:
    done = ingester.poll(make_document(B, A))
    assert done is not None
    assert len(done.new) == 2
    assert ingester.visible_guids() == ["b", "a"]
    state = ingester.state()
    assert state.validators == Validators(etag='"1"', last_modified="then")
    assert state.validators_url == URL
    assert state.next_poll > ingester.now
    assert state.entries == 2
    assert state.title == "A"


def test_repeated_document_changes_nothing(ingester: Ingester) -> None:
    ingester.poll(make_document(A))
    before = ingester.versions()
    done = ingester.poll(make_document(A, body_hash=b"other"))
    assert done is not None
    assert (done.new, done.changed) == ((), ())
    assert ingester.versions() | {"status": 0} == before | {"status": 0}


def test_edit_keeps_the_earlier_wording_and_the_place(ingester: Ingester) -> None:
    first = ingester.poll(make_document(A))
    ingester.poll(make_document(make_entry("a", title="Edited")))
    assert first is not None
    with ingester.store.reading() as db:
        stored = entries.get(db, first.new[0])
        [version] = versions.of_entry(db, first.new[0])
    assert stored is not None
    assert stored.entry.title == "Edited"
    assert version.title == "Title a"
    assert stored.sort_at == stored.first_seen < stored.changed


def test_noise_rewrites_nothing(ingester: Ingester) -> None:
    ingester.poll(make_document(A))
    before = ingester.versions()
    noise = replace(A, link=f"{A.link}?utm_source=x", updated=ingester.now, item_hash=b"n" * 16)
    ingester.poll(make_document(noise))
    with ingester.store.reading() as db:
        [stored] = select.select(db, Query(), limit=9)
    assert stored.entry.link == A.link
    assert ingester.versions()[change_log.ALL] == before[change_log.ALL]


def test_two_documents_of_a_source_at_once_leave_the_search_index_whole(ingester: Ingester) -> None:
    results = [
        PollResult(source_id="a", outcome=make_document(make_entry("a", title=title)))
        for title in ("Flood", "Drought")
    ]
    with ingester.store.transaction() as db:
        batch.ingest(db, results, ingester.context)
        db.execute("insert into entries_fts(entries_fts, rank) values ('integrity-check', 1)")
        found = [select.select(db, Query(q=word), limit=9) for word in ("flood", "drought")]
    assert [len(entries) for entries in found] == [0, 1]


def test_new_title_of_a_feed_updates_its_views(ingester: Ingester) -> None:
    ingester.poll(make_document(A))
    before = ingester.versions()
    ingester.poll(make_document(A, feed=Feed(title="Renamed")))
    after = ingester.versions()
    for scope in (change_log.ALL, "source:a", "section:world"):
        assert after[scope] > before[scope]


def test_fault_in_the_middle_leaves_all_as_it_was(ingester: Ingester) -> None:
    ingester.poll(make_document(A))
    before = ingester.state()
    broken = make_document(
        B, replace(make_entry("c"), title=cast("str", None)), validators=Validators(etag='"2"')
    )
    with pytest.raises(Exception, match="title"):
        ingester.poll(broken)
    assert ingester.state() == before
    assert ingester.visible_guids() == ["a"]


def test_validators_are_not_kept_when_the_server_says_no_store(ingester: Ingester) -> None:
    ingester.poll(
        make_document(A, transfer=Transfer(status=200, freshness=Freshness(no_store=True)))
    )
    assert ingester.state().validators == Validators()


def test_request_has_the_validators_and_hashes_of_the_last_document(ingester: Ingester) -> None:
    assert ingester.request().validators == Validators()
    ingester.poll(make_document(A, B))
    request = ingester.request()
    assert request.validators == Validators(etag='"1"', last_modified="then")
    assert request.body_hash == b"body"
    assert request.item_hashes == A.item_hash + B.item_hash


def test_database_that_lost_its_entries_asks_unconditionally(ingester: Ingester) -> None:
    ingester.poll(make_document(A))
    with ingester.store.transaction() as db:
        db.execute("delete from entry_section")
        db.execute("delete from entries")
    request = ingester.request()
    assert request.validators == Validators()
    assert request.item_hashes == b""


def test_entry_is_last_seen_when_it_leaves_the_document(ingester: Ingester) -> None:
    ingester.poll(make_document(A, B))
    ingester.poll(make_document(B, entries=(), item_hashes=B.item_hash))
    assert ingester.last_seen("a") is not None
    assert ingester.last_seen("b") is None
    ingester.poll(make_document(A, item_hashes=A.item_hash + B.item_hash))
    assert ingester.last_seen("a") is None


def test_partial_document_marks_no_entry_as_left(ingester: Ingester) -> None:
    ingester.poll(make_document(A))
    ingester.poll(make_document(B, whole=False, item_hashes=b"", body_hash=b""))
    assert ingester.last_seen("a") is None
    assert sorted(ingester.visible_guids()) == ["a", "b"]


def test_expired_entry_does_not_come_back(ingester: Ingester) -> None:
    ingester.poll(make_document(A, B))
    ingester.poll(make_document(B, entries=(), item_hashes=B.item_hash))
    with ingester.store.transaction() as db:
        assert expire(db, Cutoffs(default=ingester.now + timedelta(days=1))).count == 1
    ingester.poll(make_document(A, item_hashes=A.item_hash + B.item_hash))
    assert ingester.visible_guids() == ["b"]


def test_rule_hides_an_entry_and_says_why(ingester: Ingester) -> None:
    rule = Rule(action="drop", field="title", pattern="sport")
    ingester.source = replace(ingester.source, rules=(rule,))
    done = ingester.poll(make_document(A, make_entry("s", title="Sports news")))
    assert ingester.visible_guids() == ["a"]
    assert done is not None
    with ingester.store.reading() as db:
        hidden = [one.hidden for one in entries.get_many(db, done.new).values() if one.hidden]
    assert hidden == ["dropped by the rule title: sport"]


def test_keep_rule_hides_all_else(ingester: Ingester) -> None:
    ingester.source = replace(
        ingester.source, rules=(Rule(action="keep", field="title", pattern="^Title b$"),)
    )
    ingester.poll(make_document(A, B))
    assert ingester.visible_guids() == ["b"]


def test_flood_is_held_back_until_it_is_released(ingester: Ingester) -> None:
    ingester.poll(make_document(*(make_entry(f"a{n}", published=START) for n in range(12))))
    ingester.now += timedelta(days=9)
    ingester.poll(make_document(*(make_entry(f"b{n}", published=START) for n in range(12))))
    ingester.now += timedelta(days=9)
    old = make_document(*(make_entry(f"c{n}", published=START) for n in range(12)))
    ingester.poll(old)
    assert ingester.state().health == "quarantined"
    assert not any(guid.startswith("c") for guid in ingester.visible_guids())
    with ingester.store.transaction() as db:
        assert (
            maintenance.release(db, ingester.state(), ingester.context.rulebook, ingester.now) >= 12
        )
    assert any(guid.startswith("c") for guid in ingester.visible_guids())
    assert ingester.state().health == "fine"


def test_entry_keeps_the_publishers_id_where_it_is_one(ingester: Ingester) -> None:
    named = replace(make_entry("n"), guid="urn:uuid:1", item_hash=b"1" * 16)
    unnamed = replace(make_entry("u"), guid="no iri", item_hash=b"2" * 16)
    ingester.poll(make_document(named, unnamed))
    with ingester.store.reading() as db:
        uris = {one.entry.guid: one.uri for one in select.select(db, Query(), limit=9)}
    assert uris["urn:uuid:1"] == "urn:uuid:1"
    assert uris["no iri"].startswith("tag:us.example,2009-06-27:a/")


def test_result_of_an_unknown_source_is_ignored(
    ingester: Ingester,
) -> None:
    assert ingester.poll(make_document(A), "unknown") is None


def test_copy_replaces_the_item_that_it_repeats_when_that_leaves(ingester: Ingester) -> None:
    edited = make_entry("a", title="Edited")
    ingester.poll(make_document(A))
    ingester.poll(make_document(edited, item_hashes=edited.item_hash + A.item_hash))
    assert edited.item_hash not in ingester.request().item_hashes
    ingester.poll(make_document(edited))
    assert ingester.last_seen("a") is None
    with ingester.store.reading() as db:
        [stored] = select.select(db, Query(), limit=9)
    assert stored.entry.title == "Edited"


def test_guid_of_several_pages_is_no_id(ingester: Ingester) -> None:
    guid = "https://a.example/"
    ingester.poll(make_document(replace(A, guid=guid), replace(B, guid=guid)))
    ingester.poll(make_document(replace(make_entry("c"), guid=guid)))
    ingester.poll(make_document(replace(make_entry("d"), guid=guid)))
    with ingester.store.reading() as db:
        uris = [one.uri for one in select.select(db, Query(), limit=9)]
    assert len(set(uris)) == 4
    assert all(uri.startswith("tag:") for uri in uris)


def test_feed_with_only_expired_entries_is_requested_conditionally(ingester: Ingester) -> None:
    ingester.poll(make_document(A))
    ingester.poll(make_document())
    with ingester.store.transaction() as db:
        expire(db, Cutoffs(default=ingester.now + timedelta(days=1)))
    ingester.poll(make_document(A))
    assert ingester.visible_guids() == []
    assert ingester.request().validators.etag == '"1"'


def test_expired_entries_are_no_longer_counted(ingester: Ingester) -> None:
    ingester.poll(make_document(A, B))
    ingester.poll(make_document(B))
    with ingester.store.transaction() as db:
        expire(db, Cutoffs(default=ingester.now + timedelta(days=1)))
        assert entries.count(db) == 1
    assert ingester.state().entries == 1


def test_entry_that_left_between_partial_documents_is_noticed_by_the_next_whole_document(
    ingester: Ingester,
) -> None:
    ingester.poll(make_document(A))
    ingester.poll(make_document(B, whole=False, item_hashes=b"", body_hash=b""))
    ingester.poll(make_document(B))
    assert ingester.last_seen("a") is not None
    assert ingester.last_seen("b") is None


def test_entries_of_a_former_url_count_as_left_unless_the_new_one_has_them(
    ingester: Ingester,
) -> None:
    ingester.poll(make_document(A, B))
    ingester.source = replace(ingester.source, url="https://a.example/new")
    maintenance.synchronise(ingester.store, ingester.config, ingester.now)
    ingester.poll(make_document(B))
    assert ingester.last_seen("a") is not None
    assert ingester.last_seen("b") is None


def test_released_entries_stay_shown(ingester: Ingester) -> None:
    for name in "abc":
        ingester.poll(
            make_document(*(make_entry(f"{name}{n}", published=START) for n in range(12)))
        )
        ingester.now += timedelta(days=9)
    with ingester.store.transaction() as db:
        maintenance.release(db, ingester.state(), ingester.context.rulebook, ingester.now)
    shown = ingester.visible_guids()
    ingester.poll(make_document(*(make_entry(f"c{n}", published=START) for n in range(12))))
    assert ingester.visible_guids() == shown
    assert ingester.state().health == "fine"


def test_entry_has_its_keys_and_the_key_that_matched(ingester: Ingester) -> None:
    linked = replace(
        make_entry("n"), link="https://a.example/n", canonical_url="https://a.example/n"
    )
    ingester.poll(make_document(linked))
    first = ingester.entry("n")
    assert (first.known_by, first.matched) == ("guid link text", "")

    again = replace(linked, guid="", title="New", fingerprint=b"new", item_hash=b"2" * 16)
    ingester.poll(make_document(again))
    assert (ingester.entry("n").known_by, ingester.entry("n").matched) == ("guid link text", "link")
