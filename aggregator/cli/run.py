"""Commands that poll until stopped: run, scheduler, demo."""

import logging
import os
import re
import signal
from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from aggregator.cli.listening import check_free
from aggregator.cli.shared import echo, load
from aggregator.cli.web_process import serving
from aggregator.config.file import LISTENING
from aggregator.config.keys.service import CLUSTER_ADDRESS
from aggregator.config.watch import FileWatch
from aggregator.demo.starter import path as shipped
from aggregator.errors import AggregatorError
from aggregator.formats.table import FORMATS
from aggregator.models.config import Config
from aggregator.models.urls import server_url
from aggregator.polling import allocator
from aggregator.polling.pipeline import Pipeline, PollExecutor
from aggregator.polling.poller import utc_now
from aggregator.polling.scheduler import Scheduler
from aggregator.store.database.connection import Store
from aggregator.store.database.lock import Lock
from aggregator.websub.publications import Publications, Rendered

if TYPE_CHECKING:
    from aggregator.demo.publisher import Publisher


def _cluster(_ctx: click.Context, _option: click.Parameter, text: str) -> str:
    if text and not re.fullmatch(CLUSTER_ADDRESS, text):
        raise click.BadParameter("write tcp://HOST:8786, tls://HOST:8786 or local:N")
    return text


CLUSTER = click.option(
    "--cluster",
    default="",
    callback=_cluster,
    help="Poll with the Dask workers of tcp://HOST:8786, or N local ones (local:N).",
)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=8000, show_default=True, help="Port to serve on.")
@CLUSTER
@click.pass_obj
def run(path: str, host: str, port: int, cluster: str) -> None:
    """Poll and serve until Ctrl-C.

    \b
    Example:
      aggregator --config config/sources.yaml run --host 0.0.0.0 --port 8000
    """
    check_free(host, port)
    os.environ[LISTENING] = server_url(host, port)
    scheduler = _scheduler(path, cluster)
    with serving(scheduler.config, host, port) as web:
        _announce(scheduler.config, host, port)
        _run_scheduler(scheduler, web.reload)


@click.command()
@CLUSTER
@click.pass_obj
def scheduler(path: str, cluster: str) -> None:
    """Poll without serving; run `aggregator web` beside it.

    \b
    Examples:
      aggregator scheduler & aggregator web --port 8000
      aggregator scheduler --cluster tcp://10.0.0.1:8786
    """
    _run_scheduler(_scheduler(path, cluster))


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=8000, show_default=True, help="Port to serve on.")
def demo(host: str, port: int) -> None:
    """Poll and serve invented feeds; needs no internet.

    A publisher on this machine adds an item every few seconds. Writes data/demo.db.

    \b
    Example:
      aggregator demo --port 8000
    """
    check_free(host, port)
    os.environ[LISTENING] = server_url(host, port)
    database = Path(load(str(shipped("demo.yaml"))).storage)
    database.parent.mkdir(parents=True, exist_ok=True)
    Lock(str(database)).release()  # raises if another demo runs on it
    for stale in database.parent.glob(f"{database.name}*"):
        stale.unlink()  # invented feeds start again with every run
    publisher = _publisher(port)
    publisher.start()
    try:
        path = _demo_file(publisher, database)
        scheduler = _scheduler(path)
        with serving(scheduler.config, host, port) as web:
            _announce(scheduler.config, host, port)
            _run_scheduler(scheduler, web.reload)
    finally:
        publisher.stop()


def _publisher(web_port: int) -> "Publisher":
    """Return the demo's publisher, on another port if its own is in use."""
    from aggregator.demo.publisher import PORT, Publisher  # slow to import

    try:
        return Publisher("127.0.0.1", PORT if web_port != PORT else 0, clock=utc_now)
    except OSError:
        return Publisher("127.0.0.1", 0, clock=utc_now)


def _demo_file(publisher: "Publisher", database: Path) -> str:
    """Return the path of a configuration file with the publisher's address."""
    from aggregator.demo.publisher import PORT

    template = shipped("demo.yaml")
    address = f"http://127.0.0.1:{PORT}/"
    if publisher.url + "/" == address:
        return str(template)
    file = database.with_suffix(".yaml")
    text = template.read_text(encoding="utf-8").replace(address, f"{publisher.url}/")
    file.write_text(text, encoding="utf-8")
    return str(file)


def _scheduler(path: str, cluster: str = "") -> Scheduler:
    allocator.share_heap()
    watch, loaded = FileWatch(path), [load(path)]
    store, executor = Store(loaded[0].storage), _executor(cluster or loaded[0].cluster)

    def configuration() -> Config:
        """Return what is loaded already, once: a large file takes time and memory."""
        first = loaded.pop() if loaded else None
        return first if first and not watch.has_changed() else load(path)

    return Scheduler(
        store,
        configuration,
        executor=executor,
        publications=_publications,
    )


def _publications(store: Store, clock: Callable[[], datetime]) -> Publications:
    """Return the feeds of a store; what renders them is imported when the hub needs it first."""

    def imported() -> Publications:
        from aggregator.web.feeds import documents

        return documents.publications(store, clock)

    def render(url: str, config: Config) -> Rendered | None:
        return imported().render(url, config)

    def touched(scopes: Collection[str], config: Config) -> list[str]:
        return imported().touched(scopes, config)

    return Publications(render=render, touched=touched)


def _executor(cluster: str) -> Callable[..., PollExecutor]:
    if not cluster:
        return Pipeline
    try:
        from aggregator.cluster.client import Cluster  # optional, and slow to import
    except ModuleNotFoundError as error:
        raise AggregatorError(
            f"a cluster needs {error.name}, which is not installed:"
            " pip install 'feed-aggregator[cluster]'"
        ) from None
    logging.getLogger("distributed").setLevel(logging.ERROR)  # it logs much, from its import on
    return partial(Cluster, address=cluster)


def _run_scheduler(scheduler: Scheduler, reload_web: Callable[[], None] = lambda: None) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        scheduler.stop()

    def reload(_signal: int, _frame: FrameType | None) -> None:
        scheduler.reload()
        reload_web()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, reload)
    allocator.trim()  # of what the configuration took
    scheduler.run()


def _announce(config: Config, host: str, port: int) -> None:
    listening = server_url(host, port) or f"http://127.0.0.1:{port}"
    address = config.site.public_url or listening
    echo(f"{config.site.title}: {len(config.sources)} sources")
    echo(f"  front page    {address}/")
    echo(f"  last updated  {address}/status")
    first, *others = FORMATS
    echo(f"  merged feed   {address}/feeds/all.{first}  (.{', .'.join(others)})")
    if address != listening:
        echo(f"  listening on  {listening}")
    echo("Press Ctrl-C to stop.")
