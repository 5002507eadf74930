"""The command that polls once."""

import logging

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from aggregator.cli.shared import check_known, err, opened, out
from aggregator.errors import AlreadyRunning
from aggregator.ingest import maintenance
from aggregator.ingest.source_update import Ingested
from aggregator.models.config import Config
from aggregator.polling.poller import Poller, utc_now
from aggregator.store.database.connection import Store
from aggregator.store.database.lock import Lock
from aggregator.store.sources import poll_log, sources


@click.command("poll")
@click.argument("source_ids", metavar="[SOURCE]...", nargs=-1)
@click.option("--force", is_flag=True, help="Poll what is not due too, save what asked to wait.")
@click.pass_obj
def poll_command(path: str, source_ids: tuple[str, ...], force: bool) -> None:
    """Poll once what is due (or the named sources) and show what came.

    Failing feeds are listed and are no reason for an exit code other than 0. A Retry-After is
    obeyed by --force too.

    \b
    Examples:
      aggregator poll
      aggregator poll --force
      aggregator poll bbc-world nasa
    """
    with opened(path) as (config, store):
        check_known(config, source_ids)
        maintenance.synchronise(store, config, utc_now())
        if force or source_ids:
            with store.transaction() as db:
                sources.force(db, utc_now(), source_ids)
        try:
            lock = Lock(store.path)
        except AlreadyRunning as running:
            if not (force or source_ids):
                raise
            out.print(f"Handed over: {escape(str(running).split(';')[0].split('. ')[0])}.")
            return
        maintenance.reapply_rules(store, config, utc_now())
        with store.reading() as db:
            due = sources.due(db, utc_now())
        if source_ids:
            due = [item for item in due if item.source_id in source_ids]
        try:
            done = _one_round(store, config, due)
        finally:
            lock.release()
        _show_round(done, len(due), source_ids)


def _one_round(store: Store, config: Config, due: list[sources.Due]) -> list[Ingested]:
    done: list[Ingested] = []
    progress = Progress(
        TextColumn("polling"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=err
    )
    with progress:
        task = progress.add_task("", total=len(due))

        def report(ingested: Ingested) -> None:
            done.append(ingested)
            progress.advance(task)

        logging.getLogger("aggregator").setLevel(logging.CRITICAL)
        poller = Poller(store, config, report=report)
        try:
            waiting = list(due)
            while waiting or not poller.idle:
                poller.offer(waiting)
                waiting = [item for item in waiting if not poller.has(item.source_id)]
                poller.turn_or_raise()
            _follow(store, poller, done)
        finally:
            poller.close()
    return done


def _follow(store: Store, poller: Poller, done: list[Ingested]) -> None:
    """Poll on what a poll has found to be fetched at once: a page's feed, an archive."""
    ended = 0
    while ended < len(done):
        polled = {ingested.source_id for ingested in done[ended:]}
        ended = len(done)
        with store.reading() as db:
            due = [item for item in sources.due(db, utc_now()) if item.source_id in polled]
        poller.offer(due)
        poller.run_until_idle()


def _show_round(done: list[Ingested], due: int, source_ids: tuple[str, ...]) -> None:
    if not due:
        out.print(
            "Nothing was due."
            + (" It asked to wait, or is disabled; see `aggregator explain`." if source_ids else "")
        )
        return
    failed = [one for one in done if one.result not in poll_log.FINE]
    table = Table(box=None, pad_edge=False)
    for column in ("", "sources"):
        table.add_column(column, justify="right" if column else "left")
    for label, results in (
        ("new document", ("ok",)),
        ("not modified", ("not_modified",)),
        ("equal body", ("equal",)),
    ):
        table.add_row(label, str(sum(one.result in results for one in done)))
    table.add_row("failed", str(len(failed)))
    table.add_row("[bold]new entries[/]", f"[bold]{sum(len(one.new) for one in done)}[/]")
    table.add_row("changed entries", str(sum(len(one.changed) for one in done)))
    out.print(table)
    for one in sorted(failed, key=lambda one: one.source_id):
        out.print(f"[red]{escape(one.source_id)}[/] {escape(one.detail)}")
