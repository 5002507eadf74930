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
from tests.builders import START, URL, Desk, make_document, make_entry


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = Store(str(tmp_path / "test.db"))
    yield Desk(store)
    store.close()


A, B = make_entry("a"), make_entry("b")


def test_new_entries_are_stored_with_validators_and_schedule(desk: Desk) -> None:
    done = desk.poll(make_document(B, A))
    assert done is not None
    assert len(done.new) == 2
    assert desk.shown() == ["b", "a"]
    state = desk.state()
    assert state.validators == Validators(etag='"1"', last_modified="then")
    assert state.validators_url == URL
    assert state.next_poll > desk.now
    assert state.entries == 2
    assert state.title == "A"


def test_repeated_document_changes_nothing(desk: Desk) -> None:
    desk.poll(make_document(A))
    before = desk.versions()
    done = desk.poll(make_document(A, body_hash=b"other"))
    assert done is not None
    assert (done.new, done.changed) == ((), ())
    assert desk.versions() | {"status": 0} == before | {"status": 0}


def test_edit_keeps_the_earlier_wording_and_the_place(desk: Desk) -> None:
    first = desk.poll(make_document(A))
    desk.poll(make_document(make_entry("a", title="Edited")))
    assert first is not None
    with desk.store.reading() as db:
        stored = entries.get(db, first.new[0])
        [version] = versions.of_entry(db, first.new[0])
    assert stored is not None
    assert stored.entry.title == "Edited"
    assert version.title == "Title a"
    assert stored.sort_at == stored.first_seen < stored.changed


def test_noise_rewrites_nothing(desk: Desk) -> None:
    desk.poll(make_document(A))
    before = desk.versions()
    noise = replace(A, link=f"{A.link}?utm_source=x", updated=desk.now, item_hash=b"n" * 16)
    desk.poll(make_document(noise))
    with desk.store.reading() as db:
        [stored] = select.select(db, Query(), limit=9)
    assert stored.entry.link == A.link
    assert desk.versions()[change_log.ALL] == before[change_log.ALL]


def test_two_documents_of_a_source_at_once_leave_the_search_index_whole(desk: Desk) -> None:
    results = [
        PollResult(source_id="a", outcome=make_document(make_entry("a", title=title)))
        for title in ("Flood", "Drought")
    ]
    with desk.store.transaction() as db:
        batch.ingest(db, results, desk.context)
        db.execute("insert into entries_fts(entries_fts, rank) values ('integrity-check', 1)")
        found = [select.select(db, Query(q=word), limit=9) for word in ("flood", "drought")]
    assert [len(entries) for entries in found] == [0, 1]


def test_new_title_of_a_feed_makes_its_views_new(desk: Desk) -> None:
    desk.poll(make_document(A))
    before = desk.versions()
    desk.poll(make_document(A, feed=Feed(title="Renamed")))
    after = desk.versions()
    for scope in (change_log.ALL, "source:a", "section:world"):
        assert after[scope] > before[scope]


def test_fault_in_the_middle_leaves_all_as_it_was(desk: Desk) -> None:
    desk.poll(make_document(A))
    before = desk.state()
    broken = make_document(
        B, replace(make_entry("c"), title=cast("str", None)), validators=Validators(etag='"2"')
    )
    with pytest.raises(Exception, match="title"):
        desk.poll(broken)
    assert desk.state() == before
    assert desk.shown() == ["a"]


def test_validators_are_not_kept_when_the_server_says_no_store(desk: Desk) -> None:
    desk.poll(make_document(A, transfer=Transfer(status=200, freshness=Freshness(no_store=True))))
    assert desk.state().validators == Validators()


def test_request_has_the_validators_and_hashes_of_the_last_document(desk: Desk) -> None:
    assert desk.request().validators == Validators()
    desk.poll(make_document(A, B))
    request = desk.request()
    assert request.validators == Validators(etag='"1"', last_modified="then")
    assert request.body_hash == b"body"
    assert request.item_hashes == A.item_hash + B.item_hash


