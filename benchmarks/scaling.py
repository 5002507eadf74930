"""Measure the cost of feeds that are configured but not due, and the writer's throughput.

    python -m benchmarks.scaling [--sources 1000 10000 100000] [--due 100] [--ticks 40] [--idle 10]

A tick asks the database for due sources, offers them, makes the requests and releases them;
`poll_costs` measures fetching and parsing. Each count of sources has its own database, with the
item hashes of a document of 30 items per source, and the same number of sources is due. Ticks of
all counts take turns.

The writer stores invented results, as in a round of polls: nothing new, or two new entries with 2
kB of text. The result is the CPU time of one process.

For the service, scheduler and web server run as users start them. Two sources are polled, so that
there are parser processes, and pages and feeds are requested; then nothing is due. Memory is the
PSS of all processes: of what they share, each has its part.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from aggregator.config import file as config_file
from aggregator.ingest import maintenance
from aggregator.models.config import Config, Site, Source
from aggregator.models.entry import Entry, Feed, SafeHtml
from aggregator.models.poll import (
    Failed,
    FailureKind,
    ParsedDocument,
    PollOutcome,
    Request,
    Result,
    Transfer,
    Unchanged,
    Validators,
)
from aggregator.polling import stages
from aggregator.polling.pipeline import FetchSettings
from aggregator.polling.poller import Poller, utc_now
from aggregator.store.database.connection import Store
from aggregator.store.database.times import format_time
from aggregator.store.sources import documents, poll_plan
from aggregator.store.sources.documents import StoredDocument
from tests.e2e import processes
from tests.e2e.churn import Churn
from tests.e2e.service import Running, Service, free_port, wait_for
from tests.e2e.test_run import fetched
from tests.feedserver import FeedServer

HOSTS = 10
"""Average number of sources per host."""


WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "bdfgklmnprst"]


class Nowhere:
    """An executor that fetches nothing; `answer` makes the results, at first cancellations."""

    capacity, unavailable_reason, pending = 400, "", False

    def __init__(self, fetch_settings: FetchSettings, **_: object) -> None:
        self._requests: list[Request] = []
        self.answer: Callable[[Request], PollOutcome] = lambda _: Failed(
            kind=FailureKind.CANCELLED, detail=""
        )

    def reconfigure(self, fetch_settings: FetchSettings) -> None:
        """Do nothing."""

    def add(self, requests: Iterable[Request], *, spacing: Mapping[str, float]) -> None:
        self._requests += requests

    def step(self) -> list[Result]:
        requests, self._requests = self._requests, []
        return [stages.result_of(request, self.answer(request)) for request in requests]

    def stop(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def source(number: int) -> Source:
    host = f"h{number // HOSTS}.example"
    return Source(id=f"f{number}", url=f"https://{host}/{number}", sections=("world",))


def filled(path: str, count: int, due: int) -> tuple[Store, Config]:
    """Return a store with a document of each source, and `due` sources due."""
    store, now = Store(path), utc_now()
    config = Config(path="", site=Site(), storage=path, sources=tuple(map(source, range(count))))
    maintenance.synchronise(store, config, now)
    document = StoredDocument(body_hash=bytes(17), item_hashes=bytes(480), entry_ids=(0,) * 30)
    with store.transaction() as db:
        for one in config.sources:
            documents.save(db, one.id, document)
        later = format_time(now + timedelta(days=30))
        db.execute("update sources set planned_at = ?, next_poll_at = ?", (format_time(now), later))
        every = max(count // due, 1) if due else count + 1
        db.executemany(
            "update sources set next_poll_at = ? where id = ?",
            [(format_time(now), f"f{number}") for number in range(0, every * due, every)],
        )
    store.optimise()
    return store, config


def tick(store: Store, poller: Poller, due: int) -> float:
    """Return the milliseconds of a tick."""
    begun = time.perf_counter()
    with store.reading() as db:
        found = poll_plan.due(db, utc_now())
    taken = poller.offer(found)
    poller.turn()
    took = (time.perf_counter() - begun) * 1000
    assert (len(found), taken, poller.idle) == (due, due, True)
    return took


def ticks(folder: Path, counts: list[int], due: int, rounds: int) -> dict[int, list[float]]:
    made = {}
    for count in counts:
        store, config = filled(str(folder / f"tick-{count}.db"), count, due)
        made[count] = store, Poller(store, config, executor=Nowhere)
    found: dict[int, list[float]] = {count: [] for count in counts}
    for _ in range(rounds):
        for count, (store, poller) in made.items():
            found[count].append(tick(store, poller, due))
    for store, _ in made.values():
        store.close()
    return found


def unchanged(request: Request) -> PollOutcome:
    return Unchanged(
        url=request.url,
        validators=Validators(etag='"1"'),
        transfer=Transfer(status=304, received=300, conditional=True),
    )


def entry(published: datetime) -> Entry:
    name = random.randbytes(8).hex()
    title, text = (" ".join(random.choices(WORDS, k=count)) for count in (9, 500))
    return Entry(
        guid=name,
        link=f"https://bench.example/{name}",
        canonical_url=f"https://bench.example/{name}",
        title=title,
        summary=text[:200],
        content=SafeHtml(f"<p>{text}</p>"),
        text=text,
        published=published,
        updated=None,
        fingerprint=random.randbytes(16),
        item_hash=random.randbytes(16),
    )


def two_new(request: Request) -> PollOutcome:
    found = (entry(utc_now()), entry(utc_now()))
    return ParsedDocument(
        url=request.url,
        feed=Feed(title="Bench", link="https://bench.example/"),
        entries=found,
        body_hash=random.randbytes(17),
        item_hashes=b"".join(one.item_hash for one in found) + bytes(448),
        transfer=Transfer(status=200, received=20_000),
    )


def written(
    folder: Path, answer: Callable[[Request], PollOutcome], polls: int
) -> tuple[float, int]:
    """Return CPU milliseconds per poll, and bytes stored per poll."""
    store, config = filled(str(folder / f"{answer.__name__}.db"), 1_000, 0)
    poller = Poller(store, config, executor=Nowhere)
    executor = poller._executor
    assert isinstance(executor, Nowhere)
    prepared = [answer(Request(source_id="", url="https://bench.example/")) for _ in range(polls)]
    executor.answer = lambda _: prepared.pop()
    before, used = Path(store.path).stat().st_size, 0.0
    for _ in range(polls // 1_000):
        with store.transaction() as db:
            poll_plan.force(db, utc_now())
        with store.reading() as db:
            waiting = poll_plan.due(db, utc_now())
        begun = time.process_time()
        while waiting:
            poller.offer(waiting)
            waiting = [item for item in waiting if not poller.has(item.source_id)]
            poller.run_until_idle()
        used += time.process_time() - begun
    store.optimise()
    grown = Path(store.path).stat().st_size - before
    store.close()
    return used * 1000 / polls, grown // polls


def held(running: Running) -> float:
    return sum(process.memory for process in processes.of_session(running.pid)) / 1e6


def spent(running: Running) -> float:
    ticks = sum(process.ticks for process in processes.of_session(running.pid))
    return ticks / os.sysconf("SC_CLK_TCK")


PAGES = ("/", "/status", "/status.json", "/metrics", "/feeds/all.atom", "/feeds/all.json", "/opml")


def served(folder: Path, count: int, idle: float) -> tuple[str, ...]:
    """Return the costs of a service with this many sources, none of them due."""
    with FeedServer() as server:
        return _served(folder, count, idle, Churn(server, 2, items=20, text="It rains. " * 100))


def _served(folder: Path, count: int, idle: float, churn: Churn) -> tuple[str, ...]:
    folder.mkdir()
    service, port = Service(folder), free_port()
    service.configure(
        [{"id": one.id, "url": one.url, "sections": ["world"]} for one in map(source, range(count))]
        + churn.sources(every="1h"),
        sections=[{"id": "world", "title": "World"}],
    )
    service.database.parent.mkdir()
    filled(str(service.database), count, 0)[0].close()
    begun = time.perf_counter()
    config_file.load(str(service.config), {})
    loaded = time.perf_counter() - begun
    begun = time.perf_counter()
    scheduler, web = service.start("scheduler"), service.start("web", "--port", str(port))
    try:
        wait_for(lambda: service.rows("select 1 from facts where name = 'tick'"), 300)
        started = time.perf_counter() - begun
        wait_for(lambda: fetched(f"http://127.0.0.1:{port}/healthz"), 300)
        wait_for(lambda: service.one("select count(distinct source_id) from entries") == 2, 300)
        for page in PAGES:
            fetched(f"http://127.0.0.1:{port}{page}")
        before = spent(scheduler), spent(web)
        time.sleep(idle)
        used = [
            100 * (spent(one) - old) / idle
            for one, old in zip((scheduler, web), before, strict=True)
        ]
        memory = held(scheduler), held(web)
    finally:
        service.end()
    return (
        f"{loaded:.1f}", f"{started:.1f}",
        f"{memory[0]:.0f}", f"{memory[1]:.0f}", f"{sum(memory):.0f}",
        f"{used[0]:.1f}", f"{used[1]:.1f}",
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--due", type=int, default=100)
    parser.add_argument("--ticks", type=int, default=40)
    parser.add_argument("--polls", type=int, default=5_000, help="that the writer stores")
    parser.add_argument("--idle", type=float, default=10, help="seconds of watching a service")
    parser.add_argument("--served", type=int, nargs="*", default=[1_000, 10_000])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = ticks(folder, args.sources, args.due, args.ticks)
        base = found[args.sources[0]]
        print(f"A tick with {args.due} due, milliseconds\n")
        print("| configured | median | min | max | times the first (median of pairs) |")
        print("|---|---|---|---|---|")
        for count, times in found.items():
            ratio = statistics.median(a / b for a, b in zip(times, base, strict=True))
            row = f"{statistics.median(times):.2f} | {min(times):.2f} | {max(times):.2f}"
            print(f"| {count:,} | {row} | {ratio:.2f} |")
        print("\nThe one writer\n")
        print("| poll | CPU ms | polls a second | bytes it leaves |\n|---|---|---|---|")
        for label, answer in (("nothing new", unchanged), ("two new entries", two_new)):
            cost, left = written(folder, answer, args.polls)
            print(f"| {label} | {cost:.2f} | {1000 / cost:,.0f} | {left:,} |", flush=True)
        print("\nThe service with nothing due\n")
        print(
            "| configured | file read, s | first tick after, s | scheduler, parsers, MB | web, MB |"
            " all, MB | scheduler, % CPU | web, % CPU |\n|---|---|---|---|---|---|---|---|"
        )
        for count in args.served:
            row = " | ".join(served(folder / str(count), count, args.idle))
            print(f"| {count:,} | {row} |", flush=True)


if __name__ == "__main__":
    main()
