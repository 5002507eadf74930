"""The parser pool: child processes that parse documents, bounded in time and memory.

`parser_process` is their side of it.
"""

import os
import resource
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from aggregator.errors import AggregatorError
from aggregator.models.poll import Result
from aggregator.polling import parser_process, stages

MEMORY_PER_BYTE = 50
"""Address space of a child per byte of the limit `body`: 500 MB for the default of 10 MB.

The worst ordinary document of 10 MB, with 19,000 entries, needs less than 150 MB.
"""

LEAST_MEMORY = 100_000_000
"""Address space of a child whatever the limit `body`, in bytes: about 50 MB are its own."""

PAGE_MEMORY = 500_000_000
"""Address space of a child that reads pages, in bytes: the library alone needs 150 MB."""

WALL_CLOCK_FACTOR = 6
"""Wall-clock timeout as a multiple of the CPU limit.

The CPU limit ends a busy child on a loaded machine at the right time; this one ends a child that
sleeps.
"""

MOST_BYTES = 1_000_000
"""Documents of this many bytes get twice the CPU limit: ten thousand entries are legitimate."""

MOST_CHILDREN = 8

MOST_SENT, FILES_PER_BATCH = 32, 8
"""Batches sent before they are answered, so that no child waits while the scheduler stores results.

Each is an open file, so that fewer are sent where few files may be open.
"""

STOP_SECONDS = 5

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that a terminal or a service manager sends to all processes: ours end after this one."""

_PARENT = (
    "import sys; sys.path[:] = sys.argv[3:]; from socket import socket;"
    " from aggregator.polling import parser_process;"
    " parser_process.main(*(socket(fileno=int(number)) for number in sys.argv[1:3]))"
)


@contextmanager
def block_signals(*signals: signal.Signals) -> Iterator[None]:
    """Block signals while starting processes, which then begin with them blocked.

    With SIGINT blocked, only their parent ends them.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def read_documents(bodies: list[stages.Body], now: datetime) -> list[Result]:
    """Parse documents, in a child."""
    from aggregator.polling import parsing  # by the parent, before the first child

    return parsing.parse_documents(bodies, now)


@dataclass(frozen=True, slots=True)
class Answer:
    """Results of a batch, or why its documents were not parsed."""

    batch: int
    results: list[Result]
    fault: str


@dataclass(slots=True, eq=False)
class _Batch:
    """Documents for one child; `file` holds them, then the results, while they are sent."""

    number: int
    bodies: list[stages.Body]
    now: datetime
    file: int = -1

    def write(self) -> None:
        """Write what a child has to do."""
        limits = [body.request.limits for body in self.bodies]
        size = sum(len(body.fetched.body) for body in self.bodies)
        seconds = max(limit.parse for limit in limits) * (1 + min(size / MOST_BYTES, 1))
        memory = max(LEAST_MEMORY, MEMORY_PER_BYTE * max(limit.body for limit in limits))
        if any(body.request.task for body in self.bodies):
            memory = max(memory, PAGE_MEMORY)
        bounds = {
            "memory": memory,
            "cpu_seconds": seconds,
            "seconds": seconds * WALL_CLOCK_FACTOR,
        }
        self.file = parser_process.new_file()
        parser_process.write(self.file, 0, (read_documents, (self.bodies, self.now), bounds))

    def close(self) -> None:
        if self.file >= 0:
            os.close(self.file)
            self.file = -1


