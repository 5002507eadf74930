"""Gaps: noted, polled sooner, and filled from the archive."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.ingest import document, maintenance
from aggregator.ingest import gaps as rules
from aggregator.ingest.source_update import Ingested
from aggregator.models.entry import Entry, Feed
from aggregator.models.poll import FailureKind, Freshness, ParsedDocument, Transfer
from aggregator.store.database.connection import Store
from aggregator.store.sources import incidents
from tests.builders import URL, Ingester, failed, make_document, make_entry

OLDER = "https://a.example/archive/{}"
WINDOW = document.GAP_WINDOW


@pytest.fixture
def ingester(tmp_path: Path) -> Iterator[Ingester]:
    store = Store(str(tmp_path / "test.db"))
    yield Ingester(store)
    store.close()


def items(first: int, last: int) -> list[Entry]:
    """Entries by number, the newest first."""
    return [make_entry(f"{number:03}") for number in range(last, first - 1, -1)]


def feed(older: int = 0) -> Feed:
    return Feed(title="A", link="https://a.example/", older=OLDER.format(older) if older else "")


def archive(number: int, *found: Entry, older: int = 0) -> ParsedDocument:
    transfer = Transfer(status=200, freshness=Freshness(lifetime=timedelta(days=365)))
    return make_document(
        *found, url=OLDER.format(number), feed=feed(older), body_hash=b"old", transfer=transfer
    )


def gaps(ingester: Ingester) -> list[str]:
    with ingester.store.reading() as db:
        found = incidents.recent(db, source_id="a")
    return [one.detail for one in reversed(found) if one.kind == "gap"]


def miss(ingester: Ingester, older: int = 0) -> Ingested:
    """Poll items 1 to 6, and then 13 to 18: between them six are missed."""
    ingester.poll(make_document(*items(1, 6)))
    done = ingester.poll(make_document(*items(13, 18), feed=feed(older)))
    assert done is not None
    return done


def test_a_document_that_shares_nothing_with_the_last_is_a_gap(ingester: Ingester) -> None:
    done = miss(ingester)
    assert gaps(ingester) == [
        "6 new entries and none of the 6 entries of the last document of"
        f" {ingester.now - timedelta(minutes=1):%Y-%m-%d %H:%M};"
        " entries between them may be missing; the feed links no archive"
    ]
    assert "entries were missed, so " in done.next_poll.reason
    assert ingester.state().gap_boost == 1


def test_a_feed_that_links_itself_as_its_older_part_has_no_archive(ingester: Ingester) -> None:
    ingester.poll(make_document(*items(1, 6)))
    ingester.poll(make_document(*items(13, 18), feed=replace(feed(), older=URL)))
    assert gaps(ingester)[0].endswith("the feed links no archive")
    assert not ingester.request().archive


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param((1, 6), (6, 11), id="one entry is left"),
        pytest.param((1, WINDOW - 1), (20, 30), id="too few stood there before"),
        pytest.param((1, 9), (20, 20 + WINDOW - 2), id="too few are new"),
        pytest.param((1, 6), (1, 6), id="nothing is new"),
    ],
)
def test_no_gap(ingester: Ingester, before: tuple[int, int], after: tuple[int, int]) -> None:
    ingester.poll(make_document(*items(*before)))
    ingester.poll(make_document(*items(*after)))
    assert (gaps(ingester), ingester.state().gap_boost) == ([], 0)


def test_neither_the_first_document_nor_a_part_of_one_can_be_a_gap(ingester: Ingester) -> None:
    ingester.poll(make_document(*items(1, 6)))
    ingester.poll(make_document(*items(20, 26), whole=False, item_hashes=b"", body_hash=b""))
    assert gaps(ingester) == []


def test_each_gap_halves_the_interval_and_quiet_polls_take_it_back(ingester: Ingester) -> None:
    for number in range(rules.MOST_BOOST + 2):
        ingester.poll(make_document(*items(10 * number + 1, 10 * number + 6)))
    assert ingester.state().gap_boost == rules.MOST_BOOST
    last = 10 * (rules.MOST_BOOST + 1)
    ingester.poll(make_document(*items(last + 4, last + 9)))
    assert ingester.state().gap_boost == rules.MOST_BOOST
    ingester.poll(make_document(*items(last + 5, last + 10)))
    assert ingester.state().gap_boost == rules.MOST_BOOST - 1


def test_a_gap_is_filled_from_the_archive_that_the_feed_links(ingester: Ingester) -> None:
    done = miss(ingester, older=2)
    assert done.next_poll.at == ingester.now
    request = ingester.request()
    assert (request.url, request.archive) == (OLDER.format(2), True)
    assert (request.validators.etag, request.body_hash, request.item_hashes) == ("", b"", b"")

    ingester.poll(archive(2, *items(10, 12), older=1), archive=True)
    assert ingester.request().url == OLDER.format(1)
    done_filling = ingester.poll(archive(1, *items(5, 9)), archive=True)
    assert sorted(ingester.visible_guids()) == [
        f"{number:03}" for number in (*range(1, 7), *range(7, 19))
    ]
    assert gaps(ingester)[-1] == "filled the gap from the feed's archive"
    assert done_filling is not None
    assert done_filling.next_poll.at > ingester.now
    request = ingester.request()
    assert (request.url, request.archive, request.body_hash) == (URL, False, b"body")
    assert request.validators.etag == '"1"'


def test_archive_changes_nothing_of_the_feeds_state(ingester: Ingester) -> None:
    miss(ingester, older=1)
    before = ingester.state()
    ingester.poll(archive(1, *items(5, 12)), archive=True)
    after = ingester.state()
    for name in ("feed", "lifetime", "validators", "validators_url", "body_bytes", "failures"):
        assert getattr(after, name) == getattr(before, name), name
    ingester.poll(make_document(*items(13, 18)))
    assert gaps(ingester)[2:] == []


def test_an_archive_that_fails_ends_the_filling_and_harms_nothing(ingester: Ingester) -> None:
    miss(ingester, older=1)
    ingester.poll(failed(FailureKind.GONE, status=410), archive=True)
    assert gaps(ingester)[-1] == "could not fill the gap: it failed"
    state = ingester.state()
    assert (state.failures, state.health, state.fill_url) == (0, "fine", "")
    assert state.next_poll > ingester.now


def test_archive_without_a_known_entry_is_noted(ingester: Ingester) -> None:
    miss(ingester, older=1)
    ingester.poll(archive(1, *items(10, 12)), archive=True)
    assert gaps(ingester)[-1].startswith("fetched the whole archive")
    assert not ingester.request().archive


def test_endless_chain_of_archives_is_abandoned(ingester: Ingester) -> None:
    miss(ingester, older=1)
    read = 0
    while ingester.request().archive:
        read += 1
        ingester.poll(archive(read, make_entry(f"x{read}"), older=read + 1), archive=True)
    assert read == rules.MOST_ARCHIVES


def test_retry_after_of_an_archive_is_obeyed(ingester: Ingester) -> None:
    miss(ingester, older=1)
    wait = Freshness(retry_after=timedelta(hours=2))
    ingester.poll(failed(FailureKind.RATE_LIMITED, status=429, freshness=wait), archive=True)
    assert ingester.state().next_poll >= ingester.now + timedelta(hours=2)


def test_new_url_ends_the_filling(ingester: Ingester) -> None:
    miss(ingester, older=1)
    ingester.source = replace(ingester.source, url="https://b.example/feed")
    maintenance.synchronise(ingester.store, ingester.config, ingester.now)
    assert ingester.request().url == "https://b.example/feed"


def test_an_archive_of_many_old_entries_is_no_flood(ingester: Ingester) -> None:
    miss(ingester, older=1)
    old = [make_entry(f"o{n}", published=ingester.now - timedelta(days=60)) for n in range(40)]
    ingester.poll(archive(1, *old, *items(5, 6)), archive=True)
    assert sum(guid.startswith("o") for guid in ingester.visible_guids()) == 40
