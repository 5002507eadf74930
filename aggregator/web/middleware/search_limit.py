"""Bounds how many searches run at once, so that one thread always stays free for other requests."""

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SEARCHES = 2
"""Simultaneous searches in one process; it must be smaller than the number of its threads."""


class SearchLimitMiddleware:
    """Answers 503 to a search while `SEARCHES` others run, instead of blocking a thread."""

    def __init__(self, app: "WSGIApplication") -> None:
        """Wrap an application."""
        self._app = app
        self._free = threading.BoundedSemaphore(SEARCHES)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Respond to a request."""
        if not _is_search(environ.get("QUERY_STRING", "")):
            return self._app(environ, start_response)
        if not self._free.acquire(blocking=False):
            # Slow to import; the server process needs no more than `SEARCHES` of this module.
            from aggregator.web.middleware.representation import problem

            busy = problem(503, "too many searches at once: try again", ("Retry-After", "1"))
            start_response(busy.status, list(busy.headers))
            return [busy.body]
        try:
            return self._app(environ, start_response)
        finally:
            self._free.release()


def _is_search(query_string: str) -> bool:
    names = (unquote_plus(pair.partition("=")[0]) for pair in query_string.split("&"))
    return any(name.strip() in ("q", "not") for name in names)
