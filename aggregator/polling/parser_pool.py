"""The children that read documents: processes that may be killed, bounded in time and memory."""

import gc
import multiprocessing
import os
import resource
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from multiprocessing import resource_tracker

from pebble import CONSTS, ProcessExpired, ProcessPool

from aggregator.models.poll import PollResult
from aggregator.polling import stages

Answer = Future[list[PollResult]]

CHILD_MEMORY = 1_000_000_000
CHILD_PATIENCE = 6
"""Times the limit of processor time that a child is waited for by the clock: others need the
processor too, and one that sleeps or is starved must end as well."""

MOST_BYTES = 1_000_000
"""Documents of so many bytes are given twice the time: ten thousand entries are no attack."""

CHILD_TASKS = 2_000

# A child that is killed while it takes its work keeps the lock on it for ever; the others give up
# after so many seconds, and new children are made.
CONSTS.channel_lock_timeout = 10


def _begin_child() -> None:
    gc.freeze()  # what all children share stays shared while nobody looks at it
    resource.setrlimit(resource.RLIMIT_AS, (CHILD_MEMORY, CHILD_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def read_in_child(bodies: list[stages.Body], now: datetime, seconds: float) -> list[PollResult]:
    """Read documents within so much processor time; the system ends the process that takes more."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return stages.read(bodies, now)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def send(pool: ProcessPool, bodies: list[stages.Body], now: datetime) -> Answer:
    """Let a child read documents; what `fault` says of the future is theirs."""
    size = sum(len(body.fetched.body) for body in bodies)
    limit = max(body.request.limits.parse for body in bodies) * (1 + min(size / MOST_BYTES, 1))
    future: Answer = pool.schedule(
        read_in_child, args=(bodies, now, limit), timeout=limit * CHILD_PATIENCE
    )
    return future


@contextmanager
def out_of_reach_of_ctrl_c() -> Iterator[None]:
    """Start processes here that Ctrl-C does not interrupt: their parent ends them."""
    resource_tracker.ensure_running()  # started later, it would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def reading_pool(workers: int | None = None) -> ProcessPool:
    """Return the pool of children that read documents; a child may be killed at any time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    pool = ProcessPool(
        max_workers=workers or min(os.cpu_count() or 1, 8),
        max_tasks=CHILD_TASKS,
        initializer=_begin_child,
        context=context,
    )
    with out_of_reach_of_ctrl_c():
        if not pool.active:  # the question starts the children
            raise RuntimeError("the children that read documents do not start")
    return pool


def fault(future: Answer) -> str:
    """Return why a child did not answer, "" when it did."""
    error = future.exception()
    match error:
        case None:
            return ""
        case TimeoutError():
            return "reading it took too long and was stopped (defaults.limits.parse)"
        case ProcessExpired() if error.exitcode == -signal.SIGPROF:
            return "reading it took too much processor time (defaults.limits.parse)"
        case ProcessExpired():
            return "the process that read it died, out of memory or by a fault of the parser"
        case _:
            return f"reading it failed ({type(error).__name__}: {error})"


def reading(future: Answer, bodies: list[stages.Body]) -> list[PollResult]:
    """Return what a child read, waiting for it; a fault becomes each document's failure."""
    words = fault(future)
    return [stages.broken(body, words) for body in bodies] if words else future.result()
