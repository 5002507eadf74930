"""Measure the CPU of a whole poll, compared with the bare client and the bare parser.

    python -m benchmarks.poll_costs [--feeds 300] [--rounds 5]

A server in another process publishes feeds of 30 entries, one for each of the last 30 days, about
60 kB each. A poll includes all our steps: due, fetch, gates, parse in children, clean, dedupe,
store, schedule, log. The result is the CPU time (user and system) of the poller and its children.
The bare client sends the same requests with libcurl and keeps the bodies; the bare parser is
feedparser without its sanitiser on the same documents. Rounds alternate; results are medians,
ratios are medians of paired ratios. Runs too short for the system's clock are repeated ten times.

304                 the server answers that nothing changed
equal body          no validators: the same body is sent again
one new in 30       a new entry on top, the oldest gone
all new             a feed polled for the first time
"""

import argparse
import io
import itertools
import logging
import multiprocessing
import os
import random
import statistics
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import feedparser
import pycurl

from aggregator.ingest import maintenance
from aggregator.models.config import Config, Defaults, PerHost, Site, Source
from aggregator.polling.poller import Poller, utc_now
from aggregator.store.database.connection import Store
from aggregator.store.sources import poll_plan

ENTRIES, LENGTH = 30, 255
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
_SYLLABLES = (*"aeiou", "ba", "ke", "li", "mo", "nu", "ra", "so", "ten", "vir", "wal")
# So many that feeds do not tell each other's stories: reports that are alike are compared.
WORDS = ["".join(parts) for parts in itertools.product(_SYLLABLES, repeat=3)]
CASES = ("304", "equal body", "one new in 30", "all new")


def document(feed: int, first: int) -> bytes:
    """Return a feed with entries numbered down from `first + ENTRIES - 1`."""
    words = random.Random(feed).choices(WORDS, k=LENGTH)
    items = "".join(
        f"<item><title>{headline(feed, number)}</title>"
        f"<link>http://bench.example/{feed}/{number}</link>"
        f'<guid isPermaLink="false">{feed}-{number}</guid>'
        f"<pubDate>{published(number)}</pubDate>"
        "<category>News</category>"
        f"<description>&lt;p&gt;{text(words, number)}&lt;/p&gt;</description></item>"
        for number in range(first + ENTRIES - 1, first - 1, -1)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        f"<title>Feed {feed}</title><link>http://bench.example/{feed}</link>"
        f"<description>d</description>{items}</channel></rss>"
    ).encode()


def published(number: int) -> str:
    """Return the publication time of an entry; the one after the first 30 is of today."""
    days = ENTRIES - number % (ENTRIES + 1)
    return format_datetime(TODAY - timedelta(days=days), usegmt=True)


def headline(feed: int, number: int) -> str:
    words = random.Random(feed * 100_000 + number).choices(WORDS, k=8)
    return " ".join(words).capitalize()


def text(words: list[str], number: int) -> str:
    start = 37 * number % LENGTH  # each item of a feed begins otherwise
    return " ".join([*words[start:], str(number), *words[:start]])


