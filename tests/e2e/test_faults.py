"""Faults of the machine: the table of docs/production.md, row by row.

Disks that are full and clocks that are wrong are in test_database.py and test_clock.py.
"""

import contextlib
import itertools
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest

from aggregator.config import file
from aggregator.polling.scheduler import Scheduler
from aggregator.store.database.connection import Store
from aggregator.web.feeds import documents
from tests.e2e import processes
from tests.e2e.churn import Churn
from tests.e2e.service import Running, Service, free_port
from tests.feedserver import FeedServer

MEMORY = 300_000_000
READ = ("/", "/feeds/all.atom", "/healthz")
"""Pages that need no writing."""


def status(port: int, path: str) -> int:
    """The status of a page; a site that can't be reached raises an OSError."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def stop(running: Running) -> None:
    running.send(signal.SIGTERM)
    assert running.wait() == 0
    assert "Traceback" not in running.log


# --- the network ---------------------------------------------------------------------------------


def test_no_source_is_blamed_for_a_network_that_is_down_and_all_are_polled_once_it_is_back(
    service: Service, feed_server: FeedServer, slow: None
) -> None:
    churn = Churn(feed_server, 12)
    service.configure(churn.sources(every="1s"))
    scheduler = service.start("scheduler")
    service.wait(service.polled)
    with feed_server.down():
        service.wait(lambda: "event=offline" in scheduler.log)
        for feed in churn.feeds:
            feed.publish(datetime.now(UTC))
        service.wait(
            lambda: service.one("select min(next_poll_reason like '%network%') from sources")
        )
        assert service.one("select max(failures) from sources") == 0
        assert {row[0] for row in service.rows("select health from sources")} == {"fine"}
    service.wait(lambda: service.entries() == churn.truth(), 120)
    assert scheduler.log.count("event=offline") == scheduler.log.count("event=online") == 1
    stop(scheduler)


def test_first_entries_come_within_two_minutes_of_the_return_of_the_network(
    service: Service,
    feed_server: FeedServer,
    slow: None,
    record_property: Callable[[str, object], None],
) -> None:
    churn, port = Churn(feed_server, 12), free_port()
    service.configure(churn.sources(every="1h"))
    with feed_server.down():
        running = service.start("run", "--port", str(port))
        service.wait(lambda: "event=offline" in running.log)
        time.sleep(100)  # the third round is two minutes after the second
        assert service.one("select count(*) from entries") == 0
    back = time.monotonic()
    service.wait(lambda: service.rows("select 1 from entries"), 120)
    first = time.monotonic() - back
    service.wait(lambda: service.entries() == churn.truth(), 120 - first)
    whole = time.monotonic() - back
    record_property("seconds", (first, whole))
    assert status(port, "/") == 200
    stop(running)


# --- the database --------------------------------------------------------------------------------


@contextmanager
def locked(service: Service) -> Iterator[None]:
    """Hold the database's lock, as a forgotten sqlite3 shell does."""
    with closing(sqlite3.connect(service.database, isolation_level=None)) as holder:
        holder.execute("begin immediate")
        yield


@contextmanager
def scheduler_of(service: Service, store: Store) -> Iterator[None]:
    made = Scheduler(
        store, lambda: file.load(str(service.config), {}), publications=documents.publications
    )
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield
    finally:
        made.stop()
        thread.join()


def test_a_database_that_stays_locked_stops_polling_and_nothing_is_lost(
    service: Service, feed_server: FeedServer, caplog: pytest.LogCaptureFixture
) -> None:
    churn = Churn(feed_server, 12)
    service.configure(churn.sources(every="1s"))
    with (
        closing(Store(str(service.database), busy_seconds=0.3)) as store,
        scheduler_of(service, store),
    ):
        service.wait(service.polled)
        with churn.going():
            with locked(service):
                service.wait(lambda: "has locked the database" in caplog.text)
                requests = len(feed_server.requests)
                time.sleep(2)
                assert len(feed_server.requests) - requests <= len(churn.feeds)
            service.wait_for_requests(feed_server, len(churn.feeds))
        service.wait(lambda: service.entries() == churn.truth())
    service.assert_sound()


def test_a_database_that_is_locked_for_a_minute(
    service: Service, feed_server: FeedServer, slow: None
) -> None:
    churn, port = Churn(feed_server, 12), free_port()
    service.configure(churn.sources(every="1s"))
    running = service.start("run", "--port", str(port))
    service.wait(service.polled)
    service.wait(lambda: status(port, "/readyz") == 200)
    with churn.going(every=2), locked(service):
        until, slowest = time.monotonic() + 60, 0.0
        while time.monotonic() < until:
            began = time.monotonic()
            assert [status(port, path) for path in ("/", "/feeds/all.atom", "/healthz")] == [
                200
            ] * 3
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.5)
    assert slowest < 10
    assert running.log.count("has locked the database") <= 4  # once for each thread
    service.wait(lambda: service.entries() == churn.truth())
    stop(running)
    service.assert_sound()


