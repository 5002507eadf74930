"""The poll loop: takes due sources, polls them, and stores the results in one thread.

    offer | requests | executor | results | ingest

The executor is a `Pipeline` in this thread, or a cluster of them.
"""

import gc
import logging
import queue
import random
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from aggregator.errors import AggregatorError, StoreError
from aggregator.fetch.agent import user_agent
from aggregator.ingest import batch, page_fetches
from aggregator.ingest.network import OFFLINE
from aggregator.ingest.source_update import Context, Ingested
from aggregator.models.config import Config, Content
from aggregator.models.poll import (
    Failed,
    FailureKind,
    Hop,
    PageResult,
    ParsedDocument,
    Request,
    Result,
    Unchanged,
)
from aggregator.models.urls import host_of
from aggregator.policy import network, schedule
from aggregator.policy.filter_rules import Rulebook
from aggregator.polling import allocator, stages
from aggregator.polling.pipeline import FetchSettings, Pipeline, PollExecutor
from aggregator.store.database.connection import Store
from aggregator.store.database.outage import OutageLog
from aggregator.store.database.times import format_time
from aggregator.store.entries import page_queue
from aggregator.store.sources import poll_log, poll_plan

logger = logging.getLogger("aggregator")

HOST_SHARE = 50
"""Maximum polls in flight for one host, so that a host of a thousand feeds delays no other."""

STORE_RESULTS, STORE_SECONDS = 100, 0.2
"""Store after this many results, or once the oldest result has waited this long."""

STORE_ENTRIES = 1_000
"""New entries after which the other documents wait for the next turn: meanwhile, the parser
processes run out of work and no feed is fetched."""

TRIM_ENTRIES = 200
"""Return freed memory to the system after this many new entries."""

UNREACHED_SECONDS = 10.0
"""Wait this long for another result if no stored host was reached: one batch then shows whether
our own network is down."""

STOP_SECONDS = 8.0

PAGES_SECONDS, PAGES_IN_FLIGHT = 0.5, 20
"""Seconds between two searches for due pages of entries, and how many are fetched at once: one of
each host, so that a feed of the host finds a connection."""

MIN_OPEN_FILES = 64

COLLECT_AFTER = 10_000
"""New objects after which Python looks for cycles: a batch keeps thousands until it is stored, and
of itself Python looks through them after each 700, for 6 % of the time of a first poll."""


def utc_now() -> datetime:
    """Return the current time in UTC; the scheduler's clock."""
    return datetime.now(UTC)


def fetch_settings(config: Config) -> FetchSettings:
    """Return the settings that apply to every request."""
    return FetchSettings(
        user_agent=user_agent(config),
        allow=config.allow,
        proxy=config.proxy,
        per_host=config.defaults.per_host,
    )