class Handler(BaseHTTPRequestHandler):
    """/e/N has an ETag, /n/N has none; POST /FIRST advances all feeds."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for head and body
    first = 0
    made: dict[str, bytes] = {}  # noqa: RUF012, the benchmark's own, reset by a POST

    def do_POST(self) -> None:
        type(self).first = int(self.path[1:])
        self.made.clear()
        self._send(200, b"")

    def do_GET(self) -> None:
        if self.path not in self.made:
            self.made[self.path] = document(int(self.path.rpartition("/")[2]), self.first)
        tag = f'"{self.first}"' if self.path.startswith("/e/") else ""
        if tag and self.headers.get("If-None-Match") == tag:
            self._send(304, b"", tag)
        else:
            self._send(200, self.made[self.path], tag)

    def _send(self, status: int, body: bytes, tag: str = "") -> None:
        self.send_response_only(status)
        if tag:
            self.send_header("ETag", tag)
        self.send_header("Content-Type", "application/rss+xml")
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


class Server(ThreadingHTTPServer):
    request_queue_size = 1024


def serve(port: Any) -> None:
    os.setsid()  # apart, so that its processor time is not counted with ours
    server = Server(("127.0.0.1", 0), Handler)
    port.send(server.server_port)
    server.serve_forever()


def spent() -> float:
    """Return the CPU seconds of all processes of this session."""
    ticks, session = 0, os.getsid(0)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Bench:
    """Feeds of both kinds, our store, and the bare client and parser."""

    def __init__(self, feeds: int, port: int, folder: str) -> None:
        self.feeds, self.base, self.folder = feeds, f"http://127.0.0.1:{port}", folder
        self.number = 0
        self.store: Store | None = None
        self.poller: Poller

    def move(self, first: int) -> None:
        self.bare([f"/{first}"], post=True)

    def fresh(self, kind: str) -> None:
        """Start with a new database of sources of one kind."""
        if self.store is not None:
            self.poller.close()
            self.store.close()
        self.number += 1
        self.store = Store(f"{self.folder}/{self.number}.db")
        named = tuple(
            Source(id=f"s{n}", url=f"{self.base}/{kind}/{n}", sections=("a",))
            for n in range(self.feeds)
        )
        named += (Source(id="warm", url=f"{self.base}/{kind}/999999"),)
        config = Config(
            path="",
            site=Site(),
            storage="",
            allow=("127.0.0.0/8",),
            defaults=Defaults(per_host=PerHost(connections=50)),
            sources=named,
        )
        self.config = config
        maintenance.synchronise(self.store, config, utc_now())
        self.poller = Poller(self.store, config)
        self.poll("warm")  # the children are warm from here on, as in a service that runs

    def poll(self, only: str = "") -> None:
        assert self.store is not None
        now = utc_now()
        with self.store.transaction() as db:
            poll_plan.force(db, now)
        with self.store.reading() as db:
            due = [item for item in poll_plan.due(db, now) if only in (item.source_id, "")]
        waiting = due
        while waiting or not self.poller.idle:
            self.poller.offer(waiting)
            waiting = [item for item in waiting if not self.poller.has(item.source_id)]
            self.poller.turn_or_raise()

    def bare(self, paths: list[str], *, post: bool = False, tag: str = "") -> list[bytes]:
        """Send the requests in a loop over libcurl, 50 at once."""
        multi, bodies = pycurl.CurlMulti(), []
        waiting, running = list(paths), 0
        free = [pycurl.Curl() for _ in range(min(50, len(paths)))]
        while waiting or running:
            while waiting and free:
                easy, body = free.pop(), io.BytesIO()
                easy.setopt(pycurl.URL, self.base + waiting.pop())
                easy.setopt(pycurl.WRITEFUNCTION, body.write)
                easy.setopt(pycurl.POST, int(post))
                if post:
                    easy.setopt(pycurl.POSTFIELDS, "")
                if tag:
                    easy.setopt(pycurl.HTTPHEADER, [f"If-None-Match: {tag}"])
                bodies.append(body)
                multi.add_handle(easy)
                running += 1
            multi.perform()
            left = 1
            while left:
                left, good, bad = multi.info_read()
                for easy in [*good, *(row[0] for row in bad)]:
                    multi.remove_handle(easy)
                    free.append(easy)
                    running -= 1
            multi.select(0.05)
        return [body.getvalue() for body in bodies]


def timed(run: Callable[[], object], feeds: int, *, times: int = 1) -> float:
    """Return CPU milliseconds per feed."""
    before = spent()
    for _ in range(times):
        run()
    return (spent() - before) * 1000 / feeds / times


def parse(bodies: list[bytes]) -> None:
    for body in bodies:
        feedparser.parse(
            io.BytesIO(body),
            response_headers={"content-type": "application/rss+xml"},
            sanitize_html=False,
            resolve_relative_uris=False,
        )


def measure(
    bench: Bench, kind: str, *, tag: str = "", times: int = 1
) -> tuple[float, float, float]:
    """Return the costs of our poll, the bare client and feedparser for the same feeds."""
    paths = [f"/{kind}/{n}" for n in range(bench.feeds)]
    bodies = bench.bare(paths, tag=tag)
    bare = timed(lambda: bench.bare(paths, tag=tag), bench.feeds, times=10)
    parsed = 0.0 if tag else timed(lambda: parse(bodies), bench.feeds)
    return timed(bench.poll, bench.feeds, times=times), bare, parsed


def rounds(bench: Bench, count: int) -> dict[str, list[tuple[float, float, float]]]:
    found: dict[str, list[tuple[float, float, float]]] = {case: [] for case in CASES}
    for _ in range(count):
        bench.move(0)
        bench.fresh("e")
        found["all new"].append(measure(bench, "e"))
        found["304"].append(measure(bench, "e", tag='"0"', times=10))
        bench.move(1)
        found["one new in 30"].append(measure(bench, "e"))
        bench.fresh("n")
        bench.poll()
        found["equal body"].append(measure(bench, "n", times=10))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    logging.getLogger("aggregator").setLevel(logging.CRITICAL)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args.feeds, ours.recv(), folder)
        found = rounds(bench, args.rounds)
        bench.poller.close()
    server.terminate()
    print(f"CPU ms a feed, {args.feeds} feeds of {ENTRIES} entries, {args.rounds} rounds\n")
    print("| poll | ours | bare client | times it (min, max) | feedparser alone | times it |")
    print("|---|---|---|---|---|---|")
    for case in CASES:
        rows = found[case]
        ratios = [own / bare for own, bare, _ in rows if bare]
        own, bare, parsed = (statistics.median(row[n] for row in rows) for n in range(3))
        alone, against = (f"{parsed:.2f}", f"{own / parsed:.2f}") if parsed else ("", "")
        times = ""
        if ratios:  # the clock may show nothing for a few requests
            times = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}, {max(ratios):.2f})"
        print(f"| {case} | {own:.2f} | {bare:.2f} | {times} | {alone} | {against} |")


if __name__ == "__main__":
    main()
