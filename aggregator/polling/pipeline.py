"""From requests to results, in one thread: what the scheduler does itself, or a cluster's worker.

    requests | fetch | judge | read in killable children | results

It has no database and never waits for one transfer or one document.
"""

import logging
import queue
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pebble import ProcessPool

from aggregator.fetch.client import Client
from aggregator.models.config import PerHost
from aggregator.models.poll import PollResult, Request
from aggregator.polling import parser_pool, stages
from aggregator.polling.parser_pool import Answer

logger = logging.getLogger("aggregator")

IN_FLIGHT = 400
"""Polls under way in one process at most, from fetch to result: bounds memory."""

BATCH_DOCUMENTS, BATCH_BYTES = 16, 400_000
"""A child gets so much at a time: one message for many small documents, a large one alone."""

MOST_LOSSES = 3
"""Times that documents are read again after all children were lost, before they are blamed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """What holds for every request: who asks, what may be reached, and how hosts are treated."""

    user_agent: str
    allow: tuple[str, ...] = ()
    proxy: str = ""
    per_host: PerHost = PerHost()  # noqa: RUF009, frozen


class PollExecutor(Protocol):
    """Where requests go in and results come out: a `Pipeline`, or a cluster of them."""

    @property
    def capacity(self) -> int:
        """How many polls may be under way."""

    @property
    def unavailable_reason(self) -> str:
        """Why nothing can be polled now, in words; "" when it can."""

    @property
    def pending(self) -> bool:
        """Whether any request has no result yet."""

    def reconfigure(self, fetch_settings: FetchSettings) -> None:
        """Obey other manners from the next request on."""

    def add(self, requests: Iterable[Request], *, spacing: Mapping[str, float]) -> None:
        """Take requests, with the least seconds between two of them for hosts that want it."""

    def step(self) -> list[PollResult]:
        """Move everything on and return what has ended; waits up to 50 ms for it."""

    def stop(self) -> None:
        """Cancel what is being fetched; what has been is still read."""

    def close(self) -> None:
        """End everything at once."""


@dataclass(frozen=True, slots=True)
class _Parse:
    """Documents that a child is reading; `losses` counts the times that all children were lost."""

    bodies: list[stages.Body]
    losses: int


def _unread(answer: Answer) -> bool:
    """Whether no child has answered: not yet, or never as the pool has broken."""
    return not answer.done() or isinstance(answer.exception(), BrokenProcessPool)


class Pipeline:
    """Fetches and reads; everything happens in the thread that calls `step`."""

    capacity = IN_FLIGHT
    unavailable_reason = ""

    def __init__(self, fetch_settings: FetchSettings, *, clock: Callable[[], datetime]) -> None:
        """Start nothing yet; the children that read start with the first document.

        Args:
            manners: What holds for every request.
            clock: The present moment.
        """
        self._clock = clock
        self._pool: ProcessPool | None = None
        self._bodies: list[stages.Body] = []
        self._readings: dict[Answer, _Parse] = {}
        # Not a SimpleQueue, whose get waits for ever if its process is halted in the moment when
        # the time is up: it takes what is left, being less than nothing, for no limit.
        self._answers: queue.Queue[Answer] = queue.Queue()
        self._results: list[PollResult] = []
        self._clients: list[Client] = []
        self.reconfigure(fetch_settings)

    def reconfigure(self, fetch_settings: FetchSettings) -> None:
        """Obey other manners from the next request on."""
        # What the earlier clients have under way goes on; they are closed when it has ended.
        self._clients.insert(
            0,
            Client(
                user_agent=fetch_settings.user_agent,
                allow=fetch_settings.allow,
                proxy=fetch_settings.proxy,
                per_host=fetch_settings.per_host,
                clock=self._clock,
            ),
        )

    def add(self, requests: Iterable[Request], *, spacing: Mapping[str, float]) -> None:
        """Take requests, with the least seconds between two of them for hosts that want it."""
        asked = []
        for request in requests:
            if request.document:
                self._fetched(stages.check_fetch(request, request.document))
            else:
                asked.append(request)
        if asked:
            self._clients[0].add(asked, spacing=spacing)

    @property
    def pending(self) -> bool:
        """Whether any request has no result yet."""
        return bool(self._fetching or self._readings or self._bodies or self._results)

    def step(self) -> list[PollResult]:
        """Move everything on and return what has ended; waits up to 50 ms for it."""
        self._mend_pool()
        for client in list(self._clients):
            if client.pending:
                for request, outcome in client.step():
                    self._fetched(stages.check_fetch(request, outcome))
            elif client is not self._clients[0]:
                client.close()
                self._clients.remove(client)
        self._send_to_children()
        self._collect()
        results, self._results = self._results, []
        return results

    @property
    def _fetching(self) -> bool:
        return any(client.pending for client in self._clients)

    def _fetched(self, judged: PollResult | stages.Body) -> None:
        if isinstance(judged, PollResult):
            self._results.append(judged)
        else:
            self._bodies.append(judged)

    def _send_to_children(self) -> None:
        # What has come is sent at once when a child would stand idle, else in larger parcels.
        bodies, self._bodies = self._bodies, []
        batch: list[stages.Body] = []
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

    def _send(self, batch: list[stages.Body], losses: int = 0) -> None:
        self._pool = self._pool or parser_pool.reading_pool()
        try:
            answer = parser_pool.send(self._pool, batch, self._clock())
        except RuntimeError as error:  # the pool broke in this moment; the next turn mends it
            answer = Answer()
            answer.set_exception(BrokenProcessPool(str(error)))
        self._readings[answer] = _Parse(batch, losses)
        answer.add_done_callback(self._answers.put)

    def _mend_pool(self) -> None:
        """Make new children when the pool has broken, and let them read what the old ones had.

        It breaks when a child is killed while it reads nothing, by hand or for its memory.
        """
        if self._pool is None or self._pool.active:
            return
        logger.error("event=children_lost, new ones are made")
        self._pool.stop()
        self._pool.join()
        self._pool = parser_pool.reading_pool()
        for answer in [answer for answer in self._readings if _unread(answer)]:
            reading = self._readings.pop(answer)
            if reading.losses < MOST_LOSSES:
                self._send(reading.bodies, reading.losses + 1)
            else:
                words = "the processes that read it died each time"
                self._results += [stages.broken(body, words) for body in reading.bodies]

    def _collect(self) -> None:
        for answer in self._answered():
            if _unread(answer) or answer not in self._readings:
                continue  # the next turn mends it, or the last one did
            bodies = self._readings.pop(answer).bodies
            fault = parser_pool.fault(answer)
            if not fault:
                self._results += answer.result()
            elif len(bodies) == 1:
                self._results.append(stages.broken(bodies[0], fault))
            else:
                # One of them did it; alone, each answers for itself.
                for body in bodies:
                    self._send([body])

    def _answered(self) -> Iterator[Answer]:
        """Give the answers of children; waits a little for one when nothing is being fetched."""
        with suppress(queue.Empty):
            if not (self._fetching or self._results):
                yield self._answers.get(timeout=0.02)
            while True:
                yield self._answers.get_nowait()

    def stop(self) -> None:
        """Cancel what is being fetched; what has been is still read."""
        for client in self._clients:
            client.stop()

    def close(self) -> None:
        """End the children and connections."""
        if self._pool:
            self._pool.stop()
            self._pool.join()
        for client in self._clients:
            client.close()
