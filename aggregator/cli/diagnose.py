"""The commands that show and explain: status, explain, doctor."""

from collections.abc import Iterator

import click
from rich.markup import escape
from rich.table import Table

from aggregator.cli.fetch_once import reader
from aggregator.cli.shared import check_known, load, opened, out
from aggregator.errors import AggregatorError
from aggregator.ingest import maintenance
from aggregator.models.poll import Failed, ParsedDocument
from aggregator.policy import schedule
from aggregator.polling.poller import utc_now
from aggregator.store.database.connection import Connection
from aggregator.store.entries import entries, stories, versions
from aggregator.store.sources import poll_log, sources
from aggregator.store.sources.sources import SourceState
from aggregator.store.websub import subscriptions
from aggregator.websub import status_text


@click.command()
@click.option("--hosts", is_flag=True, help="How politely each host was treated.")
@click.pass_obj
def status(path: str, hosts: bool) -> None:
    """Show each source: health, last check, last change, next poll, entries.

    \b
    Examples:
      aggregator status
      aggregator status --hosts
    """
    with opened(path) as (config, store):
        maintenance.synchronise(store, config, utc_now())
        with store.reading() as db:
            if hosts:
                _show_hosts(poll_log.hosts(db))
            else:
                _show_sources(sources.all_states(db))


def _show_sources(states: list[SourceState]) -> None:
    now = utc_now()
    table = Table(box=None, pad_edge=False)
    for column in ("source", "health", "checked", "changed", "next", "entries", ""):
        table.add_column(column, no_wrap=column in ("source", "health"))
    for state in states:
        table.add_row(
            escape(state.id),
            state.health if state.enabled else "disabled",
            schedule.format_time(state.last_poll, now) if state.last_poll else "never",
            schedule.format_time(state.last_change, now) if state.last_change else "never",
            schedule.format_time(state.next_poll, now),
            str(state.entries),
            escape(state.error),
        )
    out.print(table)


