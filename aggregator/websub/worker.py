"""Sends WebSub requests in its own thread, so that a slow hub or subscriber delays no poll.

    find due requests | send | settle          each settled batch is one transaction

Requests in flight when the process ends are not settled, so the next process sends them again.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event

from aggregator.errors import StoreError
from aggregator.fetch.agent import user_agent
from aggregator.fetch.client import Client
from aggregator.models.config import Config, PerHost
from aggregator.models.poll import FetchOutcome
from aggregator.store.database.connection import Store
from aggregator.store.database.outage import OutageLog
from aggregator.store.websub import subscriptions
from aggregator.websub import hub, protocol, subscriber
from aggregator.websub.hub import Hub
from aggregator.websub.publications import Publications
from aggregator.websub.task import OutboundRequest, TaskKind

logger = logging.getLogger("aggregator")

SETTLE_AT_ONCE = 200

CONCURRENCY, PER_HOST = 200, PerHost(connections=8)
IN_FLIGHT = 400
"""Maximum requests in flight; all pushes of one topic share one body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Intervals in seconds.

    Args:
        look: Between two searches for due requests.
        reconcile: Between two passes over all sources; 23 ms for 10,000 with 3,300 hubs.
        settle: How long outcomes wait for others while requests are in flight.
        fault: After an unexpected exception.
    """

    look: float = 0.1
    reconcile: float = 2.0
    settle: float = 0.2
    fault: float = 5.0


class DeliveryWorker:
    """Finds, sends and settles WebSub requests in the thread that calls `run`."""

    def __init__(
        self,
        store: Store,
        config: Config,
        publications: Publications,
        *,
        clock: Callable[[], datetime],
        pauses: Pauses = Pauses(),
    ) -> None:
        """Send nothing yet.

        Args:
            store: The database.
            config: The configuration in force.
            publications: The topics that our hub publishes.
            clock: Returns the current time.
            pauses: Intervals between the steps.
        """
        self._store, self._publications, self._clock = store, publications, clock
        self._pauses = pauses
        self._hub = Hub(store, publications)
        # The client returns the `Request` object it was given, so identity finds its task.
        self._in_flight: dict[int, OutboundRequest] = {}
        self._outcomes: list[tuple[OutboundRequest, FetchOutcome]] = []
        self._since = self._looked = self._reconciled = float("-inf")
        self._config = self._next_config = config
        self._client = self._new_client(config)
        self._outage = OutageLog()

    @staticmethod
    def _new_client(config: Config) -> Client:
        return Client(
            user_agent=user_agent(config),
            allow=config.allow,
            proxy=config.proxy,
            per_host=PER_HOST,
            concurrency=CONCURRENCY,
        )

    def reconfigure(self, config: Config) -> None:
        """Use a new configuration; callable from any thread."""
        self._next_config = config

    def run(self, stopping: Event) -> None:
        """Work until `stopping` is set; requests then in flight are sent again later."""
        try:
            while not stopping.is_set():
                try:
                    self.turn()
                except Exception:  # a bug in one turn must not end the thread
                    logger.exception("event=websub_worker_failed")
                    self._restart()
                    stopping.wait(self._pauses.fault)
                if not self._client.pending:
                    stopping.wait(self._pauses.look / 2)
        finally:
            self._client.close()

    def turn(self) -> None:
        """Run one step; block for up to 50 ms while requests are in flight."""
        try:
            self._apply_config()
            if time.monotonic() - self._looked >= self._pauses.look:
                self._look()
            self._step()
            self._settle()
        except StoreError as error:
            self._outage.report(error)

    def _apply_config(self) -> None:
        if self._next_config is self._config:
            return
        self._config = self._next_config
        self._restart()

    def _restart(self) -> None:
        """Drop all state in memory; requests in flight are due again."""
        self._client.close()
        self._client = self._new_client(self._config)
        self._in_flight.clear()
        self._outcomes.clear()
        self._hub.forget()

    def _look(self) -> None:
        now, config, seconds = self._clock(), self._config, time.monotonic()
        self._looked = seconds
        if seconds - self._reconciled >= self._pauses.reconcile:
            self._reconciled = seconds
            subscriber.reconcile(self._store, config, now)
            hub.expire(self._store, now)
        hub_url = protocol.hub_url(config)
        own = bool(hub_url) and config.websub.hub == "own"
        if own:
            self._hub.refresh(config, now, seconds)
        in_flight = self._in_flight.values()
        due: list[OutboundRequest] = []
        with self._store.reading() as db:
            if own:
                due += self._hub.outbound_requests(db, config, now, in_flight, self._room)
            elif hub_url and all(task.kind is not TaskKind.PING for task in in_flight):
                due += hub.ping(db, config, self._publications, now)
            has_subscriptions_due = bool(subscriptions.due(db, now, 1))
        self._send(due)
        if has_subscriptions_due and self._room:
            with self._store.transaction() as db:
                due = subscriber.outbound_requests(db, config, now, self._room)
            self._send(due)

    @property
    def _room(self) -> int:
        return max(IN_FLIGHT - len(self._in_flight), 0)

    def _send(self, tasks: list[OutboundRequest]) -> None:
        self._in_flight |= {id(task.request): task for task in tasks}
        self._client.add(task.request for task in tasks)

    def _step(self) -> None:
        if not self._client.pending:
            return
        for request, outcome in self._client.step():
            if not self._outcomes:
                self._since = time.monotonic()
            self._outcomes.append((self._in_flight[id(request)], outcome))

    def _settle(self) -> None:
        waited = time.monotonic() - self._since
        few = len(self._outcomes) < SETTLE_AT_ONCE and waited < self._pauses.settle
        if not self._outcomes or (few and self._client.pending):
            return
        now = self._clock()
        with self._store.transaction() as db:
            for task, outcome in self._outcomes:
                task.settle(db, outcome, now)
        for task, _ in self._outcomes:
            del self._in_flight[id(task.request)]
        self._outcomes.clear()
        self._outage.end()
