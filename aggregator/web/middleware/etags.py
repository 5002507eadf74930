"""ETags of pages with entries: unchanged while nothing that the pages show can have changed."""

from collections.abc import Callable
from datetime import datetime
from zlib import crc32

from flask import Response, request

from aggregator import __version__
from aggregator.models.config import Config
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection


class PageEtags:
    """Makes ETags from program, configuration, entries and day."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Take the day from a clock."""
        self._clock = clock
        self._last: tuple[Config | None, str] = (None, "")

    def of(self, db: Connection, config: Config) -> str:
        """Return the ETag of pages as they are now, without quotes."""
        if self._last[0] is not config:
            self._last = (config, f"{crc32(repr((__version__, config)).encode()):08x}")
        return f"{self._last[1]}-{change_log.version(db)}-{self._clock():%y%m%d}"


def matches(etag: str) -> bool:
    """Return whether the request's If-None-Match contains an ETag."""
    return request.if_none_match.contains_weak(etag)


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
