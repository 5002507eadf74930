"""Queues requests by host and decides which one starts next.

Pure bookkeeping: the caller reports starts, ends and the time.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

Item = TypeVar("Item")

_REMEMBERED = 3600.0
"""Seconds after which an idle host is forgotten; no spacing is longer."""


@dataclass(slots=True)
class _Host(Generic[Item]):
    waiting: deque[Item] = field(default_factory=deque)
    running: int = 0
    started: float = float("-inf")
    listed: bool = False


class Pacing(Generic[Item]):
    """Queues by host; each operation costs O(log hosts), independent of the queue length.

    A host that may start is in a ring. A host that waits for its spacing is in a heap. A host with
    all its connections in use is in neither until `mark_done` is called.
    """

    def __init__(self, *, connections: int, spacing: float) -> None:
        """`spacing`: minimum seconds between two starts, for every host."""
        self._connections = connections
        self._least = spacing
        self._spacing: Mapping[str, float] = {}
        self._hosts: dict[str, _Host[Item]] = {}
        self._ring: deque[str] = deque()
        self._later: list[tuple[float, int, str]] = []
        self._order = count()
        self._waiting = 0

    def __len__(self) -> int:
        """Return the number of waiting items."""
        return self._waiting

    def set_spacing(self, spacing: Mapping[str, float], now: float) -> None:
        """Set the spacing per host for the next starts, and forget idle hosts."""
        self._spacing = spacing
        self._hosts = {
            name: host
            for name, host in self._hosts.items()
            if host.waiting or host.running or host.started > now - _REMEMBERED
        }

    def add(self, name: str, item: Item, now: float, *, ahead: bool = False) -> None:
        """Queue an item; `ahead` puts a request that was redirected before others of its host."""
        host = self._hosts.setdefault(name, _Host())
        if ahead:
            host.waiting.appendleft(item)
        else:
            host.waiting.append(item)
        self._waiting += 1
        self._list(name, host, now)

    def take(self, now: float) -> Item | None:
        """Return the next item that may start; the caller calls `mark_done` when it ends."""
        while self._later and self._later[0][0] <= now:
            self._ring.append(heappop(self._later)[2])
        if not self._ring:
            return None
        name = self._ring.popleft()
        host = self._hosts[name]
        host.listed = False
        host.running += 1
        host.started = now
        self._waiting -= 1
        item = host.waiting.popleft()
        self._list(name, host, now)
        return item

    def mark_done(self, name: str, now: float) -> None:
        """Record that one of a host's items ended."""
        host = self._hosts[name]
        host.running -= 1
        self._list(name, host, now)

    def pause(self, now: float) -> float | None:
        """Return seconds until the next item may start, None if none waits for its spacing."""
        if self._ring:
            return 0.0
        return max(self._later[0][0] - now, 0.0) if self._later else None

    def drain(self) -> list[Item]:
        """Remove and return all waiting items."""
        items = [item for host in self._hosts.values() for item in host.waiting]
        for host in self._hosts.values():
            host.waiting.clear()
            host.listed = False
        self._ring.clear()
        self._later.clear()
        self._waiting = 0
        return items

    def _list(self, name: str, host: _Host[Item], now: float) -> None:
        if host.listed or not host.waiting or host.running >= self._connections:
            return
        host.listed = True
        start = host.started + max(self._least, self._spacing.get(name, 0.0))
        if start > now:
            heappush(self._later, (start, next(self._order), name))
        else:
            self._ring.append(name)
