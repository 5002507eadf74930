"""Runs in a Dask worker: the same pipeline as in the scheduler, in one thread for all batches."""

import logging
import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from distributed import secede

import aggregator
from aggregator.cluster.batches import Batch
from aggregator.models.poll import Result
from aggregator.polling.pipeline import FetchSettings, Pipeline

logger = logging.getLogger("aggregator")

ANSWER_SECONDS = 0.5
"""Time after which a batch is answered with the results so far."""


@dataclass(frozen=True, slots=True)
class Polled:
    """Results of a batch since the last answer; `over` if there will be no more."""

    results: list[Result]
    over: bool


def greet(owner: str) -> str:
    """Work for this scheduler only from now on; return our version."""
    WorkerRuntime.work_for(owner)
    return aggregator.__version__


def poll_batch(owner: str, batch: Batch) -> Polled:
    """Start a batch and return the results of the first moments; `more` returns the rest."""
    return _runtime(owner).begin(batch)


def more(owner: str, number: int) -> Polled:
    """Return further results of a batch.

    Repeated short calls keep a slow feed from delaying others, and tell the worker that the
    scheduler still wants the results.
    """
    return _runtime(owner).go_on(number)


def _runtime(owner: str) -> "WorkerRuntime":
    secede()  # this thread blocks, so Dask needs another one for further calls
    if WorkerRuntime.present is None or WorkerRuntime.present.owner != owner:
        raise LookupError("this worker restarted, or works for another scheduler")
    return WorkerRuntime.present


@dataclass(slots=True, eq=False)
class _BatchInFlight:
    """A batch in flight; `left` holds the sources without a result."""

    batch: Batch
    left: set[str]
    last_asked: float = field(default_factory=time.monotonic)
    results: "queue.SimpleQueue[Result]" = field(default_factory=queue.SimpleQueue)
    over: threading.Event = field(default_factory=threading.Event)

    def answer(self, seconds: float) -> Polled:
        self.last_asked = time.monotonic()
        over = self.over.wait(seconds)
        results = []
        with suppress(queue.Empty):
            while True:
                results.append(self.results.get_nowait())
        return Polled(results, over)


class WorkerRuntime(threading.Thread):
    """The pipeline of this process, and the batches that it works on."""

    present: "WorkerRuntime | None" = None
    _guard = threading.Lock()

    @classmethod
    def work_for(cls, owner: str) -> None:
        """Start a runtime for `owner`; batches of another scheduler are dropped."""
        with cls._guard:
            if cls.present is not None:
                cls.present.end()
            cls.present = WorkerRuntime(owner)
            cls.present.start()

    def __init__(self, owner: str) -> None:
        """Start nothing yet."""
        super().__init__(daemon=True)
        self.owner = owner
        self._end = threading.Event()
        self._arriving: queue.SimpleQueue[_BatchInFlight] = queue.SimpleQueue()
        self._in_flight: dict[int, _BatchInFlight] = {}
        self._waiting: dict[str, _BatchInFlight] = {}
        self._spacing: dict[str, float] = {}
        self._pipeline: Pipeline | None = None
        self._fetch_settings: FetchSettings | None = None
        self._clock_set = datetime(1970, 1, 1, tzinfo=UTC), 0.0

    # --- in Dask's threads ---------------------------------------------------------------------

    def begin(self, batch: Batch) -> Polled:
        """Accept a batch and return its first results."""
        pending = _BatchInFlight(batch, {request.key for request in batch.requests})
        self._in_flight[batch.number] = pending
        self._arriving.put(pending)
        return self._answer(pending, min(ANSWER_SECONDS, batch.lease / 3))

    def go_on(self, number: int) -> Polled:
        """Return further results of an accepted batch."""
        pending = self._in_flight[number]
        return self._answer(pending, pending.batch.lease / 3)

    def _answer(self, pending: _BatchInFlight, seconds: float) -> Polled:
        polled = pending.answer(seconds)
        if polled.over:
            self._in_flight.pop(pending.batch.number, None)
        return polled

    def end(self) -> None:
        """Drop all batches and stop the thread."""
        self._end.set()
        self.join()

    # --- in this thread ------------------------------------------------------------------------

    def run(self) -> None:
        """Work until `end` is called."""
        while not self._is_over:
            try:
                self._turn()
            except Exception:
                if not self._is_over:
                    logger.exception("event=worker_failed action=drop_batches")
                self._drop()
        self._drop()

    @property
    def _is_over(self) -> bool:
        """Whether the work or this process ends; the parser pool stops with the main thread."""
        return self._end.is_set() or not threading.main_thread().is_alive()

    def _turn(self) -> None:
        self._drop_unasked()
        with suppress(queue.Empty):
            self._take(self._arriving.get(block=not self._waiting, timeout=0.5))
            while True:
                self._take(self._arriving.get_nowait())
        if self._pipeline is None or self._is_over:
            return
        for result in self._pipeline.step():
            pending = self._waiting.pop(result.key)
            pending.results.put(result)
            pending.left.discard(result.key)
            if not pending.left:
                pending.over.set()

    def _take(self, pending: _BatchInFlight) -> None:
        batch = pending.batch
        self._clock_set = batch.now, time.monotonic()
        for host in {host for request in batch.requests for host in request.hosts}:
            self._spacing.pop(host, None)
        self._spacing |= batch.spacing
        self._waiting |= dict.fromkeys(pending.left, pending)
        self._pipeline_for(batch.fetch_settings).add(batch.requests, spacing=self._spacing)

    def _clock(self) -> datetime:
        """Return the scheduler's current time; this machine's clock may be wrong."""
        now, at = self._clock_set
        return now + timedelta(seconds=time.monotonic() - at)

    def _pipeline_for(self, fetch_settings: FetchSettings) -> Pipeline:
        if self._pipeline is None:
            self._pipeline = Pipeline(fetch_settings, clock=self._clock)
        elif fetch_settings != self._fetch_settings:
            self._pipeline.reconfigure(fetch_settings)
        self._fetch_settings = fetch_settings
        return self._pipeline

    def _drop_unasked(self) -> None:
        """Drop all batches when the scheduler stopped asking for one of them."""
        now = time.monotonic()
        if any(
            pending.last_asked + pending.batch.lease < now
            for pending in list(self._in_flight.values())
        ):
            logger.warning("event=lease_expired action=drop_batches")
            self._drop()

    def _drop(self) -> None:
        self._in_flight.clear()
        in_flight, self._waiting = set(self._waiting.values()), {}
        with suppress(queue.Empty):
            while True:
                in_flight.add(self._arriving.get_nowait())
        if self._pipeline is not None:
            pipeline, self._pipeline = self._pipeline, None
            pipeline.close()
        for pending in in_flight:
            pending.over.set()
