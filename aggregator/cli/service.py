"""The commands that stay: poll, serve, both, and the demonstration."""

import logging
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from rich.markup import escape

from aggregator import children, jobs, pictures
from aggregator.cli.shared import load, out
from aggregator.config.keys import CLUSTER_ADDRESS
from aggregator.demo.publisher import Publisher
from aggregator.demo.starter import path as shipped
from aggregator.errors import AggregatorError
from aggregator.model import Config
from aggregator.pipeline import Pipe, Pipeline
from aggregator.poller import utc_now
from aggregator.store.db import Store
from aggregator.web import topics

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

STARTED_BY = "AGGREGATOR_STARTED_BY"
"""Names the process that `run` is, to the web server it starts."""

STOP_SECONDS = 5

THREADS = 2
"""Of each process that serves; where pictures are fetched, each of those takes one more."""


def _cluster(_ctx: click.Context, _option: click.Parameter, text: str) -> str:
    if text and not re.fullmatch(CLUSTER_ADDRESS, text):
        raise click.BadParameter("write tcp://HOST:8786, tls://HOST:8786 or local:N")
    return text


CLUSTER = click.option(
    "--cluster",
    default="",
    callback=_cluster,
    help="Poll by the Dask workers of tcp://HOST:8786, or by local:N on this machine.",
)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=8000, show_default=True, help="Port to serve on.")
@CLUSTER
@click.pass_obj
def run(path: str, host: str, port: int, cluster: str) -> None:
    """Poll and serve, in one command; Ctrl-C stops it.

    \b
    Example:
      aggregator --config config/sources.yaml run --host 0.0.0.0 --port 8000
    """
    load(path)
    _check_free(host, port)
    scheduler = _scheduler(path, cluster)
    with _web_process(path, host, port):
        _announce(scheduler.config, host, port)
        _run_scheduler(scheduler)


@click.command()
@CLUSTER
@click.pass_obj
def scheduler(path: str, cluster: str) -> None:
    """Poll only; `aggregator web` serves from the same database.

    \b
    Examples:
      aggregator scheduler & aggregator web --port 8000
      aggregator scheduler --cluster tcp://10.0.0.1:8786
    """
    _run_scheduler(_scheduler(path, cluster))


@click.command()
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
    config = load(path)
    _check_free(host, port)
    threads = THREADS + (pictures.SLOTS if config.media.proxy else 0)
    Store(config.storage).close()  # the schema is brought up to date once, before the workers
    del config  # each worker reads its own, and that of many feeds is large
    if STARTED_BY in os.environ:
        _end_with(int(os.environ[STARTED_BY]))
    _serve(path, host, port, workers, threads)


@click.command()
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
    config = load(path)
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


def _scheduler(path: str, cluster: str = "") -> jobs.Scheduler:
    config = load(path)
    return jobs.Scheduler(
        Store(config.storage),
        lambda: load(path),
        pipe=_pipe(cluster or config.cluster),
        publications=topics.publications,
    )


def _pipe(cluster: str) -> Callable[..., Pipe]:
    if not cluster:
        return Pipeline
    try:
        from aggregator.cluster.client import Cluster  # optional, and slow to load
    except ModuleNotFoundError as error:
        raise AggregatorError(
            f"a cluster needs what is not installed ({error.name}):"
            " pip install 'feed-aggregator[cluster]'"
        ) from None
    logging.getLogger("distributed").setLevel(logging.ERROR)  # it is chatty, from its import on
    return partial(Cluster, address=cluster)


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
    with children.out_of_reach_of_ctrl_c():
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


def _serve(path: str, host: str, port: int, workers: int, threads: int) -> None:
    os.environ["AGGREGATOR_CONFIG"] = path
    Granian(
        "aggregator.cli.service:web_worker",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,  # one that is told to stop as it starts does not hear it
    ).serve()
