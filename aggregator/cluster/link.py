"""The connection to Dask, in its own thread: tracks workers and collects their answers."""

import asyncio
import logging
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

import dask
from distributed import Client, LocalCluster

import aggregator
from aggregator.cluster import worker as there
from aggregator.cluster.batches import Batch
from aggregator.models.poll import Result

logger = logging.getLogger("aggregator")

Ended = TypeVar("Ended")

LOCAL = "local:"
CONNECT_SECONDS = 5.0
LOOK_SECONDS = 0.3
"""Interval between checks for new and lost workers."""

_LESS_MONITORING = {
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}

GRACE_SECONDS = 2.0
"""Time after the lease within which a living worker has dropped a batch."""


@dataclass(slots=True, eq=False)
class Worker:
    """A Dask worker.

    Args:
        load: Polls in flight on it.
        fault: Why it gets no work, "" if it does.
        tasks: Wait for its answers.
    """

    address: str
    load: int = 0
    ready: bool = False
    lost: bool = False
    fault: str = ""
    tasks: "set[asyncio.Task[Any]]" = field(default_factory=set)


class End(Enum):
    """Why a batch is over."""

    DONE = "done"
    LOST = "its worker was lost"
    LATE = "its worker was too slow"
    DROPPED = "there is no worker for it"


@dataclass(frozen=True, slots=True)
class Answer:
    """Results of a batch so far; the last answer of a batch has an `end`."""

    batch: Batch
    worker: Worker
    results: list[Result]
    end: End | None = None


