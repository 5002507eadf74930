"""The commands: the only place that starts, wires and exits."""

import contextlib
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from aggregator import __version__, jobs, poll, schedule
from aggregator.config import edit
from aggregator.config import file as config_file
from aggregator.demo.publisher import Publisher
from aggregator.demo.starter import path as shipped
from aggregator.errors import AggregatorError, AlreadyRunning, ConfigError, StoreError
from aggregator.fetch.client import Client
from aggregator.formats import opml
from aggregator.ingest import Ingested
from aggregator.model import Config, Failed, PollResult, Reading, Request, Source
from aggregator.store import entries, log, sources
from aggregator.store.db import Store
from aggregator.store.sources import SourceState

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

DEFAULT_CONFIG = "config/sources.yaml"
STARTED_BY = "AGGREGATOR_STARTED_BY"
"""Names the process that `run` is, to the web server it starts."""

STOP_SECONDS = 5
out = Console(highlight=False, soft_wrap=True)
err = Console(highlight=False, soft_wrap=True, stderr=True)


class _Commands(click.Group):
    """Shows our errors as one clear line and exits with 2; `--debug` shows the traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except AggregatorError as error:
            if ctx.params.get("debug"):
                raise
            if isinstance(error, ConfigError):
                click.echo(error, err=True)  # as they are: editors jump to file:line:column
            else:
                err.print(f"[red]error:[/] {escape(str(error))}")
            sys.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aggregator")
@click.option(
    "--config",
    "config_path",
    envvar="AGGREGATOR_CONFIG",
    default=DEFAULT_CONFIG,
    show_default=True,
    help="The YAML file that names the sources (or AGGREGATOR_CONFIG).",
)
@click.option("--debug", is_flag=True, help="Show tracebacks and everything that is logged.")
@click.pass_context
def main(ctx: click.Context, config_path: str, debug: bool) -> None:
    """Aggregate feeds: poll the sources of a YAML file, serve them merged.

    \b
    Examples:
      aggregator run                         poll and serve, config/sources.yaml
      aggregator --config my.yaml check      say everything that is wrong with a file
      aggregator poll --force                one round, now
      aggregator doctor bbc-world            what is odd about a source, and what to do
    """
    ctx.obj = config_path
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    for noisy in ("apscheduler", "pebble"):
        logging.getLogger(noisy).setLevel(logging.DEBUG if debug else logging.ERROR)


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


def _load(path: str) -> Config:
    return config_file.load(path, os.environ)


@contextmanager
def _opened(path: str) -> Iterator[tuple[Config, Store]]:
    config = _load(path)
    store = Store(config.storage)
    try:
        yield config, store
    finally:
        store.close()


# --- the service -----------------------------------------------------------------------------


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=8000, show_default=True, help="Port to serve on.")
@click.pass_obj
def run(path: str, host: str, port: int) -> None:
    """Poll and serve, in one command; Ctrl-C stops it.

    \b
    Example:
      aggregator --config config/sources.yaml run --host 0.0.0.0 --port 8000
    """
    config = _load(path)
    _check_free(host, port)
    scheduler = _scheduler(path)
    with _web_process(path, host, port):
        _announce(config, host, port)
        _run_scheduler(scheduler)


@main.command()
@click.pass_obj
def scheduler(path: str) -> None:
    """Poll only; `aggregator web` serves from the same database.

    \b
    Example:
      aggregator scheduler & aggregator web --port 8000
    """
    _run_scheduler(_scheduler(path))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=8000, show_default=True, help="Port to serve on.")
@click.option("--workers", default=1, show_default=True, help="Processes that serve.")
@click.pass_obj
def web(path: str, host: str, port: int, workers: int) -> None:
    """Serve only; polling is left to `aggregator scheduler`.

    \b
    Example:
      aggregator web --port 8000 --workers 2
    """
    config = _load(path)
    _check_free(host, port)
    Store(config.storage).close()  # the schema is brought up to date once, before the workers
    if STARTED_BY in os.environ:
        _end_with(int(os.environ[STARTED_BY]))
    _serve(path, host, port, workers)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=8000, show_default=True, help="Port to serve on.")
def demo(host: str, port: int) -> None:
    """Show everything alive without internet, on invented feeds.

    A small publisher on this machine adds an item every few seconds; everything lands in
    data/demo.db.

    \b
    Example:
      aggregator demo --port 8000
    """
    path = str(shipped("demo.yaml"))
    config = _load(path)
    publisher_port = urlsplit(config.sources[0].url).port or 8001
    _check_free(host, port)
    _check_free("127.0.0.1", publisher_port)
    for stale in Path().glob(f"{config.storage}*"):
        stale.unlink()  # the invented news begins anew with every start
    publisher = Publisher("127.0.0.1", publisher_port, clock=utc_now)
    publisher.start()
    try:
        scheduler = _scheduler(path)
        with _web_process(path, host, port):
            _announce(config, host, port)
            _run_scheduler(scheduler)
    finally:
        publisher.stop()


def _check_free(host: str, port: int) -> None:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise AggregatorError(
            f"can't serve on {host} port {port}: {error.strerror or error}."
            " Stop what uses it, or name another with --host and --port."
        ) from None


def _scheduler(path: str) -> jobs.Scheduler:
    config = _load(path)
    return jobs.Scheduler(Store(config.storage), lambda: _load(path))


def _run_scheduler(scheduler: jobs.Scheduler) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        scheduler.stop()

    def reload(_signal: int, _frame: FrameType | None) -> None:
        scheduler.reload()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, reload)
    scheduler.run()


def _announce(config: Config, host: str, port: int) -> None:
    address = f"http://{'[' + host + ']' if ':' in host else host}:{port}"
    out.print(f"[bold]{escape(config.site.title)}[/]: {len(config.sources)} sources")
    out.print(f"  front page    {address}/")
    out.print(f"  last updated  {address}/status")
    out.print(f"  merged feed   {address}/feeds/all.atom  (.rss, .json)")
    out.print("Ctrl-C stops it.")


@contextmanager
def _web_process(path: str, host: str, port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "aggregator", "--config", path, "web"]
    environ = os.environ | {STARTED_BY: str(os.getpid())}
    with jobs.out_of_reach_of_ctrl_c():
        process = subprocess.Popen(  # noqa: S603
            [*command, "--host", host, "--port", str(port)], env=environ
        )
    ended = threading.Event()
    threading.Thread(target=_watch, args=(process, ended), daemon=True).start()
    try:
        yield
        if process.poll() not in (None, 0, -signal.SIGTERM):  # those were told to end
            raise AggregatorError(
                f"the web server has ended (exit code {process.returncode}), so all ends"
            )
    finally:
        ended.set()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _watch(process: "subprocess.Popen[bytes]", ended: threading.Event) -> None:
    process.wait()
    if not ended.is_set():
        os.kill(os.getpid(), signal.SIGTERM)


def _end_with(parent: int) -> None:
    """End this process once the one that started it was killed, so that none is left behind."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def web_worker() -> "WSGIApplication":
    """Return the application for a process of the web server, which ends with the server."""
    from aggregator.web.app import serve_app  # here alone: no other command needs it

    server = multiprocessing.parent_process()
    if server and server.pid:
        _end_with(server.pid)
    return serve_app()