def test_database_that_lost_its_entries_asks_unconditionally(desk: Desk) -> None:
    desk.poll(make_document(A))
    with desk.store.transaction() as db:
        db.execute("delete from entry_section")
        db.execute("delete from entries")
    request = desk.request()
    assert request.validators == Validators()
    assert request.item_hashes == b""


def test_entry_is_last_seen_when_it_leaves_the_document(desk: Desk) -> None:
    desk.poll(make_document(A, B))
    desk.poll(make_document(B, entries=(), item_hashes=B.item_hash))
    assert desk.last_seen("a") is not None
    assert desk.last_seen("b") is None
    desk.poll(make_document(A, item_hashes=A.item_hash + B.item_hash))
    assert desk.last_seen("a") is None


def test_partial_document_marks_no_entry_as_left(desk: Desk) -> None:
    desk.poll(make_document(A))
    desk.poll(make_document(B, whole=False, item_hashes=b"", body_hash=b""))
    assert desk.last_seen("a") is None
    assert sorted(desk.shown()) == ["a", "b"]


def test_expired_entry_does_not_come_back(desk: Desk) -> None:
    desk.poll(make_document(A, B))
    desk.poll(make_document(B, entries=(), item_hashes=B.item_hash))
    with desk.store.transaction() as db:
        assert expire(db, Cutoffs(default=desk.now + timedelta(days=1))).count == 1
    desk.poll(make_document(A, item_hashes=A.item_hash + B.item_hash))
    assert desk.shown() == ["b"]


def test_rule_hides_an_entry_and_says_why(desk: Desk) -> None:
    rule = Rule(action="drop", field="title", pattern="sport")
    desk.source = replace(desk.source, rules=(rule,))
    done = desk.poll(make_document(A, make_entry("s", title="Sports news")))
    assert desk.shown() == ["a"]
    assert done is not None
    with desk.store.reading() as db:
        hidden = [one.hidden for one in entries.get_many(db, done.new).values() if one.hidden]
    assert hidden == ["dropped by the rule title: sport"]


def test_keep_rule_hides_all_else(desk: Desk) -> None:
    desk.source = replace(
        desk.source, rules=(Rule(action="keep", field="title", pattern="^Title b$"),)
    )
    desk.poll(make_document(A, B))
    assert desk.shown() == ["b"]


def test_flood_is_held_back_until_it_is_released(desk: Desk) -> None:
    desk.poll(make_document(*(make_entry(f"a{n}", published=START) for n in range(12))))
    desk.now += timedelta(days=9)
    desk.poll(make_document(*(make_entry(f"b{n}", published=START) for n in range(12))))
    desk.now += timedelta(days=9)
    old = make_document(*(make_entry(f"c{n}", published=START) for n in range(12)))
    desk.poll(old)
    assert desk.state().health == "quarantined"
    assert not any(guid.startswith("c") for guid in desk.shown())
    with desk.store.transaction() as db:
        assert maintenance.release(db, desk.state(), desk.context.rulebook, desk.now) >= 12
    assert any(guid.startswith("c") for guid in desk.shown())
    assert desk.state().health == "fine"


def test_entry_keeps_the_publishers_id_where_it_is_one(desk: Desk) -> None:
    named = replace(make_entry("n"), guid="urn:uuid:1", item_hash=b"1" * 16)
    unnamed = replace(make_entry("u"), guid="no iri", item_hash=b"2" * 16)
    desk.poll(make_document(named, unnamed))
    with desk.store.reading() as db:
        uris = {one.entry.guid: one.uri for one in select.select(db, Query(), limit=9)}
    assert uris["urn:uuid:1"] == "urn:uuid:1"
    assert uris["no iri"].startswith("tag:us.example,2009-06-27:a/")


