"""The command poll: one round."""

import logging
import sys

import click

from aggregator.cli.shared import check_known, complete_source, echo, open_store
from aggregator.errors import AlreadyRunning
from aggregator.ingest import maintenance
from aggregator.ingest.source_update import Ingested
from aggregator.models.config import Config
from aggregator.polling.poller import Poller, utc_now
from aggregator.store.database.connection import Store
from aggregator.store.database.lock import Lock
from aggregator.store.entries import page_queue
from aggregator.store.sources import poll_log, poll_plan


@click.command("poll")
@click.argument("source_ids", metavar="[SOURCE]...", nargs=-1, shell_complete=complete_source)
@click.option("--force", is_flag=True, help="Poll sources that are not due too.")
@click.pass_obj
def poll_command(path: str, source_ids: tuple[str, ...], force: bool) -> None:
    """Poll due sources, or the named ones, once and print a summary.

    Lists failed sources; the exit code is 0 even if some fail. A named source is polled even if its
    server asked to wait (Retry-After); --force without names leaves such sources out.

    \b
    Examples:
      aggregator poll
      aggregator poll --force
      aggregator poll bbc-world nasa
    """
    with open_store(path) as (config, store):
        check_known(config, source_ids)
        maintenance.synchronise(store, config, utc_now())
        if force or source_ids:
            with store.transaction() as db:
                if source_ids:
                    poll_plan.request(db, utc_now(), source_ids)
                else:
                    poll_plan.force(db, utc_now())
        try:
            lock = Lock(store.path)
        except AlreadyRunning as running:
            if not (force or source_ids):
                raise
            holder = str(running).split(";")[0].split(". ")[0]
            echo(f"Left to the running scheduler: {holder}.")
            return
        maintenance.reapply_rules(store, config, utc_now())
        with store.reading() as db:
            due = poll_plan.due(db, utc_now())
        if source_ids:
            due = [item for item in due if item.source_id in source_ids]
        try:
            polls = _one_round(store, config, due) if due or _has_page_due(store) else []
        finally:
            lock.release()
        _show_round(polls, len(due), source_ids)


def _one_round(store: Store, config: Config, due: list[poll_plan.Due]) -> list[Ingested]:
    polls: list[Ingested] = []
    progress = click.progressbar(length=len(due), label="polling", show_pos=True, file=sys.stderr)

    def report(ingested: Ingested) -> None:
        polls.append(ingested)
        progress.update(1)

    logging.getLogger("aggregator").setLevel(logging.CRITICAL)
    poller = Poller(store, config, report=report)
    try:
        with progress:
            waiting = list(due)
            while waiting or not poller.idle:
                poller.offer(waiting)
                waiting = [item for item in waiting if not poller.has(item.source_id)]
                poller.turn_or_raise()
            _follow(store, poller, polls)
        if _has_page_due(store):
            echo("Fetching the pages of entries.", err=True)
            poller.run_pages()
    finally:
        poller.close()
    return polls


def _has_page_due(store: Store) -> bool:
    with store.reading() as db:
        return page_queue.is_any_due(db, utc_now())


def _follow(store: Store, poller: Poller, polls: list[Ingested]) -> None:
    """Poll sources that are due again at once: the feed of a page, an archive."""
    finished = 0
    while finished < len(polls):
        polled = {ingested.source_id for ingested in polls[finished:]}
        finished = len(polls)
        with store.reading() as db:
            due = [item for item in poll_plan.due(db, utc_now()) if item.source_id in polled]
        poller.offer(due)
        poller.run_until_idle()


def _show_round(polls: list[Ingested], due: int, source_ids: tuple[str, ...]) -> None:
    if not due:
        echo(
            "Not polled: disabled, or the server asked to wait; `aggregator explain SOURCE` says."
            if source_ids
            else "No source is due yet; `aggregator poll --force` polls all now."
        )
        return
    failed = [poll for poll in polls if poll.result not in poll_log.FINE]
    with_news = sum(bool(poll.new or poll.changed) for poll in polls)
    counts = {
        "sources polled": len(polls),
        "  with news": with_news,
        "  nothing new": len(polls) - with_news - len(failed),
        "  failed": len(failed),
        "new entries": sum(len(poll.new) for poll in polls),
        "edited entries": sum(len(poll.changed) for poll in polls),
    }
    width = len(str(max(counts.values())))
    for name, count in counts.items():
        echo(f"{name:14}  {count:>{width}}")
    for poll in sorted(failed, key=lambda poll: poll.source_id):
        echo(f"{poll.source_id} {poll.detail}")
    if failed:
        echo("`aggregator explain SOURCE` says when a source is polled again.")
