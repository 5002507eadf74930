"""The command web; imports no code that polls."""

import gc
import logging
import multiprocessing
import os
import shutil
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.common import AbstractServer

from aggregator.cli import logs, masked
from aggregator.cli.listening import HOST, PORT, SNAPSHOT, STARTED_BY, check_free, ip_address
from aggregator.cli.restarts import next_pause
from aggregator.cli.shared import echo, parse
from aggregator.config import file, snapshot
from aggregator.errors import ConfigError
from aggregator.models.config import Config, Site
from aggregator.models.urls import is_loopback
from aggregator.polling import allocator
from aggregator.store.database import site_id
from aggregator.store.database.connection import Store
from aggregator.web.images import cache
from aggregator.web.middleware.search_limit import SEARCHES

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

logger = logging.getLogger("aggregator")

SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""The folder in which workers count requests; prometheus_client reads it when imported."""

STOP_SECONDS = 5

TRIM_SECONDS = 10

THREADS = SEARCHES + 1
"""Request threads per process; the image proxy adds one per concurrent fetch."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=8000, show_default=True, help="Port to serve on.")
@click.option("--workers", default=1, show_default=True, help="Number of processes.")
@click.pass_obj
def web(path: str, host: str, port: int, workers: int) -> None:
    """Serve without polling; run `aggregator scheduler` beside it.

    \b
    Example:
      aggregator web --port 8000 --workers 2
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # until it means to reload
    # `run` has loaded the file before, so that a mistake in it is new.
    text, config = _configuration(path, os.environ.get(SNAPSHOT, ""))
    check_free(host, port)
    threads = THREADS + (cache.SLOTS if config.media.proxy else 0)
    store = Store(config.storage)  # migrates once, before the workers start
    site_id.ensure(store, config.site.base_url)
    store.close()
    copy = snapshot.path_for(config.storage)
    with suppress(OSError):  # a full or read-only disk; the workers then read the file itself
        snapshot.save(copy, text)
    if warning := misleading_address(config.site, port):
        echo(f"warning: {warning}", err=True)
    storage = config.storage
    del config, text  # each worker loads its own; a large one takes much memory
    if STARTED_BY in os.environ:
        _end_with(int(os.environ[STARTED_BY]))
    if workers > 1:
        _share_metrics(f"{storage}.metrics")
    os.environ |= {"AGGREGATOR_CONFIG": path, HOST: host, PORT: str(port), SNAPSHOT: copy}
    _share_memory()
    _serve(host, port, workers, threads)


def _share_memory() -> None:
    """Import what the worker processes need, so that they share it with this one."""
    import aggregator.web.app  # noqa: F401  # after `_share_metrics`

    allocator.share_heap()
    gc.collect()
    allocator.trim()
    gc.freeze()  # the collector would write to all pages, and so copy them


def _share_metrics(folder: str) -> None:
    """Let the worker processes count requests in a folder, so that `/metrics` sums them up."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        Path(folder).mkdir(parents=True)
    except OSError as error:
        logger.warning("event=metrics_not_shared folder=%s error=%r", folder, str(error))
    else:
        os.environ[SHARED_METRICS] = folder


def _configuration(path: str, copy: str) -> tuple[str, Config]:
    """Return the text of the file and its configuration; those of the copy if it is invalid.

    Args:
        path: The file.
        copy: The copy of the last valid file, "" for none.
    """
    try:
        text = file.read_text(path)
        return text, parse(text, path)
    except ConfigError:
        last_valid = snapshot.read(copy) if copy else None
        if last_valid is None:
            raise
        return last_valid, parse(last_valid, path)


def misleading_address(site: Site, port: int) -> str:
    """Return a warning if `base_url` names another port of this machine, "" if it does not.

    Args:
        site: The configured site.
        port: The port that the server listens on.
    """
    parts = urlsplit(site.base_url)
    named = parts.port or (443 if parts.scheme == "https" else 80)
    if site.trusted_proxies or named == port or not is_loopback(parts.hostname or ""):
        return ""
    return (
        f"site.base_url is {site.base_url}, but the server listens on port {port}: links in feeds"
        " and pages do not lead here. Delete base_url, or correct it; behind a proxy, set"
        " site.trusted_proxies."
    )


def _end_with(parent: int) -> None:
    """Stop this process after its parent died."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def web_worker() -> "WSGIApplication":
    """Return the application of a worker process, which ends with the server."""
    from aggregator.web.app import serve_app  # by `_share_memory`

    server = multiprocessing.parent_process()
    if server and server.pid:
        _end_with(server.pid)
    logs.start_like_parent(os.environ)
    app = serve_app(
        lambda config: masked.hide(config.secrets),
        host=os.environ[HOST],
        port=int(os.environ[PORT]),
        snapshot=os.environ[SNAPSHOT],
    )
    threading.Thread(target=_trim_often, daemon=True).start()
    return app


def _trim_often() -> None:
    """Return the memory of large pages and of configurations to the system."""
    while True:
        allocator.trim()
        time.sleep(TRIM_SECONDS)


def _serve(host: str, port: int, workers: int, threads: int) -> None:
    """Serve until a signal stops the process.

    Granian ends when a worker dies twice within seconds. It is then started again after a pause, so
    that the site returns when the cause is gone, such as a lack of memory.
    """
    pause = 0.0
    while True:
        server, started = _server(host, port, workers, threads), time.monotonic()
        with suppress(SystemExit):  # after a fault of its workers
            server.serve()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(0))  # nothing runs until the next start
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the next workers load the file as it is
        if server.interrupt_signal:
            return
        pause = next_pause(pause, time.monotonic() - started)
        logger.error("event=web_workers_lost restart_seconds=%d", pause)
        time.sleep(pause)


def _server(host: str, port: int, workers: int, threads: int) -> AbstractServer[Any]:
    server: AbstractServer[Any] = Granian(
        "aggregator.cli.web_server:web_worker",
        factory=True,
        address=ip_address(host),
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,  # a starting worker misses SIGTERM
    )
    # Granian now handles SIGHUP. `run` starts this process with the signal blocked.
    server.on_startup(lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP}))
    return server
