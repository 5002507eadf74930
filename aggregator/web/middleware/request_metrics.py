"""Counts and measures requests for Prometheus."""

import time
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the buckets of request durations."""

OTHER = "other"
"""The route of a path that the site doesn't have."""


class RequestMetrics:
    """The series of requests. Routes are first segments of paths, so that series are bounded.

    Args:
        names: The first segments of all paths of the site.
        registry: Where the series are registered.
    """

    def __init__(self, names: Collection[str], registry: CollectorRegistry) -> None:
        self._routes = {name: f"/{name}" for name in names}
        self._requests = Counter(
            "aggregator_http_requests",
            "HTTP requests, by first segment of the path and status code.",
            ("route", "status"),
            registry=registry,
        )
        self._durations = Histogram(
            "aggregator_http_request_duration_seconds",
            "Seconds until a response was ready, by first segment of the path; without responses"
            " from the cache.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )
        self._counters: dict[tuple[str, str], Counter] = {}

    def count(self, path: str, status: str) -> None:
        """Count a request for a path; the status begins with its code."""
        self._counter(self._route(path), status[:3]).inc()

    def counting(self, app: "WSGIApplication") -> "WSGIApplication":
        """Return the application with all its requests counted."""

        def respond(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            status = "500"

            def start(line: str, *arguments: Any) -> Callable[[bytes], object]:
                nonlocal status
                status = line
                return start_response(line, *arguments)

            try:
                return app(environ, start)
            finally:
                self.count(environ["PATH_INFO"], status)

        return respond

    def timing(self, app: "WSGIApplication") -> "WSGIApplication":
        """Return the application with its requests measured."""

        def respond(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            route, begun = self._route(environ["PATH_INFO"]), time.perf_counter()
            try:
                return app(environ, start_response)
            finally:
                self._durations.labels(route).observe(time.perf_counter() - begun)

        return respond

    def _route(self, path: str) -> str:
        return self._routes.get(path[1:].partition("/")[0], OTHER)

    def _counter(self, route: str, status: str) -> Counter:
        # Looked up here, since `labels` takes longer than a cached response.
        counter = self._counters.get((route, status))
        if counter is None:
            counter = self._counters[route, status] = self._requests.labels(route, status)
        return counter
