"""The scheduler's process: a tick that asks the database what is due, and the loop that polls it.

    tick | due | fetch | read in killable children | ingest

The tick is an APScheduler job each second that only looks at what is due; one thread then keeps
all transfers, children and transactions going, so a slow feed delays nothing but itself.
"""

import fcntl
import logging
import multiprocessing
import os
import queue
import random
import resource
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from pebble import CONSTS, ProcessExpired, ProcessPool

import aggregator
from aggregator import ingest, poll, schedule
from aggregator.errors import AggregatorError, AlreadyRunning, StoreError
from aggregator.fetch.client import Client
from aggregator.ingest import Context, Ingested
from aggregator.model import Config, NextPoll, PollResult
from aggregator.store import archives, changes, entries, facts, incidents, log, sources
from aggregator.store.db import Connection, Store, moment, stamp
from aggregator.store.sources import SourceState

logger = logging.getLogger("aggregator")

IN_FLIGHT = 400
"""Polls under way at most, from fetch to transaction: bounds memory."""

HOST_SHARE = 50
"""Of these, for one host: its thousand feeds must not keep others from their turn."""

BATCH_DOCUMENTS, BATCH_BYTES = 16, 400_000
"""A child gets so much at a time: one message for many small documents, a large one alone."""

STORE_RESULTS, STORE_SECONDS = 100, 0.2
"""A transaction is made for so many results, or once the oldest has waited so long."""

CHILD_MEMORY = 1_000_000_000
CHILD_PATIENCE = 6
"""Times the limit of processor time that a child is waited for by the clock: others need the
processor too, and one that sleeps or is starved must end as well."""

MOST_BYTES = 1_000_000
"""Documents of so many bytes are given twice the time: ten thousand entries are no attack."""

CHILD_TASKS = 2_000
MOST_LOSSES = 3
"""Times that documents are read again after all children were lost, before they are blamed."""

# A child that is killed while it takes its work keeps the lock on it for ever; the others give up
# after so many seconds, and new children are made.
CONSTS.channel_lock_timeout = 10
SPREAD_PER_SECOND = 20
NIGHTS = timedelta(days=3)
STOP_SECONDS = 8.0


def utc_now() -> datetime:
    """Return the present moment; the clock of the scheduler."""
    return datetime.now(UTC)


class Lock:
    """The right to poll into a database: held by one process, freed when it ends in any way."""

    def __init__(self, database: str) -> None:
        """Take the lock.

        Raises:
            AlreadyRunning: Naming the process that holds it.
        """
        path = Path(f"{database}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise AlreadyRunning(
                f"{database}: another scheduler (process {holder}) polls into this database."
                " Stop it first, or serve only: aggregator web"
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Free the lock."""
        self._file.close()


def user_agent(config: Config) -> str:
    """Return the User-Agent that tells publishers who asks and how to complain."""
    contact = f"; {config.site.contact}" if config.site.contact else ""
    return f"feed-aggregator/{aggregator.__version__} (+{config.site.base_url}{contact})"


def _limit_child() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (CHILD_MEMORY, CHILD_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def read_in_child(bodies: list[poll.Body], now: datetime, seconds: float) -> list[PollResult]:
    """Read documents within so much processor time; the system ends the process that takes more."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return poll.read(bodies, now)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def send(pool: ProcessPool, bodies: list[poll.Body], now: datetime) -> "Future[list[PollResult]]":
    """Let a child read documents; what `fault` says of the future is theirs."""
    size = sum(len(body.fetched.body) for body in bodies)
    limit = max(body.request.limits.parse for body in bodies) * (1 + min(size / MOST_BYTES, 1))
    future: Future[list[PollResult]] = pool.schedule(
        read_in_child, args=(bodies, now, limit), timeout=limit * CHILD_PATIENCE
    )
    return future


@contextmanager
def out_of_reach_of_ctrl_c() -> Iterator[None]:
    """Start processes here that Ctrl-C does not interrupt: their parent ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def reading_pool(workers: int | None = None) -> ProcessPool:
    """Return the pool of children that read documents; a child may be killed at any time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["aggregator.poll"])
    pool = ProcessPool(
        max_workers=workers or min(os.cpu_count() or 1, 8),
        max_tasks=CHILD_TASKS,
        initializer=_limit_child,
        context=context,
    )
    with out_of_reach_of_ctrl_c():
        if not pool.active:  # the question starts the children
            raise RuntimeError("the children that read documents do not start")
    return pool


