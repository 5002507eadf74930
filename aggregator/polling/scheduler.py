"""The scheduler's process: a tick that asks the database what is due.

The tick is an APScheduler job each second that only looks at what is due and offers it to the
`Poller`, which does the work in the process's main thread.
"""

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from aggregator.errors import AggregatorError, StoreError
from aggregator.ingest import maintenance
from aggregator.models.config import Config
from aggregator.models.poll import NextPoll
from aggregator.policy import schedule
from aggregator.polling.pipeline import Pipeline, PollExecutor
from aggregator.polling.poller import Poller, utc_now
from aggregator.store.database import metadata
from aggregator.store.database.connection import Store
from aggregator.store.database.lock import Lock
from aggregator.store.database.times import format_time
from aggregator.store.sources import sources
from aggregator.websub import subscriber
from aggregator.websub.publications import Publications
from aggregator.websub.worker import Courier

logger = logging.getLogger("aggregator")

SPREAD_PER_SECOND = 20
INBOX_SECONDS, PUSHES_AT_ONCE = 0.1, 50
STUCK_SECONDS = 60
"""How often it is told that the loop is stuck."""


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
        random: Callable[[], float] = random.random,
        executor: Callable[..., PollExecutor] = Pipeline,
        publications: Callable[[Store], Publications],
        courier: Callable[..., Courier] = Courier,
        stall_timeout: float = 60.0,
    ) -> None:
        """Take the lock and bring the database in line with the configuration.

        Args:
            store: Where everything is stored.
            load: Reads the configuration file; called again when it changes.
            clock: The present moment.
            draw: A number in 0..1.
            pipe: As the `Poller` takes it.
            publications: Gives what our hub publishes of a store.
            courier: Makes the one who runs the errands of WebSub.
            patience: Seconds without a turn of the loop after which it is not called alive.

        Raises:
            AlreadyRunning, ConfigError, StoreError: Nothing was started then.
        """
        self._store, self._load, self._clock, self._random = store, load, clock, random
        self.config = load()
        self._lock = Lock(store.path)
        self._read_at = _modified(self.config.path)
        self._stopping = threading.Event()
        self._reload = threading.Event()
        self._rules_changed = threading.Event()
        self._rules_changed.set()  # while it was away
        self._unavailable_reason = ""
        self._last_tick_written, self._shortage = 0.0, ""
        self._last_stuck_logged = -math.inf
        self._stall_timeout, self._turned = stall_timeout, time.monotonic()
        self._seen = clock()
        maintenance.synchronise(store, self.config, clock())
        with store.transaction() as db:
            metadata.put(db, "config_error", "")
        self._mend_plans()
        self._spread_overdue()
        self.poller = Poller(store, self.config, clock=clock, random=random, executor=executor)
        self._inbox_seen = 0.0
        self._websub = courier(store, self.config, publications(store), clock=clock)
        self._courier = threading.Thread(
            target=self._websub.run, args=(self._stopping,), name="websub"
        )
        self._jobs = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._add_jobs()

    def _add_jobs(self) -> None:
        add = partial(self._jobs.add_job, replace_existing=True)
        add(self._tick, EverySecond(), id="tick", next_run_time=utc_now())
        add(self._reapply_rules, EverySecond(), id="rules")
        add(self._housekeeping, "cron", hour=3, minute=17, id="housekeeping")

    def run(self) -> None:
        """Poll until `stop`; then finish what has come, within 15 seconds."""
        self._jobs.start()
        self._courier.start()
        try:
            while not self._stopping.is_set():
                self._watch_clock()
                if self._reload.is_set():
                    self._reload.clear()
                    self._reconfigure()
                self._take_pushes()
                self.poller.turn()
                self._turned = time.monotonic()
        finally:
            self._stopping.set()
            self._jobs.shutdown(wait=True)
            self.poller.stop()
            self._courier.join()
            self._lock.release()

    def stop(self) -> None:
        """Ask for the end; safe in a signal handler."""
        self._stopping.set()

    def reload(self) -> None:
        """Ask for the configuration to be read again; safe in a signal handler."""
        self._reload.set()

    def _take_pushes(self) -> None:
        if time.monotonic() - self._inbox_seen < INBOX_SECONDS or self.poller.unavailable_reason:
            return
        self._inbox_seen = time.monotonic()
        try:
            with self._store.reading() as db:
                busy = self.poller.in_flight
                pushes = subscriber.arrived(db, self.config, busy, PUSHES_AT_ONCE)
        except StoreError as error:
            self._complain(error)
        else:
            self.poller.take(pushes)

    # --- jobs, in APScheduler's threads ---------------------------------------------------------

    def _tick(self) -> None:
        now = self._clock()
        try:
            self._tell(now)
            if not self.poller.unavailable_reason:
                with self._store.reading() as db:
                    due = sources.due(db, now)
                self.poller.offer(due)
            self._unavailable_reason = ""
        except StoreError as error:
            self._complain(error)
        modified = _modified(self.config.path)
        if modified != self._read_at:
            self._read_at = modified
            self._reload.set()

    def _tell(self, now: datetime) -> None:
        """Let the pages know that this lives, and what keeps it from polling.

        The loop that polls must live, not only this job: the pages must not show as alive what
        polls nothing.
        """
        stuck = time.monotonic() - self._turned
        if stuck > self._stall_timeout:
            if time.monotonic() - self._last_stuck_logged > STUCK_SECONDS:
                logger.error("event=loop_stuck seconds=%d", stuck)
                self._last_stuck_logged = time.monotonic()
            return
        shortage = self.poller.shortage
        if time.monotonic() - self._last_tick_written <= 5 and shortage == self._shortage:
            return
        if shortage not in ("", self._shortage):
            logger.warning("event=shortage words=%r", shortage)
        with self._store.transaction() as db:
            metadata.put(db, "tick", format_time(now))
            metadata.put(db, "shortage", shortage)
        self._last_tick_written, self._shortage = time.monotonic(), shortage

    def _complain(self, error: StoreError) -> None:
        """Say what is wrong with the database, once; whatever failed is tried again."""
        if str(error) not in (self._unavailable_reason, self.poller.unavailable_reason):
            logger.error("event=store_failed error=%r", str(error))
        self._unavailable_reason = str(error)

    def _reapply_rules(self) -> None:
        if not self._rules_changed.is_set():
            return
        self._rules_changed.clear()
        try:
            count = maintenance.reapply_rules(
                self._store, self.config, self._clock(), self._stopping.is_set
            )
            if count:
                logger.info("event=rules_changed judged_anew=%d", count)
        except StoreError as error:
            self._rules_changed.set()
            self._complain(error)

    def _housekeeping(self) -> None:
        try:
            maintenance.run_maintenance(
                self._store, self.config.defaults.keep, self._clock(), self._stopping.is_set
            )
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
                metadata.put(db, "config_error", words)
        except StoreError as error:
            self._complain(error)

    def _obey(self, config: Config) -> None:
        summary = maintenance.synchronise(self._store, config, self._clock())
        self._put_config_error("")
        self.config = config
        self.poller.reconfigure(config)
        self._websub.reconfigure(config)
        self._rules_changed.set()
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
                    key: schedule.spread(now=now, window=window, jitter=self._random())
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


def _modified(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0  # in mid-replacement; the next tick looks again