class ParserPool:
    """Parser processes, any of which may be killed at any time; for one thread.

    They start when there are documents for them, and end with this process.
    """

    def __init__(self, most: int | None = None) -> None:
        """Start the parent of the parser processes.

        Args:
            most: Maximum number of parser processes, one for each processor by default.

        Raises:
            AggregatorError: It can't be started.
        """
        self._most = most or min(os.cpu_count() or 1, MOST_CHILDREN)
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most_sent = min(MOST_SENT, files // FILES_PER_BATCH) if files >= 0 else MOST_SENT
        self._waiting: deque[_Batch] = deque()
        self._sent: list[_Batch] = []
        self._failed: list[Answer] = []
        self._batches = self._forked = 0
        self._children: set[int] = set()
        self._unread = b""
        self.is_lost = False
        """Whether batches were lost: close the pool, and send them to another one."""
        try:
            self._parent, self._reports, self._work = _start_parent()
        except OSError as error:
            raise AggregatorError(
                f"the parser processes can't start: {error}. See the limits of processes, memory"
                " and open files (`ulimit -a`)."
            ) from error

    def fileno(self) -> int:
        """Return the descriptor that can be read when `take` has something to return."""
        return self._reports.fileno()

    @property
    def load(self) -> int:
        """Batches without an answer."""
        return len(self._waiting) + len(self._sent)

    def send(self, bodies: list[stages.Body], now: datetime) -> int:
        """Send documents to a child; return the number of their batch."""
        self._batches += 1
        self._waiting.append(_Batch(self._batches, bodies, now))
        self._send_waiting()
        return self._batches

    def take(self, seconds: float = 0.0) -> list[Answer]:
        """Return the answers so far; wait for the first one up to `seconds`."""
        answers, self._failed = self._failed, []
        for child, code in self._take_reports(0 if answers else seconds):
            answers += self._answer(child, code)
        self._send_waiting()
        return answers

    def parse(self, body: stages.Body, now: datetime) -> Result:
        """Send one document and wait for its result."""
        self.send([body], now)
        while not self.is_lost:
            for answer in self.take(1.0):
                if answer.fault:
                    return stages.parse_failure(body, answer.fault)
                return answer.results[0]
        return stages.parse_failure(body, "the parser processes died")

    def close(self) -> None:
        """End all processes."""
        for batch in self._sent:
            batch.close()
        self._sent.clear()
        self._reports.close()
        self._work.close()
        try:
            if not self._forked:
                self._parent.kill()
            self._parent.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._parent.kill()
            self._parent.wait()

    # --- batches -------------------------------------------------------------------------------

    def _send_waiting(self) -> None:
        while self._waiting and len(self._sent) < self._most_sent:
            batch = self._waiting.popleft()
            try:
                batch.write()
            except OSError as error:
                batch.close()
                if self._sent:  # fewer files will be open then
                    self._waiting.appendleft(batch)
                    break
                self._failed.append(Answer(batch.number, [], parser_process.failure(error)))
                continue
            self._sent.append(batch)
            with self._noticing_loss():
                socket.send_fds(self._work, [b"."], [batch.file])
        while len(self._children) < min(self._most, len(self._sent)):
            self._forked += 1
            self._children.add(self._forked)
            with self._noticing_loss():
                self._reports.send(parser_process.NUMBER.pack(self._forked))

    def _take_reports(self, seconds: float) -> Iterator[tuple[int, int]]:
        self._reports.settimeout(seconds)
        with suppress(BlockingIOError, TimeoutError), self._noticing_loss():
            self._unread += self._reports.recv(4_096)
        end = len(self._unread) // parser_process.REPORT.size * parser_process.REPORT.size
        reports, self._unread = self._unread[:end], self._unread[end:]
        self.is_lost |= self._parent.poll() is not None
        yield from parser_process.REPORT.iter_unpack(reports)

    @contextmanager
    def _noticing_loss(self) -> Iterator[None]:
        try:
            yield
        except (BrokenPipeError, ConnectionResetError):
            self.is_lost = True

    def _answer(self, child: int, code: int) -> Iterator[Answer]:
        """Yield the answer of a child, or its fault if it has ended with a batch."""
        if code != parser_process.ANSWERED:
            self._children.discard(child)
        for batch in self._sent:
            if parser_process.child_of(batch.file) == child:
                self._sent.remove(batch)
                results, fault = _outcome(batch, code)
                batch.close()
                yield Answer(batch.number, results, fault)
                return
        # It may have died in between taking a batch and writing its number there.
        if code and code != parser_process.ANSWERED:
            self.is_lost |= not all(parser_process.child_of(batch.file) for batch in self._sent)


def _start_parent() -> tuple["subprocess.Popen[bytes]", socket.socket, socket.socket]:
    """Return the parent, and our ends of its sockets for reports and for work."""
    with ExitStack() as ours, ExitStack() as theirs:
        pairs = [socket.socketpair(), socket.socketpair()]
        for our, their in pairs:
            ours.enter_context(our)
            theirs.enter_context(their)
        numbers = [their.fileno() for _, their in pairs]
        with block_signals(*ENDING):
            parent = subprocess.Popen(  # noqa: S603, our own module
                [sys.executable, "-c", _PARENT, *map(str, numbers), *sys.path],
                pass_fds=numbers,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        ours.pop_all()
    [(reports, _), (work, _)] = pairs
    return parent, reports, work


def _outcome(batch: _Batch, code: int) -> tuple[list[Result], str]:
    if code == -signal.SIGALRM:
        return [], "parsing took too long and was stopped (defaults.limits.parse)"
    if code == -signal.SIGPROF:
        return [], "parsing took too much CPU time (defaults.limits.parse)"
    if code != parser_process.ANSWERED:
        return [], "the parser process died, out of memory or by a fault of the parser"
    try:
        results = parser_process.read(batch.file)
    except Exception as error:  # noqa: BLE001, a process that was given bad documents wrote it
        return [], parser_process.failure(error)
    return ([], results) if isinstance(results, str) else (results, "")
