"""Measure pages over a million entries while entries of 1,000 sources are stored.

    python -m benchmarks.pages [--entries 1000000] [--requests 200] [--database FILE]

The entries are invented: 1,000 sources in 12 sections over one year, with word frequencies of a
natural language. One server process (granian) answers sequential requests on one connection.
Meanwhile another process stores three entries of one source per transaction, 100 sources a second,
as ingesting a round of polls does. FILE is created if missing and kept, which saves the minutes it
takes to create it.
"""

import argparse
import http.client
import multiprocessing
import random
import re
import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path

import brotli  # type: ignore[import-untyped]  # ships no types

from aggregator.models.config import Source
from aggregator.models.entry import Author, Enclosure, Entry, Image, SafeHtml
from aggregator.store.database import change_log, site_id
from aggregator.store.database.connection import Connection, Store
from aggregator.store.entries import entries, search_index
from aggregator.store.sources import sync
from benchmarks.serve import running, web
from tests.e2e.service import free_port

SOURCES, SECTIONS = 1_000, 12
END = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
BATCH = 20_000
CORRECTED = 50
"""One in this many entries is corrected."""

PAGES = {
    "front page": "/",
    "front page, half a year ago": "/at/2008-12-27T21:26Z/",
    "section": "/section/s3",
    "section, a year back": "/section/s3?before=2008-07-01T00:00:00Z~1",
    "source": "/source/f7",
    "category": "/category/topic1",
    "author": "/author/author 17",
    "story": "/entry/{middle}",
    "search, one word in most": "/search?q=bala",
    "search, two words": "/search?q=vitis+prakel",
    "search, narrowed": "/search?q=vitis&section=s3",
    "corrections": "/corrections",
    "last updated": "/status",
    "topics": "/topics",
    "news.json": "/news.json?since=1",
}


def section_of(source: int) -> str:
    return f"s{source % SECTIONS}"


def source_of(number: int) -> Source:
    url = f"https://h{number % 300}.example/{number}"
    title, within = f"Source {number}", (section_of(number),)
    return Source(id=f"f{number}", url=url, title=title, sections=within)


def configuration(database: str) -> str:
    lines = [f"storage: {{path: {database}}}", "sections:"]
    lines += [f"  - {{id: s{n}, title: Section {n}}}" for n in range(SECTIONS)]
    lines += ["sources:"]
    lines += [
        f"  - {{id: {one.id}, url: '{one.url}', title: {one.title}, sections: [{one.sections[0]}]}}"
        for one in map(source_of, range(SOURCES))
    ]
    return "\n".join(lines)


class Press:
    """Writes entries with the word frequencies of a natural language."""

    def __init__(self) -> None:
        self._chance = random.Random(1)
        words = [
            a + b + c
            for c in ("", "s", "ing", "ed", "er", "a", "o", "um")
            for b in ("la", "ren", "tis", "von", "mar", "kel")
            for a in ("ba", "ke", "li", "mo", "nu", "pra", "sto", "tre", "vi", "za")
        ]
        self._text = [words[self._rank(len(words))] for _ in range(200_000)]

    def _rank(self, below: int) -> int:
        return min(int(self._chance.paretovariate(0.6)) - 1, below - 1)

    def _words(self, count: int) -> str:
        start = self._chance.randrange(len(self._text) - count)
        return " ".join(self._text[start : start + count])

    def source(self) -> int:
        return self._chance.randrange(SOURCES)

    def entry(self, number: int, published: datetime) -> Entry:
        text = self._words(80)
        link = f"https://news.example/{number}"
        clip = Enclosure(url=f"{link}.mp3", type="audio/mpeg")
        return Entry(
            guid=link,
            link=link,
            canonical_url=link,
            title=self._words(8).capitalize(),
            summary=text[:280],
            content=SafeHtml(f"<p>{text}</p>"),
            text=text,
            published=published,
            updated=None,
            language=("en", "de", "")[number % 3],
            categories=(f"Topic{self._rank(3_000)}",),
            authors=(Author(name=f"Author {self._chance.randrange(5_000)}"),),
            image=Image(url=f"{link}.jpg") if number % 3 == 0 else None,
            enclosures=(clip,) if number % 400 == 0 else (),
            fingerprint=b"%d" % number,
        )

    def corrected(self, entry: Entry) -> Entry:
        words = entry.text.split(" ")
        words[10:12] = self._words(3).split(" ")
        text = " ".join(words)
        title = f"{entry.title.rpartition(' ')[0]} {self._words(1)}"
        return replace(entry, title=title, text=text, content=SafeHtml(f"<p>{text}</p>"))


