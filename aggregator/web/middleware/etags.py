"""ETags of pages that show entries: the same as long as nothing that they show can have changed."""

from collections.abc import Callable
from datetime import datetime
from zlib import crc32

from flask import Response, request

from aggregator import __version__
from aggregator.models.config import Config
from aggregator.store.database import change_log
from aggregator.store.database.connection import Connection


class Tags:
    """Names states of the site."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Name nothing yet."""
        self._clock = clock
        self._named: tuple[Config | None, str] = (None, "")

    def of(self, db: Connection, config: Config) -> str:
        """Name the state of a page that shows entries: program, configuration, entries, day."""
        if self._named[0] is not config:
            self._named = (config, f"{crc32(repr((__version__, config)).encode()):08x}")
        return f"{self._named[1]}-{change_log.version(db)}-{self._clock():%y%m%d}"


def is_known(tag: str) -> bool:
    """Tell whether who asks has the page."""
    return request.if_none_match.contains_weak(tag)


def unchanged(tag: str) -> Response:
    """Return the answer to who has it."""
    made = Response(status=304)
    made.set_etag(tag, weak=True)
    return made


def tagged(body: str | Response, tag: str) -> Response:
    """Return a page with its tag."""
    made = body if isinstance(body, Response) else Response(body)
    made.set_etag(tag, weak=True)
    return made
