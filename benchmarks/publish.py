"""Measure the site as files: a first build, builds after new entries, and check the result.

    python -m benchmarks.publish [--entries 10000] [--new 20] [--rounds 3]

The entries are invented: 40 sources in five sections, three categories and one of 100 authors each.
Builds are those of the command, in processes of their own; CPU time is that of all its processes.
Afterwards each file is compared with the answer of a server over HTTP, and a plain server of files
is crawled for dead links.
"""

import argparse
import http.client
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from aggregator.ingest import stories
from aggregator.models.entry import Author, SafeHtml
from aggregator.store.database import change_log, site_id
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries, search_index
from aggregator.store.sources import sync
from benchmarks import pages
from tests.e2e.service import free_port
from tests.publish.conftest import files_served
from tests.publish.test_build import fetch
from tests.web.crawl import crawl

SOURCES, SECTIONS, AUTHORS, NAMES = 40, 5, 100, 3_000
STEP = timedelta(minutes=20)
BATCH = 1_000
CLOCKED = ("sitemap/news.xml", "topics/index.html")
"""Files that depend on the time of the request; they may differ at a full minute."""


class Newsroom:
    """Publishes entries into a database."""

    def __init__(self, path: str, end: datetime) -> None:
        """Create the database with its sources."""
        pages.SOURCES, pages.SECTIONS = SOURCES, SECTIONS
        self._store, self._press, self._number = Store(path), pages.Press(), 0
        self._now = end
        site_id.ensure(self._store, "https://planet.example")
        with self._store.transaction() as db:
            sources = [pages.source_of(number) for number in range(SOURCES)]
            sync.apply(db, sources, now=end, first_polls={})

    def publish(self, count: int, step: timedelta) -> None:
        """Add entries, `step` apart, the last of them now."""
        press, chosen = self._press, set()
        with self._store.transaction() as db:
            last = entries.last_id(db)
            for left in range(count, 0, -1):
                self._number += 1
                at, source = self._now - left * step, press.source()
                chosen.add(source)
                paragraphs = [f"<p>{press._words(60)}</p>" for _ in range(5)]
                entry = replace(
                    press.entry(self._number, at),
                    content=SafeHtml("".join(paragraphs)),
                    categories=tuple({f"Topic{press._rank(NAMES)}" for _ in range(3)}),
                    authors=(Author(name=f"Author {self._number % AUTHORS}"),),
                )
                pages.store_entry(db, source, entry, at)
            search_index.add_new(db, last)
            added = range(last + 1, entries.last_id(db) + 1)
            stories.follow(db, list(added), self._now)
            scopes = [change_log.source_scope(f"f{source}") for source in chosen]
            sections = {pages.section_of(source) for source in chosen}
            scopes += [change_log.section_scope(section) for section in sections]
            change_log.bump(db, [change_log.ALL, *scopes], self._now)

    def fill(self, count: int) -> None:
        """Add entries up to now."""
        end = self._now
        for left in range(count, 0, -BATCH):
            self._now = end - max(left - BATCH, 0) * STEP
            self.publish(min(BATCH, left), STEP)

    def close(self) -> None:
        """Close the database."""
        self._store.close()


def build(config: Path, folder: Path) -> str:
    """Run a build; return its times and its report as cells of a table."""
    command = [sys.executable, "-m", "aggregator", "--config", str(config), "build", str(folder)]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    report = result.stdout.strip().partition(": ")[2].replace("\n", "; ")
    return f"{cpu:.1f} | {seconds:.1f} | {os.getloadavg()[0]:.1f} | {report}"


@contextmanager
def serving(config: Path, port: int) -> Iterator[None]:
    """Run the web server, and wait until it responds."""
    command = [sys.executable, "-m", "aggregator", "--quiet", "--config", str(config), "web"]
    process = subprocess.Popen([*command, "--host", "127.0.0.1", "--port", str(port)])
    try:
        while True:
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").close()
                break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def differing(config: Path, folder: Path) -> tuple[int, list[str]]:
    """Return the number of files, and those that are not the answers of a server."""
    settings = config.with_name("served.yaml")
    settings.write_text(config.read_text().replace("site: {", "site: {static: true, ", 1))
    files = [path for path in folder.rglob("*") if path.is_file() and path.name[0] != "."]
    different, port = [], free_port()
    with serving(settings, port):
        connection = http.client.HTTPConnection(f"127.0.0.1:{port}")
        for path in files:
            file = path.relative_to(folder).as_posix()
            connection.request("GET", quote("/" + file.removesuffix("index.html").rstrip("/")))
            response = connection.getresponse()
            if response.read() != path.read_bytes() and file not in CLOCKED:
                different.append(f"{file} ({response.status})")
        connection.close()
    return len(files), different


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--new", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, work = Path(name) / "www", Path(name)
        folder.mkdir()
        with files_served(folder) as address:
            config, database = work / "sources.yaml", str(work / "news.db")
            newsroom = Newsroom(database, datetime.now(UTC))
            newsroom.fill(args.entries)
            site = f"site: {{title: Planet, base_url: '{address}'}}\n"
            config.write_text(site + pages.configuration(database))
            print(f"{args.entries:,} entries\n")
            print("| build | CPU s | wall s | load | report |\n|---|---|---|---|---|")
            print(f"| first | {build(config, folder)} |", flush=True)
            print(f"| nothing new | {build(config, folder)} |", flush=True)
            for _ in range(args.rounds):
                newsroom.publish(args.new, timedelta(seconds=1))
                print(f"| {args.new} new entries | {build(config, folder)} |", flush=True)
            newsroom.close()
            count, different = differing(config, folder)
            print(f"\n{count:,} files, {len(different)} differ from the server: {different[:5]}")
            result = crawl(address, fetch)
            broken = list(result.broken.items())
            print(f"{len(result.statuses):,} addresses crawled, {len(broken)} dead: {broken[:5]}")


if __name__ == "__main__":
    main()