@pytest.fixture
def disk(service: Service) -> Iterator[Callable[[str], None]]:
    """A disk for the database, and a way to remount it with options; "abort" as after an error."""
    folder, image = service.database.parent, service.folder / "disk"
    folder.mkdir()
    with image.open("wb") as empty:
        empty.truncate(16_000_000)
    commands = (["mkfs.ext4", "-q", str(image)], ["mount", "-o", "loop", str(image), str(folder)])
    try:
        for command in commands:
            subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs root, mkfs.ext4 and a loop device to mount a disk")

    def remount(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)

    yield remount
    service.end()
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_turns_read_only_stops_polling_while_pages_are_served(
    service: Service, feed_server: FeedServer, disk: Callable[[str], None]
) -> None:
    churn, port = Churn(feed_server, 4, items=20), free_port()  # enough to close an archive
    service.configure(churn.sources(every="1s"))
    running = service.start("run", "--port", str(port))
    service.wait(service.polled)
    service.wait(lambda: status(port, "/readyz") == 200)
    for feed in churn.feeds:
        feed.publish(datetime.now(UTC))
    disk("abort")  # as the kernel does after an error of the disk
    service.wait(lambda: "mounted read-only" in running.log)
    assert running.log.count("event=store_failed") == 1
    requests = len(feed_server.requests)
    time.sleep(1.5)
    assert len(feed_server.requests) <= requests + len(churn.feeds)
    assert [status(port, path) for path in READ] == [200] * len(READ)
    stop(running)
    refused = service.run("scheduler")
    assert refused.returncode == 2
    assert "can't be written (Read-only file system)" in refused.stdout
    assert "Traceback" not in refused.stdout
    service.configure(churn.sources(every="2s"))
    web = service.start("web", "--port", str(port))
    service.wait(lambda: status(port, "/feeds/all.atom") == 200)
    stop(web)


# --- an old backup -------------------------------------------------------------------------------


def test_a_restored_backup_gets_what_was_published_since_from_each_source(
    service: Service, feed_server: FeedServer
) -> None:
    churn = Churn(feed_server, 12)  # with ETag, with Last-Modified, and with neither
    service.configure(churn.sources())
    assert service.run("poll").returncode == 0
    backup = service.folder / "backup.db"
    assert service.run("backup", str(backup)).returncode == 0
    for feed in churn.feeds:
        for _ in range(3):
            feed.publish(datetime.now(UTC))
        feed.correct(datetime.now(UTC))
    assert service.run("poll", "--force").returncode == 0
    assert service.entries() == churn.truth()
    assert service.run("restore", "--yes", str(backup)).returncode == 0
    assert service.entries() != churn.truth()
    assert service.run("poll", "--force").returncode == 0
    assert service.entries() == churn.truth()
    service.assert_sound()


# --- open files and memory -----------------------------------------------------------------------


def with_open_files(limit: int) -> tuple[str, ...]:
    return ("sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh")


def test_with_64_open_files_all_sources_are_polled_and_the_site_survives_many_connections(
    service: Service, feed_server: FeedServer
) -> None:
    churn, port = Churn(feed_server, 100), free_port()
    service.configure(
        churn.sources(every="1h"), defaults={"per_host": {"connections": 32, "spacing": "0s"}}
    )
    running = service.start("run", "--port", str(port), under=with_open_files(64))
    service.wait(service.polled)
    assert service.rows("select id, error from sources where failures") == []
    assert service.entries() == churn.truth()
    service.wait(lambda: status(port, "/readyz") == 200)
    with contextlib.ExitStack() as clients:
        for _ in range(100):
            clients.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
    service.wait(lambda: status(port, "/feeds/all.atom") == 200)
    stop(running)


def test_fewer_open_files_than_polling_needs_are_refused(
    service: Service, feed_server: FeedServer
) -> None:
    service.configure(Churn(feed_server, 1).sources())
    refused = service.start("scheduler", under=with_open_files(63))
    assert refused.wait() == 2
    assert "only 63 files may be open, polling needs 64 or more" in refused.log
    assert "Traceback" not in refused.log


def test_the_whole_service_polls_and_serves_200_sources_in_300_mb(
    service: Service, feed_server: FeedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    churn, port = (
        Churn(feed_server, 200, items=20, text="It rains in the north. " * 100),
        free_port(),
    )
    service.configure(churn.sources(every="3s"))
    running = service.start("run", "--port", str(port))
    pages = itertools.cycle(
        ("/", "/feeds/all.atom", "/search?q=rains", "/status", "/feeds/all.json")
    )
    peak = 0

    def is_done() -> bool:
        nonlocal peak
        with contextlib.suppress(OSError):
            status(port, next(pages))
        peak = max(peak, sum(p.memory for p in processes.of_session(running.pid)))
        return bool(service.one("select coalesce(min(polls), 0) from sources") >= 2)

    with churn.going():
        service.wait(is_done, 120)
    with capsys.disabled():
        sys.stdout.write(f"\n200 sources: the whole service takes {peak / 1e6:.0f} MB at most\n")
    assert peak < MEMORY
    stop(running)