_Answer = Future[list[PollResult]]


@dataclass(frozen=True, slots=True)
class _Reading:
    """Documents that a child is reading; `losses` counts the times that all children were lost."""

    bodies: list[poll.Body]
    losses: int


def _unread(answer: _Answer) -> bool:
    """Whether no child has answered: not yet, or never as the pool has broken."""
    return not answer.done() or isinstance(answer.exception(), BrokenProcessPool)


@dataclass(slots=True)
class _Pending:
    """What waits between the stages of the loop."""

    bodies: list[poll.Body] = field(default_factory=list)
    readings: dict[_Answer, _Reading] = field(default_factory=dict)
    results: list[PollResult] = field(default_factory=list)
    since: float = 0.0


class Poller:
    """Polls the sources it is offered; everything happens in the thread that calls `turn`."""

    def __init__(
        self,
        store: Store,
        config: Config,
        *,
        clock: Callable[[], datetime] = utc_now,
        draw: Callable[[], float] = random.random,
        report: Callable[[Ingested], None] = lambda _: None,
    ) -> None:
        """Start nothing but the children.

        Args:
            store: Where everything is stored.
            config: The configuration in force.
            clock: The present moment.
            draw: A number in 0..1, the chance in jitter and backoff.
            report: Called for each poll that was stored.
        """
        self._store, self._clock, self._draw, self._report = store, clock, draw, report
        self._pool = reading_pool()
        self._offers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._busy: Counter[str] = Counter()
        self._flying: dict[str, str] = {}
        self._guard = threading.Lock()
        self._pending = _Pending()
        self._answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._clients: list[Client] = []
        self._retry_at = 0.0
        self._told = ""
        self.trouble = ""
        self.reconfigure(config)

    def reconfigure(self, config: Config) -> None:
        """Obey another configuration from the next request on."""
        self.config = config
        self._sources = {source.id: source for source in config.sources}
        # What the earlier clients have under way goes on; they are closed when it has ended.
        self._clients.insert(
            0,
            Client(
                user_agent=user_agent(config),
                allow=config.allow,
                proxy=config.proxy,
                per_host=config.defaults.per_host,
            ),
        )

    # --- offers, from any thread ---------------------------------------------------------------

    def offer(self, due: Iterable[sources.Due], *, at_most: int = IN_FLIGHT) -> int:
        """Take sources that are not under way already, hosts in turn; return how many."""
        with self._guard:
            room = at_most - len(self._flying)
            if room <= 0:
                return 0
            waiting = [item for item in due if item.source_id not in self._flying]
            taken = schedule.in_turns(
                [(item.source_id, item.host) for item in waiting],
                room=room,
                busy=self._busy,
                share=HOST_SHARE,
            )
            hosts = {item.source_id: item.host for item in waiting}
            for source_id in taken:
                self._flying[source_id] = hosts[source_id]
                self._busy[hosts[source_id]] += 1
                self._offers.put(source_id)
        return len(taken)

    def has(self, source_id: str) -> bool:
        """Whether a source is under way."""
        return source_id in self._flying

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._flying

    # --- one turn of the loop ------------------------------------------------------------------

    def turn(self) -> None:
        """Move everything on by a step; waits up to 50 ms where there is nothing to do."""
        self._mend_pool()
        if self.trouble and not self._pending.results and time.monotonic() >= self._retry_at:
            self.trouble = ""
        self._begin()
        for client in list(self._clients):
            if client.pending:
                for request, outcome in client.step():
                    self._fetched(poll.judge(request, outcome))
            elif client is not self._clients[0]:
                client.close()
                self._clients.remove(client)
        self._send_to_children()
        self._collect()
        self._store_results()

    @property
    def _fetching(self) -> bool:
        return any(client.pending for client in self._clients)

    def _context(self) -> Context:
        return Context(
            config=self.config, sources=self._sources, now=self._clock(), draw=self._draw
        )

    def _begin(self) -> None:
        due = []
        while not self._offers.empty():
            due.append(self._offers.get())
        if not due:
            return
        try:
            with self._store.reading() as db:
                requests = ingest.requests(db, due, self._context())
                spacing = log.spacings(db)
        except StoreError as error:
            self._release(due)
            self._meet(error)
            return
        self._release(set(due) - {request.source_id for request in requests})
        self._clients[0].add(requests, spacing=spacing)

    def _fetched(self, judged: PollResult | poll.Body) -> None:
        if isinstance(judged, PollResult):
            self._result(judged)
        else:
            self._pending.bodies.append(judged)

    def _result(self, result: PollResult) -> None:
        if not self._pending.results:
            self._pending.since = time.monotonic()
        self._pending.results.append(result)

    def _send_to_children(self) -> None:
        # What has come is sent at once when a child would stand idle, else in larger parcels.
        bodies, self._pending.bodies = self._pending.bodies, []
        batch: list[poll.Body] = []
        size = 0
        for body in sorted(bodies, key=lambda body: len(body.fetched.body)):
            if batch and size + len(body.fetched.body) > BATCH_BYTES:
                self._send(batch)
                batch, size = [], 0
            batch.append(body)
            size += len(body.fetched.body)
            if len(batch) >= BATCH_DOCUMENTS:
                self._send(batch)
                batch, size = [], 0
        if batch:
            self._send(batch)

    def _send(self, batch: list[poll.Body], losses: int = 0) -> None:
        try:
            answer = send(self._pool, batch, self._clock())
        except RuntimeError as error:  # the pool broke in this moment; the next turn mends it
            answer = Future()
            answer.set_exception(BrokenProcessPool(str(error)))
        self._pending.readings[answer] = _Reading(batch, losses)
        answer.add_done_callback(self._answers.put)

    def _mend_pool(self) -> None:
        """Make new children when the pool has broken, and let them read what the old ones had.

        It breaks when a child is killed while it reads nothing, by hand or for its memory.
        """
        if self._pool.active:
            return
        logger.error("event=children_lost, new ones are made")
        self._pool.stop()
        self._pool.join()
        self._pool = reading_pool()
        for answer in [answer for answer in self._pending.readings if _unread(answer)]:
            reading = self._pending.readings.pop(answer)
            if reading.losses < MOST_LOSSES:
                self._send(reading.bodies, reading.losses + 1)
            else:
                for body in reading.bodies:
                    self._result(poll.broken(body, "the processes that read it died each time"))

    def _collect(self) -> None:
        for answer in self._answered():
            if _unread(answer) or answer not in self._pending.readings:
                continue  # the next turn mends it, or the last one did
            bodies = self._pending.readings.pop(answer).bodies
            fault = _fault(answer)
            if not fault:
                for result in answer.result():
                    self._result(result)
            elif len(bodies) == 1:
                self._result(poll.broken(bodies[0], fault))
            else:
                # One of them did it; alone, each answers for itself.
                for body in bodies:
                    self._send([body])

    def _answered(self) -> Iterator[_Answer]:
        """Give the answers of children; waits a little for one when nothing is being fetched."""
        with suppress(queue.Empty):
            if not self._fetching:
                yield self._answers.get(timeout=0.02)
            while True:
                yield self._answers.get_nowait()

    def _store_results(self) -> None:
        pending = self._pending
        if not pending.results or time.monotonic() < self._retry_at:
            return
        waited = time.monotonic() - pending.since
        if len(pending.results) < STORE_RESULTS and waited < STORE_SECONDS and self._more_to_come():
            return
        results, pending.results = pending.results, []
        try:
            done = self._ingest(results)
        except StoreError as error:
            # Nothing was written. The results are kept and tried again until the way is free.
            pending.results = results + pending.results
            self._meet(error)
            return
        self.trouble = self._told = ""
        self._release({result.source_id for result in results})
        for ingested in done:
            _log(ingested)
            self._report(ingested)

    def _meet(self, error: StoreError) -> None:
        """Wait a second before the database is tried again; say why, but once."""
        self._retry_at = time.monotonic() + 1.0
        self.trouble = str(error)
        if self.trouble != self._told:
            self._told = self.trouble
            logger.error("event=store_failed error=%r", self.trouble)

    def _more_to_come(self) -> bool:
        return bool(self._fetching or self._pending.readings or self._pending.bodies)

    def _ingest(self, results: list[PollResult]) -> list[Ingested]:
        try:
            with self._store.transaction() as db:
                return ingest.ingest(db, results, self._context())
        except StoreError:
            raise
        except Exception:
            if len(results) == 1:
                logger.exception("event=ingest_failed source=%s", results[0].source_id)
                return self._ingest_poison(results[0])
            logger.exception("event=ingest_failed results=%d, each is tried alone", len(results))
            return [done for result in results for done in self._ingest([result])]

    def _ingest_poison(self, result: PollResult) -> list[Ingested]:
        failed = poll.unstorable(result)
        with self._store.transaction() as db:
            return ingest.ingest(db, [failed], self._context())

    def _release(self, source_ids: Iterable[str]) -> None:
        with self._guard:
            for source_id in source_ids:
                host = self._flying.pop(source_id, None)
                if host is not None:
                    self._busy[host] -= 1
                    if not self._busy[host]:
                        del self._busy[host]

    # --- ends ----------------------------------------------------------------------------------

    def turn_or_raise(self) -> None:
        """Take a turn of a round that somebody waits for.

        Raises:
            StoreError: The database can't be written; what is not stored is due again.
        """
        self.turn()
        if self.trouble:
            raise StoreError(self.trouble)

    def run_until_idle(self) -> None:
        """Take turns until everything offered is stored; raises as `turn_or_raise`."""
        while not self.idle:
            self.turn_or_raise()

    def stop(self) -> None:
        """Cancel what is being fetched, store what has come, and end the children."""
        deadline = time.monotonic() + STOP_SECONDS
        for client in self._clients:
            client.stop()
        while not self.idle and time.monotonic() < deadline and not self.trouble:
            self.turn()
        self.close()

    def close(self) -> None:
        """End the children and connections; what was not stored is due again."""
        self._pool.stop()
        self._pool.join()
        for client in self._clients:
            client.close()


