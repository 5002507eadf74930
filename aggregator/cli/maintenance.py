"""Commands for stored data and the password: backup, restore, release, password."""

import contextlib
import shutil
from pathlib import Path

import click
from rich.markup import escape

from aggregator.cli.shared import check_known, complete_source, console, load, open_store
from aggregator.errors import StoreError
from aggregator.ingest import maintenance
from aggregator.policy.filter_rules import Rulebook
from aggregator.polling.poller import utc_now
from aggregator.store.database import file_identity
from aggregator.store.database.connection import Store
from aggregator.store.database.lock import Lock
from aggregator.store.sources import sources


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.pass_obj
def backup(path: str, file: str) -> None:
    """Copy the database to FILE while the service runs.

    The copy is complete and consistent.

    \b
    Example:
      aggregator backup /backup/aggregator-$(date +%F).db
    """
    if Path(file).exists():
        raise StoreError(f"{file} already exists; choose another name")
    with open_store(path) as (_, store):
        partial = f"{file}.partial"
        Path(partial).unlink(missing_ok=True)
        try:
            store.backup(partial)
            Path(partial).rename(file)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise
    console.print(f"{escape(file)}: {Path(file).stat().st_size:,} bytes")


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
        with contextlib.closing(Store(str(copy))) as store:
            result = store.check()
        if result != "ok":
            raise StoreError(f"{file}: this backup is damaged ({result}); use another one")
    except StoreError as error:
        raise type(error)(str(error).replace(str(copy), file)) from None
    finally:
        for left in copy.parent.glob(f"{copy.name}*"):
            left.unlink()


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
