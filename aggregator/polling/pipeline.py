"""Requests to results, in one thread; runs in the scheduler or in a cluster worker.

    requests | fetch | check | parse in child processes | results

It has no database access and never blocks on a single transfer or document.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from aggregator.errors import AggregatorError
from aggregator.fetch.client import Client
from aggregator.models.config import PerHost
from aggregator.models.poll import Request, Result
from aggregator.polling import stages

if TYPE_CHECKING:
    from aggregator.polling.parser_pool import ParserPool

logger = logging.getLogger("aggregator")

IN_FLIGHT = 400
"""Maximum polls in flight in one process, which bounds memory."""

BATCH_DOCUMENTS, BATCH_BYTES = 16, 400_000
"""Upper bounds of one message to a child: many small documents together, a large one alone."""

ENOUGH_BATCHES = 8
"""Batches that keep all children busy until the next step, unless it stores results meanwhile."""

WAIT_SECONDS = 0.05

MOST_LOSSES = 3
"""Retries of documents whose parser processes died, before the documents are failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """Settings of every request: User-Agent, allowed networks, proxy, and limits per host."""

    user_agent: str
    allow: tuple[str, ...] = ()
    proxy: str = ""
    per_host: PerHost = PerHost()  # noqa: RUF009, frozen


class PollExecutor(Protocol):
    """Turns requests into results: a `Pipeline`, or a cluster of them."""

    @property
    def capacity(self) -> int:
        """Maximum number of polls in flight."""

    @property
    def unavailable_reason(self) -> str:
        """Why polling is impossible right now, "" when it is possible."""

    @property
    def pending(self) -> bool:
        """Whether any request is unfinished."""

    def reconfigure(self, fetch_settings: FetchSettings) -> None:
        """Use new settings from the next request on."""

    def add(self, requests: Iterable[Request], *, spacing: Mapping[str, float]) -> None:
        """Queue requests; `spacing` maps a host to its minimum seconds between two requests."""

    def step(self) -> list[Result]:
        """Make progress and return finished results; block for up to 50 ms."""

    def stop(self) -> None:
        """Cancel fetches; documents already fetched are still parsed."""

    def close(self) -> None:
        """Stop everything immediately."""


@dataclass(frozen=True, slots=True)
class _Parse:
    """Documents sent to a child; `losses` counts how often the pool died with them."""

    bodies: list[stages.Body]
    losses: int

    @property
    def is_of_page(self) -> bool:
        return self.bodies[0].request.task is not None


def _is_first(request: Request) -> bool:
    """Return whether this is the first poll of a source: one that brings a document."""
    return bool(request.source_id) and not (request.body_hash or request.message or request.task)


def _in_batches(bodies: list[stages.Body]) -> list[list[stages.Body]]:
    """Return documents in batches, the smallest first; the last batch has room for more."""
    batches: list[list[stages.Body]] = [[]]
    size = 0
    for body in sorted(bodies, key=lambda body: len(body.fetched.body)):
        if batches[-1] and size + len(body.fetched.body) > BATCH_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(body)
        size += len(body.fetched.body)
        if len(batches[-1]) >= BATCH_DOCUMENTS or size >= BATCH_BYTES:
            batches.append([])
            size = 0
    return batches


