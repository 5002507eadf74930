"""Runs the errands of WebSub, in a thread of its own: a slow hub or subscriber delays no poll.

    look: what is due | send | settle          each settled batch is one transaction

What is under way when the process ends is due again with the next, as nothing is settled.
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
from aggregator.store.websub import subscriptions
from aggregator.websub import hub, protocol, subscriber
from aggregator.websub.hub import Hub
from aggregator.websub.publications import Publications
from aggregator.websub.task import OutboundRequest

logger = logging.getLogger("aggregator")

SETTLE_AT_ONCE = 200

CONCURRENCY, PER_HOST = 200, PerHost(connections=8)
IN_FLIGHT = 400
"""Errands under way at most; all pushes of one topic share one body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds that are let pass.

    Args:
        look: Between looks for what is due.
        reconcile: Between looks over all sources; ten thousand, a third with a hub, cost 23 ms.
        settle: While others are under way, so that many are settled at once.
        fault: After a fault of ours.
    """

    look: float = 0.1
    reconcile: float = 2.0
    settle: float = 0.2
    fault: float = 5.0


class Courier:
    """Everything happens in the thread that calls `run`."""

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
            store: Where everything is stored.
            config: The configuration in force.
            publications: What our hub publishes.
            clock: The present moment.
            pauses: How long it waits for what.
        """
        self._store, self._publications, self._clock = store, publications, clock
        self._pauses = pauses
        self._hub = Hub(store, publications)
        self._errands: dict[str, OutboundRequest] = {}
        self._outcomes: list[tuple[OutboundRequest, FetchOutcome]] = []
        self._since = self._looked = self._reconciled = float("-inf")
        self._config = self._next_config = config
        self._client = self._new_client(config)
        self._told = ""

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
        """Obey another configuration; from any thread."""
        self._next_config = config

    def run(self, stopping: Event) -> None:
        """Work until told to stop; what is under way then is given up, and is due again."""
        try:
            while not stopping.is_set():
                try:
                    self.turn()
                except Exception:  # the barrier: a fault of ours must not end it for good
                    logger.exception("event=courier_failed")
                    self._restart()
                    stopping.wait(self._pauses.fault)
                if not self._client.pending:
                    stopping.wait(self._pauses.look / 2)
        finally:
            self._client.close()

    def turn(self) -> None:
        """Move everything on by a step; waits up to 50 ms while anything is under way."""
        try:
            self._obey()
            if time.monotonic() - self._looked >= self._pauses.look:
                self._look()
            self._step()
            self._settle()
        except StoreError as error:
            self._complain(error)

    def _obey(self) -> None:
        if self._next_config is self._config:
            return
        self._config = self._next_config
        self._restart()

    def _restart(self) -> None:
        """Begin anew, with nothing in memory; what was under way is due again."""
        self._client.close()
        self._client = self._new_client(self._config)
        self._errands.clear()
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
        made: list[OutboundRequest] = []
        with self._store.reading() as db:
            if own:
                made += self._hub.errands(db, config, now, self._errands, self._room)
            elif hub_url and "ping" not in self._errands:
                made += hub.ping(db, config, self._publications, now)
            asking = bool(subscriptions.due(db, now, 1))
        self._begin(made)
        if asking and self._room:
            with self._store.transaction() as db:
                made = subscriber.errands(db, config, now, self._room)
            self._begin(made)

    @property
    def _room(self) -> int:
        return max(IN_FLIGHT - len(self._errands), 0)

    def _begin(self, made: list[OutboundRequest]) -> None:
        self._errands |= {errand.key: errand for errand in made}
        self._client.add(errand.request for errand in made)

    def _step(self) -> None:
        if not self._client.pending:
            return
        for request, outcome in self._client.step():
            if not self._outcomes:
                self._since = time.monotonic()
            self._outcomes.append((self._errands[request.source_id], outcome))

    def _settle(self) -> None:
        waited = time.monotonic() - self._since
        few = len(self._outcomes) < SETTLE_AT_ONCE and waited < self._pauses.settle
        if not self._outcomes or (few and self._client.pending):
            return
        now = self._clock()
        with self._store.transaction() as db:
            for errand, outcome in self._outcomes:
                errand.settle(db, outcome, now)
        for errand, _ in self._outcomes:
            del self._errands[errand.key]
        self._outcomes.clear()
        self._told = ""

    def _complain(self, error: StoreError) -> None:
        """Say what is wrong with the database, once; whatever failed is tried again."""
        if str(error) != self._told:
            self._told = str(error)
            logger.error("event=store_failed error=%r", self._told)
