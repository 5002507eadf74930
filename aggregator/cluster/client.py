"""The scheduler's side of a cluster: sends batches to workers and collects results.

Dask only transports. Requests lost with a worker are resent by this module, which knows the limits
per host, and never by Dask.
"""

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from multiprocessing import resource_tracker

from aggregator.cluster.batches import Batches
from aggregator.cluster.link import Answer, ClusterLink, End, Worker
from aggregator.models.poll import Failed, FailureKind, Request, Result
from aggregator.polling import parser_pool, stages
from aggregator.polling.pipeline import IN_FLIGHT, MOST_LOSSES, FetchSettings

LEASE_SECONDS = 15.0


class Cluster:
    """Polls on many workers, with the interface of `Pipeline`."""

    def __init__(
        self,
        fetch_settings: FetchSettings,
        *,
        address: str,
        clock: Callable[[], datetime],
        lease: float = LEASE_SECONDS,
    ) -> None:
        """Start connecting; `unavailable_reason` tells whether the cluster is reachable.

        Args:
            fetch_settings: Settings of every request.
            address: Address of Dask's scheduler, or `local:N` for N workers on this machine.
            clock: Returns the current time.
            lease: Seconds after which a worker drops a batch that is not asked for.
        """
        self._clock, self._address = clock, address
        self._batches = Batches(fetch_settings, lease=lease)
        self._losses: dict[str, int] = {}
        self._left: dict[int, dict[str, Request]] = {}
        self._answers: queue.Queue[Answer] = queue.Queue()  # as in `Pipeline`
        self._results: list[Result] = []
        self._over = threading.Event()
        self._link = ClusterLink(address, self._answers.put)
        resource_tracker.ensure_running()  # started later, it would unblock SIGINT
        with parser_pool.block_signals(signal.SIGINT):
            self._link.start()

    @property
    def capacity(self) -> int:
        """Maximum number of polls in flight."""
        return IN_FLIGHT * len(self._link.ready())

    @property
    def unavailable_reason(self) -> str:
        """Why polling is impossible right now, "" when it is possible."""
        return self._link.unavailable_reason

    @property
    def pending(self) -> bool:
        """Whether any request is unfinished."""
        return bool(self._left or len(self._batches) or self._results)

    def reconfigure(self, fetch_settings: FetchSettings) -> None:
        """Use new settings from the next batch on."""
        self._batches.fetch_settings = fetch_settings

    def add(self, requests: Iterable[Request], *, spacing: Mapping[str, float]) -> None:
        """Queue requests; `spacing` maps a host to its minimum seconds between two requests."""
        self._batches.add(requests, spacing)

    def step(self) -> list[Result]:
        """Send batches and return finished results; block for up to 50 ms."""
        self._send()
        with suppress(queue.Empty):
            self._take(self._answers.get(timeout=0 if self._results else 0.05))
            while True:
                self._take(self._answers.get_nowait())
        results, self._results = self._results, []
        return results

    def stop(self) -> None:
        """Cancel everything; cancelled polls are due again."""
        self._over.set()

    def close(self) -> None:
        """Leave the cluster; a local one stops."""
        self._link.end()

    # --- batches -------------------------------------------------------------------------------

    def _send(self) -> None:
        if self._over.is_set():
            self._cancel(self._batches.drain(), "cancelled")
            self._link.abandon()
            return
        sent = True
        while sent and len(self._batches):
            free = [worker for worker in self._link.ready() if worker.load < IN_FLIGHT]
            free.sort(key=lambda worker: worker.load)
            sent = any(self._send_to(worker) for worker in free)

    def _send_to(self, worker: Worker) -> bool:
        batch = self._batches.take(worker.address, time.monotonic(), self._clock())
        if batch is None:
            return False
        worker.load += len(batch.requests)
        self._left[batch.number] = {request.key: request for request in batch.requests}
        self._link.send(worker, batch)
        return True

    def _take(self, answer: Answer) -> None:
        left = self._left[answer.batch.number]
        for result in answer.results:
            self._finish(result, self._release(left.pop(result.key), answer.worker))
        if answer.end is None:
            return
        rest = [self._release(request, answer.worker) for request in left.values()]
        del self._left[answer.batch.number]
        if self._over.is_set() or answer.end is End.LATE:
            self._cancel(rest, answer.end.value)
        elif answer.end in (End.LOST, End.DONE):
            for request in rest:
                self._lost(request)
        else:
            for request in rest:
                self._batches.requeue(request)

    def _release(self, request: Request, worker: Worker) -> Request:
        worker.load -= 1
        self._batches.mark_done(request, time.monotonic())
        return request

    def _finish(self, result: Result, request: Request) -> None:
        outcome = result.outcome
        is_elsewhere = isinstance(outcome, Failed) and outcome.kind is FailureKind.ELSEWHERE
        if isinstance(outcome, Failed) and is_elsewhere and not request.is_page:
            if not self._batches.requeue(request, url=outcome.transfer.hops[-1].url):
                reason = "it redirects to a different host each time"
                self._fail([request], FailureKind.REDIRECTS, reason)
        else:
            self._losses.pop(request.key, None)
            self._results.append(result)

    def _lost(self, request: Request) -> None:
        """Poll a request of a lost worker again; fail it after several losses."""
        losses = self._losses.pop(request.key, 0) + 1
        if losses <= MOST_LOSSES:
            self._losses[request.key] = losses
            self._batches.requeue(request)
        else:
            self._fail([request], FailureKind.PARSE, "its worker was lost each time")

    def _cancel(self, requests: Iterable[Request], reason: str) -> None:
        self._fail(requests, FailureKind.CANCELLED, reason)

    def _fail(self, requests: Iterable[Request], kind: FailureKind, reason: str) -> None:
        for request in requests:
            self._results.append(stages.failure_of(request, Failed(kind=kind, detail=reason)))
