"""Brings a database to the current schema; one with data is copied first. Progress is logged."""

import glob
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from aggregator.errors import DiskFull, SchemaTooNew
from aggregator.store.database.migrations import APPLICATION_ID, MIGRATIONS, Migration

if TYPE_CHECKING:  # slow to import, and rarely needed
    from sqlite_utils import Database

logger = logging.getLogger("aggregator")

LOG_EVERY = 5.0
"""Seconds between two reports of how much is copied."""

PAGES = 2_000
"""Pages that are copied at once."""


def upgrade(connection: sqlite3.Connection, path: str) -> None:
    """Create the tables of a new database, or bring those of an earlier version up to date.

    Args:
        connection: The only one that writes now.
        path: The file.

    Raises:
        DiskFull: There is no room for the copy; nothing was changed.
        SchemaTooNew: A newer version wrote the database.
    """
    (version,) = connection.execute("pragma user_version").fetchone()
    known = len(MIGRATIONS)
    if version > known:
        raise SchemaTooNew(_too_new(path, version))
    if version == known:
        return
    from sqlite_utils import Database, Migrations

    db, migrations = Database(connection), Migrations("aggregator")
    is_new = not connection.execute("select count(*) from sqlite_master").fetchone()[0]
    for migration in MIGRATIONS:
        migrations(name=migration.__name__)(migration if is_new else _logged(migration))
    if is_new:
        connection.execute("pragma journal_mode = wal")
        connection.execute(f"pragma application_id = {APPLICATION_ID}")
        migrations.apply(db)
    elif migrations.pending(db):
        logger.info("event=database_upgrade path=%s from=%d to=%d", path, version, known)
        began = time.monotonic()
        _keep_copy(connection, path, f"{path}.before-schema-{known}-from-{version}")
        migrations.apply(db)
        seconds = time.monotonic() - began
        logger.info("event=database_upgraded path=%s schema=%d seconds=%.1f", path, known, seconds)
    connection.execute(f"pragma user_version = {known}")


def _logged(migration: Migration) -> Migration:
    """Return a migration that logs its name before, and its time after it."""

    def run(db: "Database") -> None:
        logger.info("event=migration name=%s", migration.__name__)
        began = time.monotonic()
        migration(db)
        seconds = time.monotonic() - began
        if seconds >= 1:
            logger.info("event=migration_done name=%s seconds=%.1f", migration.__name__, seconds)

    return run


def _keep_copy(connection: sqlite3.Connection, path: str, target: str) -> None:
    """Copy the database, unless an interrupted upgrade has done so."""
    if Path(target).exists():
        return
    free = shutil.disk_usage(Path(target).parent).free
    check_room(target, wanted=needed(connection), free=free)
    partial = f"{target}.partial"
    Path(partial).unlink(missing_ok=True)
    connection.execute("begin")  # one snapshot: a service of the old version may still write
    try:
        with closing(sqlite3.connect(partial)) as copy:
            connection.backup(copy, pages=PAGES, progress=_progress(path))
    finally:
        connection.execute("rollback")
    Path(partial).rename(target)
    logger.info("event=database_copied path=%s", target)


def needed(connection: sqlite3.Connection) -> int:
    """Return the bytes that a copy of the database takes."""
    (pages,) = connection.execute("pragma page_count").fetchone()
    (size,) = connection.execute("pragma page_size").fetchone()
    return int(pages * size)


def check_room(target: str, *, wanted: int, free: int) -> None:
    """Raise DiskFull if a copy of so many bytes has no room."""
    if wanted > free:
        raise DiskFull(
            f"{target}: the upgrade begins with a copy of the database ({wanted / 1e9:.1f} GB), but"
            f" {free / 1e9:.1f} GB are free. Free some space, for example by moving older copies"
            " away, and start again; nothing was changed."
        )


def _progress(path: str) -> Callable[[int, int, int], None]:
    last = time.monotonic()

    def report(_: int, left: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= LOG_EVERY:
            last = time.monotonic()
            percent = 100 * (total - left) // max(total, 1)
            logger.info("event=database_copy path=%s percent=%d", path, percent)

    return report


def _too_new(path: str, version: int) -> str:
    """Return the error for a database of a newer version, with the copy that can be restored."""
    known = len(MIGRATIONS)
    folder, name = Path(path).parent, Path(path).name
    copies = [
        copy
        for copy in folder.glob(f"{glob.escape(name)}.before-schema-*-from-*")
        if copy.name.rpartition("-")[2].isdigit() and int(copy.name.rpartition("-")[2]) <= known
    ]
    newest = max(copies, key=lambda copy: copy.stat().st_mtime, default=None)
    restore = (
        f"go back to the copy made before the upgrade, without the entries since:"
        f" `aggregator restore {newest}`"
        if newest
        else "restore a backup of this version: `aggregator restore FILE`"
    )
    return (
        f"{path}: written by a newer version of this program (schema {version}, this one knows"
        f" {known}). Install that version again, or {restore}."
    )
