"""The parser pool: child processes that parse documents, bounded in time and memory."""

import errno
import gc
import multiprocessing
import os
import resource
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from datetime import datetime
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerContext

from pebble import CONSTS, ProcessExpired, ProcessPool

from aggregator.errors import AggregatorError
from aggregator.models.poll import Result
from aggregator.polling import stages

Answer = Future[list[Result]]

MEMORY_PER_BYTE = 50
"""Address space of a child per byte of the limit `body`: 500 MB for the default of 10 MB.

The worst ordinary document of 10 MB, with 19,000 entries, needs less than 150 MB.
"""

PAGE_MEMORY = 500_000_000
"""Address space of a child that reads pages, in bytes: the library alone needs 150 MB."""

WALL_CLOCK_FACTOR = 6
"""Wall-clock timeout as a multiple of the CPU limit.

The CPU limit ends a busy child on a loaded machine at the right time; this one ends a child that
sleeps.
"""

LONGEST_FOLDER = 70
"""Characters; the address of a socket has 107, and multiprocessing adds two names."""

MOST_BYTES = 1_000_000
"""Documents of this many bytes get twice the CPU limit: ten thousand entries are legitimate."""

CHILD_TASKS = 2_000

_NO_SHARED_MEMORY = frozenset({errno.EACCES, errno.ENOENT, errno.ENOSPC, errno.EROFS})

PARSERS = ("aggregator.polling.parsing", "aggregator.clean.counters")
"""Imported by the fork server once for all children, and not by the scheduler."""

# A child killed while it receives work never releases the channel's lock. The others give up after
# this many seconds, and the pool is replaced.
CONSTS.channel_lock_timeout = 10


def _begin_child() -> None:
    gc.freeze()  # keeps pages that all children share from being copied by the collector
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A dying library prints a backtrace. The scheduler logs one line for the poll instead.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


def read_in_child(bodies: list[stages.Body], now: datetime, seconds: float) -> list[Result]:
    """Parse documents within bounds of memory, and of `seconds` of CPU time: then SIGPROF kills."""
    from aggregator.polling import parsing  # by the fork server, before the first child

    memory = MEMORY_PER_BYTE * max(body.request.limits.body for body in bodies)
    if any(body.request.task for body in bodies):
        memory = max(memory, PAGE_MEMORY)
    resource.setrlimit(resource.RLIMIT_AS, (memory, resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return parsing.parse_documents(bodies, now)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def send(pool: ProcessPool, bodies: list[stages.Body], now: datetime) -> Answer:
    """Send documents to a child; `fault` explains a failed future."""
    size = sum(len(body.fetched.body) for body in bodies)
    limit = max(body.request.limits.parse for body in bodies) * (1 + min(size / MOST_BYTES, 1))
    try:
        future: Answer = pool.schedule(
            read_in_child, args=(bodies, now, limit), timeout=limit * WALL_CLOCK_FACTOR
        )
    except RuntimeError as error:  # the pool just broke
        future = Future()
        future.set_exception(BrokenProcessPool(str(error)))
    return future


def is_unread(future: Answer) -> bool:
    """Return whether the documents have to be sent again if the pool is broken."""
    return not future.done() or isinstance(future.exception(), BrokenProcessPool)


@contextmanager
def block_signals(*signals: signal.Signals) -> Iterator[None]:
    """Block signals while starting processes, which then begin with them blocked.

    With SIGINT blocked, only their parent ends them.
    """
    resource_tracker.ensure_running()  # started later, it would unblock SIGINT
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def prepare() -> None:
    """Start the fork server, which imports the parsers while the first documents are fetched.

    Where it can't be started, `start` says why.
    """
    with suppress(OSError), block_signals(signal.SIGINT):
        _context()
        forkserver.ensure_running()


def start(workers: int | None = None) -> ProcessPool:
    """Start a pool of parser processes; any of them may be killed at any time.

    Raises:
        AggregatorError: The machine has no shared memory for them.
    """
    try:
        return _start(workers)
    except OSError as error:
        if error.filename or error.errno not in _NO_SHARED_MEMORY:
            raise
        raise AggregatorError(
            f"the parser processes can't start: /dev/shm can't be written ({error.strerror})."
            " In a container, mount a tmpfs there."
        ) from error


def _start(workers: int | None) -> ProcessPool:
    pool = ProcessPool(
        max_workers=workers or min(os.cpu_count() or 1, 8),
        max_tasks=CHILD_TASKS,
        initializer=_begin_child,
        context=_context(),
    )
    with block_signals(signal.SIGINT):
        if not pool.active:  # reading the property starts the children
            raise RuntimeError("the parser processes do not start")
    return pool


def _context() -> ForkServerContext:
    _use_temporary_folder()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *PARSERS])
    return context


def _use_temporary_folder() -> None:
    """Let the socket of the fork server be in shared memory where it can't be in a usual folder.

    That is where no such folder can be written, or where its path is too long for a socket's.
    """
    try:
        is_usable = len(tempfile.gettempdir()) <= LONGEST_FOLDER
    except FileNotFoundError:
        is_usable = False
    if not is_usable:
        tempfile.tempdir = "/dev/shm"  # noqa: S108  # multiprocessing makes a folder of mode 700


def fault(future: Answer) -> str:
    """Return why a parse failed, "" when it succeeded."""
    error = future.exception()
    match error:
        case None:
            return ""
        case TimeoutError():
            return "parsing took too long and was stopped (defaults.limits.parse)"
        case ProcessExpired() if error.exitcode == -signal.SIGPROF:
            return "parsing took too much CPU time (defaults.limits.parse)"
        case ProcessExpired():
            return "the parser process died, out of memory or by a fault of the parser"
        case _:
            return f"parsing failed ({type(error).__name__}: {error})"


def results(future: Answer, bodies: list[stages.Body]) -> list[Result]:
    """Wait for a child and return its results; a fault fails each document."""
    reason = fault(future)
    return [stages.parse_failure(body, reason) for body in bodies] if reason else future.result()