def _serve(path: str, host: str, port: int, workers: int) -> None:
    os.environ["AGGREGATOR_CONFIG"] = path
    Granian(
        "aggregator.cli:web_worker",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=2,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,  # one that is told to stop as it starts does not hear it
    ).serve()


# --- one round -------------------------------------------------------------------------------


@main.command("poll")
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
    with _opened(path) as (config, store):
        _check_known(config, source_ids)
        jobs.synchronise(store, config, utc_now())
        if force or source_ids:
            with store.transaction() as db:
                sources.force(db, utc_now(), source_ids)
        try:
            lock = jobs.Lock(store.path)
        except AlreadyRunning as running:
            if not (force or source_ids):
                raise
            out.print(f"Handed over: {escape(str(running).split(';')[0].split('. ')[0])}.")
            return
        with store.reading() as db:
            due = sources.due(db, utc_now())
        if source_ids:
            due = [item for item in due if item.source_id in source_ids]
        try:
            done = _one_round(store, config, due)
        finally:
            lock.release()
        _show_round(done, len(due), source_ids)


def _check_known(config: Config, source_ids: tuple[str, ...]) -> None:
    known = {source.id for source in config.sources}
    for source_id in source_ids:
        if source_id not in known:
            raise AggregatorError(
                f"no source has the id {source_id!r}; `aggregator status` lists them"
            )


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
        poller = jobs.Poller(store, config, report=report)
        try:
            waiting = list(due)
            while waiting or not poller.idle:
                poller.offer(waiting)
                waiting = [item for item in waiting if not poller.has(item.source_id)]
                poller.turn_or_raise()
            _follow_discoveries(store, poller, done)
        finally:
            poller.close()
    return done


