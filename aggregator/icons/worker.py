"""Looks up icons in its own thread, so that no poll waits for one.

    find due sources | look each place up | store

Look-ups in flight when the process ends are not stored, so the next process repeats them.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import assert_never

from aggregator.errors import StoreError
from aggregator.fetch.agent import user_agent
from aggregator.fetch.client import Client
from aggregator.icons import child, lookup
from aggregator.icons.lookup import Found, Known, Lookup, Nothing, Readers, Result, Same
from aggregator.models.config import Config, PerHost
from aggregator.models.poll import FetchOutcome, Request
from aggregator.models.urls import origin_of
from aggregator.store.database.connection import Store
from aggregator.store.database.outage import OutageLog
from aggregator.store.sources import icons, network, poll_log, robots
from aggregator.store.sources.icons import DueSource, StoredIcon

logger = logging.getLogger("aggregator")

CONCURRENCY, MOST_DUE = 8, 500
PER_HOST = PerHost(connections=1, spacing=timedelta(seconds=1))

REFRESH = timedelta(days=30)
RETRY = timedelta(days=1)
"""After a failure that may pass; four times as long after each further one, up to `REFRESH`."""
SITE = "site:"
"""Begins the place of a site, which no feed can then claim as its picture."""

SPREAD = 0.2
"""Part of an interval by which it is varied, so that look-ups do not stay together."""

_AT_ONCE = float("-inf")


def next_lookup(failures: int, jitter: float) -> timedelta:
    """Return the time until a place is looked up again.

    Args:
        failures: Look-ups in a row that failed by a fault that may pass, 0 after any other.
        jitter: A number in 0..1.
    """
    # The exponent is bounded, so that no count of failures overflows.
    interval = min(RETRY * 4 ** min(failures - 1, 5), REFRESH) if failures else REFRESH
    return interval * (1 - SPREAD + 2 * SPREAD * jitter)


def places(source: DueSource) -> tuple[str, ...]:
    """Return the places of a source's icon, best first: its feed's pictures, then its site.

    All sources of a host share one look-up of its home page.
    """
    pictures = filter(None, (source.feed.icon, source.feed.image))
    home = origin_of(source.link) or origin_of(source.url)
    return (*dict.fromkeys(pictures), f"{SITE}{home}")


def _nothing() -> Lookup:
    """Return the look-up of a source with all its results stored."""
    yield from ()
    return Nothing(reason="", may_pass=False)


@dataclass(slots=True, kw_only=True)
class _Task:
    """A source and its places, which are looked up one after the other."""

    source_id: str
    left: list[str]
    due: datetime
    hash: str = ""
    lookup: Lookup = field(default_factory=_nothing)
    done: list[StoredIcon] = field(default_factory=list)


class IconWorker:
    """Finds, looks up and stores icons in the thread that calls `run`."""

    def __init__(
        self,
        store: Store,
        config: Config,
        *,
        clock: Callable[[], datetime],
        random: Callable[[], float],
        readers: Readers = Readers(icon=child.icon, links=child.links),  # noqa: B008, frozen
        per_host: PerHost = PER_HOST,
        look_seconds: float = 5.0,
    ) -> None:
        """Look nothing up yet.

        Args:
            store: The database.
            config: The configuration in force.
            clock: Returns the current time.
            random: Returns a number in 0..1, to spread look-ups.
            readers: Read pictures and pages.
            per_host: Limits per host.
            look_seconds: Seconds between two searches for due sources.
        """
        self._store, self._clock, self._random, self._readers = store, clock, random, readers
        self._per_host, self._look_seconds = per_host, look_seconds
        self._tasks: dict[int, tuple[_Task, Request]] = {}
        self._finished: list[_Task] = []
        self._looked = _AT_ONCE
        self._config = self._next_config = config
        self._client = self._new_client(config)
        self._outage = OutageLog()

    def _new_client(self, config: Config) -> Client:
        return Client(
            user_agent=user_agent(config),
            allow=config.allow,
            proxy=config.proxy,
            per_host=self._per_host,
            concurrency=CONCURRENCY,
        )

    def reconfigure(self, config: Config) -> None:
        """Use a new configuration; callable from any thread."""
        self._next_config = config

    def run(self, stopping: Event) -> None:
        """Work until `stopping` is set; look-ups then in flight are repeated later."""
        try:
            while not stopping.is_set():
                try:
                    self.turn()
                except StoreError as error:
                    self._outage.report(error)
                    self._restart()
                    stopping.wait(self._look_seconds)
                except Exception:  # a bug in one turn must not end the thread
                    logger.exception("event=icon_worker_failed")
                    self._restart()
                    stopping.wait(self._look_seconds)
                if not self._client.pending and self._looked != _AT_ONCE:
                    stopping.wait(self._look_seconds)
        finally:
            self._client.close()

    def turn(self) -> None:
        """Run one step; block for up to 50 ms while requests are in flight."""
        if self._next_config is not self._config:
            self._config = self._next_config
            self._restart()
        if time.monotonic() - self._looked >= self._look_seconds:
            self._look()
        if self._client.pending:
            for request, outcome in self._client.step():
                task, _ = self._tasks.pop(id(request))
                self._advance(task, outcome)
        self._settle()

    def _restart(self) -> None:
        """Drop all state in memory; look-ups in flight are due again."""
        self._client.close()
        self._client = self._new_client(self._config)
        self._tasks.clear()
        self._finished.clear()

    def _look(self) -> None:
        """Begin the look-ups of due sources, one at a time for each place."""
        self._looked, now = time.monotonic(), self._clock()
        room = CONCURRENCY - len(self._tasks)
        if not self._config.media.icons or room <= 0:
            return
        with self._store.reading() as db:
            if network.get(db).down_since:
                return
            due = icons.due(db, now, MOST_DUE)
            spacing = poll_log.spacings(db)
        flying = {task.source_id for task, _ in self._tasks.values()}
        held = {place for task, _ in self._tasks.values() for place in task.left}
        self._client.add((), spacing=spacing)
        for source in due:
            wanted = places(source)
            # A place in flight is left to its look-up: the result serves the next round.
            if source.id in flying or held.intersection(wanted):
                continue
            task = _Task(source_id=source.id, left=list(wanted), due=now + REFRESH)
            if self._next_place(task):
                held.update(task.left)
            if len(self._tasks) >= CONCURRENCY:
                break

    def _next_place(self, task: _Task) -> bool:
        """Use stored results while they are fresh, else begin a look-up; return whether it did."""
        now = self._clock()
        while task.left and not task.hash:
            place = task.left[0]
            known = self._known(place)
            if known is None or known.due <= now:
                self._begin(task, place, known)
                return True
            task.left.pop(0)
            task.hash, task.due = known.hash, min(task.due, known.due)
        self._finished.append(task)
        return False

    def _known(self, place: str) -> StoredIcon | None:
        with self._store.reading() as db:
            return icons.get(db, [place]).get(place)

    def _rules(self, home: str) -> str | None:
        """Return the robots.txt of a site, None if none is stored that is fresh."""
        with self._store.reading() as db:
            known = robots.get(db, origin_of(home))
        return known.rules if known and known.until > self._clock() else None

    def _begin(self, task: _Task, place: str, stored: StoredIcon | None) -> None:
        known = Known(url=stored.url, validators=stored.validators) if stored else Known()
        if place.startswith(SITE):
            home = f"{place.removeprefix(SITE)}/"
            task.lookup = lookup.site(home, known, self._readers, self._rules(home))
        else:
            task.lookup = lookup.picture(place, known, self._readers)
        self._advance(task, None)

    def _request(self, task: _Task, request: Request) -> None:
        # The client returns the `Request` object it was given, so identity finds its task.
        self._tasks[id(request)] = task, request
        self._client.add([request])

    def _advance(self, task: _Task, outcome: FetchOutcome | None) -> None:
        try:
            request = task.lookup.send(outcome) if outcome else next(task.lookup)
        except StopIteration as stop:
            self._keep(task, stop.value)
            self._next_place(task)
        else:
            self._request(task, request)

    def _keep(self, task: _Task, result: Result) -> None:
        place = task.left.pop(0)
        icon = self._stored(place, result, self._known(place))
        task.done.append(icon)
        task.hash, task.due = icon.hash, min(task.due, icon.due)
        logger.debug("event=icon source=%s place=%s reason=%r", task.source_id, place, icon.reason)

    def _stored(self, place: str, result: Result, before: StoredIcon | None) -> StoredIcon:
        failures = 0
        if isinstance(result, Nothing) and result.may_pass:
            failures = (before.failures if before else 0) + 1
        due = self._clock() + next_lookup(failures, self._random())
        match result:
            case Found():
                return StoredIcon(
                    place=place,
                    hash=hashlib.sha256(result.image).hexdigest()[:16],
                    url=result.url,
                    validators=result.validators,
                    image=result.image,
                    due=due,
                )
            case Same():
                return StoredIcon(
                    place=place,
                    hash=before.hash if before else "",
                    url=result.url,
                    validators=result.validators,
                    due=due,
                )
            case Nothing():
                # A fault that may pass leaves the icon that was found before.
                kept = before if before and result.may_pass else None
                return StoredIcon(
                    place=place,
                    hash=kept.hash if kept else "",
                    url=kept.url if kept else "",
                    validators=kept.validators if kept else lookup.Known().validators,
                    failures=failures,
                    due=due,
                    reason=result.reason,
                )
            case _:
                assert_never(result)

    def _settle(self) -> None:
        if not self._finished:
            return
        with self._store.transaction() as db:
            for task in self._finished:
                for icon in task.done:
                    icons.put(db, icon)
            icons.assign(db, {task.source_id: (task.hash, task.due) for task in self._finished})
        self._finished.clear()
        self._outage.end()
        self._looked = _AT_ONCE  # more may be due
