"""An HTTP/2 server for tests: `python http2.py PORT CERTIFICATE`; its feed tells the protocol."""

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with a feed that is named after the protocol of the request."""
    if environ["PATH_INFO"] == "/slow":
        time.sleep(30)
    if environ.get("HTTP_IF_NONE_MATCH") == '"1"':
        start("304 Not Modified", [("ETag", '"1"')])
        return []
    start("200 OK", [("Content-Type", "application/rss+xml"), ("ETag", '"1"')])
    return [f"<rss>{environ['SERVER_PROTOCOL']}</rss>".encode()]


if __name__ == "__main__":
    port, certificate = sys.argv[1:]
    key = Path(certificate)
    Granian(
        "tests.fetch.http2:application",
        address="127.0.0.1",
        port=int(port),
        interface=Interfaces.WSGI,
        http=HTTPModes.http2,
        ssl_cert=key,
        ssl_key=key,
        blocking_threads=8,
        log_level=LogLevels.error,
    ).serve()
