"""Runs as the parent of the parser processes, and as one of them.

    scheduler | batches of documents | children
    scheduler | numbers of children to fork | parent
    scheduler | reports: answered, ended | children and parent

A batch is a file without a name, passed as a descriptor. All children read one socket, so whichever
is free takes the next. A child writes its number into the file before all else: if it dies, that
says which documents it had. Then it replaces the documents with the results.

The parent imports the parsers once, and its children share that memory.
"""

import contextlib
import gc
import importlib
import os
import pickle
import resource
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, NoReturn

PARSERS = ("aggregator.polling.parsing", "aggregator.clean.counters")
"""Imported by the parent once for all children, and not by the scheduler."""

CHILD_TASKS = 2_000

IDLE_SECONDS = 60
"""A child without work ends after this time, and returns its memory."""

NICENESS = 5
"""Children yield to the scheduler, for which they all wait in the end, and to the web server."""

NUMBER = struct.Struct("=I")
"""Number of a child, from 1: to fork it, and at the begin of a batch that it has; 0 for none."""

REPORT = struct.Struct("=Ii")
"""Number of a child, and `ANSWERED` or its exit code, which is negative for a signal."""

ANSWERED = 1_000


def new_file() -> int:
    """Return the descriptor of an empty file without a name, in memory if the system can."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("documents")
    import tempfile  # slow to import

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def write(file: int, child: int, value: object) -> None:
    """Replace the content of a file by the number of a child and a value."""
    os.pwrite(file, NUMBER.pack(child), 0)
    os.ftruncate(file, NUMBER.size)
    with open(file, "r+b", closefd=False) as stream:
        stream.seek(NUMBER.size)
        pickle.dump(value, stream, pickle.HIGHEST_PROTOCOL)


def read(file: int) -> Any:
    """Return the value in a file."""
    with open(file, "rb", closefd=False) as stream:
        stream.seek(NUMBER.size)
        return pickle.load(stream)  # noqa: S301, of our own processes


def child_of(file: int) -> int:
    """Return the number of the child that has begun a batch, 0 if none has."""
    return int.from_bytes(os.pread(file, NUMBER.size, 0), sys.byteorder)


def failure(error: Exception) -> str:
    """Return why documents were not parsed, for the user."""
    return f"parsing failed ({type(error).__name__}: {error})"


def run_within(
    function: Callable[..., object],
    *arguments: object,
    memory: int,
    cpu_seconds: float,
    seconds: float,
) -> object:
    """Call a function within bounds.

    Args:
        function: Called with the arguments.
        memory: Bytes of address space.
        cpu_seconds: CPU time: then SIGPROF ends this process.
        seconds: Time by the clock: then SIGALRM ends it.
    """
    resource.setrlimit(resource.RLIMIT_AS, (memory, resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return function(*arguments)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


# --- a child -----------------------------------------------------------------------------------


def _answer_batches(reports: socket.socket, work: socket.socket, child: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A dying library prints a backtrace. The scheduler logs one line for the poll instead.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    os.nice(NICENESS)
    work.settimeout(IDLE_SECONDS)
    for _ in range(CHILD_TASKS):
        _, files, _, _ = socket.recv_fds(work, 1, 1)
        if not files:  # the scheduler has ended
            return
        _answer(files[0], child)
        os.close(files[0])
        reports.send(REPORT.pack(child, ANSWERED))


def _answer(file: int, child: int) -> None:
    os.pwrite(file, NUMBER.pack(child), 0)
    try:
        function, arguments, limits = read(file)
        write(file, child, run_within(function, *arguments, **limits))
    except Exception as error:  # noqa: BLE001, the scheduler learns of it
        write(file, child, failure(error))


# --- the parent --------------------------------------------------------------------------------


def main(reports: socket.socket, work: socket.socket) -> None:
    """Fork children for the scheduler until it ends; then end them.

    Args:
        reports: From here come numbers of children, and there go reports.
        work: From here children take batches.
    """
    for name in PARSERS:
        importlib.import_module(name)
    gc.freeze()  # keeps pages that all children share from being copied by the collector
    parent = _Parent(reports, work)
    try:
        with contextlib.suppress(OSError):  # the scheduler has ended
            parent.run()
    finally:
        parent.end_children()


class _Parent:
    def __init__(self, reports: socket.socket, work: socket.socket) -> None:
        self._reports, self._work = reports, work
        self._numbers: dict[int, int] = {}  # of living children, by process id
        self._woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)

    def run(self) -> None:
        asked = self._reports.fileno()
        while True:
            ready, _, _ = select.select([asked, self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, 512)
                self._report_ended()
            if asked in ready:
                number = self._reports.recv(NUMBER.size, socket.MSG_WAITALL)
                if not number:
                    return
                self._fork(*NUMBER.unpack(number))

    def _fork(self, child: int) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            self._reports.send(REPORT.pack(child, error.errno or 1))
            return
        if not pid:
            _be_child(self._reports, self._work, child)
        self._numbers[pid] = child

    def _report_ended(self) -> None:
        while self._numbers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            code = os.waitstatus_to_exitcode(status)
            self._reports.send(REPORT.pack(self._numbers.pop(pid), code))

    def end_children(self) -> None:
        for pid in self._numbers:
            os.kill(pid, signal.SIGKILL)
        for pid in self._numbers:
            os.waitpid(pid, 0)


def _be_child(reports: socket.socket, work: socket.socket, child: int) -> NoReturn:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with contextlib.suppress(OSError):  # the scheduler has ended, or there is no work
            _answer_batches(reports, work, child)
        code = 0
    finally:
        os._exit(code)
