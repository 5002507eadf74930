"""The scheduler process: a tick per second offers due sources to the `Poller`.

The tick is an APScheduler job that only reads which sources are due. The `Poller` does the work in
the process's main thread.
"""

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from aggregator.config.watch import FileWatch
from aggregator.errors import AggregatorError, StoreError
from aggregator.icons.worker import IconWorker
from aggregator.ingest import maintenance
from aggregator.models.config import Config
from aggregator.models.poll import NextPoll
from aggregator.policy import schedule
from aggregator.polling.pipeline import Pipeline, PollExecutor
from aggregator.polling.poller import Poller, utc_now
from aggregator.store.database import metadata
from aggregator.store.database.connection import Store
from aggregator.store.database.lock import Lock
from aggregator.store.database.outage import OutageLog
from aggregator.store.database.times import format_time
from aggregator.store.sources import poll_plan, sources
from aggregator.websub import subscriber
from aggregator.websub.publications import Publications
from aggregator.websub.worker import DeliveryWorker

logger = logging.getLogger("aggregator")

SPREAD_PER_SECOND = 20
INBOX_SECONDS, PUSHES_AT_ONCE = 0.1, 50
STUCK_SECONDS = 60
"""Interval between log lines about a stuck loop."""


class EverySecond(BaseTrigger):  # type: ignore[misc]
    """Fires every second.

    APScheduler's interval trigger lists every second that a clock skipped: 315 million after a jump
    of ten years, which exhausts memory.
    """

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        """Return one second after `now`."""
        return now + timedelta(seconds=1)