class Pipeline:
    """Fetches and parses, in the thread that calls `step`."""

    capacity = IN_FLIGHT
    unavailable_reason = ""

    def __init__(self, fetch_settings: FetchSettings, *, clock: Callable[[], datetime]) -> None:
        """Start nothing yet; parser processes start with the first document.

        Args:
            fetch_settings: Settings of every request.
            clock: Returns the current time.
        """
        self._clock = clock
        self._pool: ParserPool | None = None
        self._bodies: list[stages.Body] = []
        self._pages: deque[stages.Body] = deque()
        self._readings: dict[int, _Parse] = {}
        self._results: list[Result] = []
        self._clients: list[Client] = []
        self.reconfigure(fetch_settings)

    def reconfigure(self, fetch_settings: FetchSettings) -> None:
        """Use new settings from the next request on."""
        # Requests of earlier clients continue; a client is closed when its last request has ended.
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
        """Queue requests; `spacing` maps a host to its minimum seconds between two requests."""
        asked = []
        for request in requests:
            if request.document:
                self._accept(stages.check(request, request.document))
            else:
                asked.append(request)
        if asked:
            self._clients[0].add(asked, spacing=spacing)
            if self._pool is None and any(map(_is_first, asked)):
                # The parsers are imported while the first documents are fetched. Where that can't
                # be started, the first document raises the error.
                with suppress(AggregatorError):
                    self._start_pool()

    @property
    def pending(self) -> bool:
        """Whether any request is unfinished."""
        return bool(
            self._fetching or self._readings or self._bodies or self._pages or self._results
        )

    def step(self) -> list[Result]:
        """Make progress and return finished results; block for up to 50 ms."""
        wake = self._pool.fileno() if self._pool and self._readings else None
        for client in list(self._clients):
            if client.pending:
                for request, outcome in client.step(wake):
                    self._accept(stages.check(request, outcome))
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

    def _accept(self, checked: Result | stages.Body) -> None:
        if not isinstance(checked, stages.Body):
            self._results.append(checked)
        elif checked.request.task:
            self._pages.append(checked)
        else:
            self._bodies.append(checked)

    def _send_to_children(self) -> None:
        *full, last = _in_batches(self._bodies)
        for batch in full:
            self._send(batch)
        # A part of a batch waits for more documents as long as the children have enough to do.
        is_enough = self._pool is not None and self._pool.load >= ENOUGH_BATCHES
        self._bodies = last if is_enough else []
        if last and not is_enough:
            self._send(last)
        # One page at a time, so that feeds find the other children free.
        if self._pages and not any(parse.is_of_page for parse in self._readings.values()):
            self._send([self._pages.popleft()])

    def _start_pool(self) -> "ParserPool":
        if self._pool is None:
            from aggregator.polling.parser_pool import ParserPool  # only needed for documents

            self._pool = ParserPool()
        return self._pool

    def _send(self, batch: list[stages.Body], losses: int = 0) -> None:
        number = self._start_pool().send(batch, self._clock())
        self._readings[number] = _Parse(batch, losses)

    def _collect(self) -> None:
        seconds = 0.0 if self._fetching or self._results else WAIT_SECONDS
        if self._pool is None:
            time.sleep(seconds)
            return
        if not (seconds or self._readings):  # most polls bring no document
            return
        for answer in self._pool.take(seconds):
            bodies = self._readings.pop(answer.batch).bodies
            if not answer.fault:
                self._results += answer.results
            elif len(bodies) == 1:
                self._results.append(stages.parse_failure(bodies[0], answer.fault))
            else:
                # One of them is to blame; sent alone, each fails or succeeds on its own.
                for body in bodies:
                    self._send([body])
        if self._pool.is_lost:
            self._replace_pool(self._pool)

    def _replace_pool(self, lost: "ParserPool") -> None:
        """Send the documents of a pool to a new one; without any, the next ones start it."""
        logger.error("event=parser_pool_lost action=restart")
        lost.close()
        self._pool = None
        readings, self._readings = self._readings, {}
        for reading in readings.values():
            if reading.losses < MOST_LOSSES:
                self._send(reading.bodies, reading.losses + 1)
            else:
                reason = "the parser processes died each time"
                self._results += [stages.parse_failure(body, reason) for body in reading.bodies]

    def stop(self) -> None:
        """Cancel fetches; documents already fetched are still parsed."""
        for client in self._clients:
            client.stop()

    def close(self) -> None:
        """Stop the parser processes and close all connections."""
        if self._pool:
            self._pool.close()
        for client in self._clients:
            client.close()
