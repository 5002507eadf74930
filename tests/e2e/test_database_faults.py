"""A database that is removed, restored, damaged or full under a running service."""

import logging
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from werkzeug.test import Client

from aggregator.config import file
from aggregator.polling.scheduler import Scheduler
from aggregator.store.database.connection import Store
from aggregator.web.app import create_app
from aggregator.web.feeds import documents
from tests.e2e.churn import Churn
from tests.e2e.service import Service
from tests.feedserver import FeedServer
from tests.web.ops.test_probes import zero_table


def test_scheduler_writes_nothing_after_its_database_was_removed(
    service: Service, feed_server: FeedServer
) -> None:
    churn = Churn(feed_server, 3)
    service.configure(churn.sources(every="1s"))
    scheduler = service.start("scheduler")
    service.wait(service.polled)
    for suffix in ("", "-wal", "-shm"):
        Path(f"{service.database}{suffix}").unlink()
    service.wait(lambda: "the database file was removed" in scheduler.log)
    requests = len(feed_server.requests)
    threading.Event().wait(3)
    assert len(feed_server.requests) <= requests + len(churn.feeds)  # polls in flight may end
    assert "aggregator restore FILE" in scheduler.log
    assert scheduler.log.count("the database file was removed") <= 3  # once for each thread
    assert not service.database.exists()
    scheduler.send(signal.SIGTERM)
    assert scheduler.wait() == 0
    assert not service.database.exists()


def test_web_server_follows_a_restore(service: Service, feed_server: FeedServer) -> None:
    churn = Churn(feed_server, 2)
    service.configure(churn.sources())
    assert service.run("poll", "--force").returncode == 0
    backup = service.folder / "backup.db"
    assert service.run("backup", str(backup)).returncode == 0
    config = file.load(str(service.config), {})
    with closing(Store(str(service.database))) as store:
        client = Client(create_app(lambda: config, store))
        with store.transaction() as db:
            db.execute("delete from entries")
        assert client.get("/api/v1/entries").get_json()["data"] == []
        restored = service.run("restore", "--yes", str(backup))
        assert restored.returncode == 0, restored.stdout
        count = sum(map(len, churn.truth().values()))
        assert len(client.get("/api/v1/entries").get_json()["data"]) == count
        assert client.get("/healthz").status_code == 200
    service.assert_sound()
    [aside] = service.database.parent.glob("*.before-restore-*[0-9]")
    with closing(sqlite3.connect(aside)) as old:  # with its last transaction
        assert old.execute("select count(*) from entries").fetchone() == (0,)


@contextmanager
def running(service: Service, store: Store) -> Iterator[None]:
    scheduler = Scheduler(
        store,
        lambda: file.load(str(service.config), {}),
        publications=documents.publications,
    )
    thread = threading.Thread(target=scheduler.run)
    thread.start()
    try:
        yield
    finally:
        scheduler.stop()
        thread.join()


def test_service_that_can_not_store_polls_is_not_ready(
    service: Service, feed_server: FeedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="aggregator")
    churn = Churn(feed_server, 4, items=20)
    service.configure(churn.sources(every="1s"))
    config = file.load(str(service.config), {})
    with closing(Store(str(service.database))) as store:
        client = Client(create_app(lambda: config, store))
        with running(service, store):
            service.wait(lambda: client.get("/readyz").text == "ready\n")
            with store.transaction() as db:  # SQLite reports a full disk beyond this size
                [pages] = db.execute("pragma page_count").fetchone()
                db.execute(f"pragma max_page_count = {pages}")
            with churn.going():
                service.wait(lambda: "polling is paused: " in client.get("/readyz").text)
                answer = client.get("/readyz")
                assert answer.status_code == 503
                assert "the disk is full" in answer.text
                assert "Polling is paused: " in client.get("/status").text
            with store.transaction() as db:
                db.execute("pragma max_page_count = 1000000")
            service.wait(lambda: client.get("/readyz").text == "ready\n")


def test_service_whose_scheduler_found_damage_is_not_ready(
    service: Service, feed_server: FeedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="aggregator")
    churn = Churn(feed_server, 2)
    service.configure(churn.sources(every="1s"))
    assert service.run("poll", "--force").returncode == 0
    zero_table(str(service.database), "entries")
    config = file.load(str(service.config), {})
    database = str(service.database)
    with closing(Store(database)) as store, closing(Store(database)) as web_store:
        client = Client(create_app(lambda: config, web_store))
        with running(service, store), churn.going():
            service.wait(lambda: "the database is damaged" in client.get("/readyz").text)
            assert client.get("/readyz").status_code == 503
