"""The database file: new, ours, of another program, too new, damaged, locked."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aggregator.errors import (
    Corrupt,
    DatabaseReplaced,
    ForeignDatabase,
    Locked,
    SchemaTooNew,
    StoreError,
)
from aggregator.store.database import file_identity, metadata
from aggregator.store.database.connection import Store
from aggregator.store.database.migrations import APPLICATION_ID


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "folder" / "test.db")


@pytest.fixture
def store(path: str) -> Iterator[Store]:
    made = Store(path)
    yield made
    made.close()


def filled(path: str) -> None:
    store = Store(path)
    with store.transaction() as db:
        for number in range(2_000):
            metadata.put(db, f"fact {number}", "x" * 100)
    store.close()


def test_new_file_is_marked_as_ours_and_in_wal_mode(store: Store) -> None:
    with store.reading() as db:
        assert db.execute("pragma application_id").fetchone()[0] == APPLICATION_ID
        assert db.execute("pragma user_version").fetchone()[0] > 0
        assert db.execute("pragma journal_mode").fetchone()[0] == "wal"
        assert db.execute("pragma foreign_keys").fetchone()[0] == 1


def test_transaction_is_all_or_nothing(store: Store) -> None:
    class Fault(Exception):
        pass

    def fail_in_the_middle() -> None:
        with store.transaction() as db:
            metadata.put(db, "a", "1")
            raise Fault

    with pytest.raises(Fault):
        fail_in_the_middle()
    with store.reading() as db:
        assert metadata.get(db, "a") == ""


def test_commit_that_fails_does_not_stop_the_next_transaction(store: Store) -> None:
    def commit_what_can_not_be() -> None:
        with store.transaction() as db:
            db.execute("pragma defer_foreign_keys = on")  # so that the commit itself fails
            db.execute("insert into source_sections values ('nobody', 'x')")

    with pytest.raises(sqlite3.IntegrityError):
        commit_what_can_not_be()
    with store.transaction() as db:
        metadata.put(db, "a", "1")
    with store.reading() as db:
        assert metadata.get(db, "a") == "1"
        assert db.execute("select count(*) from source_sections").fetchone()[0] == 0


def test_reader_sees_one_state_for_the_length_of_its_block(store: Store) -> None:
    with store.reading() as db:
        assert metadata.get(db, "a") == ""
        with store.transaction() as writer:
            metadata.put(writer, "a", "1")
        assert metadata.get(db, "a") == ""
    with store.reading() as db:
        assert metadata.get(db, "a") == "1"


def test_reader_can_not_write(store: Store) -> None:
    with pytest.raises(StoreError), store.reading() as db:
        metadata.put(db, "a", "1")


def test_readers_of_several_threads_are_independent(store: Store) -> None:
    seen: list[str] = []

    def read() -> None:
        with store.reading() as db:
            seen.append(metadata.get(db, "nothing"))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [""] * 8


def test_writer_waits_for_another_process_and_says_when_it_waited_too_long(path: str) -> None:
    store = Store(path, busy_seconds=0.05)
    other = sqlite3.connect(path)
    other.execute("begin immediate")
    with pytest.raises(Locked, match="has locked the database"), store.transaction():
        pass
    other.rollback()
    other.close()
    with store.transaction() as db:
        metadata.put(db, "a", "1")
    store.close()


def header(file: Path) -> None:
    with file.open("r+b") as handle:
        handle.write(b"This is no database.")


def truncated(file: Path) -> None:
    with file.open("r+b") as handle:
        handle.truncate(file.stat().st_size // 2)


def zeroed(file: Path) -> None:
    with file.open("r+b") as handle:
        handle.seek(4096 * 2)
        handle.write(bytes(4096 * 30))


def of_another_program(file: Path) -> None:
    file.unlink()
    other = sqlite3.connect(file)
    other.execute("create table theirs (x)")
    other.close()


def too_new(file: Path) -> None:
    other = sqlite3.connect(file)
    other.execute("pragma user_version = 9999")
    other.close()


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        pytest.param(header, ForeignDatabase, id="a header that is none"),
        pytest.param(truncated, Corrupt, id="half a file"),
        pytest.param(zeroed, Corrupt, id="pages of zeros"),
        pytest.param(of_another_program, ForeignDatabase, id="another program's"),
        pytest.param(too_new, SchemaTooNew, id="a newer version's"),
    ],
)
def test_file_that_can_not_be_used_is_refused_and_left_alone(
    path: str, spoil: Callable[[Path], None], error: type[StoreError]
) -> None:
    filled(path)
    file = Path(path)
    spoil(file)
    before = file.read_bytes()
    with pytest.raises(error) as raised:
        check(path)
    assert path in str(raised.value)
    assert file.read_bytes() == before


def check(path: str) -> None:
    store = Store(path)
    try:
        found = store.check()
        if found != "ok":
            raise Corrupt(f"{path}: {found}")
    finally:
        store.close()


def test_backup_is_complete(store: Store, tmp_path: Path) -> None:
    with store.transaction() as db:
        metadata.put(db, "a", "1")
    store.backup(str(tmp_path / "copy.db"))
    copy = Store(str(tmp_path / "copy.db"))
    with copy.reading() as db:
        assert metadata.get(db, "a") == "1"
    copy.close()


def test_processes_that_start_together_set_the_file_up_once(tmp_path: Path) -> None:
    module, path = "aggregator.store.database.connection", str(tmp_path / "new.db")
    code = f"from {module} import Store; Store({path!r}).close()"
    started = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [process.wait(60) for process in started] == [0, 0, 0, 0]
    assert not list(tmp_path.glob("*.before-schema-*"))


def value(store: Store) -> str:
    with store.reading() as db:
        return metadata.get(db, "a")


def put(store: Store, value: str) -> None:
    with store.transaction() as db:
        metadata.put(db, "a", value)


def test_removed_file_is_neither_read_nor_written(store: Store, path: str) -> None:
    put(store, "1")
    Path(path).unlink()
    for use in (lambda: value(store), lambda: put(store, "2"), store.optimise):
        with pytest.raises(DatabaseReplaced, match="was removed"):
            use()
    assert not Path(path).exists()


def test_file_that_comes_back_is_used_again(store: Store, path: str) -> None:
    put(store, "1")
    Path(path).rename(f"{path}.moved")
    with pytest.raises(DatabaseReplaced):
        value(store)
    Path(f"{path}.moved").rename(path)
    assert value(store) == "1"


def replacement(path: str) -> Path:
    other = f"{path}.other"
    store = Store(other)
    put(store, "other")
    store.close()
    return Path(other)


def test_replaced_file_is_neither_read_nor_written(store: Store, path: str) -> None:
    put(store, "1")
    replacement(path).replace(path)
    for use in (lambda: value(store), lambda: put(store, "2")):
        with pytest.raises(DatabaseReplaced, match="was replaced"):
            use()
    for left in (f"{path}-wal", f"{path}-shm"):
        Path(left).unlink()
    with sqlite3.connect(path) as other:
        assert other.execute("select value from facts where name = 'a'").fetchone() == ("other",)
    other.close()


def test_restored_file_is_used_by_all_threads(store: Store, path: str) -> None:
    put(store, "1")
    restored, go_on = threading.Event(), threading.Event()
    seen: list[str] = []

    def read_before_and_after() -> None:
        with store.reading() as db:
            seen.append(metadata.get(db, "a"))
            go_on.set()
            restored.wait()
            seen.append(metadata.get(db, "a"))  # its snapshot
        seen.append(value(store))

    thread = threading.Thread(target=read_before_and_after)
    thread.start()
    go_on.wait()
    other = replacement(path)
    file_identity.mark_restored(path, file_identity.read(str(other)))
    for left in (f"{path}-wal", f"{path}-shm"):
        Path(left).unlink()
    other.replace(path)
    assert value(store) == "other"
    restored.set()
    thread.join()
    assert seen == ["1", "1", "other"]
    put(store, "new")
    assert value(store) == "new"


def test_damage_is_remembered_until_a_restore(path: str) -> None:
    filled(path)
    with Path(path).open("r+b") as file:  # its last pages hold facts
        file.seek(-4096 * 10, os.SEEK_END)
        file.write(bytes(4096 * 10))
    store = Store(path)
    assert store.damage == ""
    with pytest.raises(Corrupt), store.reading() as db:
        db.execute("select sum(length(value)) from facts").fetchone()
    assert "damaged" in store.damage
    with store.reading() as db:  # other pages can still be read
        assert db.execute("select count(*) from sources").fetchone()[0] == 0
    assert "damaged" in store.damage
    other = replacement(path)
    file_identity.mark_restored(path, file_identity.read(str(other)))
    other.replace(path)
    assert value(store) == "other"
    assert store.damage == ""
    store.close()


def test_closing_waits_for_the_blocks_of_other_threads(store: Store) -> None:
    reading, go_on, rows = threading.Event(), threading.Event(), []

    def read() -> None:
        with store.reading() as db:
            reading.set()
            go_on.wait(10)
            rows.append(db.execute("select count(*) from sources").fetchone()[0])

    reader, closer = threading.Thread(target=read), threading.Thread(target=store.close)
    reader.start()
    assert reading.wait(10)
    closer.start()
    closer.join(0.1)
    assert closer.is_alive()
    go_on.set()
    reader.join(10)
    closer.join(10)
    assert rows == [0]
    assert not closer.is_alive()


def test_a_closed_database_says_so(store: Store) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"), store.reading():
        pass
    with pytest.raises(StoreError, match="closed"), store.transaction():
        pass


def test_threads_that_connect_while_it_closes_do_no_harm(path: str) -> None:
    """SQLite crashes the process where a connection is closed under a thread that uses it."""
    for _ in range(30):
        store = Store(path)
        start = threading.Barrier(9)

        def read(store: Store = store, start: threading.Barrier = start) -> None:
            start.wait(10)
            with contextlib.suppress(StoreError), store.reading() as db:
                db.execute("select count(*) from sources").fetchone()

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        start.wait(10)
        store.close()
        for thread in threads:
            thread.join(10)
