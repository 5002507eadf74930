"""/healthz and /readyz."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from aggregator.store.database import metadata
from aggregator.store.database.times import format_time
from tests.web.pages.test_pages import PageSite, pages
from tests.web.sample_store import open_sample

__all__ = ["pages"]


@pytest.fixture
def ready(pages: PageSite) -> PageSite:
    """A site whose scheduler has just reported."""
    report(pages)
    return pages


def report(site: PageSite, unavailable_reason: str = "") -> None:
    with site.sample.store.transaction() as db:
        metadata.put(db, "tick", format_time(site.now))
        metadata.put(db, "shortage", unavailable_reason)


def test_service_without_a_scheduler_is_healthy_and_not_ready(pages: PageSite) -> None:
    assert pages.get("/healthz").text == "ok\n"
    answer = pages.get("/readyz")
    assert answer.status_code == 503
    assert answer.text == "the scheduler is not running: never seen\n"


def test_service_with_a_scheduler_is_ready(ready: PageSite) -> None:
    answer = ready.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready\n")


def test_service_whose_polling_is_paused_is_not_ready(ready: PageSite) -> None:
    report(ready, "news.db: the disk is full.")
    answer = ready.get("/readyz")
    assert answer.status_code == 503
    assert answer.text == "polling is paused: news.db: the disk is full.\n"
    assert ready.get("/healthz").status_code == 200


def zero_table(path: str, table: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma wal_checkpoint(truncate)")
        [size] = db.execute("pragma page_size").fetchone()
        query = "select rootpage from sqlite_master where name = ?"
        [page] = db.execute(query, (table,)).fetchone()
    with Path(path).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[PageSite]:
    """A site that can read its state and sources, but no entries."""
    with open_sample(tmp_path) as sample:
        sample.add("herald", 3)
        report(PageSite(sample))
        zero_table(sample.store.path, "entries")
    with open_sample(tmp_path) as sample:
        yield PageSite(sample)


def test_damage_found_by_a_page_makes_the_service_unhealthy(damaged: PageSite) -> None:
    assert damaged.get("/entry/1").status_code == 503
    assert damaged.get("/status/hosts").status_code == 200  # its tables are sound
    for path in ("/healthz", "/readyz"):
        answer = damaged.get(path)
        assert answer.status_code == 503
        assert "the database is damaged" in answer.text
        assert "aggregator restore FILE" in answer.text


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/", "/status"])
def test_service_without_its_database_file_is_unavailable(ready: PageSite, path: str) -> None:
    database = Path(ready.sample.store.path)
    database.rename(database.with_suffix(".moved"))
    answer = ready.get(path)
    assert answer.status_code == 503
    assert not database.exists()
    database.with_suffix(".moved").rename(database)
    assert ready.get(path).status_code == 200


def test_probes_name_the_replaced_database(ready: PageSite) -> None:
    database = Path(ready.sample.store.path)
    database.rename(database.with_suffix(".moved"))
    database.write_bytes(b"")
    for path in ("/healthz", "/readyz"):
        assert "the database file was replaced" in ready.get(path).text
