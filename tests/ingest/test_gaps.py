"""A document that shares nothing with the last: noted, polled sooner, filled from the archive."""

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
from tests.builders import URL, Desk, failed, make_document, make_entry

OLDER = "https://a.example/archive/{}"
WINDOW = document.GAP_WINDOW


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = Store(str(tmp_path / "test.db"))
    yield Desk(store)
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


def gaps(desk: Desk) -> list[str]:
    with desk.store.reading() as db:
        found = incidents.recent(db, source_id="a")
    return [one.detail for one in reversed(found) if one.kind == "gap"]


def miss(desk: Desk, older: int = 0) -> Ingested:
    """Poll items 1 to 6, and then 13 to 18: between them six are missed."""
    desk.poll(make_document(*items(1, 6)))
    done = desk.poll(make_document(*items(13, 18), feed=feed(older)))
    assert done is not None
    return done


def test_a_document_that_shares_nothing_with_the_last_is_a_gap(desk: Desk) -> None:
    done = miss(desk)
    assert gaps(desk) == [
        "6 new entries and none of the 6 entries of the last document of"
        f" {desk.now - timedelta(minutes=1):%Y-%m-%d %H:%M}; entries between them may be missing;"
        " the feed links no archive"
    ]
    assert "entries were missed, so " in done.next_poll.reason
    assert desk.state().gap_boost == 1


def test_a_feed_that_links_itself_as_its_older_part_has_no_archive(desk: Desk) -> None:
    desk.poll(make_document(*items(1, 6)))
    desk.poll(make_document(*items(13, 18), feed=replace(feed(), older=URL)))
    assert gaps(desk)[0].endswith("the feed links no archive")
    assert not desk.request().archive


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param((1, 6), (6, 11), id="one entry is left"),
        pytest.param((1, WINDOW - 1), (20, 30), id="too few stood there before"),
        pytest.param((1, 9), (20, 20 + WINDOW - 2), id="too few are new"),
        pytest.param((1, 6), (1, 6), id="nothing is new"),
    ],
)
def test_no_gap(desk: Desk, before: tuple[int, int], after: tuple[int, int]) -> None:
    desk.poll(make_document(*items(*before)))
    desk.poll(make_document(*items(*after)))
    assert (gaps(desk), desk.state().gap_boost) == ([], 0)


def test_neither_the_first_document_nor_a_part_of_one_can_be_a_gap(desk: Desk) -> None:
    desk.poll(make_document(*items(1, 6)))
    desk.poll(make_document(*items(20, 26), whole=False, item_hashes=b"", body_hash=b""))
    assert gaps(desk) == []


def test_each_gap_halves_the_interval_and_quiet_polls_take_it_back(desk: Desk) -> None:
    for number in range(rules.MOST_BOOST + 2):
        desk.poll(make_document(*items(10 * number + 1, 10 * number + 6)))
    assert desk.state().gap_boost == rules.MOST_BOOST
    last = 10 * (rules.MOST_BOOST + 1)
    desk.poll(make_document(*items(last + 4, last + 9)))
    assert desk.state().gap_boost == rules.MOST_BOOST
    desk.poll(make_document(*items(last + 5, last + 10)))
    assert desk.state().gap_boost == rules.MOST_BOOST - 1


def test_a_gap_is_filled_from_the_archive_that_the_feed_links(desk: Desk) -> None:
    done = miss(desk, older=2)
    assert done.next_poll.at == desk.now
    request = desk.request()
    assert (request.url, request.archive) == (OLDER.format(2), True)
    assert (request.validators.etag, request.body_hash, request.item_hashes) == ("", b"", b"")

    desk.poll(archive(2, *items(10, 12), older=1), archive=True)
    assert desk.request().url == OLDER.format(1)
    done_filling = desk.poll(archive(1, *items(5, 9)), archive=True)
    assert sorted(desk.shown()) == [f"{number:03}" for number in (*range(1, 7), *range(7, 19))]
    assert gaps(desk)[-1] == "filled the gap from the feed's archive"
    assert done_filling is not None
    assert done_filling.next_poll.at > desk.now
    request = desk.request()
    assert (request.url, request.archive, request.body_hash) == (URL, False, b"body")
    assert request.validators.etag == '"1"'


def test_archive_changes_nothing_of_the_feeds_state(desk: Desk) -> None:
    miss(desk, older=1)
    before = desk.state()
    desk.poll(archive(1, *items(5, 12)), archive=True)
    after = desk.state()
    for name in ("feed", "lifetime", "validators", "validators_url", "body_bytes", "failures"):
        assert getattr(after, name) == getattr(before, name), name
    desk.poll(make_document(*items(13, 18)))
    assert gaps(desk)[2:] == []


def test_an_archive_that_fails_ends_the_filling_and_harms_nothing(desk: Desk) -> None:
    miss(desk, older=1)
    desk.poll(failed(FailureKind.GONE, status=410), archive=True)
    assert gaps(desk)[-1] == "could not fill the gap: it failed"
    state = desk.state()
    assert (state.failures, state.health, state.fill_url) == (0, "fine", "")
    assert state.next_poll > desk.now


def test_archive_without_a_known_entry_is_noted(desk: Desk) -> None:
    miss(desk, older=1)
    desk.poll(archive(1, *items(10, 12)), archive=True)
    assert gaps(desk)[-1].startswith("fetched the whole archive")
    assert not desk.request().archive


def test_endless_chain_of_archives_is_abandoned(desk: Desk) -> None:
    miss(desk, older=1)
    read = 0
    while desk.request().archive:
        read += 1
        desk.poll(archive(read, make_entry(f"x{read}"), older=read + 1), archive=True)
    assert read == rules.MOST_ARCHIVES


def test_retry_after_of_an_archive_is_obeyed(desk: Desk) -> None:
    miss(desk, older=1)
    wait = Freshness(retry_after=timedelta(hours=2))
    desk.poll(failed(FailureKind.RATE_LIMITED, status=429, freshness=wait), archive=True)
    assert desk.state().next_poll >= desk.now + timedelta(hours=2)


def test_new_url_ends_the_filling(desk: Desk) -> None:
    miss(desk, older=1)
    desk.source = replace(desk.source, url="https://b.example/feed")
    maintenance.synchronise(desk.store, desk.config, desk.now)
    assert desk.request().url == "https://b.example/feed"


def test_an_archive_of_many_old_entries_is_no_flood(desk: Desk) -> None:
    miss(desk, older=1)
    old = [make_entry(f"o{n}", published=desk.now - timedelta(days=60)) for n in range(40)]
    desk.poll(archive(1, *old, *items(5, 6)), archive=True)
    assert sum(guid.startswith("o") for guid in desk.shown()) == 40