class Scheduler:
    """Runs the scheduler process: lock, configuration, tick and nightly maintenance."""

    def __init__(
        self,
        store: Store,
        load: Callable[[], Config],
        *,
        clock: Callable[[], datetime] = utc_now,
        random: Callable[[], float] = random.random,
        executor: Callable[..., PollExecutor] = Pipeline,
        publications: Callable[[Store, Callable[[], datetime]], Publications],
        delivery_worker: Callable[..., DeliveryWorker] = DeliveryWorker,
        stall_timeout: float = 60.0,
    ) -> None:
        """Take the lock and apply the configuration to the database.

        Args:
            store: The database.
            load: Reads the configuration file; called again when the file changes.
            clock: Returns the current time.
            random: Returns a number in 0..1.
            executor: As for `Poller`.
            publications: Returns the topics that our hub publishes from a store, by a clock.
            delivery_worker: Creates the WebSub worker.
            stall_timeout: Seconds without a turn of the loop after which it counts as stuck.

        Raises:
            AlreadyRunning, ConfigError, StoreError: Nothing was started.
        """
        self._store, self._load, self._clock, self._random = store, load, clock, random
        self.config = load()
        self._lock = Lock(store.path)
        self._file = FileWatch(self.config.path)
        # Plain flags, because a signal handler sets them: a second signal during Event.set would
        # wait for ever for the lock that the first one holds.
        self._stop_requested = self._reload_requested = False
        self._stopping = threading.Event()
        self._rules_changed = threading.Event()
        self._rules_changed.set()  # they may have changed while the scheduler was not running
        self._indexed = 0
        self._outage = OutageLog()
        self._last_tick_written, self._unavailable_reason = 0.0, ""
        self._last_stuck_logged = -math.inf
        self._stall_timeout, self._turned = stall_timeout, time.monotonic()
        self._seen = clock()
        self._prepare_database()
        self.poller = Poller(store, self.config, clock=clock, random=random, executor=executor)
        self._inbox_seen = 0.0
        self._websub = delivery_worker(store, self.config, publications(store, clock), clock=clock)
        self._websub_thread = threading.Thread(
            target=self._websub.run, args=(self._stopping,), name="websub"
        )
        self._icons = IconWorker(store, self.config, clock=clock, random=random)
        self._icon_thread = threading.Thread(
            target=self._icons.run, args=(self._stopping,), name="icons"
        )
        self._jobs = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._add_jobs()

    def _prepare_database(self) -> None:
        maintenance.synchronise(self._store, self.config, self._clock())
        with self._store.transaction() as db:
            metadata.put(db, "config_error", "")
            metadata.put(db, "started", format_time(self._clock()))
        self._repair_plans()
        self._spread_overdue()

    def _add_jobs(self) -> None:
        add = partial(self._jobs.add_job, replace_existing=True)
        add(self._tick, EverySecond(), id="tick", next_run_time=utc_now())
        add(self._reapply_rules, EverySecond(), id="rules")
        add(self._index_older, EverySecond(), id="search_index")
        add(self._run_maintenance, "cron", hour=3, minute=17, id="maintenance")

    def run(self) -> None:
        """Poll until `stop` is called, then store finished polls; takes at most 15 more seconds."""
        self._jobs.start()
        self._websub_thread.start()
        self._icon_thread.start()
        try:
            while not self._stop_requested:
                self._watch_clock()
                if self._reload_requested:
                    self._reload_requested = False
                    self._reconfigure()
                self._take_pushes()
                self.poller.turn()
                self._turned = time.monotonic()
        finally:
            self._stopping.set()
            self._jobs.shutdown(wait=True)
            self.poller.stop()
            self._websub_thread.join()
            self._icon_thread.join()
            self._lock.release()

    def stop(self) -> None:
        """Request the end; safe in a signal handler."""
        self._stop_requested = True

    def reload(self) -> None:
        """Request a reload of the configuration; safe in a signal handler."""
        self._reload_requested = True

    def _take_pushes(self) -> None:
        if time.monotonic() - self._inbox_seen < INBOX_SECONDS or self.poller.store_error:
            return
        self._inbox_seen = time.monotonic()
        try:
            with self._store.reading() as db:
                in_flight = self.poller.in_flight
                pushes = subscriber.received(db, self.config, in_flight, PUSHES_AT_ONCE)
        except StoreError as error:
            self._log_store_error(error)
        else:
            self.poller.take(pushes)

    # --- jobs, in APScheduler's threads ---------------------------------------------------------

    def _tick(self) -> None:
        now = self._clock()
        try:
            self._write_heartbeat(now)
            if not self.poller.store_error:
                with self._store.reading() as db:
                    due = poll_plan.due(db, now)
                self.poller.offer(due)
            self._outage.end()
        except StoreError as error:
            self._log_store_error(error)
        if self._file.has_changed():
            self._reload_requested = True

    def _write_heartbeat(self, now: datetime) -> None:
        """Store the time of this tick and the reason why polling is impossible, for the pages.

        Skipped while the poll loop is stuck, so that the pages do not show a scheduler that polls
        nothing as alive.
        """
        stuck = time.monotonic() - self._turned
        if stuck > self._stall_timeout:
            if time.monotonic() - self._last_stuck_logged > STUCK_SECONDS:
                logger.error("event=loop_stuck seconds=%d", stuck)
                self._last_stuck_logged = time.monotonic()
            return
        unavailable = self.poller.unavailable_reason
        reason = unavailable or self.poller.store_error or self._store.damage
        is_news = reason != self._unavailable_reason
        if time.monotonic() - self._last_tick_written <= 5 and not is_news:
            return
        if unavailable and is_news:  # errors of the database are logged where they occur
            logger.warning("event=shortage reason=%r", unavailable)
        with self._store.transaction() as db:
            metadata.put(db, "tick", format_time(now))
            metadata.put(db, "shortage", reason)
        self._last_tick_written, self._unavailable_reason = time.monotonic(), reason

    def _log_store_error(self, error: StoreError) -> None:
        """Log a database error once; the failed operation is retried."""
        if str(error) != self.poller.store_error:
            self._outage.report(error)

    def _reapply_rules(self) -> None:
        if not self._rules_changed.is_set():
            return
        self._rules_changed.clear()
        try:
            count = maintenance.reapply_rules(
                self._store, self.config, self._clock(), self._stopping.is_set
            )
            if count:
                logger.info("event=rules_changed reapplied=%d", count)
        except StoreError as error:
            self._rules_changed.set()
            self._log_store_error(error)

    def _index_older(self) -> None:
        """Add entries of an earlier version to the search index, for a part of each second."""
        try:
            self._indexed += (count := maintenance.index_older(self._store, self._stopping.is_set))
            if self._indexed and not count:
                logger.info("event=search_indexed entries=%d", self._indexed)
                self._indexed = 0
        except StoreError as error:
            self._log_store_error(error)

    def _run_maintenance(self) -> None:
        try:
            maintenance.run_maintenance(
                self._store, self.config, self._clock(), self._stopping.is_set
            )
        except StoreError as error:
            self._log_store_error(error)

    # --- configuration and clock ------------------------------------------------------------------

    def _reconfigure(self) -> None:
        try:
            config = self._load()
        except AggregatorError as error:
            # The old configuration stays in force, and the status page shows the error.
            logger.error("event=config_refused error=%r", str(error))  # noqa: TRY400
            self._put_config_error(str(error))
            return
        try:
            self._apply(config)
        except StoreError as error:
            self._file.forget()  # nothing was changed; the next tick retries
            self._log_store_error(error)

    def _put_config_error(self, message: str) -> None:
        try:
            with self._store.transaction() as db:
                metadata.put(db, "config_error", message)
        except StoreError as error:
            self._log_store_error(error)

    def _apply(self, config: Config) -> None:
        summary = maintenance.synchronise(self._store, config, self._clock())
        self._put_config_error("")
        self.config = config
        self.poller.reconfigure(config)
        self._websub.reconfigure(config)
        self._icons.reconfigure(config)
        self._rules_changed.set()
        logger.info(
            "event=config_loaded added=%d removed=%d moved=%d renamed=%d",
            len(summary.added),
            len(summary.removed),
            len(summary.moved),
            len(summary.renamed),
        )

    def _spread_overdue(self) -> None:
        now = self._clock()
        with self._store.transaction() as db:
            due = [item.source_id for item in poll_plan.due(db, now)]
            known = sources.get_many(db, due)
            overdue = [key for key in due if known[key].polls]
            window = timedelta(seconds=len(overdue) / SPREAD_PER_SECOND)
            if window > timedelta(seconds=5):
                plans = {
                    key: schedule.spread(now=now, window=window, jitter=self._random())
                    for key in overdue
                }
                poll_plan.save(db, plans, now)

    def _watch_clock(self) -> None:
        now = self._clock()
        if now < self._seen - schedule.CLOCK_TOLERANCE:
            try:
                self._repair_plans()
            except StoreError as error:
                self._log_store_error(error)
                return
            self._add_jobs()  # APScheduler's own plans also lie in the future
        self._seen = now

    def _repair_plans(self) -> None:
        """Reschedule sources that were planned while the clock ran ahead.

        Other dates stay as they are, because the current clock may be the wrong one.
        """
        now = self._clock()
        latest = now + schedule.CLOCK_TOLERANCE
        with self._store.transaction() as db:
            states = poll_plan.made_after(db, latest)
            plans = {
                state.id: schedule.clock_guard(
                    NextPoll(at=state.next_poll, reason=state.next_poll_reason),
                    planned=state.planned,
                    now=now,
                )
                for state in states
            }
            poll_plan.save(db, plans, now)
            for state in states:
                if state.gate_from and state.gate_until and state.gate_from > latest:
                    until = now + (state.gate_until - state.gate_from)
                    sources.update(db, state.id, {"gate_from": now, "gate_until": until})
        if plans:
            logger.warning("event=clock_set_back plans=%d", len(plans))