def store_entry(db: Connection, source: int, entry: Entry, now: datetime) -> None:
    fresh = entries.NewEntry(entry=entry, uri=entry.guid, sort_at=now)
    entries.insert(db, f"f{source}", [fresh], first_seen=now, sections=(section_of(source),))


def correct(db: Connection, press: Press, ids: Iterable[int]) -> None:
    for stored in entries.get_many(db, ids).values():
        source = int(stored.source_id[1:])
        entries.revise(
            db, stored.id, press.corrected(stored.entry),
            now=stored.first_seen + timedelta(minutes=10), changed=True,
            sections=(section_of(source),),
        )  # fmt: skip


def fill(path: str, count: int) -> None:
    """Create the database."""
    store, press = Store(path), Press()
    step = timedelta(days=365) / count
    site_id.ensure(store, "https://site.example")
    with store.transaction() as db:
        sync.apply(db, [source_of(n) for n in range(SOURCES)], now=END, first_polls={})
    for first in range(0, count, BATCH):
        with store.transaction() as db:
            last = entries.last_id(db)
            for number in range(first, min(first + BATCH, count)):
                at = END - (count - number) * step
                store_entry(db, press.source(), press.entry(number, at), at)
            search_index.add_new(db, last)
            correct(db, press, range(last + 1, entries.last_id(db) + 1, CORRECTED))
            change_log.bump(db, [change_log.ALL], END)
    store.close()


def ingest(path: str, ended: Event) -> None:
    """Store entries, source by source, until stopped."""
    store, press, number = Store(path), Press(), 10**9
    now = END
    while not ended.wait(0.01):
        now += timedelta(seconds=1)
        source = press.source()
        with store.transaction() as db:
            last = entries.last_id(db)
            for number in range(number + 1, number + 4):  # noqa: B020
                store_entry(db, source, press.entry(number, now), now)
            search_index.add_new(db, last)
            scopes = (
                change_log.source_scope(f"f{source}"),
                change_log.section_scope(section_of(source)),
            )
            change_log.bump(db, [change_log.ALL, *scopes], now)
    store.close()


def ask(port: int, path: str, requests: int) -> tuple[list[float], int]:
    """Return milliseconds per response, and the size of the last in bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times, size = [], 0
    for _ in range(requests):
        began = time.perf_counter()
        connection.request("GET", path.replace(" ", "%20"), headers={"Accept-Encoding": "br"})
        answer = connection.getresponse()
        size = len(answer.read())
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200, (path, answer.status)
    connection.close()
    return times, size


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds per response, and the size of the last in bytes."""

    median: float
    p99: float
    size: int


def measured(port: int, count: int, requests: int) -> dict[str, Times]:
    found = {}
    for name, path in PAGES.items():
        times, size = ask(port, path.format(middle=count // 2), requests)
        found[name] = Times(statistics.median(times), statistics.quantiles(times, n=100)[98], size)
    return found


def weight(port: int) -> int:
    """Return the bytes of the front page with its stylesheet, script and icon, compressed."""
    paths, sizes = ["/"], []
    for path in paths:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", path, headers={"Accept-Encoding": "br"})
        body = connection.getresponse().read()
        connection.close()
        sizes.append(len(body))
        if path == "/":
            text = brotli.decompress(body).decode()
            paths += re.findall(
                r'<(?:link rel="(?:stylesheet|icon)" href|script src)="([^"]*)', text
            )
    return sum(sizes)


def measure(database: str, count: int, requests: int, folder: Path) -> None:
    config = folder / "sources.yaml"
    config.write_text(configuration(database))
    port = free_port()
    with running(web(config, port), port):
        print(f"The front page with all that it loads but pictures: {weight(port):,} bytes.\n")
        alone = measured(port, count, requests)
        ended = multiprocessing.Event()
        writer = multiprocessing.Process(target=ingest, args=(database, ended))
        writer.start()
        try:
            busy = measured(port, count, requests)
        finally:
            ended.set()
            writer.join()
    print("| page | ms, median | p99 | while entries are stored: median | p99 | bytes |")
    print("|---|---|---|---|---|---|")
    for name, one in alone.items():
        other = busy[name]
        print(
            f"| {name} | {one.median:.1f} | {one.p99:.1f} | {other.median:.1f} | {other.p99:.1f}"
            f" | {one.size:,} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--database", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        database = args.database or Path(name) / "bench.db"
        if not database.exists():
            fill(str(database), args.entries)
        print(f"{args.entries:,} entries, {args.requests} requests for each page.")
        measure(str(database.absolute()), args.entries, args.requests, Path(name))


if __name__ == "__main__":
    main()
