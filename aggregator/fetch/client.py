"""Fetches many requests at once over libcurl, with limits per host.

Everything runs in the caller's thread. The caller has to ask for the next outcome soon: transfers
pause while it handles an outcome, but their time limits do not.

A proxy resolves names and connects itself. The address check then looks names up before it asks
the proxy, so a name server that answers the two differently gets past it. Configure such a proxy
to refuse private addresses.
"""

import resource
import select
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

import pycurl

from aggregator.fetch.attempt import Attempt, Response
from aggregator.fetch.handle import Handle
from aggregator.fetch.lookup import Lookups
from aggregator.fetch.pacing import Pacing
from aggregator.models.config import PerHost
from aggregator.models.poll import Failed, FailureKind, FetchOutcome, Request

_SLICE = 0.05
"""Longest sleep of the loop in seconds, and so the longest delay of `stop`."""

_MANY, _PAUSE = 8, 0.002
"""With more transfers than this, libcurl is called at most once in so many seconds: each call looks
at every transfer, also where only one of them has something to do."""

RESERVED_FILES, FILES_PER_TRANSFER = 44, 4
"""Open files that everything else needs; and a transfer: two sockets, and two for its DNS lookup.

Without a descriptor libcurl fails with "can't connect", which would count against the source.
"""


def affordable(concurrency: int, files: int) -> int:
    """Return how many transfers may run at once under a limit of open files (`ulimit -n`).

    Args:
        concurrency: The wanted number.
        files: The limit, negative for none.
    """
    if files < 0:
        return concurrency
    return max(1, min(concurrency, (files - RESERVED_FILES) // FILES_PER_TRANSFER))


def _utc() -> datetime:
    # Needed for a Retry-After date in a response without a Date header.
    return datetime.now(UTC)  # noqa: TID251


class Client:
    """An HTTP client with its own connection pool, for one thread.

    Checks the address of every connection and the URL of every redirect, and forgets cookies at
    the end of a chain of redirects.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        allow: tuple[str, ...] = (),
        proxy: str = "",
        per_host: PerHost = PerHost(),  # noqa: B008, frozen
        concurrency: int = 100,
        tls_ca: str = "",
        clock: Callable[[], datetime] = _utc,
    ) -> None:
        """Open no connection yet.

        Args:
            user_agent: Sent with every request.
            allow: Hosts and networks listed in `network.allow`, as in `address.refusal_reason`.
            proxy: URL of a proxy for all requests, "" for none; environment variables are ignored.
            per_host: Limits per host name in the URL.
            concurrency: Maximum number of simultaneous transfers; fewer if few files may be open.
            tls_ca: PEM file of trusted authorities, "" for the system's.
            clock: Returns the current time, for a Retry-After date in a response without Date.
        """
        self._new_handle = partial(
            Handle, user_agent=user_agent, allow=allow, proxy=proxy, tls_ca=tls_ca
        )
        open_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._concurrency = affordable(concurrency, open_files)
        self._clock = clock
        self._pacing = Pacing[Attempt](
            connections=per_host.connections, spacing=per_host.spacing.total_seconds()
        )
        self._proxy = proxy
        self._lookups = Lookups(allow)
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, self._concurrency)
        self._idle: list[Handle] = []
        self._running: dict[pycurl.Curl, Handle] = {}
        self._performed = float("-inf")
        self._refused: list[tuple[Request, FetchOutcome]] = []
        self._stopped = threading.Event()

    def add(
        self, requests: Iterable[Request], *, spacing: Mapping[str, float] = MappingProxyType({})
    ) -> None:
        """Queue requests; `step` fetches them and alternates between hosts.

        Args:
            requests: Any number of requests.
            spacing: Minimum seconds between two requests, for hosts that answered 429.
        """
        self._pacing.set_spacing(spacing, time.monotonic())
        for request in requests:
            attempt = Attempt.begin(request)
            if isinstance(attempt, Failed):
                self._refused.append((request, attempt))
            elif self._has_proxy(attempt):
                self._lookups.submit(attempt)
            else:
                self._pacing.add(attempt.target.host, attempt, time.monotonic())

    @property
    def pending(self) -> bool:
        """Whether any request is unfinished."""
        return bool(self._refused or self._running or len(self._pacing) or self._lookups.pending)

    def step(self, wake: int | None = None) -> list[tuple[Request, FetchOutcome]]:
        """Advance all transfers and return the finished ones; block for up to 50 ms.

        Args:
            wake: A descriptor that ends the wait when it can be read.
        """
        outcomes, self._refused = self._refused, []
        if self._stopped.is_set():
            return outcomes + list(self._cancel())
        outcomes += self._take_checked()
        self._start()
        self._perform()
        outcomes += self._take_finished()
        if not outcomes:
            self._wait(wake)
        return outcomes

    def fetch(
        self, requests: Iterable[Request], *, spacing: Mapping[str, float] = MappingProxyType({})
    ) -> Iterator[tuple[Request, FetchOutcome]]:
        """Fetch requests and yield each with its outcome when it finishes; arguments as `add`."""
        self.add(requests, spacing=spacing)
        try:
            while self.pending:
                yield from self.step()
        finally:
            self._abandon()

    def fetch_one(self, request: Request) -> FetchOutcome:
        """Fetch one request and return its outcome."""
        [(_, outcome)] = self.fetch([request])
        return outcome

    def stop(self) -> None:
        """Cancel all unfinished requests, from any thread; they yield CANCELLED."""
        self._stopped.set()

    def close(self) -> None:
        """Close all connections."""
        self._abandon()
        for handle in self._idle:
            handle.easy.close()
        self._idle.clear()
        self._multi.close()
        self._lookups.close()

    # --- one step ------------------------------------------------------------------------------

    def _take_checked(self) -> Iterator[tuple[Request, FetchOutcome]]:
        """With a proxy: queue the requests with a public host, yield the others as failed."""
        for attempt, fault in self._lookups.done():
            if fault:
                yield attempt.request, attempt.failure(fault.kind, fault.reason)
            else:
                ahead = bool(attempt.hops)
                self._pacing.add(attempt.target.host, attempt, time.monotonic(), ahead=ahead)

    def _start(self) -> None:
        now = time.monotonic()
        while len(self._running) < self._concurrency:
            attempt = self._pacing.take(now)
            if attempt is None:
                return
            handle = self._idle.pop() if self._idle else self._new_handle()
            handle.start(attempt)
            self._running[handle.easy] = handle
            self._multi.add_handle(handle.easy)

    def _perform(self) -> None:
        if len(self._running) > _MANY:
            pause = self._performed + _PAUSE - time.monotonic()
            if pause > 0:
                time.sleep(pause)
        self._multi.perform()
        self._performed = time.monotonic()

    def _take_finished(self) -> list[tuple[Request, FetchOutcome]]:
        outcomes: list[tuple[Request, FetchOutcome]] = []
        left = 1
        while left:
            left, good, bad = self._multi.info_read()
            for easy in good:
                self._finish(easy, 0, "", outcomes)
            for easy, code, message in bad:
                self._finish(easy, code, message, outcomes)
        return outcomes

    def _finish(
        self,
        easy: pycurl.Curl,
        code: int,
        message: str,
        outcomes: list[tuple[Request, FetchOutcome]],
    ) -> None:
        attempt, response = self._take_back(easy, code, message)
        now = time.monotonic()
        self._pacing.mark_done(attempt.target.host, now)
        outcome = attempt.outcome_of(response, self._clock())
        if outcome is not None:
            outcomes.append((attempt.request, outcome))
        elif self._has_proxy(attempt):
            self._lookups.submit(attempt)
        else:
            self._pacing.add(attempt.target.host, attempt, now, ahead=True)

    def _has_proxy(self, attempt: Attempt) -> bool:
        return bool(self._proxy or attempt.transport.proxy)

    def _take_back(self, easy: pycurl.Curl, code: int, message: str) -> tuple[Attempt, Response]:
        handle = self._running.pop(easy)
        self._multi.remove_handle(easy)
        ended = handle.finish(code, message)
        self._idle.append(handle)
        return ended

    def _wait(self, wake: int | None) -> None:
        pause = self._pacing.pause(time.monotonic())
        if pause is None or pause > _SLICE or len(self._running) >= self._concurrency:
            pause = _SLICE
        if wake is not None:
            self._poll(wake, pause)
        elif self._running:
            self._multi.select(pause)
        else:
            self._stopped.wait(pause)

    def _poll(self, wake: int, pause: float) -> None:
        """Wait as `CurlMulti.select` does, or until `wake` can be read."""
        poll = select.poll()
        reading, writing, _ = self._multi.fdset()
        for sockets, event in ((reading, select.POLLIN), (writing, select.POLLOUT)):
            for each in sockets:
                poll.register(each, event)
        poll.register(wake, select.POLLIN)
        limit = self._multi.timeout()
        poll.poll(min(pause * 1000, limit) if limit >= 0 else pause * 1000)

    # --- ends ----------------------------------------------------------------------------------

    def _cancel(self) -> Iterator[tuple[Request, FetchOutcome]]:
        for attempt in self._abandon():
            yield attempt.request, attempt.failure(FailureKind.CANCELLED, "cancelled")

    def _abandon(self) -> list[Attempt]:
        """Drop and return all running and waiting requests."""
        running = [self._take_back(easy, 0, "")[0] for easy in list(self._running)]
        for attempt in running:
            self._pacing.mark_done(attempt.target.host, time.monotonic())
        return running + self._pacing.drain() + self._lookups.drain()
