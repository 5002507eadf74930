"""Compare a cluster with the scheduler alone, and kill its workers.

    python -m benchmarks.cluster [--feeds 1000] [--rounds 5] [--latency 50] [--kills 10]

A server in another process publishes feeds of 30 entries, about 60 kB each, on 100 addresses of
this machine, and answers after `latency` milliseconds. The scheduler alone, with its two child
processes, and one with `--cluster local:2` (Dask, two workers and their children) poll the same
feeds. Rounds alternate, and so does the order within a round; both are warm. Ratios compare two
runs of one round, given as median (min, max).

Then feeds publish while workers are killed with kill -9, and the stored entries are compared with
the published ones.
"""

import argparse
import asyncio
import logging
import multiprocessing
import os
import random
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from aggregator.cluster.client import Cluster
from aggregator.ingest import maintenance
from aggregator.models.config import Config, Site, Source
from aggregator.polling.pipeline import Pipeline, PollExecutor
from aggregator.polling.poller import Poller, utc_now
from aggregator.store.database.connection import Store
from aggregator.store.sources import poll_plan
from benchmarks.poll_costs import document, spent
from tests.e2e import processes
from tests.e2e.churn import Churn
from tests.e2e.service import Service, wait_for
from tests.feedserver import FeedServer

ADDRESSES = [f"127.0.1.{number}" for number in range(1, 101)]
CASES = {"all new": 100, "304": 0, "one new in 30": 1}
"""New entries per feed before each case."""


def serve(executor: Any, latency: float) -> None:
    """Answer /N with a feed; /move/N adds N new entries to every feed."""
    os.setsid()  # apart, so that its processor time is not counted with ours
    state = {"first": 0}
    made: dict[str, bytes] = {}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                path = head.split(" ", 2)[1]
                writer.write(await answer(path, head.lower()))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def answer(path: str, head: str) -> bytes:
        if path.startswith("/move/"):
            state["first"] += int(path[6:])
            made.clear()
            return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        await asyncio.sleep(latency)
        tag = f'"{state["first"]}"'
        if f"if-none-match: {tag}" in head:
            return f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()
        if path not in made:
            made[path] = document(int(path[1:]), state["first"])
        fields = f"ETag: {tag}\r\nContent-Type: application/rss+xml\r\n"
        length = f"Content-Length: {len(made[path])}\r\n\r\n"
        return f"HTTP/1.1 200 OK\r\n{fields}{length}".encode() + made[path]

    async def listen() -> None:
        first = await asyncio.start_server(talk, ADDRESSES[0])
        port = first.sockets[0].getsockname()[1]
        rest = await asyncio.start_server(talk, ADDRESSES[1:], port)
        executor.send(port)
        await asyncio.gather(first.serve_forever(), rest.serve_forever())

    asyncio.run(listen())


class Side:
    """A database with a poller."""

    def __init__(
        self, folder: str, name: str, feeds: int, port: int, executor: Callable[..., PollExecutor]
    ):
        self.store = Store(f"{folder}/{name}.db")
        named = tuple(
            Source(id=f"f{n}", url=f"http://{ADDRESSES[n % len(ADDRESSES)]}:{port}/{n}")
            for n in range(feeds)
        )
        config = Config(path="", site=Site(), storage="", allow=("127.0.0.0/8",), sources=named)
        maintenance.synchronise(self.store, config, utc_now())
        self.poller = Poller(self.store, config, executor=executor)
        wait_for(lambda: not self.poller.unavailable_reason)

    def poll(self) -> tuple[float, float]:
        """Poll all feeds; return wall-clock and CPU seconds."""
        now = utc_now()
        with self.store.transaction() as db:
            poll_plan.force(db, now)
        begun, used = time.monotonic(), spent()
        with self.store.reading() as db:
            waiting = poll_plan.due(db, now)
        while waiting or not self.poller.idle:
            self.poller.offer(waiting)
            waiting = [item for item in waiting if not self.poller.has(item.source_id)]
            self.poller.turn_or_raise()
        return time.monotonic() - begun, spent() - used

    def close(self) -> None:
        self.poller.close()
        self.store.close()


def fetch(port: int, path: str) -> None:
    import urllib.request

    urllib.request.urlopen(f"http://{ADDRESSES[0]}:{port}{path}").read()


def compare(args: argparse.Namespace, folder: str, port: int) -> None:
    sides = [
        Side(folder, "alone", args.feeds, port, Pipeline),
        Side(folder, "cluster", args.feeds, port, partial(Cluster, address="local:2")),
    ]
    found: dict[str, list[list[tuple[float, float]]]] = {case: [] for case in CASES}
    for side in sides:
        side.poll()
    for number in range(args.rounds):
        for case, moved in CASES.items():
            fetch(port, f"/move/{moved}")
            pair = [(0.0, 0.0), (0.0, 0.0)]
            for which in (0, 1) if number % 2 else (1, 0):
                pair[which] = sides[which].poll()
            found[case].append(pair)
    for side in sides:
        side.close()
    print(f"Seconds for {args.feeds} feeds, answers after {args.latency} ms\n")
    print(
        "| poll | alone | cluster | times it | CPU alone | CPU cluster |\n|---|---|---|---|---|---|"
    )
    for case, rows in found.items():
        alone, cluster = (statistics.median(row[n][0] for row in rows) for n in (0, 1))
        used = [statistics.median(row[n][1] for row in rows) for n in (0, 1)]
        ratios = [row[1][0] / row[0][0] for row in rows]
        print(
            f"| {case} | {alone:.2f} | {cluster:.2f} | {statistics.median(ratios):.2f}"
            f" ({min(ratios):.2f}, {max(ratios):.2f}) | {used[0]:.2f} | {used[1]:.2f} |",
            flush=True,
        )


def worker_of(scheduler: int) -> int:
    """Return the pid of a Dask worker process, 0 if there is none."""
    living = processes.of_session(scheduler)
    found = [one.pid for one in living if one.parent == scheduler and "spawn_main" in one.command]
    return random.choice(found) if found else 0


def kill(folder: Path, kills: int) -> None:
    with FeedServer() as server:
        service, churn = Service(folder), Churn(server, 200)
        service.configure(churn.sources(every="2s"), defaults={"per_host": {"connections": 10}})
        try:
            scheduler = service.start("scheduler", "--cluster", "local:2")
            service.wait(service.polled)
            with churn.going(every=0.5):
                for _ in range(kills):
                    os.kill(service.wait(lambda: worker_of(scheduler.pid)), signal.SIGKILL)
                    service.wait_for_requests(server, random.randrange(50, 400))
            service.wait(lambda: service.entries() == churn.truth())
            service.assert_sound()
            scheduler.send(signal.SIGTERM)
            scheduler.wait()
        finally:
            service.end()
        published = sum(map(len, churn.truth().values()))
        print(f"\n{kills} workers killed: {published} entries published, stored once each.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--latency", type=float, default=50, help="milliseconds")
    parser.add_argument("--kills", type=int, default=10)
    args = parser.parse_args()
    for noisy in ("aggregator", "distributed"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=serve, args=(theirs, args.latency / 1000), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        compare(args, folder, ours.recv())
        server.terminate()
        kill(Path(folder), args.kills)


if __name__ == "__main__":
    main()
