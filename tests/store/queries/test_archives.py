"""Archives: ranges are closed once, and their documents are stored."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.models.query import Query, parse
from aggregator.store.queries import archives, select
from aggregator.store.queries.archives import NONE, SIZE, Range
from tests.web.sample_store import SampleStore, open_sample


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[SampleStore]:
    with open_sample(tmp_path) as sample:
        yield sample


def close(sample: SampleStore) -> Range:
    with sample.store.transaction() as db:
        return archives.close(db, "all", Query())


def test_a_range_closes_when_it_is_full(sample: SampleStore) -> None:
    sample.add("herald", SIZE - 1)
    assert close(sample) == NONE
    sample.add("herald")
    assert close(sample) == Range(number=1, after_id=0, last_id=SIZE)
    assert close(sample) == Range(number=1, after_id=0, last_id=SIZE)


def test_a_backlog_closes_at_once(sample: SampleStore) -> None:
    sample.add("herald", 3 * SIZE + 7)
    assert close(sample) == Range(number=3, after_id=2 * SIZE, last_id=3 * SIZE)
    with sample.store.reading() as db:
        assert archives.get(db, "all", 2) == Range(number=2, after_id=SIZE, last_id=2 * SIZE)
        assert archives.get(db, "all", 4) is None
        assert archives.newest(db, "section:world") == NONE


def test_a_range_stays_when_its_entries_are_withdrawn(sample: SampleStore) -> None:
    ids = sample.add("herald", 2 * SIZE)
    closed = close(sample)
    sample.withdraw(ids[0])
    sample.add("herald", SIZE)
    assert close(sample) == Range(number=3, after_id=2 * SIZE, last_id=3 * SIZE)
    with sample.store.reading() as db:
        assert archives.get(db, "all", 2) == closed


def test_first_document_of_a_range_stays(sample: SampleStore) -> None:
    with sample.store.transaction() as db:
        assert archives.get_document(db, "all", 1, "atom") is None
        assert archives.save_document(db, "all", 1, "atom", b"first") == b"first"
        assert archives.save_document(db, "all", 1, "atom", b"second") == b"first"
        assert archives.get_document(db, "all", 1, "atom") == b"first"
        assert archives.get_document(db, "all", 1, "rss") is None


def test_document_is_deleted_when_all_its_entries_have_expired(sample: SampleStore) -> None:
    sample.add("herald", 2 * SIZE)
    close(sample)
    with sample.store.transaction() as db:
        for number in (1, 2):
            archives.save_document(db, "all", number, "atom", b"x")
        db.execute("delete from entry_section where entry_id <= ?", (SIZE,))
        db.execute("delete from entries where id <= ?", (SIZE,))
        assert archives.forget(db) == 1
        assert archives.get_document(db, "all", 1, "atom") is None
        assert archives.get_document(db, "all", 2, "atom") == b"x"


QUERIES = [
    *("", "section=world", "section=local", "section=world,local", "source=post"),
    *("source=herald,post", "q=rain", "q=rain&section=local", "q=rain&not=1", "not=rain"),
    *("q=%21", "lang=en", "has=audio", "section=local&source=herald", "category=x", "author=x"),
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("tail", [20_000, 0], ids=["few rows since", "many rows since"])
def test_arrivals_are_the_views_entries_in_order_of_id(
    sample: SampleStore, query: str, tail: int
) -> None:
    for source in ("herald", "post", "odd"):
        sample.add(source, 4)
    hidden = sample.add("post", 1)[0]
    sample.withdraw(hidden)
    with sample.store.reading() as db:
        for after in (0, 5):
            expected = [
                entry_id
                for entry_id in sorted(select.select_ids(db, parse(query), limit=100))
                if entry_id > after
            ]
            found = select.arrival_ids(db, parse(query), after_id=after, tail=tail)
            assert found == expected
