"""The id of the site is created once and never changes."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aggregator.errors import StoreError
from aggregator.models.config import Source
from aggregator.store.database import site_id
from aggregator.store.database.connection import Store
from aggregator.store.sources import sync


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(str(tmp_path / "test.db"))
    yield store
    store.close()


def read(store: Store) -> str:
    with store.reading() as db:
        return site_id.get(db)


def test_a_new_site_has_the_name_of_its_address(store: Store) -> None:
    site_id.ensure(store, "https://news.example/planet")
    assert read(store) == "news.example"


@pytest.mark.parametrize("base_url", ["", "http://127.0.0.1:8000", "http://[fd00::1]"])
def test_a_new_site_without_a_name_has_a_random_one(store: Store, base_url: str) -> None:
    site_id.ensure(store, base_url)
    assert re.fullmatch(r"[0-9a-f]{16}\.invalid", read(store))


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://news.example:8443/planet", "news.example"),
        ("http://127.0.0.1:8000", "127.0.0.1"),
        ("http://[::1]:8000", "localhost"),
        ("", "127.0.0.1"),
    ],
)
def test_an_earlier_database_keeps_the_host_of_its_ids(
    store: Store, base_url: str, expected: str
) -> None:
    with store.transaction() as db:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        sync.apply(db, [Source(id="a", url="https://a.example/")], now=now, first_polls={})
    site_id.ensure(store, base_url)
    assert read(store) == expected


def test_it_stays_when_the_address_changes(store: Store) -> None:
    site_id.ensure(store, "https://news.example")
    site_id.ensure(store, "https://other.example")
    assert read(store) == "news.example"


def test_a_database_without_one_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError, match="restart the service"):
        read(store)