def _show_hosts(rows: list[poll_log.HostRow]) -> None:
    table = Table(box=None, pad_edge=False)
    columns = ("host", "feeds", "requests", "304", "kB", "kB saved", "unconditional", "early")
    for column in (*columns, "failed", "spacing"):
        table.add_column(column, justify="left" if column == "host" else "right")
    for row in rows:
        share = f"{100 * row.not_modified / row.requests:.0f} %" if row.requests else ""
        table.add_row(
            escape(row.host), str(row.sources), str(row.requests), share, str(row.bytes // 1000),
            str(row.saved // 1000), str(row.unconditional), str(row.early), str(row.failed),
            f"{row.spacing:.1f} s" if row.spacing else "",
        )  # fmt: skip
    out.print(table)


@click.command()
@click.argument("what", metavar="SOURCE|ENTRY")
@click.pass_obj
def explain(path: str, what: str) -> None:
    """Say why a source is polled when it is, or how an entry came to be here.

    \b
    Examples:
      aggregator explain bbc-world
      aggregator explain 4711
      aggregator explain https://www.example.org/story
    """
    with opened(path) as (config, store):
        maintenance.synchronise(store, config, utc_now())
        with store.reading() as db:
            state = sources.get(db, what)
            if state is not None:
                known = subscriptions.all_of(db, state.id)
                _explain_source(state, status_text.of_source(config, state.feed, known))
                return
            found = entries.find(db, what)
            if found is None:
                raise AggregatorError(
                    f"{what}: neither a source's id nor an entry's id, guid or URL"
                )
            out.print(f"[bold]{escape(found.entry.title)}[/]")
            out.print(f"  entry {found.id} of {escape(found.source_id)}")
            out.print(
                f"  guid {escape(found.entry.guid or 'none')}, in our feeds {escape(found.uri)}"
            )
            out.print(f"  first seen {found.first_seen:%Y-%m-%d %H:%M} UTC")
            out.print(f"  known by its {found.known_by.replace(' ', ', ') or 'keys'}")
            if found.matched:
                out.print(f"  recognised by its {found.matched} when it was rewritten last")
            for reason in found.ruling.reasons:
                out.print(f"  {escape(reason)}")
            if found.hidden:
                out.print(f"  in no view: {escape(found.hidden)}")
            _explain_story(db, found.id)
            for version in versions.of_entry(db, found.id):
                out.print(
                    f"  changed {version.until:%Y-%m-%d %H:%M} UTC, was: {escape(version.title)}"
                )


def _explain_story(db: Connection, entry_id: int) -> None:
    members = stories.of_entry(db, entry_id)
    if len(members) > 1:
        out.print(f"  one of {len(members)} reports of story {members[0].story}:")
    for one in members if len(members) > 1 else ():
        why = f"{one.reason}, {one.similarity:.2f} alike" if one.reason else "it came first"
        mark = "*" if one.entry_id == entry_id else " "
        out.print(f"  {mark} entry {one.entry_id} of {escape(one.source_id)}: {why}")


def _explain_source(state: SourceState, push: str) -> None:
    out.print(f"[bold]{escape(state.title)}[/]  {escape(state.poll_url)}")
    out.print(f"  {escape(state.next_poll_reason)}")
    out.print(f"  health: {state.health}" + (f", {escape(state.error)}" if state.error else ""))
    if state.moved_to:
        out.print(f"  moved for good from {escape(state.url)}")
    if state.move:
        out.print(
            f"  permanent redirect to {escape(state.move.url)}, seen {state.move.times} times"
            f" since {state.move.since:%Y-%m-%d %H:%M} UTC"
        )
    out.print(f"  pushes: {escape(push)}")
    for problem in state.feed.problems:
        out.print(f"  odd: {escape(problem)}")


@click.command()
@click.argument("source_id", metavar="SOURCE")
@click.pass_obj
def doctor(path: str, source_id: str) -> None:
    """Fetch a source now, storing nothing; say what is odd about it and what to do.

    \b
    Example:
      aggregator doctor bbc-world
    """
    config = load(path)
    check_known(config, (source_id,))
    source = next(source for source in config.sources if source.id == source_id)
    with reader(config) as read:
        result = read(source.url)
    transfer, outcome = result.outcome.transfer, result.outcome
    out.print(f"[bold]{escape(source.id)}[/]  {escape(source.url)}")
    for hop in transfer.hops:
        out.print(f"  {hop.status} to {escape(hop.url)}")
    out.print(f"  status {transfer.status}, {transfer.seconds:.2f} s, {transfer.received:,} bytes")
    if isinstance(outcome, Failed):
        out.print(f"  [red]{escape(outcome.detail)}[/]")
        return
    if isinstance(outcome, ParsedDocument):
        for line in _findings(outcome):
            out.print(f"  {escape(line)}")


def _findings(reading: ParsedDocument) -> Iterator[str]:
    title = reading.feed.title or "no title"
    yield f"{reading.feed.version}: {title}, {len(reading.entries)} entries"
    yield from (f"odd: {problem}" for problem in reading.feed.problems)
    yield from (f"a hub offers to push it: {hub}" for hub in reading.feed.hubs)
    if not (reading.validators.etag or reading.validators.last_modified):
        yield "no ETag and no Last-Modified: every poll brings the whole body; tell the publisher"
    if any(300 < hop.status < 400 and hop.status in (301, 308) for hop in reading.transfer.hops):
        yield f"it has moved: put {reading.url} into the configuration"
    undated = sum(entry.published is None and entry.updated is None for entry in reading.entries)
    if undated:
        yield f"{undated} entries have no date: they are dated when first seen"
    unnamed = sum(not entry.guid for entry in reading.entries)
    if unnamed:
        yield f"{unnamed} entries have no guid: their link or text identifies them"
