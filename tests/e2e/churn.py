"""Invented feeds that publish while they are polled, and the expected result."""

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from tests.feedserver import HOSTS, FeedServer, Received, Step, response

WINDOW = 40
"""Items of a document; items that appear and leave between two polls are lost to every reader."""


@dataclass(slots=True)
class Item:
    """An item of an invented feed."""

    number: int
    title: str
    published: datetime


@dataclass(slots=True)
class Feed:
    """An invented feed. Its number decides on its format, its ids and its validators."""

    number: int
    items: list[Item] = field(default_factory=list)
    window: int = WINDOW
    text: str = ""
    version: int = 0
    answer: tuple[str, bytes] = ("", b"")

    @property
    def id(self) -> str:
        return f"feed-{self.number}"

    @property
    def path(self) -> str:
        return f"/{self.id}"

    def link(self, item: Item) -> str:
        return f"http://{self.id}.example/{item.number}"

    def publish(self, now: datetime) -> None:
        """Add a new item at the top."""
        number = len(self.items) + 1
        self.items.append(Item(number, f"Item {number} of {self.id}", now))
        self._seal()

    def correct(self, now: datetime) -> None:
        """Give the newest item another title."""
        self.items[-1].title += f", corrected at {now:%X.%f}"
        self._seal()

    def _seal(self) -> None:
        self.version += 1
        self.answer = (str(self.version), self._body())

    def _body(self) -> bytes:
        items = list(reversed(self.items[-self.window :]))
        if self.number % 2:
            return ATOM.format(id=self.id, entries="".join(map(self._entry, items))).encode()
        return RSS.format(id=self.id, items="".join(map(self._item, items))).encode()

    def _entry(self, item: Item) -> str:
        stamp = item.published.isoformat()
        return (
            f"<entry><id>urn:{self.id}:{item.number}</id><title>{item.title}</title>"
            f"<link href='{self.link(item)}'/><updated>{stamp}</updated>"
            f"<content type='html'>Text {item.number} of {self.id}. {self.text}</content></entry>"
        )

    def _item(self, item: Item) -> str:
        guid = "" if self.number % 3 else f"<guid isPermaLink='false'>{item.number}</guid>"
        stamp = format_datetime(item.published)
        return (
            f"<item><title>{item.title}</title><link>{self.link(item)}</link>{guid}"
            f"<pubDate>{stamp}</pubDate>"
            f"<description>Text {item.number} {self.text}</description></item>"
        )

    def behave(self, request: Received) -> Sequence[Step]:
        """Answer a poll: 304 if the validator is current, for feeds that have validators."""
        version, body = self.answer
        etag, modified = f'"{self.id}-{version}"', f"version {version}"
        own: dict[str, str] = {}
        if self.number % 4 < 2:
            own["ETag"] = etag
        if self.number % 4 == 2:
            own["Last-Modified"] = modified
        told = (request.headers.get("if-none-match"), request.headers.get("if-modified-since"))
        if own and (told[0] == etag or told[1] == modified):
            return [response(304, own)]
        return [response(200, own | {"Content-Type": "text/xml"}, body)]


RSS = (
    "<?xml version='1.0'?><rss version='2.0'><channel><title>{id}</title>"
    "<link>http://{id}.example/</link><description>d</description>{items}</channel></rss>"
)
ATOM = (
    "<?xml version='1.0'?><feed xmlns='http://www.w3.org/2005/Atom'><id>urn:{id}</id>"
    "<title>{id}</title><updated>2009-06-27T21:26:00Z</updated>{entries}</feed>"
)


class Churn:
    """Invented feeds on a loopback server, spread over its hosts."""

    def __init__(
        self,
        server: FeedServer,
        count: int,
        *,
        items: int = 5,
        text: str = "",
        kind: type[Feed] = Feed,
    ) -> None:
        self._server = server
        self.feeds = [kind(number, text=text) for number in range(count)]
        for feed in self.feeds:
            for _ in range(items):
                feed.publish(datetime.now(UTC))
            server.on(feed.path, feed.behave)

    def sources(self, **more: Any) -> list[dict[str, Any]]:
        """The feeds as the configuration names them."""
        return [
            {"id": feed.id, "url": self._server.url(feed.path, HOSTS[feed.number % len(HOSTS)])}
            | more
            for feed in self.feeds
        ]

    def truth(self) -> dict[str, dict[str, str]]:
        """The title of everything that was published, by its link, by source."""
        return {
            feed.id: {feed.link(item): item.title for item in feed.items} for feed in self.feeds
        }

    def tick(self) -> None:
        """Publish in a tenth of the feeds, and correct the newest item of a few."""
        now = datetime.now(UTC)
        for feed in random.sample(self.feeds, len(self.feeds) // 10 + 1):
            if random.random() < 0.2:
                feed.correct(now)
            else:
                feed.publish(now)

    @contextmanager
    def going(self, every: float = 0.1) -> Iterator[None]:
        """Tick at an interval in seconds while the block runs."""
        over = threading.Event()

        def run() -> None:
            while not over.wait(every):
                self.tick()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
