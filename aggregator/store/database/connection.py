"""Connections: a reader per thread, one writer, and SQLite's errors as ours."""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aggregator.errors import (
    Corrupt,
    DatabaseReplaced,
    DiskFull,
    ForeignDatabase,
    Locked,
    StoreError,
    TooSlow,
)
from aggregator.models import search_text
from aggregator.store.database import file_identity
from aggregator.store.database.migrations import APPLICATION_ID
from aggregator.store.database.upgrade import upgrade

Connection = sqlite3.Connection

BUSY_SECONDS = 15.0

CLOSE_SECONDS = 5.0
"""How long `close` waits for the blocks of other threads."""

CHECK_EVERY = 100_000
"""Instructions of SQLite's virtual machine between two checks of a read's deadline.

A few milliseconds: each check waits for Python's global lock, which other threads may hold.
"""


@contextmanager
def clear_errors(path: str) -> Iterator[None]:
    """Turn SQLite's errors into ours, which name the file and the remedy.

    Raises:
        Locked, DiskFull, Corrupt, ForeignDatabase, StoreError: By SQLite's error code.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _translated(error, path) from error


@contextmanager
def _clear_write_errors(target: str) -> Iterator[None]:
    """Turn a failure to write a copy into ours; other failures are those of the original."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        translated = _translated(error, target)
        if isinstance(translated, DiskFull):
            raise translated from error
        raise


_ERRORS: tuple[tuple[tuple[str, ...], type[StoreError], str], ...] = (
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED"), Locked,
        "{path}: another process has locked the database for too long."
        " Find the process (a backup, a sqlite3 shell), end it and try again.",
    ),
    (
        ("SQLITE_FULL",), DiskFull,
        "{path}: the disk is full. Free some space; polling then resumes.",
    ),
    (
        ("SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC"), DiskFull,
        "{path}: the disk can't be written. Free some space if it is full or over its quota;"
        " else see whether it is mounted read-only or failing (dmesg). Polling then resumes.",
    ),
    (
        ("SQLITE_IOERR",), StoreError,
        "{path}: can't be read or written ({text}). Check that it is an ordinary file on a disk"
        " with free space, and look for faults of the disk (dmesg).",
    ),
    (
        ("SQLITE_INTERRUPT",), TooSlow,
        "the query takes too long: narrow it, or search for other words",
    ),
    (
        ("SQLITE_NOTADB",), ForeignDatabase,
        "{path}: this file is not an SQLite database. Name another file in storage.path,"
        " or restore a backup with `aggregator restore FILE`.",
    ),
    (
        ("SQLITE_CORRUPT",), Corrupt,
        "{path}: the database is damaged ({text}). Nothing was changed. Restore a backup with"
        " `aggregator restore FILE`, or salvage the rest: sqlite3 {path} .recover",
    ),
    (
        ("SQLITE_CANTOPEN",), StoreError,
        "{path}: can't be opened. Check that the folder exists and is writable.",
    ),
    (
        ("SQLITE_READONLY",), StoreError,
        "{path}: can't be written. Check the owner and mode of file and folder.",
    ),
)  # fmt: skip
"""Begins of the names of SQLite's errors, and ours; the first row that applies is used."""


def _translated(error: sqlite3.DatabaseError, path: str) -> Exception:
    text = str(error)
    name = getattr(error, "sqlite_errorname", "") or ""
    if "disk is full" in text:
        name = "SQLITE_FULL"
    if name.startswith("SQLITE_CANTOPEN") and Path(path).is_dir():
        return StoreError(f"{path}: is a folder. Name a file, such as {path}/aggregator.db.")
    for begins, ours, message in _ERRORS:
        if name.startswith(begins):
            return ours(message.format(path=path, text=text))
    if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
        return error  # a bug of ours: a traceback says more
    return StoreError(f"{path}: {text}")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{folder}: the database's folder can't be made ({error.strerror}). Check storage.path,"
            " and that the user of this process may write there."
        ) from None


