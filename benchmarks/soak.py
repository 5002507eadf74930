"""Run the service for minutes while feeds publish, readers read and processes are killed.

    python -m benchmarks.soak [--minutes 2] [--feeds 2000] [--every 10] [--reads 50] [--kills 10]

Invented feeds publish on loopback; the scheduler polls each of them every `every` seconds, and the
web server gets `reads` requests a second. At random times the scheduler, the web server or a parser
process is killed with kill -9 and started again. In the end the feeds stop publishing, are polled
once more, and the database must contain each published entry once, with its last title. The summary
is Markdown; the exit code is 0 if everything is correct.

Memory is the PSS of the processes, sampled every two seconds; the medians of the two halves are
compared, without the first tenth of the run. Runs of less than five minutes say nothing about it:
the caches of processes that were just started still fill.
"""

import argparse
import http.client
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.e2e import processes
from tests.e2e.churn import Churn
from tests.e2e.service import Running, Service, free_port, wait_for
from tests.e2e.test_run import fetched
from tests.feedserver import FeedServer

SECTIONS = ("world", "europe", "science", "sport")
PAGES = (
    "/", "/section/europe", "/status", "/search?q=item", "/topics", "/source/feed-7",
    "/feeds/all.atom", "/feeds/all.rss", "/feeds/all.json", "/feeds/section/world.atom",
    "/api/v1/entries", "/healthz",
)  # fmt: skip
FLAT = 1.1
"""Largest allowed ratio of the memory of the second half to the first."""

MEMORY_MINUTES = 5
"""Shorter runs do not compare memory."""


