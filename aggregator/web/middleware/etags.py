"""ETags of pages with entries: unchanged while nothing that the pages show can have changed."""

from collections.abc import Callable
from datetime import datetime
from zlib import crc32

from flask import Response, request

from aggregator import __version__
from aggregator.models.config import Config
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection
from aggregator.store.sources import icons
from aggregator.web.middleware.conditional import is_unchanged


class PageEtags:
    """Makes ETags from program, configuration, entries, icons and day."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Take the day from a clock."""
        self._clock = clock
        self._last: tuple[Config | None, str] = (None, "")

    def of(self, db: Connection, config: Config, *, by_minute: bool = False) -> str:
        """Return the ETag of pages as they are now, without quotes.

        Args:
            by_minute: Whether the pages depend on the minute, as those of `since=12h`.
        """
        if self._last[0] is not config:
            self._last = (config, f"{crc32(repr((__version__, config)).encode()):08x}")
        form = "%y%m%d%H%M" if by_minute else "%y%m%d"
        versions = f"{change_log.version(db)}{icons.version(db) and f'i{icons.version(db)}'}"
        return f"{self._last[1]}-{versions}-{self._clock().strftime(form)}"


def matches(etag: str) -> bool:
    """Return whether the request's If-None-Match contains an ETag."""
    return is_unchanged(request.headers.get("If-None-Match", ""), etag)


def not_modified(etag: str) -> Response:
    """Return 304 Not Modified."""
    response = Response(status=304)
    response.set_etag(etag, weak=True)
    return response


def with_etag(body: str | Response, etag: str) -> Response:
    """Return a page with its ETag."""
    response = body if isinstance(body, Response) else Response(body)
    response.set_etag(etag, weak=True)
    return response