class Store:
    """The database file; open it once and share it between threads."""

    def __init__(
        self, path: str, *, busy_seconds: float = BUSY_SECONDS, read_seconds: float | None = None
    ) -> None:
        """Open or create a database, and migrate it to the current schema.

        Args:
            path: The file; a missing folder is created.
            busy_seconds: How long a writer waits for another process's transaction.
            read_seconds: CPU seconds after which a `reading` block is interrupted, None for no
                bound. Not wall-clock time: a busy machine must not refuse ordinary reads.

        Raises:
            StoreError: The file can't be used; it is never overwritten.
        """
        self.path = path
        self._busy_seconds, self._read_seconds = busy_seconds, read_seconds
        self._threads = threading.local()
        self._connections: list[Connection] = []
        self._writing = threading.RLock()
        self._users = 0
        self._users_left = threading.Condition()
        self._is_closed = False
        self._generation = 0
        self.damage = ""
        """The damage that SQLite reported in this process, until a restore; "" for none."""
        if path != ":memory:":
            _make_folder(Path(path).parent)
        try:
            with self._clear_errors():
                self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        self._writer = self._connect()
        with self._alone():
            self._check_ours()
            upgrade(self._writer, self.path)
        self._identity = file_identity.read(self.path)

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            with clear_errors(self.path):
                yield
        except Corrupt as error:
            self.damage = str(error)
            raise

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        """Keep the connections open for the block: SQLite crashes when one is closed in use.

        Raises:
            StoreError: The database is closed.
        """
        with self._users_left:
            if self._is_closed:
                raise StoreError(f"{self.path}: the database is closed")
            self._users += 1
        try:
            yield
        finally:
            with self._users_left:
                self._users -= 1
                self._users_left.notify_all()

    def _follow_file(self) -> None:
        """Reopen a restored database.

        Raises:
            DatabaseReplaced: Another file, or none, took the place of the open one.
        """
        identity = file_identity.read(self.path)
        if identity == self._identity:
            return
        if identity and file_identity.is_restored(self.path, identity):
            self._reopen(identity)
            return
        change = "replaced" if identity else "removed"
        raise DatabaseReplaced(
            f"{self.path}: the database file was {change} while this process had it open. Nothing"
            " more is written. Stop the service, put the file back or run"
            " `aggregator restore FILE`, and start the service."
        )

    def _reopen(self, identity: str) -> None:
        with self._writing:
            if identity == self._identity:  # another thread has reopened it
                return
            if self._writer.in_transaction:  # this thread's own: let it end first
                return
            self._disconnect(self._writer)
            self._open()
            self._generation += 1  # each thread renews its connection at its next block
            self.damage = ""

    def _connect(self) -> Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        self._connections.append(connection)
        connection.row_factory = sqlite3.Row
        # SQLite's own lower() knows ASCII letters only.
        connection.create_function("casefold", 1, str.casefold, deterministic=True)
        connection.create_function("indexed", 1, search_text.indexed, deterministic=True)
        connection.execute("pragma foreign_keys = on")
        connection.execute("pragma synchronous = normal")
        connection.execute("pragma temp_store = memory")  # /tmp may be read-only
        return connection

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Lock the folder, so that processes that start together create the file in turn."""
        if self.path == ":memory:":
            yield
            return
        folder = os.open(Path(self.path).parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _check_ours(self) -> None:
        (application,) = self._writer.execute("pragma application_id").fetchone()
        (tables,) = self._writer.execute("select count(*) from sqlite_master").fetchone()
        if application != APPLICATION_ID and (application or tables):
            raise ForeignDatabase(
                f"{self.path}: this database belongs to another program. Name another file in"
                " storage.path."
            )

    @contextmanager
    def transaction(self, *, busy_seconds: float | None = None) -> Iterator[Connection]:
        """Yield the writer's connection in a transaction; commit it, or roll back on any error.

        Args:
            busy_seconds: How long to wait for another process's transaction; None for the store's.

        Raises:
            StoreError: As in `clear_errors`; nothing was written.
        """
        with self._in_use(), self._writing, self._clear_errors():
            self._follow_file()
            self._begin(self._busy_seconds if busy_seconds is None else busy_seconds)
            try:
                yield self._writer
                self._writer.execute(
                    "commit"
                )  # it can fail too, and then the transaction is still open
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("rollback")
                raise

    def _begin(self, busy_seconds: float) -> None:
        if busy_seconds == self._busy_seconds:
            self._writer.execute("begin immediate")
            return
        self._writer.execute(f"pragma busy_timeout = {busy_seconds * 1000:.0f}")
        try:
            self._writer.execute("begin immediate")
        finally:
            self._writer.execute(f"pragma busy_timeout = {self._busy_seconds * 1000:.0f}")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield this thread's reading connection; the block sees one snapshot.

        Raises:
            StoreError: As `clear_errors`; TooSlow after `read_seconds`.
        """
        with self._in_use(), self._clear_errors():
            outer: Connection | None = getattr(self._threads, "connection", None)
            if outer and outer.in_transaction:  # nested: the outer block's snapshot
                yield outer
                return
            self._follow_file()
            connection = self._reader()
            if self._read_seconds is not None:
                self._threads.deadline = time.thread_time() + self._read_seconds
            connection.execute("begin")
            try:
                yield connection
            finally:
                connection.execute("rollback")

    def _reader(self) -> Connection:
        """Return this thread's connection for reading, to the file that is open now."""
        connection: Connection | None = getattr(self._threads, "connection", None)
        if connection and self._threads.generation == self._generation:
            return connection
        if connection:
            self._disconnect(connection)
        self._threads.generation = self._generation
        self._threads.connection = connection = self._connect()
        connection.execute("pragma query_only = on")
        if self._read_seconds is not None:
            connection.set_progress_handler(self._is_overdue, CHECK_EVERY)
        return connection

    def _is_overdue(self) -> bool:
        """Return whether this thread's read has to stop; SQLite calls it while a statement runs."""
        return bool(time.thread_time() > self._threads.deadline)

    def backup(self, target: str, progress: Callable[[int, int], None] | None = None) -> None:
        """Write a consistent copy to a new file; other threads and processes go on."""
        with clear_errors(target):
            copy = sqlite3.connect(target)
            try:
                with self.reading() as source, _clear_write_errors(target):
                    source.backup(
                        copy,
                        pages=2000,
                        progress=(lambda _, left, total: progress(total - left, total))
                        if progress
                        else None,
                    )
            finally:
                copy.close()

    def check(self) -> str:
        """Return the result of SQLite's integrity check: "ok", or the first damage found."""
        with self.reading() as db:
            return str(db.execute("pragma integrity_check(1)").fetchone()[0])

    def optimise(self) -> None:
        """Refresh the planner's statistics and merge the search index; run it nightly."""
        with self._in_use(), self._writing, self._clear_errors():
            self._follow_file()
            self._writer.execute("pragma optimize")
            self._writer.execute("insert into entries_fts(entries_fts, rank) values ('merge', 500)")

    def _disconnect(self, connection: Connection) -> None:
        self._connections.remove(connection)
        connection.close()

    def close(self) -> None:
        """Close the connections of all threads, once their blocks have ended.

        Blocks that begin later raise StoreError. Where one doesn't end within CLOSE_SECONDS, the
        connections stay open; they end with the process.
        """
        with self._users_left:
            self._is_closed = True
            if not self._users_left.wait_for(lambda: not self._users, CLOSE_SECONDS):
                return
        for connection in self._connections:
            connection.close()
        self._connections.clear()