def _follow_discoveries(store: Store, poller: jobs.Poller, done: list[Ingested]) -> None:
    found = {ingested.source_id for ingested in done if ingested.discovered}
    if found:
        with store.reading() as db:
            due = sources.due(db, utc_now())
        poller.offer([item for item in due if item.source_id in found])
        poller.run_until_idle()


def _show_round(done: list[Ingested], due: int, source_ids: tuple[str, ...]) -> None:
    if not due:
        out.print(
            "Nothing was due."
            + (" It asked to wait, or is disabled; see `aggregator explain`." if source_ids else "")
        )
        return
    failed = [one for one in done if one.result not in ("ok", "not_modified", "equal")]
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


# --- configuration ---------------------------------------------------------------------------


@main.command()
@click.pass_obj
def check(path: str) -> None:
    """Check the configuration file and say everything that is wrong with it.

    \b
    Example:
      aggregator --config my.yaml check
    """
    try:
        config = _load(path)
    except ConfigError as error:
        click.echo(error)
        sys.exit(2)
    out.print(
        f"{escape(path)}: fine, {len(config.sources)} sources in {len(config.sections)} sections,"
        f" {len(config.views)} saved views"
    )


@main.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--append", is_flag=True, help="Write into the configuration file, comments kept.")
@click.pass_obj
def import_command(path: str, file: BinaryIO, append: bool) -> None:
    """Turn the OPML of another reader into YAML: printed, or appended.

    \b
    Examples:
      aggregator import subscriptions.opml > more.yaml
      aggregator import --append subscriptions.opml
    """
    document = opml.parse(file.read())
    for rejected in document.rejected:
        err.print(f"left out: {escape(rejected.text)} {escape(rejected.url)}: {rejected.reason}")
    taken = {source.id for source in _load(path).sources} if append else set()
    known = {source.url for source in _load(path).sources} if append else set()
    found = [outline for _, outline in opml.sources(document.outlines)]
    wanted = [outline for outline in found if outline.url not in known]
    made = [_as_source(outline.url, outline.text, taken) for outline in wanted]
    if not append:
        click.echo("sources:")
        for source in made:
            click.echo(edit.source_yaml(source))
        return
    _append(path, made)
    out.print(f"{escape(path)}: {len(made)} sources added")


def _as_source(url: str, title: str, taken: set[str]) -> Source:
    """Return a source with an id made from its title or host, not yet taken."""
    stem = "".join(c if c.isascii() and c.isalnum() else "-" for c in title.lower())
    stem = "-".join(part for part in stem.split("-") if part)[:40].strip("-")
    stem = stem or (urlsplit(url).hostname or "source").replace(".", "-")
    source_id, number = stem, 2
    while source_id in taken:
        source_id, number = f"{stem}-{number}", number + 1
    taken.add(source_id)
    return Source(id=source_id, url=url, title=title)


def _append(path: str, added: list[Source]) -> None:
    file = Path(path)
    text = edit.append(file.read_bytes().decode(), added, path)
    temporary = file.with_name(f".{file.name}.new")
    with temporary.open("w", encoding="utf-8", newline="") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    shutil.copymode(file, temporary)
    temporary.replace(file)


@main.command()
@click.option("--output", type=click.Path(dir_okay=False), help="A file instead of the screen.")
@click.pass_obj
def export(path: str, output: str | None) -> None:
    """Write the sources as OPML, for other readers.

    \b
    Example:
      aggregator export --output sources.opml
    """
    config = _load(path)
    body = opml.render(_outlines(config), title=config.site.title)
    if output:
        Path(output).write_bytes(body)
    else:
        sys.stdout.buffer.write(body)


def _outlines(config: Config) -> tuple[opml.Outline, ...]:
    """Return the sources by section, and those that stand in none."""

    def outline(source: Source) -> opml.Outline:
        return opml.Outline(text=source.title or source.id, url=source.url)

    folders = [
        opml.Outline(
            text=section.title,
            description=section.description,
            children=tuple(outline(s) for s in config.sources if section.id in s.sections),
        )
        for section in config.sections
    ]
    rest = [outline(source) for source in config.sources if not source.sections]
    return (*(folder for folder in folders if folder.children), *rest)