def test_result_of_a_source_that_is_gone_from_the_database_is_passed_over(desk: Desk) -> None:
    assert desk.poll(make_document(A), "unknown") is None


def test_copy_replaces_the_item_that_it_repeats_when_that_leaves(desk: Desk) -> None:
    edited = make_entry("a", title="Edited")
    desk.poll(make_document(A))
    desk.poll(make_document(edited, item_hashes=edited.item_hash + A.item_hash))
    assert edited.item_hash not in desk.request().item_hashes
    desk.poll(make_document(edited))
    assert desk.last_seen("a") is None
    with desk.store.reading() as db:
        [stored] = select.select(db, Query(), limit=9)
    assert stored.entry.title == "Edited"


def test_guid_of_several_pages_is_no_id(desk: Desk) -> None:
    guid = "https://a.example/"
    desk.poll(make_document(replace(A, guid=guid), replace(B, guid=guid)))
    desk.poll(make_document(replace(make_entry("c"), guid=guid)))
    desk.poll(make_document(replace(make_entry("d"), guid=guid)))
    with desk.store.reading() as db:
        uris = [one.uri for one in select.select(db, Query(), limit=9)]
    assert len(set(uris)) == 4
    assert all(uri.startswith("tag:") for uri in uris)


def test_feed_with_only_expired_entries_is_requested_conditionally(desk: Desk) -> None:
    desk.poll(make_document(A))
    desk.poll(make_document())
    with desk.store.transaction() as db:
        expire(db, Cutoffs(default=desk.now + timedelta(days=1)))
    desk.poll(make_document(A))
    assert desk.shown() == []
    assert desk.request().validators.etag == '"1"'


def test_expired_entries_are_no_longer_counted(desk: Desk) -> None:
    desk.poll(make_document(A, B))
    desk.poll(make_document(B))
    with desk.store.transaction() as db:
        expire(db, Cutoffs(default=desk.now + timedelta(days=1)))
        assert entries.count(db) == 1
    assert desk.state().entries == 1


def test_entry_that_left_while_parts_came_is_noticed_by_the_next_whole_document(
    desk: Desk,
) -> None:
    desk.poll(make_document(A))
    desk.poll(make_document(B, whole=False, item_hashes=b"", body_hash=b""))
    desk.poll(make_document(B))
    assert desk.last_seen("a") is not None
    assert desk.last_seen("b") is None


def test_entries_of_a_former_url_count_as_left_unless_the_new_one_has_them(desk: Desk) -> None:
    desk.poll(make_document(A, B))
    desk.source = replace(desk.source, url="https://a.example/new")
    maintenance.synchronise(desk.store, desk.config, desk.now)
    desk.poll(make_document(B))
    assert desk.last_seen("a") is not None
    assert desk.last_seen("b") is None


def test_released_entries_stay_shown(desk: Desk) -> None:
    for name in "abc":
        desk.poll(make_document(*(make_entry(f"{name}{n}", published=START) for n in range(12))))
        desk.now += timedelta(days=9)
    with desk.store.transaction() as db:
        maintenance.release(db, desk.state(), desk.context.rulebook, desk.now)
    shown = desk.shown()
    desk.poll(make_document(*(make_entry(f"c{n}", published=START) for n in range(12))))
    assert desk.shown() == shown
    assert desk.state().health == "fine"


def test_entry_has_its_keys_and_the_key_that_matched(desk: Desk) -> None:
    linked = replace(
        make_entry("n"), link="https://a.example/n", canonical_url="https://a.example/n"
    )
    desk.poll(make_document(linked))
    first = desk.entry("n")
    assert (first.known_by, first.matched) == ("guid link text", "")

    again = replace(linked, guid="", title="New", fingerprint=b"new", item_hash=b"2" * 16)
    desk.poll(make_document(again))
    assert (desk.entry("n").known_by, desk.entry("n").matched) == ("guid link text", "link")
