"""A database that is locked, full, damaged or another program's."""

import os
import resource
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.churn import Churn
from tests.e2e.service import Running, Service
from tests.feedserver import FeedServer, Received, Step

HELD = 3.0
NoRoom = Callable[[Service, Running], AbstractContextManager[None]]


def test_a_poll_waits_for_a_locked_database_and_succeeds(
    service: Service, feed_server: FeedServer
) -> None:
    churn = Churn(feed_server, 6)
    service.configure(churn.sources())
    service.run("status")  # makes the database
    with sqlite3.connect(service.database, check_same_thread=False, isolation_level=None) as holder:
        held: list[float] = []

        def hold(request: Received) -> Sequence[Step]:
            if not held:
                held.append(time.monotonic())
                holder.execute("begin immediate")
            return churn.feeds[0].behave(request)

        feed_server.on(churn.feeds[0].path, hold)
        poll = service.start("poll", "--force")
        service.wait(lambda: held and time.monotonic() > held[0] + HELD)
        assert poll.alive
        assert service.entries() == {}
        holder.execute("rollback")
    holder.close()
    assert poll.wait() == 0
    assert service.entries() == churn.truth()
    service.assert_sound()


# --- no room -----------------------------------------------------------------------------------


@contextmanager
def quota(service: Service, running: Running) -> Iterator[None]:
    """Limit the size of the process's files while the block runs."""
    soft, hard = resource.prlimit(running.pid, resource.RLIMIT_FSIZE)
    largest = max(file.stat().st_size for file in service.database.parent.iterdir())
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (largest, hard))
    yield
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def full_disk(service: Service, _: Running) -> Iterator[None]:
    """Fill the disk while the block runs."""
    ballast = service.database.parent / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    yield
    ballast.unlink()


@pytest.fixture
def no_room(service: Service) -> Iterator[NoRoom]:
    """A way to fill the disk: a separate file system if it can be mounted, else a quota."""
    folder = service.database.parent
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        yield quota
        return
    yield full_disk
    service.end()
    subprocess.run(["umount", str(folder)], check=True)


def test_the_scheduler_survives_a_full_disk(
    service: Service, feed_server: FeedServer, no_room: NoRoom
) -> None:
    churn = Churn(feed_server, 12, items=10)
    sources = churn.sources(every="1s")
    service.configure(sources[1:])
    scheduler = service.start("scheduler")
    service.wait(service.polled)
    with churn.going():
        with no_room(service, scheduler):
            service.wait(lambda: "Free some space" in scheduler.log)
            service.configure(sources)
            scheduler.send(signal.SIGHUP)
            since = time.monotonic()
            service.wait(lambda: time.monotonic() > since + HELD)
            assert scheduler.alive
            assert scheduler.log.count("Free some space") == 1
        service.wait(lambda: len(service.rows("select 1 from sources where polls")) == len(sources))
    service.wait(lambda: service.entries() == churn.truth())
    scheduler.send(signal.SIGTERM)
    assert scheduler.wait() == 0
    assert "Traceback" not in scheduler.log
    service.assert_sound()


def test_a_round_on_a_full_disk_ends_with_one_clear_message(
    service: Service, feed_server: FeedServer
) -> None:
    churn = Churn(feed_server, 16, items=40)
    service.configure(churn.sources())
    service.run("status")  # makes the database
    with ExitStack() as room:

        def take_room(request: Received) -> Sequence[Step]:
            if not poll_has_no_room:
                poll_has_no_room.append(room.enter_context(quota(service, poll)))
            return churn.feeds[0].behave(request)

        poll_has_no_room: list[None] = []
        feed_server.on(churn.feeds[0].path, take_room)
        poll = service.start("poll", "--force")
        assert poll.wait() == 2
        assert poll.log.count("Free some space") == 1
        assert "Traceback" not in poll.log
        room.pop_all()  # it took its quota with it
    assert service.run("poll", "--force").returncode == 0
    assert service.entries() == churn.truth()
    service.assert_sound()


# --- damaged, or not ours ----------------------------------------------------------------------


def no_header(database: Path) -> None:
    with database.open("r+b") as file:
        file.write(b"\xff" * 100)


def zeroed_page(database: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        [size] = db.execute("pragma page_size").fetchone()
        [page] = db.execute("select rootpage from sqlite_master where name = 'sources'").fetchone()
    with database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))


def truncated(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 2)


def foreign_database(database: Path) -> None:
    database.unlink()
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("create table addresses (name text)")


def no_database(database: Path) -> None:
    database.write_text("Dear diary, today I wrote a letter. " * 500)


SOURCES = [{"id": "nobody", "url": "http://127.0.0.1:9/"}]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database as the program makes it."""
    maker = Service(tmp_path_factory.mktemp("sound"))
    maker.configure(SOURCES)
    maker.run("status")
    return maker.database.read_bytes()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(no_header, "aggregator restore", id="its header is overwritten"),
        pytest.param(zeroed_page, "aggregator restore", id="a page is zeroed"),
        pytest.param(truncated, "aggregator restore", id="its end is cut off"),
        pytest.param(foreign_database, "storage.path", id="it is another program's"),
        pytest.param(no_database, "storage.path", id="it is no database at all"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_and_left_as_it_is(
    service: Service, sound: bytes, damage: Callable[[Path], None], words: str
) -> None:
    service.configure(SOURCES)
    service.database.parent.mkdir()
    service.database.write_bytes(sound)
    damage(service.database)
    before = service.database.read_bytes()
    ended = service.run("scheduler")
    assert ended.returncode == 2
    assert f"error: {service.database}: " in ended.stdout
    assert words in ended.stdout
    assert "Traceback" not in ended.stdout
    assert service.database.read_bytes() == before
