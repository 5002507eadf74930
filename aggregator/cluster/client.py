"""The scheduler's side of a cluster: what is sent where, and what becomes of it.

Dask only carries. What is lost with a worker is sent again by this module, which knows which hosts
must rest, and never by Dask.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from aggregator import children, poll
from aggregator.cluster import worker as there
from aggregator.cluster.batches import Batches
from aggregator.cluster.link import Answer, Link
from aggregator.model import Failed, FailureKind, PollResult, Request
from aggregator.pipeline import IN_FLIGHT, MOST_LOSSES, Manners

LOST = "the worker that polled it was lost each time"


class Cluster:
    """Takes requests and gives results as `Pipeline` does; many workers do the work."""

    def __init__(self, manners: Manners, *, address: str, clock: Callable[[], datetime]) -> None:
        """Begin to look for the cluster; whether it is there shows in `trouble`.

        Args:
            manners: What holds for every request.
            address: Of Dask's scheduler, or `local:N` for N workers on this machine.
            clock: The present moment.
        """
        self._clock, self._address = clock, address
        self._batches = Batches(manners)
        self._losses: dict[str, int] = {}
        self._flying = 0
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._results: list[PollResult] = []
        self._over = threading.Event()
        self._link = Link(address, self._answers.put)
        with children.out_of_reach_of_ctrl_c():
            self._link.start()

    @property
    def capacity(self) -> int:
        """How many polls may be under way."""
        return IN_FLIGHT * len(self._link.ready())

    @property
    def trouble(self) -> str:
        """Why nothing can be polled now, in words; "" when it can."""
        return self._link.trouble

    @property
    def pending(self) -> bool:
        """Whether any request has no result yet."""
        return bool(self._flying or len(self._batches) or self._results)

    def reconfigure(self, manners: Manners) -> None:
        """Obey other manners from the next batch on."""
        self._batches.manners = manners

    def add(self, requests: Iterable[Request], *, spacing: Mapping[str, float]) -> None:
        """Take requests, with the least seconds between two of them for hosts that want it."""
        self._batches.add(requests, spacing)

    def step(self) -> list[PollResult]:
        """Send what may go and return what has come back; waits up to 50 ms for it."""
        self._send()
        with suppress(queue.Empty):
            self._take(self._answers.get(timeout=0 if self._results else 0.05))
            while True:
                self._take(self._answers.get_nowait())
        results, self._results = self._results, []
        return results

    def stop(self) -> None:
        """Cancel everything: it is due again."""
        self._over.set()

    def close(self) -> None:
        """Leave the cluster; a local one ends."""
        self._link.end()

    # --- batches -------------------------------------------------------------------------------

    def _send(self) -> None:
        if self._over.is_set():
            self._cancel(self._batches.drain())
            self._link.abandon()
            return
        while len(self._batches):
            free = [one for one in self._link.ready() if one.load < IN_FLIGHT]
            if not free:
                return
            batch = self._batches.take(time.monotonic(), self._clock())
            if batch is None:
                return
            worker = min(free, key=lambda one: one.load)
            worker.load += len(batch.requests)
            self._flying += 1
            self._link.send(worker, batch)

    def _take(self, answer: Answer) -> None:
        self._flying -= 1
        answer.worker.load -= len(answer.batch.requests)
        self._batches.done(answer.batch, time.monotonic())
        if self._over.is_set() and answer.results is None:
            self._cancel(answer.batch.requests)
        elif answer.results is not None:
            requests = {request.source_id: request for request in answer.batch.requests}
            for result in answer.results:
                self._accept(requests[result.source_id], result)
        elif answer.suspect:
            for request in answer.batch.requests:
                self._lost(request)
        else:
            self._batches.back(answer.batch.requests)

    def _accept(self, request: Request, result: PollResult) -> None:
        outcome = result.outcome
        if isinstance(outcome, Failed) and outcome.kind is FailureKind.ELSEWHERE:
            self._batches.reroute(request, outcome.transfer.hops[-1].url)
        else:
            self._losses.pop(request.source_id, None)
            self._results.append(result)

    def _lost(self, request: Request) -> None:
        """Poll again, alone, what a lost worker had; blame what loses one each time."""
        losses = self._losses.pop(request.source_id, 0) + 1
        if losses <= MOST_LOSSES:
            self._losses[request.source_id] = losses
            self._batches.back([request], alone=True)
        else:
            failed = Failed(kind=FailureKind.PARSE, detail=LOST)
            self._results.append(poll.ended(request, failed))

    def _cancel(self, requests: Iterable[Request]) -> None:
        self._results += [
            there.cancelled(request, "stopped before its end") for request in requests
        ]