@dataclass
class Readers:
    """Request pages in turn, and feeds with their last validator."""

    port: int
    rate: float
    statuses: Counter[int] = field(default_factory=Counter)
    refused: int = 0
    milliseconds: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        etags: dict[str, str] = {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        due = time.monotonic()
        while not self.over.is_set():
            due += 1 / self.rate
            time.sleep(max(0.0, due - time.monotonic()))
            path = random.choice(PAGES)
            known = {"If-None-Match": etags[path]} if path in etags else {}
            begun = time.monotonic()
            try:
                connection.request("GET", path, headers=known)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self.refused += 1  # the server was killed, and is not back yet
                connection.close()
                continue
            self.milliseconds.append((time.monotonic() - begun) * 1000)
            self.statuses[answer.status] += 1
            if tag := answer.getheader("ETag"):
                etags[path] = tag
            due = max(due, time.monotonic() - 1)


class Soak:
    """The service, its faults and the measurements."""

    def __init__(self, args: argparse.Namespace, folder: Path, server: FeedServer) -> None:
        self.args, self.server = args, server
        self.service = Service(folder)
        self.churn = Churn(server, args.feeds)
        self.port = free_port()
        self.sources = [
            source | {"every": f"{args.every}s", "sections": [SECTIONS[number % len(SECTIONS)]]}
            for number, source in enumerate(self.churn.sources())
        ]
        self.service.configure(
            self.sources,
            sections=[{"id": name, "title": name.title()} for name in SECTIONS],
            defaults={"per_host": {"connections": 20}},
        )
        self.killed: Counter[str] = Counter()
        self.memory: dict[str, list[tuple[float, int]]] = {"scheduler": [], "web": []}
        self.polls = 0
        self.scheduler = self.start("scheduler")
        self.web = self.start("web", "--port", str(self.port))
        wait_for(lambda: fetched(f"http://127.0.0.1:{self.port}/healthz"))

    def start(self, *command: str) -> Running:
        return self.service.start(*command)

    # --- faults --------------------------------------------------------------------------------

    def kill_scheduler(self) -> None:
        self.scheduler.send(signal.SIGKILL)
        self.scheduler.wait()
        self.scheduler = self.start("scheduler")

    def kill_web(self) -> None:
        self.web.send(signal.SIGKILL)
        self.web.wait()
        self.web = self.start("web", "--port", str(self.port))

    def kill_child(self) -> None:
        reading = processes.children_that_read(self.scheduler.pid)
        if reading:
            os.kill(random.choice(reading).pid, signal.SIGKILL)

    def befall(self) -> None:
        kinds: dict[str, Callable[[], None]] = {
            "scheduler": self.kill_scheduler,
            "web server": self.kill_web,
            "child that reads": self.kill_child,
        }
        # Each kind in turn, in random order.
        rarest = min(self.killed[kind] for kind in kinds)
        kind = random.choice([kind for kind in kinds if self.killed[kind] == rarest])
        self.killed[kind] += 1
        print(f"{datetime.now(UTC):%H:%M:%S} kill -9: {kind}", file=sys.stderr)
        kinds[kind]()

    # --- the run -------------------------------------------------------------------------------

    def sample(self, at: float) -> None:
        for name, running in (("scheduler", self.scheduler), ("web", self.web)):
            held = sum(process.memory for process in processes.of_session(running.pid))
            self.memory[name].append((at, held))
        self.polls += len(self.server.requests)
        self.server.requests.clear()

    def run(self) -> Readers:
        """Run the test, and stop everything in order."""
        seconds = self.args.minutes * 60
        kills = sorted(random.uniform(0.05, 0.95) * seconds for _ in range(self.args.kills))
        readers = Readers(self.port, self.args.reads)
        reading = threading.Thread(target=readers.run)
        reading.start()
        begun = time.monotonic()
        # Each tick lets a tenth of the feeds publish; each feed does so about every five minutes.
        with self.churn.going(every=30):
            while (at := time.monotonic() - begun) < seconds:
                if kills and kills[0] <= at:
                    kills.pop(0)
                    self.befall()
                self.sample(at)
                time.sleep(2)
        readers.over.set()
        reading.join()
        for running in (self.scheduler, self.web):
            running.send(signal.SIGTERM)
            assert running.wait() == 0, running.log[-2000:]
        assert self.service.run("poll", "--force").returncode == 0
        return readers

    # --- the summary ---------------------------------------------------------------------------

    def differences(self) -> tuple[int, int, int]:
        """Return the numbers of lost, duplicated and outdated entries."""
        truth = {
            (s, link): title for s, of in self.churn.truth().items() for link, title in of.items()
        }
        rows = self.service.rows("select source_id, url, title from entries")
        found = {(source, link): title for source, link, title in rows}
        stale = sum(found[key] != title for key, title in truth.items() if key in found)
        return len(truth.keys() - found.keys()), len(rows) - len(truth.keys() & found.keys()), stale

    def halves(self, name: str) -> tuple[float, float]:
        end = self.args.minutes * 60
        first = [held for at, held in self.memory[name] if end / 10 <= at < end / 2]
        second = [held for at, held in self.memory[name] if at >= end / 2]
        return statistics.median(first) / 1e6, statistics.median(second) / 1e6

    def summary(self, readers: Readers) -> bool:
        """Print the summary; return whether everything is correct."""
        lost, doubled, stale = self.differences()
        self.service.assert_sound()
        errors = sum(count for status, count in readers.statuses.items() if status >= 500)
        traces = self.service.tracebacks()
        cuts = statistics.quantiles(readers.milliseconds, n=100)
        rows = [
            ("minutes", self.args.minutes),
            ("feeds, each polled every", f"{self.args.feeds}, {self.args.every} s"),
            ("requests to publishers", f"{self.polls:,}"),
            ("entries published", f"{sum(map(len, self.churn.truth().values())):,}"),
            ("killed", ", ".join(f"{kind} {count}" for kind, count in self.killed.items()) or 0),
            ("answers to readers", ", ".join(f"{n} × {s}" for s, n in readers.statuses.items())),
            ("of these errors (5xx)", errors),
            ("refused while the web server was away", readers.refused),
            ("milliseconds, median and p99", f"{cuts[49]:.1f}, {cuts[98]:.1f}"),
            ("entries lost, doubled, not the last version", f"{lost}, {doubled}, {stale}"),
            ("tracebacks in the logs", traces),
        ]
        flat = True
        for name in self.memory if self.args.minutes >= MEMORY_MINUTES else ():
            first, second = self.halves(name)
            flat &= second <= first * FLAT
            words = f"{first:.0f} MB, {second:.0f} MB ({second / first:.2f} times)"
            rows.append((f"memory of the {name}, first half and second", words))
        print("\n| soak | |\n|---|---|")
        for name, value in rows:
            print(f"| {name} | {value} |")
        return flat and not any((lost, doubled, stale, errors, traces))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--every", type=int, default=10, help="seconds between polls of a feed")
    parser.add_argument(
        "--reads", type=float, default=50, help="requests to the web server a second"
    )
    parser.add_argument("--kills", type=int, default=10)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, FeedServer() as server:
        soak = Soak(args, Path(folder), server)
        try:
            well = soak.summary(soak.run())
        finally:
            soak.service.end()
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
