"""What runs in a Dask worker: the scheduler's own pipeline, in one thread for all batches."""

import logging
import multiprocessing.util
import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from distributed import secede

import aggregator
from aggregator.cluster.batches import Batch
from aggregator.models.poll import PollResult
from aggregator.polling.pipeline import FetchSettings, Pipeline

logger = logging.getLogger("aggregator")

ANSWER_SECONDS = 0.5
"""A batch is answered after so long, though some of it is still under way."""


@dataclass(frozen=True, slots=True)
class Polled:
    """What has come of a batch since it was last asked for; no more will when it is `over`."""

    results: list[PollResult]
    over: bool


def greet(owner: str) -> str:
    """Work for a scheduler from now on, for no other any more; return our version."""
    WorkerRuntime.work_for(owner)
    return aggregator.__version__


def poll_batch(owner: str, batch: Batch) -> Polled:
    """Poll a batch and return what has come within a second; `more` returns the rest."""
    return _desk(owner).begin(batch)


def more(owner: str, number: int) -> Polled:
    """Return what has come of a batch a while later.

    So a slow feed delays few others, and a worker knows that its work is still wanted.
    """
    return _desk(owner).go_on(number)


def _desk(owner: str) -> "WorkerRuntime":
    secede()  # this thread waits, and others are to be called meanwhile
    if WorkerRuntime.present is None or WorkerRuntime.present.owner != owner:
        raise LookupError("this worker was restarted, or works for another scheduler")
    return WorkerRuntime.present


@dataclass(slots=True, eq=False)
class _Order:
    """A batch under way; `left` are the sources that have no result yet."""

    batch: Batch
    left: set[str]
    asked: float = field(default_factory=time.monotonic)
    results: "queue.SimpleQueue[PollResult]" = field(default_factory=queue.SimpleQueue)
    over: threading.Event = field(default_factory=threading.Event)

    def answer(self, seconds: float) -> Polled:
        self.asked = time.monotonic()
        over = self.over.wait(seconds)
        results = []
        with suppress(queue.Empty):
            while True:
                results.append(self.results.get_nowait())
        return Polled(results, over)


class WorkerRuntime(threading.Thread):
    """The pipeline of this process, and the orders that it works on."""

    present: "WorkerRuntime | None" = None
    _guard = threading.Lock()

    @classmethod
    def work_for(cls, owner: str) -> None:
        """Have a desk for `owner`; what another scheduler has left is dropped."""
        with cls._guard:
            if cls.present is not None:
                cls.present.end()
            cls.present = WorkerRuntime(owner)
            cls.present.start()
            # Its children would keep the process from ending.
            multiprocessing.util.Finalize(None, cls.present.end, exitpriority=1)

    def __init__(self, owner: str) -> None:
        """Start nothing yet."""
        super().__init__(daemon=True)
        self.owner = owner
        self._end = threading.Event()
        self._arriving: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        self._orders: dict[int, _Order] = {}
        self._waiting: dict[str, _Order] = {}
        self._spacing: dict[str, float] = {}
        self._pipeline: Pipeline | None = None
        self._manners: FetchSettings | None = None
        self._told = datetime(1970, 1, 1, tzinfo=UTC), 0.0

    # --- from the threads that wait ------------------------------------------------------------

    def begin(self, batch: Batch) -> Polled:
        """Take a batch, and answer."""
        order = _Order(batch, {request.source_id for request in batch.requests})
        self._orders[batch.number] = order
        self._arriving.put(order)
        return self._answer(order, min(ANSWER_SECONDS, batch.lease / 3))

    def go_on(self, number: int) -> Polled:
        """Answer for a batch that was begun."""
        order = self._orders[number]
        return self._answer(order, order.batch.lease / 3)

    def _answer(self, order: _Order, seconds: float) -> Polled:
        polled = order.answer(seconds)
        if polled.over:
            self._orders.pop(order.batch.number, None)
        return polled

    def end(self) -> None:
        """Drop everything and end the thread."""
        self._end.set()
        self.join()

    # --- in this thread ------------------------------------------------------------------------

    def run(self) -> None:
        """Work until the end of this desk, or of the process."""
        while not self._end.is_set():
            try:
                self._turn()
            except Exception:
                logger.exception("event=worker_failed, its batches are due again")
                self._drop()
        self._drop()

    def _turn(self) -> None:
        self._drop_unasked()
        with suppress(queue.Empty):
            self._take(self._arriving.get(block=not self._waiting, timeout=0.5))
            while True:
                self._take(self._arriving.get_nowait())
        for result in self._pipeline.step() if self._pipeline else ():
            order = self._waiting.pop(result.source_id)
            order.results.put(result)
            order.left.discard(result.source_id)
            if not order.left:
                order.over.set()

    def _take(self, order: _Order) -> None:
        batch = order.batch
        self._told = batch.now, time.monotonic()
        for host in {host for request in batch.requests for host in request.hosts}:
            self._spacing.pop(host, None)
        self._spacing |= batch.spacing
        self._waiting |= dict.fromkeys(order.left, order)
        self._pipeline_for(batch.fetch_settings).add(batch.requests, spacing=self._spacing)

    def _clock(self) -> datetime:
        """Return the scheduler's present moment: this machine's clock may be wrong."""
        now, at = self._told
        return now + timedelta(seconds=time.monotonic() - at)

    def _pipeline_for(self, fetch_settings: FetchSettings) -> Pipeline:
        if self._pipeline is None:
            # Dask makes its workers such that they may have no children.
            multiprocessing.current_process().daemon = False
            self._pipeline = Pipeline(fetch_settings, clock=self._clock)
        elif fetch_settings != self._manners:
            self._pipeline.reconfigure(fetch_settings)
        self._manners = fetch_settings
        return self._pipeline

    def _drop_unasked(self) -> None:
        """Drop everything once something is not asked for any more: nothing of it is wanted."""
        now = time.monotonic()
        if any(order.asked + order.batch.lease < now for order in list(self._orders.values())):
            logger.warning("event=not_asked, the batches of this worker are dropped")
            self._drop()

    def _drop(self) -> None:
        self._orders.clear()
        orders, self._waiting = set(self._waiting.values()), {}
        with suppress(queue.Empty):
            while True:
                orders.add(self._arriving.get_nowait())
        if self._pipeline is not None:
            pipeline, self._pipeline = self._pipeline, None
            pipeline.close()
        for order in orders:
            order.over.set()
