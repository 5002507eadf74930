"""What runs in a Dask worker: the scheduler's own pipeline, in a thread, for all batches at once.

A batch waits in a thread of its own, so that a slow one keeps no other from being polled.
"""

import logging
import multiprocessing.util
import queue
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from distributed import secede

import aggregator
from aggregator.cluster.batches import Batch
from aggregator.model import Failed, FailureKind, PollResult, Request
from aggregator.pipeline import Manners, Pipeline

logger = logging.getLogger("aggregator")

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def greet(owner: str) -> str:
    """Work for a scheduler from now on, for no other any more; return our version."""
    Desk.of_process(owner)
    return aggregator.__version__


def poll_batch(owner: str, batch: Batch) -> list[PollResult] | None:
    """Poll a batch to its end; None when this process works for another scheduler, or for none."""
    desk = Desk.present
    if desk is None or desk.owner != owner:
        return None
    secede()
    return desk.poll(batch)


def cancelled(request: Request, words: str) -> PollResult:
    """Return the result of a poll that came to nothing: it is due again."""
    failed = Failed(kind=FailureKind.CANCELLED, detail=words)
    return PollResult(source_id=request.source_id, outcome=failed)


@dataclass(slots=True)
class _Order:
    """A batch that somebody waits for."""

    batch: Batch
    until: float
    results: list[PollResult] = field(default_factory=list)
    done: "Future[list[PollResult]]" = field(default_factory=Future)

    def end(self, words: str) -> None:
        came = {result.source_id for result in self.results}
        rest = [request for request in self.batch.requests if request.source_id not in came]
        self.done.set_result(self.results + [cancelled(request, words) for request in rest])


class Desk(threading.Thread):
    """The pipeline of this process, and the orders that it works on."""

    present: "Desk | None" = None
    _guard = threading.Lock()

    @classmethod
    def of_process(cls, owner: str) -> None:
        """Have a desk that works for `owner`; what another scheduler has left is dropped."""
        with cls._guard:
            if cls.present is not None:
                if cls.present.owner == owner:
                    return
                cls.present.end()
            cls.present = Desk(owner)
            cls.present.start()
            # Its children would keep the process from ending.
            multiprocessing.util.Finalize(None, cls.present.end, exitpriority=1)

    def __init__(self, owner: str) -> None:
        """Start nothing yet."""
        super().__init__(daemon=True)
        self.owner = owner
        self._over = threading.Event()
        self._arriving: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        self._orders: dict[str, _Order] = {}
        self._spacing: dict[str, float] = {}
        self._pipeline: Pipeline | None = None
        self._manners: Manners | None = None
        self._told = _LONG_AGO, 0.0

    def poll(self, batch: Batch) -> list[PollResult]:
        """Poll a batch and wait for its end; from any thread."""
        order = _Order(batch, time.monotonic() + batch.seconds)
        self._arriving.put(order)
        return order.done.result(batch.seconds * 2)

    def end(self) -> None:
        """Drop everything and end the thread."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Work until the end of this desk, or of the process."""
        while not self._over.is_set():
            try:
                self._turn()
            except Exception:
                logger.exception("event=worker_failed, its batches are due again")
                self._drop("the worker failed; its log has the traceback")
        self._drop("another scheduler has taken over")

    def _turn(self) -> None:
        self._begin()
        if self._pipeline is None:
            return
        for result in self._pipeline.step():
            order = self._orders.pop(result.source_id)
            order.results.append(result)
            if len(order.results) == len(order.batch.requests):
                order.done.set_result(order.results)
        now = time.monotonic()
        if any(order.until < now for order in self._orders.values()):
            # A batch ends by the limits of its requests: this process was stopped, or starves.
            self._drop("the worker was too slow")

    def _begin(self) -> None:
        """Take what has arrived; waits for it when there is nothing to do."""
        with suppress(queue.Empty):
            self._take(self._arriving.get(block=not self._orders, timeout=0.5))
            while True:
                self._take(self._arriving.get_nowait())

    def _take(self, order: _Order) -> None:
        batch = order.batch
        self._told = batch.now, time.monotonic()
        for host in batch.hosts:
            self._spacing.pop(host, None)
        self._spacing |= batch.spacing
        self._orders |= dict.fromkeys((request.source_id for request in batch.requests), order)
        self._pipeline_for(batch.manners).add(batch.requests, spacing=self._spacing)

    def _clock(self) -> datetime:
        """Return the scheduler's present moment: this machine's clock may be wrong."""
        now, at = self._told
        return now + timedelta(seconds=time.monotonic() - at)

    def _pipeline_for(self, manners: Manners) -> Pipeline:
        if self._pipeline is None:
            # Dask makes its workers such that they may have no children.
            multiprocessing.current_process().daemon = False
            self._pipeline = Pipeline(manners, clock=self._clock)
        elif manners != self._manners:
            self._pipeline.reconfigure(manners)
        self._manners = manners
        return self._pipeline

    def _drop(self, words: str) -> None:
        orders = {id(order): order for order in self._orders.values()}
        self._orders.clear()
        for order in orders.values():
            order.end(words)
        if self._pipeline is not None:
            pipeline, self._pipeline = self._pipeline, None
            pipeline.close()
