"""The connection to Dask, in a thread of its own: which workers are there, and what they answer."""

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
from aggregator.models.poll import PollResult

logger = logging.getLogger("aggregator")

Ended = TypeVar("Ended")

LOCAL = "local:"
CONNECT_SECONDS = 5.0
LOOK_SECONDS = 0.3
"""How often it is looked for workers that came or went."""

_MEASURE_LITTLE = {
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}

GRACE_SECONDS = 2.0
"""A worker that does not answer for a lease and so long has dropped what it had, if it lives."""


@dataclass(slots=True, eq=False)
class Worker:
    """A Dask worker: `load` counts the polls it has, `tasks` wait for its answers.

    Args:
        fault: Why it gets no work, in words.
    """

    address: str
    load: int = 0
    ready: bool = False
    lost: bool = False
    fault: str = ""
    tasks: "set[asyncio.Task[Any]]" = field(default_factory=set)


class End(Enum):
    """Why nothing more will come of a batch."""

    DONE = "done"
    LOST = "its worker was lost"
    LATE = "its worker was too slow"
    DROPPED = "there is no worker for it"


@dataclass(frozen=True, slots=True)
class Answer:
    """What has come of a batch; the last one says how it ended."""

    batch: Batch
    worker: Worker
    results: list[PollResult]
    end: End | None = None


class Link(threading.Thread):
    """Connects, again and again, and greets each worker before it is given work."""

    def __init__(self, address: str, answer: Callable[[Answer], None]) -> None:
        """Start nothing yet; `answer` is called in this thread, for each batch until its end."""
        super().__init__(daemon=True)
        self._address, self._answer = address, answer
        self._owner = uuid.uuid4().hex
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._workers: dict[str, Worker] = {}
        self._client: Client | None = None
        self._silence = f"the cluster {address} is not reached yet"

    # --- from the scheduler's thread -----------------------------------------------------------

    def ready(self) -> list[Worker]:
        """Return the workers that may be given work."""
        return [worker for worker in list(self._workers.values()) if worker.ready]

    @property
    def unavailable_reason(self) -> str:
        """Why no worker can be given work, in words; "" when one can."""
        workers = list(self._workers.values())
        if any(worker.ready for worker in workers):
            return ""
        faults = [worker.fault for worker in workers if worker.fault]
        return self._silence or next(iter(faults), "") or self._lonely()

    def send(self, worker: Worker, batch: Batch) -> None:
        """Have a worker poll a batch."""
        self._loop.call_soon_threadsafe(self._begin, worker, batch)

    def abandon(self) -> None:
        """Wait for no answer any more."""
        self._loop.call_soon_threadsafe(self._abandon, *self._workers.values())

    def end(self) -> None:
        """Leave the cluster."""
        self._loop.call_soon_threadsafe(self._over.set)
        self.join()

    # --- in this thread ------------------------------------------------------------------------

    def run(self) -> None:
        """Keep the connection until the end."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._live())
        self._loop.close()

    async def _live(self) -> None:
        while not self._over.is_set():
            try:
                async with self._cluster() as address, _client(address) as self._client:
                    await self._watch(self._client)
            except Exception as error:  # noqa: BLE001, whatever Dask raises: it is tried again
                self._lose(f"{type(error).__name__}: {error}")
                await self._pause()

    @asynccontextmanager
    async def _cluster(self) -> AsyncIterator[str]:
        """Give the address of Dask's scheduler, which is started here if it is to be local."""
        if not self._address.startswith(LOCAL):
            yield self._address
            return
        # Dask's own measuring takes more of the processor than carrying does.
        dask.config.set(_MEASURE_LITTLE)
        async with LocalCluster(
            n_workers=int(self._address.removeprefix(LOCAL)),
            threads_per_worker=1,
            asynchronous=True,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,  # an end in order is full of errors to it
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
            self._silence = ""
            await self._pause()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), LOOK_SECONDS)

    def _lose(self, words: str) -> None:
        if not self._silence:
            logger.error("event=cluster_lost address=%s error=%r", self._address, words)
        self._silence = (
            f"the cluster {self._address} can't be reached ({words}); start `dask scheduler` there"
        )
        self._abandon(*self._workers.values())
        self._workers.clear()

    def _lonely(self) -> str:
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
        """Call a function in a worker, nowhere else: Dask is not to run it again elsewhere."""
        if self._client is None or self._workers.get(worker.address) is not worker:
            raise asyncio.CancelledError  # it was lost in this moment
        future = self._client.submit(
            question, self._owner, *arguments, workers=[worker.address], pure=False
        )
        try:
            return await future
        finally:
            future.release()

    async def _greet(self, worker: Worker) -> None:
        """Make a worker ready if it is of our version; say what is amiss otherwise."""
        worker.ready = False
        try:
            version = await self._ask(worker, there.greet)
        except Exception as error:  # noqa: BLE001, of whatever is installed there
            worker.fault = f"the worker {worker.address} can't poll: {error!r}"
        else:
            worker.ready = version == aggregator.__version__
            worker.fault = "" if worker.ready else _other_version(worker, version)
        if worker.fault:
            logger.error("event=worker_refused error=%r", worker.fault)

    def _greet_again(self, worker: Worker) -> None:
        """Give a worker nothing more before it has answered, and dropped what it had."""
        if worker.ready:
            worker.ready = False
            self._keep(worker, self._greet(worker))

    def _begin(self, worker: Worker, batch: Batch) -> None:
        def ended(task: "asyncio.Task[End]") -> None:
            away = End.LOST if worker.lost else End.DROPPED
            end = away if task.cancelled() else task.result()
            self._answer(Answer(batch, worker, [], end))

        # Told from outside: a task that is cancelled before its first step runs no line of its own,
        # and the hosts of the batch would wait for ever.
        self._keep(worker, self._poll(worker, batch)).add_done_callback(ended)

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
        f"the worker {worker.address} has version {version} of the aggregator, the scheduler"
        f" {aggregator.__version__}, so it gets no work; install the same there"
    )
