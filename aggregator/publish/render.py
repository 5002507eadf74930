"""Renders addresses by the application itself, and stages their files."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import BrokenBarrierError
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from aggregator.errors import AggregatorError
from aggregator.models.config import Config
from aggregator.publish import folder
from aggregator.publish.addresses import entry_id, file_of, links, with_relative_links
from aggregator.publish.folder import Staged
from aggregator.store.database.connection import Store
from aggregator.web.app import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

NOT_FOUND = "/404.html"
"""The page that static servers show for addresses without a file."""

CHUNK = 25
"""Addresses that are handed to a process at once."""

START_SECONDS = 60.0


class BuildFailed(AggregatorError):
    """A page can't be rendered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The settings of a build, for every process."""

    config: Config
    folder: str
    now: datetime
    relative: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A rendered address.

    Args:
        file: "" if the address has no page.
        staged: Its file, None if the folder has it already.
        entries, links: As in `Built`.
    """

    address: str
    file: str = ""
    staged: Staged | None = None
    entries: tuple[int, ...] = ()
    links: tuple[str, ...] = ()


class Renderer:
    """Requests addresses of the application, without a network."""

    def __init__(self, job: Job, store: Store) -> None:
        """Create the application for a store."""
        self._job = job
        self._app = create_app(lambda: job.config, store, clock=lambda: job.now).wsgi_app
        self._base = urlsplit(job.config.site.base_url)

    def render(self, address: str) -> Rendered:
        """Render an address and stage its file."""
        status, media_type, body = self.get(address)
        if status >= 500:
            raise BuildFailed(f"{address}: rendering fails with status {status}; see the log")
        if status != (404 if address == NOT_FOUND else 200):
            return Rendered(address=address)
        is_page, root = media_type == "text/html", self._base.path
        file = file_of(address, is_page=is_page)
        found = set(links(body, root)) if is_page else set()
        entries = {id for link in found if (id := entry_id(link)) is not None}
        if is_page and self._job.relative and address != NOT_FOUND:
            body = with_relative_links(body, file, root)
        return Rendered(
            address=address,
            file=file,
            staged=folder.stage(Path(self._job.folder), file, body),
            entries=tuple(sorted(entries)),
            links=tuple(sorted(link for link in found if entry_id(link) is None)),
        )

    def get(self, address: str) -> tuple[int, str, bytes]:
        """Return status, media type and body of an address."""
        answer: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            fields = {name.lower(): value for name, value in headers}
            answer["status"] = int(status.split(" ")[0])
            answer["type"] = fields.get("content-type", "").partition(";")[0]

        chunks = self._app(self._environ(address), start_response)
        try:
            body = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return answer["status"], answer["type"], body

    def _environ(self, address: str) -> "WSGIEnvironment":
        path, _, query = address.partition("?")
        return {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": self._base.hostname or "localhost",
            "SERVER_PORT": str(self._base.port or 80),
            "HTTP_HOST": self._base.netloc,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": self._base.scheme,
            "wsgi.input": _Empty(),
            "wsgi.errors": _Empty(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }


class _Empty:
    """The body of a request without one, and an error log that is not kept."""

    def read(self, *_: int) -> bytes:
        return b""

    def write(self, _: str) -> None:
        return None

    def flush(self) -> None:
        return None


class Here:
    """Renders in this process."""

    def __init__(self, job: Job, store: Store) -> None:
        """Create the application for a store; the caller keeps one snapshot of it."""
        self._renderer = Renderer(job, store)

    def render(self, addresses: Iterable[str]) -> Iterator[Rendered]:
        """Render addresses."""
        return map(self._renderer.render, addresses)


class Pool:
    """Renders in several processes, which all see one snapshot of the database."""

    def __init__(self, job: Job, processes: int) -> None:
        """Start the processes."""
        context = get_context("spawn")
        self._count, self._barrier = processes, context.Barrier(processes)
        self._pool = ProcessPoolExecutor(
            processes, context, initializer=_start, initargs=(job, self._barrier)
        )
        self._in_each(_meet)

    def begin(self) -> None:
        """Begin the snapshot of each process; the caller keeps writers out meanwhile."""
        self._in_each(_begin)

    def _in_each(self, function: Callable[[int], None]) -> None:
        with _clear_errors():
            list(self._pool.map(function, range(self._count)))

    def render(self, addresses: Sequence[str]) -> Iterator[Rendered]:
        """Render addresses."""
        chunks = [addresses[at : at + CHUNK] for at in range(0, len(addresses), CHUNK)]
        with _clear_errors():
            for rendered in self._pool.map(_render, chunks):
                yield from rendered

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def pool(job: Job, processes: int) -> Iterator[Pool]:
    """Yield a pool, and end its processes."""
    started = Pool(job, processes)
    try:
        yield started
    finally:
        started.close()


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except (BrokenProcessPool, BrokenBarrierError) as error:
        raise BuildFailed(
            "a process that renders pages ended or did not start: see whether memory is short"
            " (dmesg), and build again"
        ) from error


def available_processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# --- in a process of the pool ------------------------------------------------------------------

_process: dict[str, Any] = {}


def _start(job: Job, barrier: Barrier) -> None:
    store = Store(job.config.storage)
    _process.update(barrier=barrier, store=store, renderer=Renderer(job, store))


def _meet(_: int) -> None:
    """Wait for the others, so that each process has one of these calls."""
    _process["barrier"].wait(START_SECONDS)


def _begin(number: int) -> None:
    """Begin the snapshot of this process."""
    _process["reading"] = _process["store"].reading()
    _process["reading"].__enter__()
    _meet(number)


def _render(addresses: Sequence[str]) -> list[Rendered]:
    return [_process["renderer"].render(address) for address in addresses]
