"""Decides which requests go to which worker: one worker at a time polls a host.

That worker enforces the host's connection limit and spacing, so limits per host hold across the
cluster. Pure bookkeeping: the caller passes the time.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from aggregator.models.poll import Request
from aggregator.models.urls import host_of
from aggregator.polling.pipeline import FetchSettings

SIZE = 40
"""Requests per batch, enough to hide the few milliseconds that a batch costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Requests sent to a worker together.

    Args:
        number: Unique per scheduler.
        fetch_settings: Settings of every request.
        now: Creation time by the scheduler's clock.
        spacing: Minimum seconds between two requests, for hosts of the batch that need it.
        lease: Seconds after which a worker drops a batch that the scheduler no longer asks for.
    """

    number: int
    requests: tuple[Request, ...]
    fetch_settings: FetchSettings
    now: datetime
    spacing: Mapping[str, float] = field(default_factory=dict)
    lease: float


class Batches:
    """Waiting requests, and the worker of each host that is being polled."""

    def __init__(self, fetch_settings: FetchSettings, *, lease: float) -> None:
        """`fetch_settings` may be replaced at any time; `lease` applies to every batch."""
        self.fetch_settings, self._lease = fetch_settings, lease
        self._last_number = 0
        self._spacing: Mapping[str, float] = {}
        self._waiting: dict[str, Request] = {}
        self._routes: dict[str, frozenset[str]] = {}
        self._redirects: Counter[str] = Counter()
        self._worker_of: dict[str, str] = {}
        self._in_flight: Counter[str] = Counter()
        self._free_at: dict[str, float] = {}

    def __len__(self) -> int:
        """Return the number of waiting requests."""
        return len(self._waiting)

    def add(self, requests: Iterable[Request], spacing: Mapping[str, float]) -> None:
        """Queue requests; `spacing` replaces the previous spacing of hosts."""
        for request in requests:
            self._redirects.pop(request.key, None)
            if request.document:  # pushed: no fetch, so no host
                self._waiting[request.key] = request
                continue
            self._spacing = spacing
            if request.is_page:  # another host has a robots.txt of its own
                self._waiting[request.key] = request
                continue
            hosts = self._routes.get(request.key, frozenset())
            # It will probably redirect to the same hosts as last time.
            hosts |= {host_of(request.url), host_of(request.validators_url)} - {""}
            self._waiting[request.key] = replace(request, hosts=hosts)

    def requeue(self, request: Request, *, url: str = "") -> bool:
        """Queue a request again, with the host of `url` if it was redirected there.

        Returns False after too many redirects to other hosts: a server may name new ones for ever.
        """
        if url:
            self._redirects[request.key] += 1
            most = request.limits.redirects
            if self._redirects[request.key] > most:
                self._routes.pop(request.key, None)
                return False
            known = (
                request.hosts if len(request.hosts) <= most else frozenset({host_of(request.url)})
            )
            request = replace(request, hosts=known | {host_of(url)})
            self._routes[request.key] = request.hosts
        self._waiting[request.key] = request
        return True

    def take(self, worker: str, monotonic: float, now: datetime) -> Batch | None:
        """Return a batch for a worker, None if no request may go to it.

        Args:
            worker: Address of the worker.
            monotonic: Seconds of the monotonic clock.
            now: Current time.
        """
        chosen: list[Request] = []
        for request in self._waiting.values():
            if not self._may_go(request, worker, monotonic):
                continue
            chosen.append(request)
            self._in_flight.update(request.hosts)
            self._worker_of |= dict.fromkeys(request.hosts, worker)
            if len(chosen) == SIZE:
                break
        if not chosen:
            return None
        for request in chosen:
            del self._waiting[request.key]
        hosts = {host for request in chosen for host in request.hosts}
        self._last_number += 1
        return Batch(
            number=self._last_number,
            requests=tuple(chosen),
            fetch_settings=self.fetch_settings,
            now=now,
            spacing={host: self._spacing[host] for host in hosts if host in self._spacing},
            lease=self._lease,
        )

    def mark_done(self, request: Request, monotonic: float) -> None:
        """Record that a request ended; a host without requests is free after its spacing."""
        for host in request.hosts:
            self._in_flight[host] -= 1
            if not self._in_flight[host]:
                del self._in_flight[host], self._worker_of[host]
                if self._space(host):
                    self._free_at[host] = monotonic + self._space(host)

    def drain(self) -> list[Request]:
        """Remove and return all waiting requests."""
        waiting = list(self._waiting.values())
        self._waiting.clear()
        return waiting

    def _space(self, host: str) -> float:
        return max(
            self.fetch_settings.per_host.spacing.total_seconds(), self._spacing.get(host, 0.0)
        )

    def _may_go(self, request: Request, worker: str, monotonic: float) -> bool:
        for host in request.hosts:
            if self._worker_of.get(host, worker) != worker:
                return False
            if self._in_flight[host] and self._space(host):
                return False  # the spacing counts from the end of the last request
            if self._free_at.get(host, 0.0) > monotonic:
                return False
            self._free_at.pop(host, None)
        return True
