"""The loop that polls what it is offered: all transfers, children and transactions in one thread.

    offer | fetch | read in killable children | ingest

A slow feed delays nothing but itself, as nothing here ever waits for one.
"""

import logging
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aggregator
from aggregator import children, ingest, poll, schedule
from aggregator.children import Answer
from aggregator.errors import StoreError
from aggregator.fetch.client import Client
from aggregator.ingest import Context, Ingested
from aggregator.model import Config, PollResult
from aggregator.store import log, sources
from aggregator.store.db import Store, stamp

logger = logging.getLogger("aggregator")

IN_FLIGHT = 400
"""Polls under way at most, from fetch to transaction: bounds memory."""

HOST_SHARE = 50
"""Of these, for one host: its thousand feeds must not keep others from their turn."""

BATCH_DOCUMENTS, BATCH_BYTES = 16, 400_000
"""A child gets so much at a time: one message for many small documents, a large one alone."""

STORE_RESULTS, STORE_SECONDS = 100, 0.2
"""A transaction is made for so many results, or once the oldest has waited so long."""

MOST_LOSSES = 3
"""Times that documents are read again after all children were lost, before they are blamed."""

STOP_SECONDS = 8.0


def utc_now() -> datetime:
    """Return the present moment; the clock of the scheduler."""
    return datetime.now(UTC)


def user_agent(config: Config) -> str:
    """Return the User-Agent that tells publishers who asks and how to complain."""
    contact = f"; {config.site.contact}" if config.site.contact else ""
    return f"feed-aggregator/{aggregator.__version__} (+{config.site.base_url}{contact})"


@dataclass(frozen=True, slots=True)
class _Reading:
    """Documents that a child is reading; `losses` counts the times that all children were lost."""

    bodies: list[poll.Body]
    losses: int


def _unread(answer: Answer) -> bool:
    """Whether no child has answered: not yet, or never as the pool has broken."""
    return not answer.done() or isinstance(answer.exception(), BrokenProcessPool)


@dataclass(slots=True)
class _Pending:
    """What waits between the stages of the loop."""

    bodies: list[poll.Body] = field(default_factory=list)
    readings: dict[Answer, _Reading] = field(default_factory=dict)
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
        self._pool = children.reading_pool()
        self._offers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._busy: Counter[str] = Counter()
        self._flying: dict[str, str] = {}
        self._guard = threading.Lock()
        self._pending = _Pending()
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
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
            answer = children.send(self._pool, batch, self._clock())
        except RuntimeError as error:  # the pool broke in this moment; the next turn mends it
            answer = Answer()
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
        self._pool = children.reading_pool()
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
            fault = children.fault(answer)
            if not fault:
                for result in answer.result():
                    self._result(result)
            elif len(bodies) == 1:
                self._result(poll.broken(bodies[0], fault))
            else:
                # One of them did it; alone, each answers for itself.
                for body in bodies:
                    self._send([body])

    def _answered(self) -> Iterator[Answer]:
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