def check_open_files() -> None:
    """Raise an AggregatorError if this process may open too few files to poll."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= limit < MIN_OPEN_FILES:
        raise AggregatorError(
            f"only {limit} files may be open, polling needs {MIN_OPEN_FILES} or more. Raise the"
            " limit with `ulimit -n 1024`, or LimitNOFILE in the systemd unit."
        )


class Poller:
    """Polls the sources it is offered, in the thread that calls `turn`."""

    def __init__(
        self,
        store: Store,
        config: Config,
        *,
        clock: Callable[[], datetime] = utc_now,
        random: Callable[[], float] = random.random,
        report: Callable[[Ingested], None] = lambda _: None,
        executor: Callable[..., PollExecutor] = Pipeline,
    ) -> None:
        """Create the executor; poll nothing yet.

        Args:
            store: The database.
            config: The configuration in force.
            clock: Returns the current time.
            random: Returns a number in 0..1, for jitter and backoff.
            report: Called for each stored poll.
            executor: Creates a `PollExecutor` from `FetchSettings` and a clock.

        Raises:
            AggregatorError: Too few files may be open.
        """
        check_open_files()
        gc.set_threshold(COLLECT_AFTER)
        self._store, self._clock, self._random, self._report = store, clock, random, report
        self._offers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._busy: Counter[str] = Counter()
        self._in_flight: dict[str, str] = {}  # sources, with the host that they count for
        self._pages: dict[str, str] = {}  # hosts of pages in flight, by key of the request
        self._held: dict[str, list[str]] = {}  # sources by key of the robots.txt they wait for
        self._hops: dict[str, tuple[Hop, ...]] = {}  # redirects of pages in flight to other hosts
        self._pages_seen = float("-inf")
        self._guard = threading.Lock()
        self._results: list[Result] = []
        self._since = 0.0
        self._retry_at = 0.0
        self._stored = 0  # new entries since memory was last returned
        self._outage = OutageLog()
        self.store_error = ""
        self._use(config)
        self._executor = executor(fetch_settings(config), clock=clock)

    def reconfigure(self, config: Config) -> None:
        """Use a new configuration from the next request on."""
        self._use(config)
        self._executor.reconfigure(fetch_settings(config))

    def _use(self, config: Config) -> None:
        self.config = config
        self._sources = {source.id: source for source in config.sources}
        self._rulebook = Rulebook.of(config)
        self._fetches_pages = any(each.content is Content.FULL for each in config.sources)

    @property
    def unavailable_reason(self) -> str:
        """Why the executor can't poll, "" when it can."""
        return self._executor.unavailable_reason

    # --- offers, from any thread ---------------------------------------------------------------

    def offer(self, due: Iterable[poll_plan.Due]) -> int:
        """Accept due sources that are not in flight, alternating hosts; return how many."""
        with self._guard:
            room = self._executor.capacity - len(self._in_flight)
            if room <= 0:
                return 0
            waiting = [
                item
                for item in due
                if item.source_id not in self._in_flight
                and self._busy.get(item.host, 0) < HOST_SHARE
            ]
            taken = schedule.in_turns(
                [(item.source_id, item.host) for item in waiting],
                room=room,
                busy=self._busy,
                share=HOST_SHARE,
            )
            hosts = {item.source_id: item.host for item in waiting}
            for source_id in taken:
                self._in_flight[source_id] = hosts[source_id]
                self._busy[hosts[source_id]] += 1
                self._offers.put(source_id)
        return len(taken)

    def take(self, pushes: Iterable[Request]) -> None:
        """Accept pushed documents of sources that are not in flight; call in the loop's thread."""
        with self._guard:
            # A poll may have started since the inbox was read; the push then stays in the inbox.
            pushes = [request for request in pushes if request.source_id not in self._in_flight]
            for request in pushes:
                self._in_flight[request.source_id] = ""
        self._executor.add(pushes, spacing={})

    @property
    def in_flight(self) -> list[str]:
        """Ids of the sources being polled."""
        with self._guard:
            return list(self._in_flight)

    def has(self, source_id: str) -> bool:
        """Whether a source is being polled."""
        return source_id in self._in_flight

    @property
    def idle(self) -> bool:
        """Whether no poll and no page is in flight."""
        return not (self._in_flight or self._pages)

    # --- one turn of the loop ------------------------------------------------------------------

    def turn(self) -> None:
        """Run one step of the loop; block for up to 50 ms when idle."""
        if self.store_error and not self._results and time.monotonic() >= self._retry_at:
            self.store_error = ""
        self._begin()
        self._begin_pages()
        results = [result for result in self._executor.step() if not self._follow(result)]
        self._make_room(results)
        if results and not self._results:
            self._since = time.monotonic()
        self._results += results
        self._store_results()

    def _context(self) -> Context:
        return Context(
            config=self.config,
            sources=self._sources,
            rulebook=self._rulebook,
            now=self._clock(),
            random=self._random,
        )

    def _begin(self) -> None:
        due = []
        while not self._offers.empty():
            due.append(self._offers.get())
        if not due:
            return
        try:
            with self._store.reading() as db:
                requests = batch.requests(db, due, self._context(), self._hops)
                spacing = poll_log.spacings(db)
        except StoreError as error:
            self._release(due)
            self._handle_store_error(error)
            return
        self._release(set(due) - {request.source_id for request in requests})
        self._executor.add(list(self._hold(requests)), spacing=spacing)

    def _follow(self, result: Result) -> bool:
        """Poll on if a page redirects to another host, whose robots.txt then counts."""
        outcome = result.outcome
        if (
            isinstance(result, PageResult)
            or not isinstance(outcome, Failed)
            or outcome.kind is not FailureKind.ELSEWHERE
        ):
            return False
        self._hops[result.source_id] = outcome.transfer.hops
        self._offers.put(result.source_id)
        return True

    def _hold(self, requests: Iterable[Request]) -> Iterator[Request]:
        """Yield the requests to make; sources whose robots.txt comes first wait for it."""
        for request in requests:
            if request.task is None:
                yield request
                continue
            self._held.setdefault(request.key, []).append(request.source_id)
            if request.key not in self._pages:
                self._pages[request.key] = host_of(request.url)
                yield request

    def _resume(self, results: Iterable[Result]) -> None:
        """Poll the sources that waited for a robots.txt, unless it was cancelled."""
        for result in results:
            outcome = result.outcome
            is_cancelled = isinstance(outcome, Failed) and outcome.kind is FailureKind.CANCELLED
            for source_id in self._held.pop(result.key, ()):
                if is_cancelled:
                    self._release([source_id])
                else:
                    self._offers.put(source_id)

    def _begin_pages(self) -> None:
        if not self._fetches_pages or self.store_error:
            return
        seconds = time.monotonic()
        if seconds - self._pages_seen < PAGES_SECONDS:
            return
        self._pages_seen = seconds
        room = PAGES_IN_FLIGHT - len(self._pages)
        if room <= 0:
            return
        try:
            with self._store.reading() as db:
                if not page_queue.is_any_due(db, self._clock()):
                    return
                busy = set(self._pages.values())
                taken = page_fetches.take(db, self._context(), busy=busy, room=room)
                spacing = poll_log.spacings(db)
        except StoreError as error:
            self._handle_store_error(error)
            return
        self._pages |= {request.key: host_of(request.url) for request in taken.requests}
        self._executor.add(taken.requests, spacing=spacing)
        if taken.results and not self._results:
            self._since = seconds
        self._pages |= {result.key: host for result, host in taken.results}
        self._results += [result for result, _ in taken.results]

    def _store_results(self) -> None:
        if not self._results or time.monotonic() < self._retry_at:
            return
        waited = time.monotonic() - self._since
        limit = STORE_SECONDS if self._is_any_reached() else UNREACHED_SECONDS
        few = len(self._results) < STORE_RESULTS and waited < limit
        if few and self._executor.pending:
            return
        results, later = _portion(self._results)
        try:
            done = self._ingest(results)
        except StoreError as error:
            # Nothing was written. Keep the results and retry until the database is writable.
            self._handle_store_error(error)
            return
        self._results = later
        self.store_error = ""
        self._outage.end()
        self._release({result.key for result in results})
        self._resume(results)
        for ingested in done:
            _log(ingested)
            self._report(ingested)
        self._stored += sum(len(ingested.new) for ingested in done)
        if self._stored >= TRIM_ENTRIES:
            self._stored = 0
            allocator.trim()

    def _is_any_reached(self) -> bool:
        return any(
            isinstance(result, PageResult) or network.is_reached(result.outcome) is not False
            for result in self._results
        )

    def _handle_store_error(self, error: StoreError) -> None:
        """Retry the database in a second; log each distinct reason once."""
        self._retry_at = time.monotonic() + 1.0
        self.store_error = str(error)
        self._outage.report(error)

    def _ingest(self, results: list[Result]) -> list[Ingested]:
        try:
            with self._store.transaction() as db:
                return batch.ingest(db, results, self._context())
        except StoreError:
            raise
        except Exception:
            if len(results) == 1:
                logger.exception("event=ingest_failed source=%s", results[0].key)
                return self._ingest_poison(results[0])
            logger.exception("event=ingest_failed results=%d action=retry_each_alone", len(results))
            return [done for result in results for done in self._ingest([result])]

    def _ingest_poison(self, result: Result) -> list[Ingested]:
        failed = stages.storage_failure(result)
        with self._store.transaction() as db:
            return batch.ingest(db, [failed], self._context())

    def _release(self, keys: Iterable[str]) -> None:
        with self._guard:
            for key in keys:
                self._pages.pop(key, None)
                self._hops.pop(key, None)
                self._release_host(self._in_flight.pop(key, ""))

    def _make_room(self, results: Iterable[Result]) -> None:
        """Let other sources of a host begin when one is unchanged, before that is stored.

        After anything else the host may have to be left alone, which storing decides.
        """
        with self._guard:
            for result in results:
                if isinstance(result.outcome, Unchanged) and result.key in self._in_flight:
                    self._release_host(self._in_flight[result.key])
                    self._in_flight[result.key] = ""

    def _release_host(self, host: str) -> None:
        if host:
            self._busy[host] -= 1
            if not self._busy[host]:
                del self._busy[host]

    # --- ends ----------------------------------------------------------------------------------

    def turn_or_raise(self) -> None:
        """Run one step on behalf of a caller that waits for the round to finish.

        Raises:
            StoreError: The database can't be written. Polls that were not stored are due again.
        """
        self.turn()
        if self.store_error:
            raise StoreError(self.store_error)

    def run_until_idle(self) -> None:
        """Run until every accepted poll is stored; raises as `turn_or_raise` does."""
        while not self.idle:
            self.turn_or_raise()

    def run_pages(self) -> None:
        """Run until no page is due; raises as `turn_or_raise` does."""
        while self._fetches_pages and (not self.idle or self._is_page_due()):
            self.turn_or_raise()

    def _is_page_due(self) -> bool:
        with self._store.reading() as db:
            return bool(page_queue.due(db, self._clock(), busy=(), limit=1))

    def stop(self) -> None:
        """Cancel fetches, store the results that have arrived, and stop the parser processes."""
        deadline = time.monotonic() + STOP_SECONDS
        self._executor.stop()
        while not self.idle and time.monotonic() < deadline and not self.store_error:
            self.turn()
        self.close()

    def close(self) -> None:
        """Close the executor; polls that were not stored are due again."""
        self._executor.close()


