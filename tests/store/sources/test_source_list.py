"""Filters, counts, orders and pages of the configured sources."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.models.config import Source
from aggregator.models.entry import Feed
from aggregator.policy.health import HEALTHS
from aggregator.store.database.connection import Connection, Store
from aggregator.store.sources import source_list, sources, sync
from aggregator.store.sources.source_list import SourceFilter
from tests.builders import START

SOURCES = (
    Source(id="b", url="https://user:secret@one.example/path", title="Beta", sections=("x",)),
    Source(id="a", url="https://two.example/", title="Ärger", sections=("x", "y")),
    Source(id="c", url="https://three.example/", sections=("y",)),
    Source(id="d", url="https://four.example/", title="Delta", enabled=False),
)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    store = Store(str(tmp_path / "test.db"))
    with store.transaction() as db:
        gone = Source(id="removed", url="https://five.example/", title="Beta")
        sync.apply(db, [gone], now=START, first_polls={})
        sync.apply(db, SOURCES, now=START, first_polls={})
        at = START + timedelta(hours=1)
        sources.update(db, "a", {"health": "failing", "entries": 5, "last_poll": at})
        sources.update(db, "b", {"health": "fine", "entries": 5, "last_poll": START})
        sources.update(db, "c", {"health": "fine", "feed": Feed(title="Gamma")})
        for source_id, hours in (("a", 3), ("b", 2), ("c", 1), ("d", 0)):
            sources.update(db, source_id, {"next_poll": START + timedelta(hours=hours)})
    with store.reading() as db:
        yield db
    store.close()


def found(db: Connection, wanted: SourceFilter, sort: str, *, descending: bool = False) -> str:
    """Return the ids that a list shows, as one word."""
    ids = source_list.ids(
        db,
        wanted,
        sort=sort,
        descending=descending,
        ranks=HEALTHS,
        limit=10,
        offset=0,
    )
    return "".join(ids)


@pytest.mark.parametrize(
    ("sort", "ascending", "descending"),
    [
        ("order", "bacd", "dcab"),
        ("health", "abcd", "dbca"),
        ("title", "bdca", "acdb"),
        ("checked", "cdba", "abcd"),
        ("next", "cbad", "abcd"),
        ("entries", "cdba", "bacd"),
        ("latency", "bacd", "bacd"),
        ("changed", "bacd", "bacd"),
    ],
)
def test_orders_put_equal_sources_in_the_order_of_the_configuration(
    db: Connection, sort: str, ascending: str, descending: str
) -> None:
    assert found(db, SourceFilter(), sort) == ascending
    assert found(db, SourceFilter(), sort, descending=True) == descending


def test_every_order_is_tested() -> None:
    [mark] = test_orders_put_equal_sources_in_the_order_of_the_configuration.pytestmark  # type: ignore[attr-defined]
    assert {row[0] for row in mark.args[1]} == set(source_list.SORTS)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({}, "bacd"),
        ({"text": "ÄRGER"}, "a"),
        ({"text": "gam"}, "c"),
        ({"text": "ONE.exam"}, "b"),
        ({"text": "secret"}, ""),
        ({"text": "%"}, ""),
        ({"section": "y"}, "ac"),
        ({"section": "y", "text": "two"}, "a"),
        ({"section": "nowhere"}, ""),
        ({"health": "fine"}, "bc"),
        ({"health": "disabled"}, "d"),
        ({"health": "new"}, ""),
    ],
)
def test_filters(db: Connection, wanted: dict[str, str], ids: str) -> None:
    assert found(db, SourceFilter(**wanted), "order") == ids


def test_counts_ignore_the_filter_by_health(db: Connection) -> None:
    assert source_list.counts(db, SourceFilter(health="fine")) == {
        "failing": 1,
        "fine": 2,
        "disabled": 1,
    }
    assert source_list.counts(db, SourceFilter(section="y")) == {"failing": 1, "fine": 1}
    assert source_list.total(db) == 4


def test_pages_hold_every_source_once(db: Connection) -> None:
    pages = [
        source_list.ids(
            db, SourceFilter(), sort="entries", descending=True, ranks=HEALTHS, limit=2, offset=at
        )
        for at in (0, 2, 4)
    ]
    assert pages == [["b", "a"], ["c", "d"], []]