class ClusterLink(threading.Thread):
    """Connects, reconnects, and checks each worker before it gets work."""

    def __init__(self, address: str, answer: Callable[[Answer], None]) -> None:
        """Start nothing yet; `answer` is called in this thread, for each batch until it is over."""
        super().__init__(daemon=True)
        self._address, self._answer = address, answer
        self._owner = uuid.uuid4().hex
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._workers: dict[str, Worker] = {}
        self._client: Client | None = None
        self._connection_error = f"not connected to the cluster {address} yet"

    # --- from the scheduler's thread -----------------------------------------------------------

    def ready(self) -> list[Worker]:
        """Return the workers that accept batches."""
        return [worker for worker in list(self._workers.values()) if worker.ready]

    @property
    def unavailable_reason(self) -> str:
        """Why no worker accepts batches, "" when one does."""
        workers = list(self._workers.values())
        if any(worker.ready for worker in workers):
            return ""
        faults = [worker.fault for worker in workers if worker.fault]
        return self._connection_error or next(iter(faults), "") or self._no_worker()

    def send(self, worker: Worker, batch: Batch) -> None:
        """Send a batch to a worker."""
        self._loop.call_soon_threadsafe(self._begin, worker, batch)

    def abandon(self) -> None:
        """Stop waiting for answers."""
        self._loop.call_soon_threadsafe(self._abandon, *self._workers.values())

    def end(self) -> None:
        """Leave the cluster."""
        self._loop.call_soon_threadsafe(self._over.set)
        self.join()

    # --- in this thread ------------------------------------------------------------------------

    def run(self) -> None:
        """Keep the connection until `end` is called."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._live())
        self._loop.close()

    async def _live(self) -> None:
        while not self._over.is_set():
            try:
                async with self._cluster() as address, _client(address) as self._client:
                    await self._watch(self._client)
            except Exception as error:  # noqa: BLE001, reconnect after any error of Dask
                self._lose(f"{type(error).__name__}: {error}")
                await self._pause()

    @asynccontextmanager
    async def _cluster(self) -> AsyncIterator[str]:
        """Yield the address of Dask's scheduler, started here for a local cluster."""
        if not self._address.startswith(LOCAL):
            yield self._address
            return
        # Dask's own monitoring takes more CPU time than its transport.
        dask.config.set(_LESS_MONITORING)
        async with LocalCluster(
            n_workers=int(self._address.removeprefix(LOCAL)),
            threads_per_worker=1,
            asynchronous=True,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,  # a clean shutdown logs errors
        ) as cluster:
            yield cluster.scheduler_address

    async def _watch(self, client: Client) -> None:
        while not self._over.is_set():
            if client.status != "running":
                raise OSError("the connection was lost")
            present = await client.nthreads()
            for address in self._workers.keys() - present:
                self._workers[address].lost = True
                self._abandon(self._workers.pop(address))
            for address in present.keys() - self._workers.keys():
                self._workers[address] = worker = Worker(address)
                self._keep(worker, self._greet(worker))
            self._connection_error = ""
            await self._pause()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), LOOK_SECONDS)

    def _lose(self, reason: str) -> None:
        if not self._connection_error:
            logger.error("event=cluster_lost address=%s error=%r", self._address, reason)
        self._connection_error = (
            f"can't reach the cluster {self._address} ({reason}); start `dask scheduler` there"
        )
        self._abandon(*self._workers.values())
        self._workers.clear()

    def _no_worker(self) -> str:
        return (
            f"the cluster {self._address} has no worker;"
            f" start `dask worker {self._address}` where the aggregator is installed"
        )

    def _abandon(self, *workers: Worker) -> None:
        for worker in workers:
            worker.ready = False
            for task in worker.tasks:
                task.cancel()

    # --- a worker ------------------------------------------------------------------------------

    def _keep(self, worker: Worker, work: Coroutine[Any, Any, Ended]) -> "asyncio.Task[Ended]":
        task = self._loop.create_task(work)
        worker.tasks.add(task)
        task.add_done_callback(worker.tasks.discard)
        return task

    async def _ask(self, worker: Worker, question: Callable[..., Any], *arguments: object) -> Any:
        """Call a function in this worker; Dask must not run it elsewhere."""
        if self._client is None or self._workers.get(worker.address) is not worker:
            raise asyncio.CancelledError  # the worker was just lost
        future = self._client.submit(
            question, self._owner, *arguments, workers=[worker.address], pure=False
        )
        try:
            return await future
        finally:
            future.release()

    async def _greet(self, worker: Worker) -> None:
        """Accept a worker of our version; otherwise record its fault."""
        worker.ready = False
        try:
            version = await self._ask(worker, there.greet)
        except Exception as error:  # noqa: BLE001, from any software installed there
            worker.fault = f"the worker {worker.address} can't poll: {error!r}"
        else:
            worker.ready = version == aggregator.__version__
            worker.fault = "" if worker.ready else _other_version(worker, version)
        if worker.fault:
            logger.error("event=worker_refused error=%r", worker.fault)

    def _greet_again(self, worker: Worker) -> None:
        """Send no batch to a worker until it answered again, and so dropped its old batches."""
        if worker.ready:
            worker.ready = False
            self._keep(worker, self._greet(worker))

    def _begin(self, worker: Worker, batch: Batch) -> None:
        def finish(task: "asyncio.Task[End]") -> None:
            cancelled = End.LOST if worker.lost else End.DROPPED
            end = cancelled if task.cancelled() else task.result()
            self._answer(Answer(batch, worker, [], end))

        # A callback, because a task cancelled before its first step runs no code of its own, and
        # the hosts of the batch would stay blocked.
        self._keep(worker, self._poll(worker, batch)).add_done_callback(finish)

    async def _poll(self, worker: Worker, batch: Batch) -> End:
        try:
            asked = self._ask(worker, there.poll_batch, batch)
            while not (polled := await asyncio.wait_for(asked, batch.lease + GRACE_SECONDS)).over:
                self._answer(Answer(batch, worker, polled.results))
                asked = self._ask(worker, there.more, batch.number)
            self._answer(Answer(batch, worker, polled.results))
        except LookupError:
            self._greet_again(worker)
            return End.DROPPED
        except TimeoutError:
            logger.error("event=worker_slow address=%s", worker.address)  # noqa: TRY400
            self._greet_again(worker)
            return End.LATE
        except Exception:
            logger.exception("event=batch_failed address=%s", worker.address)
            return End.LOST
        return End.DONE


def _client(address: str) -> Client:
    return Client(
        address,
        asynchronous=True,
        timeout=CONNECT_SECONDS,
        set_as_default=False,
        direct_to_workers=True,
    )


def _other_version(worker: Worker, version: str) -> str:
    return (
        f"the worker {worker.address} runs version {version} of the aggregator, the scheduler"
        f" {aggregator.__version__}; install the same version there"
    )
