"""Which requests may go to which worker: a host's requests are with one worker at a time.

That worker alone sees to the connections and the spacing of the host, so limits per host hold over
the whole cluster. Pure bookkeeping: the time is said by the caller.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from aggregator.models.poll import Request
from aggregator.models.urls import host_of
from aggregator.polling.pipeline import FetchSettings

SIZE = 40
"""Requests of a batch: so many hide its cost, some milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a worker is given at a time.

    Args:
        number: Names it among all of one scheduler.
        manners: What holds for every request.
        now: When it was made, by the scheduler's clock.
        spacing: Least seconds between two requests, for those of its hosts that want it.
        lease: A worker that is not asked for it within so many seconds drops it.
    """

    number: int
    requests: tuple[Request, ...]
    fetch_settings: FetchSettings
    now: datetime
    spacing: Mapping[str, float] = field(default_factory=dict)
    lease: float


class Batches:
    """Requests that wait, and which worker the hosts of the others are with."""

    def __init__(self, fetch_settings: FetchSettings, *, lease: float) -> None:
        """`fetch_settings` may be set anew at any time; `lease` is that of every batch."""
        self.fetch_settings, self._lease = fetch_settings, lease
        self._made = 0
        self._spacing: Mapping[str, float] = {}
        self._waiting: dict[str, Request] = {}
        self._routes: dict[str, frozenset[str]] = {}
        self._astray: Counter[str] = Counter()
        self._place: dict[str, str] = {}
        self._under_way: Counter[str] = Counter()
        self._rests: dict[str, float] = {}

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def add(self, requests: Iterable[Request], spacing: Mapping[str, float]) -> None:
        """Let requests wait; `spacing` replaces what was said of hosts before."""
        for request in requests:
            self._astray.pop(request.source_id, None)
            if request.document:  # nobody has to be asked for it
                self._waiting[request.source_id] = request
                continue
            self._spacing = spacing
            hosts = self._routes.get(request.source_id, frozenset())
            # Where it led the last time it will lead again.
            hosts |= {host_of(request.url), host_of(request.validators_url)} - {""}
            self._waiting[request.source_id] = replace(request, hosts=hosts)

    def again(self, request: Request, *, url: str = "") -> bool:
        """Let a request wait once more, for the host of `url` too if it was redirected there.

        False when it was led to other hosts too often: a server may name a new one each time.
        """
        if url:
            self._astray[request.source_id] += 1
            most = request.limits.redirects
            if self._astray[request.source_id] > most:
                self._routes.pop(request.source_id, None)
                return False
            known = (
                request.hosts if len(request.hosts) <= most else frozenset({host_of(request.url)})
            )
            request = replace(request, hosts=known | {host_of(url)})
            self._routes[request.source_id] = request.hosts
        self._waiting[request.source_id] = request
        return True

    def take(self, worker: str, moment: float, now: datetime) -> Batch | None:
        """Return a batch of what may go to a worker, None when nothing may.

        Args:
            worker: Its address.
            moment: Monotonic seconds.
            now: The scheduler's clock.
        """
        chosen: list[Request] = []
        for request in self._waiting.values():
            if not self._may_go(request, worker, moment):
                continue
            chosen.append(request)
            self._under_way.update(request.hosts)
            self._place |= dict.fromkeys(request.hosts, worker)
            if len(chosen) == SIZE:
                break
        if not chosen:
            return None
        for request in chosen:
            del self._waiting[request.source_id]
        hosts = {host for request in chosen for host in request.hosts}
        self._made += 1
        return Batch(
            number=self._made,
            requests=tuple(chosen),
            fetch_settings=self.fetch_settings,
            now=now,
            spacing={host: self._spacing[host] for host in hosts if host in self._spacing},
            lease=self._lease,
        )

    def done(self, request: Request, moment: float) -> None:
        """Take a request back; a host that has none under way is free, after its spacing."""
        for host in request.hosts:
            self._under_way[host] -= 1
            if not self._under_way[host]:
                del self._under_way[host], self._place[host]
                if self._space(host):
                    self._rests[host] = moment + self._space(host)

    def drain(self) -> list[Request]:
        """Everything that waits, which then waits no more."""
        waiting = list(self._waiting.values())
        self._waiting.clear()
        return waiting

    def _space(self, host: str) -> float:
        return max(
            self.fetch_settings.per_host.spacing.total_seconds(), self._spacing.get(host, 0.0)
        )

    def _may_go(self, request: Request, worker: str, moment: float) -> bool:
        for host in request.hosts:
            if self._place.get(host, worker) != worker:
                return False
            if self._under_way[host] and self._space(host):
                return False  # the spacing counts from the end of the last, wherever that was
            if self._rests.get(host, 0.0) > moment:
                return False
            self._rests.pop(host, None)
        return True
