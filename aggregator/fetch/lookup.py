"""Checks hosts before a proxy is asked: the address check of a connection sees the proxy only."""

import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue

from aggregator.fetch import address
from aggregator.fetch.attempt import Attempt, Fault
from aggregator.models.poll import FailureKind

_THREADS = 8
"""Simultaneous lookups; a name server that never answers blocks one of them."""


class Lookups:
    """Looks up and checks hosts in threads that start with the first attempt."""

    def __init__(self, allow: Iterable[str]) -> None:
        """`allow`: as in `address.refusal_reason`."""
        self._allow = tuple(allow)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="lookup")
        self._waiting: dict[str, list[Attempt]] = {}
        self._checked: SimpleQueue[tuple[str, Fault | None]] = SimpleQueue()

    @property
    def pending(self) -> bool:
        """Whether any lookup is unfinished."""
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
        """Yield each attempt whose host was checked, with the reason to refuse it or None."""
        with suppress(Empty):
            while self._waiting:
                host, fault = self._checked.get_nowait()
                for attempt in self._waiting.pop(host, ()):
                    yield attempt, fault

    def drain(self) -> list[Attempt]:
        """Remove and return all waiting attempts."""
        attempts = [attempt for waiting in self._waiting.values() for attempt in waiting]
        self._waiting.clear()
        return attempts

    def close(self) -> None:
        """Abandon unfinished lookups."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _look(self, host: str) -> None:
        self._checked.put((host, check_host(host, self._allow)))


def check_host(host: str, allow: Iterable[str]) -> Fault | None:
    """Return why a host is refused: no address, or a refused address; None when it is allowed."""
    if address.is_open(host, allow):
        return None
    try:
        addresses = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        reason = (
            f"can't look up {host} ({error.strerror}) to check its address before asking the "
            "proxy; to allow it unchecked, add it to `network.allow`"
        )
        return Fault(FailureKind.DNS, reason)
    for *_, peer in addresses:
        why = address.refusal_message(str(peer[0]), host, allow)
        if why:
            return Fault(FailureKind.REFUSED_ADDRESS, why)
    return None
