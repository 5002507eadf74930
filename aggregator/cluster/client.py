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

from aggregator.cluster.batches import Batches
from aggregator.cluster.link import Answer, End, Link, Worker
from aggregator.models.poll import Failed, FailureKind, PollResult, Request
from aggregator.polling import parser_pool, stages
from aggregator.polling.pipeline import IN_FLIGHT, MOST_LOSSES, FetchSettings

LEASE_SECONDS = 15.0


class Cluster:
    """Takes requests and gives results as `Pipeline` does; many workers do the work."""

    def __init__(
        self,
        fetch_settings: FetchSettings,
        *,
        address: str,
        clock: Callable[[], datetime],
        lease: float = LEASE_SECONDS,
    ) -> None:
        """Begin to look for the cluster; whether it is there shows in `unavailable_reason`.

        Args:
            manners: What holds for every request.
            address: Of Dask's scheduler, or `local:N` for N workers on this machine.
            clock: The present moment.
            lease: Seconds after which a worker drops what is not asked for.
        """
        self._clock, self._address = clock, address
        self._batches = Batches(fetch_settings, lease=lease)
        self._losses: dict[str, int] = {}
        self._left: dict[int, dict[str, Request]] = {}
        self._answers: queue.Queue[Answer] = queue.Queue()  # as in `Pipeline`
        self._results: list[PollResult] = []
        self._over = threading.Event()
        self._link = Link(address, self._answers.put)
        with parser_pool.sigint_blocked():
            self._link.start()

    @property
    def capacity(self) -> int:
        """How many polls may be under way."""
        return IN_FLIGHT * len(self._link.ready())

    @property
    def unavailable_reason(self) -> str:
        """Why nothing can be polled now, in words; "" when it can."""
        return self._link.unavailable_reason

    @property
    def pending(self) -> bool:
        """Whether any request has no result yet."""
        return bool(self._left or len(self._batches) or self._results)

    def reconfigure(self, fetch_settings: FetchSettings) -> None:
        """Obey other manners from the next batch on."""
        self._batches.fetch_settings = fetch_settings

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
            self._cancel(self._batches.drain(), "stopped before its end")
            self._link.abandon()
            return
        sent = True
        while sent and len(self._batches):
            free = [one for one in self._link.ready() if one.load < IN_FLIGHT]
            sent = any(self._send_to(worker) for worker in sorted(free, key=lambda one: one.load))

    def _send_to(self, worker: Worker) -> bool:
        batch = self._batches.take(worker.address, time.monotonic(), self._clock())
        if batch is None:
            return False
        worker.load += len(batch.requests)
        self._left[batch.number] = {request.source_id: request for request in batch.requests}
        self._link.send(worker, batch)
        return True

    def _take(self, answer: Answer) -> None:
        left = self._left[answer.batch.number]
        for result in answer.results:
            self._came(result, self._back(left.pop(result.source_id), answer.worker))
        if answer.end is None:
            return
        rest = [self._back(request, answer.worker) for request in left.values()]
        del self._left[answer.batch.number]
        if self._over.is_set() or answer.end is End.LATE:
            self._cancel(rest, answer.end.value)
        elif answer.end in (End.LOST, End.DONE):
            for request in rest:
                self._lost(request)
        else:
            for request in rest:
                self._batches.again(request)

    def _back(self, request: Request, worker: Worker) -> Request:
        worker.load -= 1
        self._batches.done(request, time.monotonic())
        return request

    def _came(self, result: PollResult, request: Request) -> None:
        outcome = result.outcome
        if isinstance(outcome, Failed) and outcome.kind is FailureKind.ELSEWHERE:
            if not self._batches.again(request, url=outcome.transfer.hops[-1].url):
                words = "it redirects to another host each time it is asked"
                self._fail([request], FailureKind.REDIRECTS, words)
        else:
            self._losses.pop(request.source_id, None)
            self._results.append(result)

    def _lost(self, request: Request) -> None:
        """Poll again what a lost worker had; what is lost each time waits as after a failure."""
        losses = self._losses.pop(request.source_id, 0) + 1
        if losses <= MOST_LOSSES:
            self._losses[request.source_id] = losses
            self._batches.again(request)
        else:
            self._fail([request], FailureKind.PARSE, "the worker that polled it was lost each time")

    def _cancel(self, requests: Iterable[Request], words: str) -> None:
        self._fail(requests, FailureKind.CANCELLED, words)

    def _fail(self, requests: Iterable[Request], kind: FailureKind, words: str) -> None:
        for request in requests:
            self._results.append(stages.ended(request, Failed(kind=kind, detail=words)))
