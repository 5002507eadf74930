"""The web server as a child process of `run`: reloaded, restarted when it dies, stopped."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aggregator.cli.listening import SNAPSHOT, STARTED_BY
from aggregator.cli.restarts import next_pause
from aggregator.config import snapshot
from aggregator.errors import AggregatorError
from aggregator.models.config import Config
from aggregator.polling import parser_pool

logger = logging.getLogger("aggregator")

STOP_SECONDS = 10

REFUSED = 2
"""Exit code of a command that named the reason itself, such as a port in use."""


class WebProcess:
    """Keeps one web server running until `stop`."""

    def __init__(self, config: Config, host: str, port: int, *, ended: Callable[[], None]) -> None:
        """Start the server.

        Args:
            config: The configuration in force.
            host: The address to listen on.
            port: The port to listen on.
            ended: Called in a thread if the server ends and is not started again.
        """
        self._command = [
            sys.executable, "-m", "aggregator", "--config", config.path,
            "web", "--host", host, "--port", str(port),
        ]  # fmt: skip
        self._environ = {
            STARTED_BY: str(os.getpid()),
            SNAPSHOT: snapshot.path_for(config.storage),
        }
        self._ended = ended
        self.failure = ""
        """Why the server could not start, "" if it could."""
        self._stopping, self._starting = threading.Event(), threading.Lock()
        self._process = self._start()
        self._thread = threading.Thread(target=self._keep_running, daemon=True)
        self._thread.start()

    def _start(self) -> "subprocess.Popen[bytes]":
        with parser_pool.block_signals(signal.SIGINT, signal.SIGHUP):  # `web` unblocks SIGHUP
            return subprocess.Popen(  # noqa: S603
                self._command, env=os.environ | self._environ
            )

    def _keep_running(self) -> None:
        pause, is_first = 0.0, True
        while True:
            started = time.monotonic()
            code = self._process.wait()
            if self._stopping.is_set():
                return
            if code in (0, -signal.SIGTERM) or (is_first and code == REFUSED):
                if code == REFUSED:
                    self.failure = f"the web server exited (code {code}), so the service stops"
                self._ended()
                return
            pause, is_first = next_pause(pause, time.monotonic() - started), False
            logger.error("event=web_server_lost code=%d restart_seconds=%d", code, pause)
            self._stopping.wait(pause)
            with self._starting:
                if self._stopping.is_set():
                    return
                self._process = self._start()

    def reload(self) -> None:
        """Let the server load its configuration again; safe in a signal handler."""
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """End the server within `STOP_SECONDS`."""
        with self._starting:
            self._stopping.set()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def serving(config: Config, host: str, port: int) -> Iterator[WebProcess]:
    """Yield a running web server; its end stops this process as SIGTERM does.

    Raises:
        AggregatorError: At the end, if the server could not start.
    """
    server = WebProcess(config, host, port, ended=lambda: os.kill(os.getpid(), signal.SIGTERM))
    try:
        yield server
    finally:
        server.stop()
    if server.failure:
        raise AggregatorError(server.failure)