@main.command()
@click.argument("url")
@click.option("--section", "sections", multiple=True, help="A section of the new source.")
@click.option("--id", "source_id", default="", help="Its id; made from the title by default.")
@click.option("--yes", is_flag=True, help="Add it without asking.")
@click.pass_obj
def add(path: str, url: str, sections: tuple[str, ...], source_id: str, yes: bool) -> None:
    """Find the feed of a page, show what it brings, and add it to the configuration.

    \b
    Examples:
      aggregator add https://www.example.org/
      aggregator add https://www.example.org/feed.xml --section science --yes
    """
    config = _load(path)
    with _reader(config) as read:
        result, feed_url = _find(read, url)
    outcome = result.outcome
    if not isinstance(outcome, Reading):
        detail = outcome.detail if isinstance(outcome, Failed) else "nothing was there"
        raise AggregatorError(f"no feed was found: {detail}")
    known = next((source.id for source in config.sources if source.url == feed_url), "")
    if known:
        raise AggregatorError(f"{feed_url} is in the configuration already, as {known}")
    out.print(f"[bold]{escape(outcome.feed.title or feed_url)}[/]  {escape(feed_url)}")
    for entry in outcome.entries[:5]:
        when = f"{entry.published:%Y-%m-%d}" if entry.published else "undated   "
        out.print(f"  {when}  {escape(entry.title or entry.summary[:60])}")
    if not yes and not click.confirm("Add it?", default=True):
        return
    source = _as_source(feed_url, outcome.feed.title, {source.id for source in config.sources})
    source = Source(id=source_id or source.id, url=feed_url, title="", sections=sections)
    before = Path(path).read_bytes()
    _append(path, [source])
    try:
        _load(path)
    except ConfigError:
        Path(path).write_bytes(before)
        raise
    out.print(f"{escape(path)}: added as {escape(source.id)}; a running scheduler takes it up now")


@contextmanager
def _reader(config: Config) -> Iterator[Callable[[str], PollResult]]:
    """Give a function that polls a URL once, without any database."""
    client = Client(
        user_agent=jobs.user_agent(config),
        allow=config.allow,
        proxy=config.proxy,
        per_host=config.defaults.per_host,
    )
    pool = jobs.reading_pool(1)

    def read(url: str) -> PollResult:
        request = Request(source_id="it", url=url, limits=config.defaults.limits)
        judged = poll.judge(request, client.fetch_one(request))
        if isinstance(judged, PollResult):
            return judged
        return jobs.reading(jobs.send(pool, [judged], utc_now()), [judged])[0]

    try:
        yield read
    finally:
        pool.stop()
        pool.join()
        client.close()


def _find(read: Callable[[str], PollResult], url: str) -> tuple[PollResult, str]:
    if "://" not in url:
        url = f"https://{url}"
    result = read(url)
    if result.discovered:
        return read(result.discovered), result.discovered
    return result, url


# --- looking at it ---------------------------------------------------------------------------


@main.command()
@click.option("--hosts", is_flag=True, help="How politely each host was treated.")
@click.pass_obj
def status(path: str, hosts: bool) -> None:
    """Show each source: health, last check, last change, next poll, entries.

    \b
    Examples:
      aggregator status
      aggregator status --hosts
    """
    with _opened(path) as (config, store):
        jobs.synchronise(store, config, utc_now())
        with store.reading() as db:
            if hosts:
                _show_hosts(log.hosts(db))
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
            schedule.moment(state.last_poll, now) if state.last_poll else "never",
            schedule.moment(state.last_change, now) if state.last_change else "never",
            schedule.moment(state.next_poll, now),
            str(state.entries),
            escape(state.error),
        )
    out.print(table)


def _show_hosts(rows: list[log.HostRow]) -> None:
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


@main.command()
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
    with _opened(path) as (config, store):
        jobs.synchronise(store, config, utc_now())
        with store.reading() as db:
            state = sources.get(db, what)
            if state is not None:
                _explain_source(state)
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
            if found.hidden:
                out.print(f"  in no view: {escape(found.hidden)}")
            for version in entries.versions(db, found.id):
                out.print(
                    f"  changed {version.until:%Y-%m-%d %H:%M} UTC, was: {escape(version.title)}"
                )


