"""Which requests may go to a worker now: a host is in one batch at a time.

So a worker alone sees to the connections and the spacing of its hosts, and limits per host hold
over the whole cluster. Pure bookkeeping: the time is said by the caller.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from aggregator.children import CHILD_PATIENCE
from aggregator.fetch import urls
from aggregator.model import Request
from aggregator.pipeline import Manners

SIZE = 16
"""Requests of a batch: many enough to hide its cost (4 ms), few enough that a slow feed, for which
the whole batch waits, holds up few others."""

_NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a worker polls at a time.

    Args:
        manners: What holds for every request.
        now: When it was made, by the scheduler's clock.
        hosts: Those that no other batch may touch meanwhile.
        spacing: Least seconds between two requests, for those that want it.
        seconds: How long it may take at most.
    """

    requests: tuple[Request, ...]
    manners: Manners
    now: datetime
    hosts: frozenset[str]
    spacing: Mapping[str, float] = field(default_factory=dict)
    seconds: float


class Batches:
    """Requests that wait, and the hosts that are held by batches under way."""

    def __init__(self, manners: Manners) -> None:
        """`manners` may be set anew at any time."""
        self.manners = manners
        self._spacing = _NONE
        self._waiting: dict[str, Request] = {}
        self._held: set[str] = set()
        self._rests: dict[str, float] = {}
        self._alone: set[str] = set()
        self._routes: dict[str, frozenset[str]] = {}

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def add(self, requests: Iterable[Request], spacing: Mapping[str, float]) -> None:
        """Let requests wait; `spacing` replaces what was said of hosts before."""
        self._spacing = spacing
        for request in requests:
            self._waiting[request.source_id] = self._routed(request)

    def back(self, requests: Iterable[Request], *, alone: bool = False) -> None:
        """Let requests wait again; `alone` if one of them may have done harm."""
        for request in requests:
            self._waiting[request.source_id] = request
            if alone:
                self._alone.add(request.source_id)

    def reroute(self, request: Request, url: str) -> None:
        """Let a request wait for one more host: it was redirected there."""
        self._routes[request.source_id] = request.hosts | {urls.host(url)}
        self._waiting[request.source_id] = self._routed(request)

    def take(self, moment: float, now: datetime) -> Batch | None:
        """Return a batch of what may go, its hosts held from now on; None when nothing may.

        Args:
            moment: Monotonic seconds.
            now: The scheduler's clock.
        """
        chosen: list[Request] = []
        counts: Counter[str] = Counter()
        for request in self._waiting.values():
            alone = request.source_id in self._alone
            if (alone and chosen) or not self._may_go(request, counts, moment):
                continue
            chosen.append(request)
            counts.update(request.hosts)
            if alone or len(chosen) >= SIZE:
                break
        if not chosen:
            return None
        for request in chosen:
            del self._waiting[request.source_id]
            self._alone.discard(request.source_id)
        self._held |= counts.keys()
        return self._batch(tuple(chosen), counts, now)

    def done(self, batch: Batch, moment: float) -> None:
        """Let go the hosts of a batch that has ended; those that want spacing rest first."""
        self._held -= batch.hosts
        self._rests = {host: end for host, end in self._rests.items() if end > moment}
        for host in batch.hosts:
            if self._space(host):
                self._rests[host] = moment + self._space(host)

    def drain(self) -> list[Request]:
        """Everything that waits, which then waits no more."""
        waiting = list(self._waiting.values())
        self._waiting.clear()
        return waiting

    def _routed(self, request: Request) -> Request:
        hosts = self._routes.get(request.source_id, frozenset())
        # Where it led the last time it will lead again.
        hosts |= {urls.host(request.url), urls.host(request.validators_url)} - {""}
        return replace(request, hosts=hosts)

    def _space(self, host: str) -> float:
        return max(self.manners.per_host.spacing.total_seconds(), self._spacing.get(host, 0.0))

    def _may_go(self, request: Request, counts: Counter[str], moment: float) -> bool:
        for host in request.hosts:
            if host in self._held or self._rests.get(host, 0.0) > moment:
                return False
            if counts[host] and self._space(host):
                return False  # it would make the batch wait for its spacing
        return True

    def _batch(self, requests: tuple[Request, ...], counts: Counter[str], now: datetime) -> Batch:
        connections = self.manners.per_host.connections
        turns = max((-(-count // connections) for count in counts.values()), default=1)
        total = max(request.limits.total for request in requests)
        parse = max(request.limits.parse for request in requests)
        return Batch(
            requests=requests,
            manners=self.manners,
            now=now,
            hosts=frozenset(counts),
            spacing={host: self._spacing[host] for host in counts if host in self._spacing},
            # One that is slow to read is read with others first and then alone, in twice the time.
            seconds=turns * total + 4 * CHILD_PATIENCE * parse,
        )
