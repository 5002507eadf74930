"""Commands for stored data and the password: backup, restore, release, password."""

import contextlib
import shutil
from pathlib import Path

import click
from rich.markup import escape

from aggregator.cli.consoles import console
from aggregator.cli.shared import check_known, complete_source, load, open_store
from aggregator.errors import StoreError
from aggregator.ingest import maintenance
from aggregator.policy.filter_rules import Rulebook
from aggregator.polling.poller import utc_now
from aggregator.store.database import file_identity
from aggregator.store.database.connection import Store
from aggregator.store.database.lock import Lock
from aggregator.store.sources import sources

COPIES = "aggregator-????????T??????.??????Z.db"
"""What `backup --keep` names its copies; no other file of its folder is deleted."""


@click.command()
@click.argument("target", metavar="FILE", type=click.Path())
@click.option(
    "--keep", type=click.IntRange(min=1), help="FILE is a folder; keep its newest so many copies."
)
@click.pass_obj
def backup(path: str, target: str, keep: int | None) -> None:
    """Copy the database to FILE while the service runs.

    The copy is complete and consistent; it is read again and checked. With --keep, FILE is a
    folder: the copy is named after the time, and older ones are deleted.

    \b
    Examples:
      aggregator backup before-upgrade.db
      aggregator backup --keep 7 /var/backups/aggregator
    """
    file = Path(target)
    if keep:
        file.mkdir(parents=True, exist_ok=True)
        file /= f"aggregator-{utc_now():%Y%m%dT%H%M%S.%fZ}.db"
    elif file.is_dir():
        raise StoreError(f"{file} is a folder; name a file in it, or use --keep")
    if file.exists():
        raise StoreError(f"{file} already exists; choose another name")
    with open_store(path) as (_, store):
        partial = Path(f"{file}.partial")
        partial.unlink(missing_ok=True)
        try:
            store.backup(str(partial))
            _check(partial, file)
            partial.rename(file)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    console.print(f"{escape(str(file))}: {file.stat().st_size:,} bytes, checked")
    if keep:
        for old in sorted(file.parent.glob(COPIES))[:-keep]:
            old.unlink()
            console.print(f"{escape(str(old))}: deleted")


def _check(copy: Path, name: Path) -> None:
    """Raise a StoreError that names the file if a copy of the database is damaged."""
    try:
        with contextlib.closing(Store(str(copy))) as store:
            result = store.check()
    except StoreError as error:
        raise type(error)(str(error).replace(str(copy), str(name))) from None
    finally:
        for left in ("-wal", "-shm"):
            Path(f"{copy}{left}").unlink(missing_ok=True)
    if result != "ok":
        raise StoreError(f"{name}: this backup is damaged ({result}); use another one")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="Replace the current database without asking.")
@click.pass_obj
def restore(path: str, file: str, yes: bool) -> None:
    """Replace the database with the backup FILE.

    The old database is renamed. Stop the scheduler first.

    \b
    Example:
      aggregator restore /backup/aggregator-2026-11-24.db
    """
    target = Path(load(path).storage)
    lock = Lock(str(target))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _check_backup(file, target)
        if target.exists() and not yes:
            click.confirm(f"Replace {target} with {file}?", abort=True)
        partial = shutil.copyfile(file, f"{target}.partial")
        file_identity.mark_restored(str(target), file_identity.read(partial))
        if target.exists():
            console.print(f"the old database is now {escape(str(_move_aside(target)))}")
        Path(f"{target}-shm").unlink(missing_ok=True)
        Path(partial).replace(target)
        Store(str(target)).close()
    finally:
        lock.release()
    console.print(f"{escape(str(target))}: restored from {escape(file)}")


def _move_aside(target: Path) -> Path:
    """Rename a database with its write-ahead log, which may hold its latest transactions."""
    aside = target.with_name(f"{target.name}.before-restore-{utc_now():%Y%m%dT%H%M%S}")
    target.rename(aside)
    with contextlib.suppress(FileNotFoundError):
        Path(f"{target}-wal").rename(f"{aside}-wal")
    return aside


def _check_backup(file: str, target: Path) -> None:
    # Check a copy: opening a database migrates it, and the backup must not change. Its folder may
    # be read-only; that of the database is not.
    copy = Path(f"{target}.checked")
    try:
        shutil.copyfile(file, copy)
        _check(copy, Path(file))
    finally:
        copy.unlink(missing_ok=True)


@click.command()
def password() -> None:
    """Ask for a password and print its hash.

    The hash is the value of auth.password in the configuration.

    \b
    Example:
      aggregator password
    """
    from aggregator.web.middleware.auth import hash_password  # slow to import, and only needed here

    text = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    console.print(f"password: {hash_password(text)}", markup=False)


@click.command()
@click.argument("source_id", metavar="SOURCE", shell_complete=complete_source)
@click.pass_obj
def release(path: str, source_id: str) -> None:
    """Show entries of a source that were held back as republished.

    \b
    Example:
      aggregator release bbc-world
    """
    with open_store(path) as (config, store):
        check_known(config, (source_id,))
        with store.transaction() as db:
            state = sources.get(db, source_id)
            count = maintenance.release(db, state, Rulebook.of(config), utc_now()) if state else 0
    console.print(f"{escape(source_id)}: {count} entries released")
