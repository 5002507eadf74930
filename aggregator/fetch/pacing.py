"""Whose turn it is: requests wait by host, and hosts take turns.

Pure bookkeeping: what starts and ends is said by the caller, and so is the time.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

Item = TypeVar("Item")

_REMEMBERED = 3600.0
"""Seconds that a host without work is remembered; no spacing is longer."""


@dataclass(slots=True)
class _Host(Generic[Item]):
    waiting: deque[Item] = field(default_factory=deque)
    running: int = 0
    started: float = float("-inf")
    listed: bool = False


class Pacing(Generic[Item]):
    """Queues by host. Every step costs O(log hosts), however many requests wait.

    A host that may start now stands in a ring, one that waits for its spacing in a heap, and one
    with all its connections in use in neither, until `done` is called.
    """

    def __init__(self, *, connections: int, spacing: float) -> None:
        """`spacing`: least seconds between two starts, for every host."""
        self._connections = connections
        self._least = spacing
        self._spacing: Mapping[str, float] = {}
        self._hosts: dict[str, _Host[Item]] = {}
        self._ring: deque[str] = deque()
        self._later: list[tuple[float, int, str]] = []
        self._order = count()
        self._waiting = 0

    def __len__(self) -> int:
        """How many wait."""
        return self._waiting

    def heed(self, spacing: Mapping[str, float], now: float) -> None:
        """Obey another spacing by host from the next start on, and forget hosts long at rest."""
        self._spacing = spacing
        self._hosts = {
            name: host
            for name, host in self._hosts.items()
            if host.waiting or host.running or host.started > now - _REMEMBERED
        }

    def add(self, name: str, item: Item, now: float, *, ahead: bool = False) -> None:
        """Queue an item; `ahead` of all others of its host for one that is half done."""
        host = self._hosts.setdefault(name, _Host())
        if ahead:
            host.waiting.appendleft(item)
        else:
            host.waiting.append(item)
        self._waiting += 1
        self._list(name, host, now)

    def take(self, now: float) -> Item | None:
        """Return the next item that may start now; the caller says `done` when it has ended."""
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

    def done(self, name: str, now: float) -> None:
        """One of a host's items has ended."""
        host = self._hosts[name]
        host.running -= 1
        self._list(name, host, now)

    def pause(self, now: float) -> float | None:
        """Seconds until the next item may start by time alone; None when time changes nothing."""
        if self._ring:
            return 0.0
        return max(self._later[0][0] - now, 0.0) if self._later else None

    def drain(self) -> list[Item]:
        """Everything that waits, which then waits no more."""
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
