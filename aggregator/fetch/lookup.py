"""With a proxy the address guard sees only the proxy; so hosts are looked up before it is asked."""

import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue

from aggregator.fetch import address
from aggregator.fetch.attempt import Attempt, Fault
from aggregator.models.poll import FailureKind

_THREADS = 8
"""Lookups at once; a name server that never answers holds up one of them."""


class Lookups:
    """Judges the hosts of attempts in threads that start when the first is submitted."""

    def __init__(self, allow: Iterable[str]) -> None:
        """`allow`: as in `address.refused`."""
        self._allow = tuple(allow)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="lookup")
        self._waiting: dict[str, list[Attempt]] = {}
        self._judged: SimpleQueue[tuple[str, Fault | None]] = SimpleQueue()

    @property
    def pending(self) -> bool:
        """Whether any attempt still waits."""
        return bool(self._waiting)

    def submit(self, attempt: Attempt) -> None:
        """Look up the host of the attempt's current target."""
        host = attempt.target.host
        if host in self._waiting:
            self._waiting[host].append(attempt)
        else:
            self._waiting[host] = [attempt]
            self._pool.submit(self._look, host)

    def done(self) -> Iterator[tuple[Attempt, Fault | None]]:
        """Yield each attempt whose host is judged by now, with what speaks against it."""
        with suppress(Empty):
            while self._waiting:
                host, fault = self._judged.get_nowait()
                for attempt in self._waiting.pop(host, ()):
                    yield attempt, fault

    def drain(self) -> list[Attempt]:
        """Everything that waits, which then waits no more."""
        attempts = [attempt for waiting in self._waiting.values() for attempt in waiting]
        self._waiting.clear()
        return attempts

    def close(self) -> None:
        """Wait for no lookup any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _look(self, host: str) -> None:
        self._judged.put((host, check_host(host, self._allow)))


def check_host(host: str, allow: Iterable[str]) -> Fault | None:
    """Return what speaks against a host: no address, or any one of its addresses."""
    if address.opened(host, allow):
        return None
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        words = (
            f"{host} can't be looked up here ({error.strerror}), so its address can't be checked "
            "before the proxy is asked; if it is meant, name it under `network.allow`"
        )
        return Fault(FailureKind.DNS, words)
    for *_, peer in found:
        why = address.refusal(str(peer[0]), host, allow)
        if why:
            return Fault(FailureKind.REFUSED_ADDRESS, why)
    return None