def _explain_source(state: SourceState) -> None:
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
    for problem in state.feed.problems:
        out.print(f"  odd: {escape(problem)}")


@main.command()
@click.argument("source_id", metavar="SOURCE")
@click.pass_obj
def doctor(path: str, source_id: str) -> None:
    """Fetch a source now, storing nothing; say what is odd about it and what to do.

    \b
    Example:
      aggregator doctor bbc-world
    """
    config = _load(path)
    _check_known(config, (source_id,))
    source = next(source for source in config.sources if source.id == source_id)
    with _reader(config) as read:
        result = read(source.url)
    transfer, outcome = result.outcome.transfer, result.outcome
    out.print(f"[bold]{escape(source.id)}[/]  {escape(source.url)}")
    for hop in transfer.hops:
        out.print(f"  {hop.status} to {escape(hop.url)}")
    out.print(f"  status {transfer.status}, {transfer.seconds:.2f} s, {transfer.received:,} bytes")
    if isinstance(outcome, Failed):
        out.print(f"  [red]{escape(outcome.detail)}[/]")
        return
    if isinstance(outcome, Reading):
        for line in _findings(outcome):
            out.print(f"  {escape(line)}")


def _findings(reading: Reading) -> Iterator[str]:
    title = reading.feed.title or "no title"
    yield f"{reading.feed.version}: {title}, {len(reading.entries)} entries"
    yield from (f"odd: {problem}" for problem in reading.feed.problems)
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


# --- backup ----------------------------------------------------------------------------------


@main.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.pass_obj
def backup(path: str, file: str) -> None:
    """Copy the database into FILE, complete and consistent, while everything goes on.

    \b
    Example:
      aggregator backup /backup/aggregator-$(date +%F).db
    """
    if Path(file).exists():
        raise StoreError(f"{file}: exists already; name a new file, nothing is overwritten")
    with _opened(path) as (_, store):
        partial = f"{file}.partial"
        Path(partial).unlink(missing_ok=True)
        store.backup(partial)
        Path(partial).rename(file)
    out.print(f"{escape(file)}: {Path(file).stat().st_size:,} bytes")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="Do not ask before the present database is put aside.")
@click.pass_obj
def restore(path: str, file: str, yes: bool) -> None:
    """Put the backup FILE in the place of the database, which is kept beside it.

    \b
    Example:
      aggregator restore /backup/aggregator-2026-11-24.db
    """
    target = Path(_load(path).storage)
    lock = jobs.Lock(str(target))
    try:
        _check_backup(file)
        if target.exists():
            if not yes:
                click.confirm(f"Put {target} aside and use {file}?", abort=True)
            aside = target.with_name(f"{target.name}.before-restore-{utc_now():%Y%m%dT%H%M%S}")
            target.rename(aside)
            out.print(f"the present database is kept as {escape(str(aside))}")
        for left in (f"{target}-wal", f"{target}-shm"):
            Path(left).unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, f"{target}.partial")
        Path(f"{target}.partial").replace(target)
        Store(str(target)).close()
    finally:
        lock.release()
    out.print(f"{escape(str(target))}: restored from {escape(file)}")


def _check_backup(file: str) -> None:
    # Looked at in a copy: opening brings the schema up to date, and the backup stays as it is.
    copy = Path(f"{file}.checked")
    shutil.copyfile(file, copy)
    try:
        with contextlib.closing(Store(str(copy))) as store:
            found = store.check()
        if found != "ok":
            raise StoreError(f"{file}: this backup is damaged ({found}); use another one")
    finally:
        for left in copy.parent.glob(f"{copy.name}*"):
            left.unlink()


@main.command()
def password() -> None:
    """Ask for a password and print what stands for it under auth in the configuration.

    \b
    Example:
      aggregator password
    """
    from aggregator.web.auth import hash_password  # slow to load, and only needed here

    text = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    out.print(f"password: {hash_password(text)}", markup=False)


@main.command()
@click.argument("source_id", metavar="SOURCE")
@click.pass_obj
def release(path: str, source_id: str) -> None:
    """Show the entries of a source that were held back as re-issued.

    \b
    Example:
      aggregator release bbc-world
    """
    with _opened(path) as (config, store):
        _check_known(config, (source_id,))
        with store.transaction() as db:
            state = sources.get(db, source_id)
            count = jobs.release(db, state, utc_now()) if state else 0
    out.print(f"{escape(source_id)}: {count} entries released")
