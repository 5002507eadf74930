"""A database of an earlier version, polled: better values are stored and nothing is announced."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import xxhash

from aggregator.clean import fingerprint
from aggregator.dedupe import identity
from aggregator.ingest import maintenance
from aggregator.models.entry import StoredEntry
from aggregator.polling import stages
from aggregator.store.database import change_log, site_id
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries, versions
from tests.builders import Ingester
from tests.ingest.test_once import polled, rss

LONG = "The ferry to the island leaves at nine and comes back at ten past four in the afternoon."


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "test.db"))
    yield Ingester(store)
    store.close()


def document(*items: str, comment: str = "") -> bytes:
    return rss([], comment=comment).replace(b"</channel>", f"{''.join(items)}</channel>".encode())


GUID = (
    "<item><guid isPermaLink='false'>g{0}</guid><link>https://a.example/{0}</link>"
    "<title>Ferry {0}</title><description>Leaves at nine.</description></item>"
)
PAGE = "<item><link>https://a.example/p{0}</link><title>Ferry {0}</title></item>"
TEXT = "<item><title>Ferry {0}</title><description>" + LONG + "</description></item>"


def stored(ingester: Ingester) -> list[StoredEntry]:
    with ingester.store.reading() as db:
        return entries.of_source(db, "a", after=0, limit=100)


def age(ingester: Ingester, *, title: str = "title", guid: str = "guid") -> None:
    """Change the database to one that version 1 wrote.

    Its fingerprints, and the keys made of them, follow other rules, and with `title` and `guid`,
    which are SQL, its values are worse.
    """
    with ingester.store.transaction() as db:
        for each in stored(ingester):
            new = identity.keys(each.source_id, each.entry).text
            was = b"1" + xxhash.xxh3_128_digest(b"old rules" + each.entry.fingerprint)
            db.execute("update entries set fingerprint = ? where id = ?", (was, each.id))
            db.execute("update aliases set key = ? where key = ?", (new[:4] + was[1:13], new))
        db.execute(f"update entries set title = {title}, guid = {guid}")
        db.execute("update documents set body_hash = cast('1' || x'00' as blob)")


@pytest.mark.parametrize("item", [GUID, PAGE, TEXT], ids=["guid", "page", "text alone"])
@pytest.mark.parametrize("comment", ["", "another body"])
def test_the_same_items_bring_nothing_new_and_no_correction(
    ingester: Ingester, item: str, comment: str
) -> None:
    items = [item.format(number) for number in range(3)]
    polled(ingester, document(*items))
    before = stored(ingester)
    age(ingester, title="'Ferry &' || 'amp; ' || id")
    ingester.now += timedelta(hours=1)

    done = polled(ingester, document(*items, comment=comment))

    assert (done.new, done.changed, done.touched) == ((), (), False)
    after = stored(ingester)
    assert [each.entry for each in after] == [each.entry for each in before]
    assert [each.changed for each in after] == [each.changed for each in before]
    assert [each.uri for each in after] == [each.uri for each in before]
    with ingester.store.reading() as db:
        assert all(versions.of_entry(db, each.id) == [] for each in after)


def test_a_better_guid_and_link_are_the_same_entry(ingester: Ingester) -> None:
    polled(ingester, document(GUID.format(1), GUID.format(2)))
    age(ingester, guid="'worse' || id")
    with ingester.store.transaction() as db:
        db.execute("delete from aliases")  # none of the keys of today was known

    done = polled(ingester, document(GUID.format(1), GUID.format(2), comment="x"))

    assert (done.new, done.changed) == ((), ())
    assert [each.entry.guid for each in stored(ingester)] == ["g2", "g1"]


@pytest.mark.parametrize(("comment", "new"), [("", 0), ("another body", 2)])
def test_a_better_guid_in_a_document_that_was_never_split(
    ingester: Ingester, comment: str, new: int
) -> None:
    polled(ingester, document(GUID.format(1), GUID.format(2)))
    body_hash = ingester.request().body_hash
    age(ingester, guid="'worse' || id")
    with ingester.store.transaction() as db:
        db.execute("delete from aliases")
        db.execute("update documents set item_hashes = x'', body_hash = ?", (b"1" + body_hash[1:],))

    done = polled(ingester, document(GUID.format(1), GUID.format(2), comment=comment))

    assert (len(done.new), done.changed) == (new, ())


def test_text_alone_is_known_in_a_document_that_was_never_split(ingester: Ingester) -> None:
    polled(ingester, document(TEXT.format(1), TEXT.format(2)))
    age(ingester)
    with ingester.store.transaction() as db:
        db.execute("update documents set item_hashes = x''")

    done = polled(ingester, document(TEXT.format(2), TEXT.format(1)))

    assert (done.new, done.changed) == ((), ())


def test_the_poll_after_the_upgrade_reads_items_once(ingester: Ingester) -> None:
    polled(ingester, document(GUID.format(1)))
    age(ingester)
    polled(ingester, document(GUID.format(1)))
    [upgraded] = stored(ingester)
    assert upgraded.entry.fingerprint == fingerprint.with_fingerprint(upgraded.entry).fingerprint
    assert polled(ingester, document(GUID.format(1))).result == "equal"
    assert ingester.request().body_hash.startswith(stages.READER_VERSION)
    assert len(ingester.request().item_hashes) == 16


def test_corrections_are_found_after_the_upgrade(ingester: Ingester) -> None:
    polled(ingester, document(GUID.format(1)))
    age(ingester)
    polled(ingester, document(GUID.format(1)))
    done = polled(ingester, document(GUID.format(1).replace("nine", "ten")))
    assert len(done.changed) == 1


def test_a_new_item_beside_old_ones_is_new(ingester: Ingester) -> None:
    polled(ingester, document(GUID.format(1)))
    age(ingester)
    done = polled(ingester, document(GUID.format(2), GUID.format(1)))
    assert (len(done.new), done.changed) == (1, ())


def test_subscribers_get_no_push(ingester: Ingester) -> None:
    polled(ingester, document(GUID.format(1)))
    age(ingester, title="'worse'")
    before = ingester.versions()
    polled(ingester, document(GUID.format(1)))
    assert stored(ingester)[0].entry.title == "Ferry 1"
    after = ingester.versions()
    assert {scope for scope in after if after[scope] != before[scope]} == {change_log.STATUS}


@pytest.mark.parametrize(
    ("base_url", "host"), [("", "127.0.0.1"), ("https://us.example/news", "us.example")]
)
def test_published_ids_stay_when_the_address_changes(
    ingester: Ingester, base_url: str, host: str
) -> None:
    with ingester.store.transaction() as db:  # as earlier versions left it
        db.execute("delete from facts where name = ?", (site_id.NAME,))
    site = replace(ingester.config.site, base_url=base_url)
    maintenance.synchronise(ingester.store, replace(ingester.config, site=site), ingester.now)
    polled(ingester, document(TEXT.format(1)))
    site = replace(site, base_url="https://moved.example")
    maintenance.synchronise(ingester.store, replace(ingester.config, site=site), ingester.now)
    polled(ingester, document(TEXT.format(1), TEXT.format(2)))
    assert len(stored(ingester)) == 2
    assert all(each.uri.startswith(f"tag:{host},2") for each in stored(ingester))
