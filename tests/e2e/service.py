"""The service as a user starts it, in a folder of its own, watched from outside.

service.configure([{"id": "loop", "url": server.url("/feed"), "every": "1s"}])
running = service.start("scheduler")
service.wait(lambda: service.rows("select 1 from entries"))
running.send(signal.SIGTERM)
assert running.wait() == 0
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tests.e2e import processes
from tests.feedserver import FeedServer

Found = TypeVar("Found")

SECONDS = 60.0
"""Timeout of each wait, long enough for a busy machine."""

AGGREGATOR = (sys.executable, "-m", "aggregator")


def wait_for(what: Callable[[], Found], seconds: float = SECONDS) -> Found:
    """Return the value of a condition as soon as it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        # A server that is not there yet, a database that is not made yet.
        with contextlib.suppress(OSError, sqlite3.OperationalError):
            found = what()
            if found:
                return found
        time.sleep(0.02)
    raise AssertionError(f"it did not happen within {seconds:.0f} s")


def free_port() -> int:
    """Return a port for a server that is about to start.

    It is none of those that the system gives out, or another would have it before the server does;
    and it is not drawn from `random`, which begins alike in tests that run beside this one.
    """
    while True:
        port = 10_000 + secrets.randbelow(22_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Running:
    """A running command, in its own session with all its children."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        log: Path,
        *,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._log = log
        self._over = False
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                stdout=file,
                stderr=file,
                start_new_session=True,
                # A shell's background jobs ignore SIGINT; these processes must not.
                preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
                env=dict(os.environ) | dict(environ or {}),
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def log(self) -> str:
        """Its output, stdout and stderr."""
        return self._log.read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def send_to_all(self, number: signal.Signals) -> None:
        """Send a signal to every process of the session, as a terminal does."""
        os.killpg(self.pid, number)

    def wait(self, seconds: float = SECONDS) -> int:
        """Return its exit code once no process of its session is left."""
        code = self.process.wait(seconds)
        wait_for(lambda: not processes.of_session(self.pid))
        self._over = True
        return code

    def end(self) -> None:
        """Kill its processes; not after its end, when its process id may be reused."""
        if not self._over:
            with contextlib.suppress(ProcessLookupError):
                self.send_to_all(signal.SIGKILL)
            self.process.wait()


class Service:
    """A folder with a configuration and a database, and the processes that use them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "sources.yaml"
        self.database = folder / "data" / "news.db"
        self._running: list[Running] = []

    def configure(self, sources: Sequence[Mapping[str, Any]], **more: Any) -> None:
        """Write the configuration file; the loopback networks are open unless it says otherwise."""
        config = {
            "storage": {"path": str(self.database)},
            "network": {"allow": ["127.0.0.0/8"]},
            "media": {"icons": False},  # tests count the requests for feeds
            "sources": list(sources),
        } | more
        # JSON is YAML; in one step, as an editor saves.
        temporary = self.folder / "sources.new"
        temporary.write_text(json.dumps(config, indent=1))
        temporary.replace(self.config)

    def start(self, *arguments: str, under: Sequence[str] = ()) -> Running:
        """Start a command of the program, optionally under another command."""
        log = self.folder / f"log-{len(self._running)}.txt"
        command = [*under, *AGGREGATOR, "--config", str(self.config), *arguments]
        running = Running(command, self.folder, log)
        self._running.append(running)
        return running

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the program and wait for its end."""
        running = self.start(*arguments)
        code = running.wait()
        return subprocess.CompletedProcess(arguments, code, stdout=running.log)

    def end(self) -> None:
        """End everything that still runs."""
        for running in self._running:
            running.end()

    def tracebacks(self) -> int:
        """Number of tracebacks in the output of all processes."""
        return self.logged("Traceback (most recent")

    def logged(self, words: str) -> int:
        """How often all processes have written the words."""
        return sum(running.log.count(words) for running in self._running)

    def wait(self, what: Callable[[], Found], seconds: float = SECONDS) -> Found:
        """As `wait_for`; the error shows the output of the processes."""
        try:
            return wait_for(what, seconds)
        except AssertionError as error:
            for number, running in enumerate(self._running):
                error.add_note(f"--- log {number}, exit {running.process.poll()}")
                error.add_note(running.log[-3_000:])
            raise

    def wait_for_requests(self, server: FeedServer, more: int) -> None:
        """Wait until a server received this many more requests."""
        enough = len(server.requests) + more
        self.wait(lambda: len(server.requests) >= enough)

    # --- the database --------------------------------------------------------------------------

    def rows(self, query: str, *values: object) -> list[Any]:
        """Read the database without touching it."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as db:
            return db.execute(query, values).fetchall()

    def one(self, query: str, *values: object) -> Any:
        """Read one value of the database."""
        return self.rows(query, *values)[0][0]

    def polled(self, *source_ids: str) -> bool:
        """Whether sources, or all, were polled at least once."""
        polls = dict(self.rows("select id, polls from sources where configured"))
        return bool(polls) and all(polls.get(key) for key in source_ids or polls)

    def entries(self) -> dict[str, dict[str, str]]:
        """Return the titles of all entries by source and link or guid; fail on duplicates."""
        found: dict[str, dict[str, str]] = {}
        query = "select source_id, coalesce(nullif(url, ''), guid), title from entries"
        for source, link, title in self.rows(query):
            assert link not in found.setdefault(source, {}), f"{link} is stored twice"
            found[source][link] = title
        return found

    def assert_sound(self) -> None:
        """Check the integrity of the file and the invariants of its tables."""
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
            assert db.execute("pragma foreign_key_check").fetchall() == []
            db.execute("insert into entries_fts(entries_fts, rank) values ('integrity-check', 1)")
            db.rollback()
        stored = dict(self.rows("select source_id, count(*) from entries group by 1"))
        counted = self.rows("select id, entries from sources where entries")
        assert dict(counted) == stored
        total = sum(stored.values())
        for table in ("days", "hours"):
            assert self.one(f"select coalesce(sum(new), 0) from {table}") == total, table
        polls = self.one("select coalesce(sum(polls), 0) from sources")
        for table, column in (("days", "polls"), ("hours", "polls"), ("hosts", "requests")):
            assert self.one(f"select coalesce(sum({column}), 0) from {table}") == polls, table
        nameless = "select id from entries where id not in (select entry_id from aliases)"
        assert self.rows(nameless) == []
