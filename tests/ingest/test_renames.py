"""A source whose id changes in the configuration keeps its history."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aggregator.ingest import maintenance
from aggregator.models.config import Source
from aggregator.models.poll import Validators
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries
from aggregator.store.sources import poll_log, renames, sources
from aggregator.store.sources.sync import SyncSummary
from tests.builders import URL, Ingester, make_document, make_entry

RAIN, SUN = make_entry("rain", title="Rain"), make_entry("sun", title="Sun")


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "a.db"))
    ingester = Ingester(store)
    ingester.poll(make_document(RAIN, SUN, validators=Validators(etag='"1"')))
    yield ingester
    store.close()


def rename(ingester: Ingester, *ids: str) -> SyncSummary:
    """Name the first source by these ids instead, all with its URL."""
    ingester.source, *more = (replace(ingester.source, id=id) for id in ids)
    ingester.others += more
    return maintenance.synchronise(ingester.store, ingester.config, ingester.now)


def current_id(ingester: Ingester, source_id: str) -> str:
    with ingester.store.reading() as db:
        return renames.current_id(db, source_id)


def test_every_table_of_sources_is_moved(ingester: Ingester) -> None:
    with ingester.store.reading() as db:
        tables = {
            row[0]
            for row in db.execute(
                "select m.name from sqlite_master m, pragma_table_info(m.name) c"
                " where m.type = 'table' and c.name = 'source_id'"
            )
        }
    assert set(renames.TABLES) == tables


def test_a_renamed_source_keeps_its_state_and_entries(ingester: Ingester) -> None:
    before, uri, request = ingester.state(), ingester.entry("rain").uri, ingester.request()
    summary = rename(ingester, "z")
    assert (summary.renamed, summary.added, summary.removed) == ((("a", "z"),), (), ())
    assert ingester.state("z") == before._replace(id="z")
    assert ingester.request("z") == replace(request, source_id="z")
    assert ingester.entry("rain").uri == uri
    assert ingester.entry("rain").source_id == "z"
    assert sorted(ingester.visible_guids()) == ["rain", "sun"]
    with ingester.store.reading() as db:
        assert sources.get(db, "a") is None
        assert len(poll_log.recent(db, "z")) == 1
        assert db.execute("pragma foreign_key_check").fetchall() == []
        named = db.execute("select distinct source_id from story_members").fetchall()
        assert {row[0] for row in named} <= {"z"}


def test_its_next_document_brings_only_what_is_new(ingester: Ingester) -> None:
    rename(ingester, "z")
    edited = replace(RAIN, title="Rain again", fingerprint=b"again", item_hash=b"2" * 16)
    done = ingester.poll(make_document(edited, SUN, make_entry("snow")), "z")
    assert done is not None
    assert len(done.new) == 1
    with ingester.store.reading() as db:
        assert entries.count(db) == 3
    assert ingester.entry("rain").entry.title == "Rain again"


def test_an_expired_entry_of_it_does_not_come_back(ingester: Ingester) -> None:
    with ingester.store.transaction() as db:
        db.execute("delete from documents")
        db.execute("delete from entries where guid = 'rain'")
    rename(ingester, "z")
    ingester.poll(make_document(RAIN, SUN), "z")
    with ingester.store.reading() as db:
        assert entries.find(db, "rain") is None


def test_earlier_ids_lead_to_the_present_one(ingester: Ingester) -> None:
    rename(ingester, "y")
    rename(ingester, "z")
    assert (current_id(ingester, "a"), current_id(ingester, "y")) == ("z", "z")
    rename(ingester, "a")  # and back
    assert (current_id(ingester, "y"), current_id(ingester, "z")) == ("a", "a")
    assert current_id(ingester, "a") == ""
    assert ingester.state().identity == "a"


def test_a_new_source_with_an_earlier_id_wins_over_the_redirect(ingester: Ingester) -> None:
    rename(ingester, "z")
    ingester.others.append(Source(id="a", url="https://else.example/feed"))
    summary = maintenance.synchronise(ingester.store, ingester.config, ingester.now)
    assert summary.added == ("a",)
    assert current_id(ingester, "a") == ""
    assert ingester.state("a").identity not in ("a", ingester.state("z").identity)
    done = ingester.poll(make_document(RAIN), "a")
    assert done is not None
    assert len(done.new) == 1  # the entries of the other source are none of its own


@pytest.mark.parametrize("ids", [("y", "z"), ("a", "z")], ids=["two new", "one stays"])
def test_where_several_could_be_the_source_none_is_renamed(
    ingester: Ingester, ids: tuple[str, ...]
) -> None:
    assert rename(ingester, *ids).renamed == ()
    assert ingester.state().entries == 2


def test_of_two_lost_sources_with_one_url_none_is_renamed(ingester: Ingester) -> None:
    ingester.others.append(Source(id="twin", url=URL))
    maintenance.synchronise(ingester.store, ingester.config, ingester.now)
    del ingester.others[-1]
    assert rename(ingester, "z").renamed == ()


def test_a_source_with_another_url_is_not_renamed(ingester: Ingester) -> None:
    ingester.source = replace(ingester.source, id="z", url=f"{URL}2")
    summary = maintenance.synchronise(ingester.store, ingester.config, ingester.now)
    assert (summary.renamed, summary.added, summary.removed) == ((), ("z",), ("a",))


def test_a_source_that_was_removed_before_comes_back_under_a_new_id(ingester: Ingester) -> None:
    removed, ingester.source = ingester.source, ingester.others.pop()
    maintenance.synchronise(ingester.store, ingester.config, ingester.now)
    assert not ingester.state().configured
    ingester.others.append(replace(removed, id="z"))
    maintenance.synchronise(ingester.store, ingester.config, ingester.now)
    assert ingester.state("z").configured
    assert ingester.state("z").entries == 2


def test_a_rename_that_fails_changes_nothing(ingester: Ingester) -> None:
    before = ingester.state()

    def fail() -> None:
        with ingester.store.transaction() as db:
            renames.apply(db, {"a": "z"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert ingester.state() == before
    assert current_id(ingester, "a") == ""