def _fault(future: "Future[Any]") -> str:
    error = future.exception()
    match error:
        case None:
            return ""
        case TimeoutError():
            return "reading it took too long and was stopped (defaults.limits.parse)"
        case ProcessExpired() if error.exitcode == -signal.SIGPROF:
            return "reading it took too much processor time (defaults.limits.parse)"
        case ProcessExpired():
            return "the process that read it died, out of memory or by a fault of the parser"
        case _:
            return f"reading it failed ({type(error).__name__}: {error})"


def reading(future: "Future[list[PollResult]]", bodies: list[poll.Body]) -> list[PollResult]:
    """Return what a child read, waiting for it; a fault becomes each document's failure."""
    fault = _fault(future)
    return [poll.broken(body, fault) for body in bodies] if fault else future.result()


def _log(done: Ingested) -> None:
    level = logging.INFO if done.result in ("ok", "not_modified", "equal") else logging.WARNING
    logger.log(
        level,
        "event=poll source=%s outcome=%s new=%d changed=%d next=%s detail=%r",
        done.source_id,
        done.result,
        len(done.new),
        len(done.changed),
        stamp(done.next_poll.at),
        done.detail,
    )


class EverySecond(BaseTrigger):  # type: ignore[misc]
    """Fires each second.

    "interval" would make a list of every second that a clock has jumped over: 315 million for ten
    years, and the scheduler would be gone.
    """

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        """Return the moment after `now`."""
        return now + timedelta(seconds=1)