QUIET = frozenset({OFFLINE})
"""Results that are logged once for all sources."""


def _portion(results: list[Result]) -> tuple[list[Result], list[Result]]:
    """Return the results to store now, and the documents for which there are too many entries.

    Results without entries are never left: one batch shows whether our own network is down.
    """
    now: list[Result] = []
    later: list[Result] = []
    entries = 0
    for result in results:
        document = result.outcome
        size = len(document.entries) if isinstance(document, ParsedDocument) else 0
        if size and entries >= STORE_ENTRIES:
            later.append(result)
        else:
            now.append(result)
            entries += size
    return now, later


def _has_news(done: Ingested) -> bool:
    return bool(done.new or done.changed or done.discovered)


def _log(done: Ingested) -> None:
    is_quiet = done.result in QUIET or (done.result in poll_log.FINE and not _has_news(done))
    fine = done.result in (*poll_log.FINE, "pushed")
    level = logging.DEBUG if is_quiet else logging.INFO if fine else logging.WARNING
    if not logger.isEnabledFor(level):
        return
    logger.log(
        level,
        "event=poll source=%s outcome=%s new=%d changed=%d next=%s detail=%r",
        done.source_id,
        done.result,
        len(done.new),
        len(done.changed),
        format_time(done.next_poll.at),
        done.detail,
    )
