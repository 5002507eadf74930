"""The demo's web server: a publisher on loopback that answers conditional requests."""

import hashlib
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from aggregator.demo import documents, media, weeklies
from aggregator.demo.newsroom import DESKS, Report, reports

PORT = 8001
"""The port in the shipped demo.yaml."""

LEAVES_AFTER = timedelta(minutes=2)
XML, ATOM, JSON = "application/rss+xml", "application/atom+xml", "application/feed+json"
FEEDS = {
    "/world.rss": ("world", "The World Wire", XML, documents.rss),
    "/europe.atom": ("europe", "Europe Today", ATOM, documents.atom),
    "/science.json": ("science", "Science Letter", JSON, documents.jsonfeed),
    "/podcast.rss": ("podcast", "The Long Wave", XML, documents.podcast),
    "/broken.rss": ("broken", "The Torn Gazette", XML, documents.rss),
    "/leaving.rss": ("leaving", "The Evening Courier", XML, documents.rss),
}


class Response(NamedTuple):
    """A response: status, content type, body."""

    status: int
    type: str = "text/plain"
    body: bytes = b""


class Publisher:
    """A publisher of invented feeds.

    Args:
        host: Address to listen on.
        port: Port to listen on, 0 for any free one.
        clock: Returns the current time, which decides the published items.
        every: Time between two new items, over all feeds together.
        seed: Seed of the invented news.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        clock: Callable[[], datetime],
        every: timedelta = timedelta(seconds=5),
        seed: int = 2009,
    ) -> None:
        self._clock, self._every, self._seed = clock, every, seed
        self._since = clock()
        self._server = _Server((host, port), self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self.url = f"http://{host}:{self._server.server_port}"

    def start(self) -> None:
        """Start answering requests in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def respond(self, path: str) -> Response:
        """Return the current response for `path`."""
        if path in FEEDS:
            return self._feed(path)
        if path in weeklies.WEEKLIES:
            weekly = weeklies.WEEKLIES[path]
            body = weeklies.render(weekly, self._since, base=self.url, path=path)
            return Response(HTTPStatus.OK, XML, body)
        folder, _, name = path.rpartition("/")
        stem = name.partition(".")[0]
        if folder == "/pictures":
            return Response(HTTPStatus.OK, "image/png", media.picture(stem))
        if folder == "/audio":
            return Response(HTTPStatus.OK, "audio/wav", media.tune(stem))
        if folder == "/stories":
            return self._story(path)
        if folder == "/pieces":
            return Response(HTTPStatus.OK, "text/html", documents.page(stem, "A piece."))
        if path == "/":
            text = "Invented feeds: " + ", ".join((*FEEDS, *weeklies.WEEKLIES))
            return Response(
                HTTPStatus.OK, "text/html", documents.page("The demo's publisher", text)
            )
        return Response(HTTPStatus.NOT_FOUND)

    def _feed(self, path: str) -> Response:
        desk, title, kind, write = FEEDS[path]
        age = self._clock() - self._since
        if desk == "leaving" and age >= LEAVES_AFTER:
            return Response(HTTPStatus.GONE, body=b"The Evening Courier is no more.\n")
        body: bytes | None = write(title, self._reports(desk), base=self.url, path=path)
        if desk == "broken" and body is not None:
            body = documents.broken(body, age)
        if body is None:
            return Response(HTTPStatus.INTERNAL_SERVER_ERROR, body=b"The presses stand still.\n")
        return Response(HTTPStatus.OK, kind, body)

    def _reports(self, desk: str) -> tuple[Report, ...]:
        return reports(
            desk, now=self._clock(), since=self._since, every=self._every, seed=self._seed
        )

    def _story(self, path: str) -> Response:
        for desk in DESKS:
            for report in self._reports(desk):
                if urlsplit(report.path).path == path:
                    body = documents.page(report.headline, report.lead)
                    return Response(HTTPStatus.OK, "text/html", body)
        return Response(HTTPStatus.NOT_FOUND)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], publisher: Publisher) -> None:
        self.publisher = publisher
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print no traceback for a client that has closed its connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        response = self.server.publisher.respond(urlsplit(self.path).path)
        etag = f'"{hashlib.sha256(response.body).hexdigest()[:20]}"'
        known = [tag.strip() for tag in self.headers.get("If-None-Match", "").split(",")]
        if response.status == HTTPStatus.OK and etag in known:
            response = Response(HTTPStatus.NOT_MODIFIED)
        self.send_response(response.status)
        if response.status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            self.send_header("ETag", etag)
        if response.status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", response.type)
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the demo's terminal is for the service."""