class Scheduler:
    """The scheduler's life: lock, configuration, tick, housekeeping, until it is told to stop."""

    def __init__(
        self,
        store: Store,
        load: Callable[[], Config],
        *,
        clock: Callable[[], datetime] = utc_now,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """Take the lock and bring the database in line with the configuration.

        Args:
            store: Where everything is stored.
            load: Reads the configuration file; called again when it changes.
            clock: The present moment.
            draw: A number in 0..1.

        Raises:
            AlreadyRunning, ConfigError, StoreError: Nothing was started then.
        """
        self._store, self._load, self._clock, self._draw = store, load, clock, draw
        self.config = load()
        self._lock = Lock(store.path)
        self._read_at = _modified(self.config.path)
        self._stopping = threading.Event()
        self._reload = threading.Event()
        self._trouble = ""
        self._told_tick = 0.0
        self._seen = clock()
        synchronise(store, self.config, clock())
        with store.transaction() as db:
            facts.put(db, "config_error", "")
        self._mend_plans()
        self._spread_overdue()
        self.poller = Poller(store, self.config, clock=clock, draw=draw)
        self._jobs = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._add_jobs()

    def _add_jobs(self) -> None:
        add = partial(self._jobs.add_job, replace_existing=True)
        add(self._tick, EverySecond(), id="tick", next_run_time=utc_now())
        add(self._housekeeping, "cron", hour=3, minute=17, id="housekeeping")

    def run(self) -> None:
        """Poll until `stop`; then finish what has come, within 15 seconds."""
        self._jobs.start()
        try:
            while not self._stopping.is_set():
                self._watch_clock()
                if self._reload.is_set():
                    self._reload.clear()
                    self._reconfigure()
                self.poller.turn()
        finally:
            self._jobs.shutdown(wait=True)
            self.poller.stop()
            self._lock.release()

    def stop(self) -> None:
        """Ask for the end; safe in a signal handler."""
        self._stopping.set()

    def reload(self) -> None:
        """Ask for the configuration to be read again; safe in a signal handler."""
        self._reload.set()

    # --- jobs, in APScheduler's threads ---------------------------------------------------------

    def _tick(self) -> None:
        now = self._clock()
        try:
            if time.monotonic() - self._told_tick > 5:
                with self._store.transaction() as db:
                    facts.put(db, "tick", stamp(now))
                self._told_tick = time.monotonic()
            if not self.poller.trouble:
                with self._store.reading() as db:
                    due = sources.due(db, now)
                self.poller.offer(due)
            self._trouble = ""
        except StoreError as error:
            self._complain(error)
        modified = _modified(self.config.path)
        if modified != self._read_at:
            self._read_at = modified
            self._reload.set()

    def _complain(self, error: StoreError) -> None:
        """Say what is wrong with the database, once; whatever failed is tried again."""
        if str(error) not in (self._trouble, self.poller.trouble):
            logger.error("event=store_failed error=%r", str(error))
        self._trouble = str(error)

    def _housekeeping(self) -> None:
        try:
            keep_house(self._store, self.config.defaults.keep, self._clock(), self._stopping.is_set)
        except StoreError as error:
            self._complain(error)

    # --- configuration and clock ------------------------------------------------------------------

    def _reconfigure(self) -> None:
        try:
            config = self._load()
        except AggregatorError as error:
            # The old configuration stays in force, and the status page says what is wrong.
            logger.error("event=config_refused error=%r", str(error))  # noqa: TRY400
            self._put_config_error(str(error))
            return
        try:
            self._obey(config)
        except StoreError as error:
            self._read_at = 0  # nothing was changed; the next tick tries again
            self._complain(error)

    def _put_config_error(self, words: str) -> None:
        try:
            with self._store.transaction() as db:
                facts.put(db, "config_error", words)
        except StoreError as error:
            self._complain(error)

    def _obey(self, config: Config) -> None:
        summary = synchronise(self._store, config, self._clock())
        self._put_config_error("")
        self.config = config
        self.poller.reconfigure(config)
        logger.info(
            "event=config_loaded added=%d removed=%d moved=%d",
            len(summary.added),
            len(summary.removed),
            len(summary.moved),
        )

    def _spread_overdue(self) -> None:
        now = self._clock()
        with self._store.transaction() as db:
            due = [item.source_id for item in sources.due(db, now)]
            known = sources.get_many(db, due)
            overdue = [key for key in due if known[key].polls]
            window = timedelta(seconds=len(overdue) / SPREAD_PER_SECOND)
            if window > timedelta(seconds=5):
                plans = {
                    key: schedule.spread(now=now, window=window, jitter=self._draw())
                    for key in overdue
                }
                sources.plan(db, plans, now)

    def _watch_clock(self) -> None:
        now = self._clock()
        if now < self._seen - schedule.SLEW:
            try:
                self._mend_plans()
            except StoreError as error:
                self._complain(error)
                return
            self._add_jobs()  # APScheduler too waits for what it has planned
        self._seen = now

    def _mend_plans(self) -> None:
        """Let no source wait for a moment that was planned by a clock that ran ahead.

        Nothing else is dated anew: it may be this clock that is wrong.
        """
        now = self._clock()
        latest = now + schedule.SLEW
        with self._store.transaction() as db:
            states = sources.planned_after(db, latest)
            plans = {
                state.id: schedule.clock_guard(
                    NextPoll(at=state.next_poll, reason=state.next_poll_reason),
                    planned=state.planned,
                    now=now,
                )
                for state in states
            }
            sources.plan(db, plans, now)
            for state in states:
                if state.gate_from and state.gate_until and state.gate_from > latest:
                    until = now + (state.gate_until - state.gate_from)
                    sources.update(db, state.id, {"gate_from": now, "gate_until": until})
        if plans:
            logger.warning("event=clock_set_back plans=%d", len(plans))


def synchronise(store: Store, config: Config, now: datetime) -> sources.SyncSummary:
    """Bring the database in line with a configuration, in one transaction."""
    with store.transaction() as db:
        summary = sources.sync(db, config.sources, now=now, first_polls={})
        if summary != sources.SyncSummary():
            changes.bump_all(db)
    return summary


def keep_house(
    store: Store, keep: timedelta | None, now: datetime, stopping: Callable[[], bool]
) -> None:
    """Delete what is kept no longer, each night; not in the first, nor after a gap.

    A clock that jumps ahead by years must not make old what is of today: it has a day to be set
    right.
    """
    with store.transaction() as db:
        last = moment(facts.get(db, "housekeeping"))
        facts.put(db, "housekeeping", stamp(now))
    if last is None or now - last > NIGHTS:
        return
    expired = 1
    while keep is not None and expired and not stopping():
        with store.transaction() as db:
            expired = entries.expire(db, now - keep)
    with store.transaction() as db:
        log.forget(db, now)
        archives.forget(db)
    store.optimise()


def release(db: Connection, state: SourceState, now: datetime) -> int:
    """Show a source's quarantined entries and return how many there were."""
    count = entries.release(db, state.id, state.sections)
    if state.health == "quarantined":
        sources.update(db, state.id, {"health": "fine", "health_since": now, "error": ""})
        incidents.closed(db, state.id, now)
    scopes = [changes.ALL, changes.STATUS, changes.source_scope(state.id)]
    changes.bump(db, scopes + [changes.section_scope(s) for s in state.sections], now)
    return count


def _modified(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0  # in mid-replacement; the next tick looks again
