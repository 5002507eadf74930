"""The command that serves, and loads nothing of what polls."""

import multiprocessing
import os
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from aggregator.cli import logs
from aggregator.cli.shared import load
from aggregator.errors import AggregatorError
from aggregator.store.database.connection import Store
from aggregator.web.images import cache

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

STARTED_BY = "AGGREGATOR_STARTED_BY"
"""Names the process that `run` is, to the web server it starts."""

STOP_SECONDS = 5

THREADS = 2
"""Of each process that serves; where pictures are fetched, each of those takes one more."""


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
    check_free(host, port)
    threads = THREADS + (cache.SLOTS if config.media.proxy else 0)
    Store(config.storage).close()  # the schema is brought up to date once, before the workers
    del config  # each worker reads its own, and that of many feeds is large
    if STARTED_BY in os.environ:
        _end_with(int(os.environ[STARTED_BY]))
    _serve(path, host, port, workers, threads)


def check_free(host: str, port: int) -> None:
    """Raise an AggregatorError when an address can't be served on."""
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
    logs.start(debug=False)
    return serve_app(lambda config: logs.mask(config.secrets))


def _serve(path: str, host: str, port: int, workers: int, threads: int) -> None:
    os.environ["AGGREGATOR_CONFIG"] = path
    Granian(
        "aggregator.cli.web_server:web_worker",
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
