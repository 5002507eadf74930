"""A site to test: a store, its feeds and a client, with a clock that tests set."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask, Response
from werkzeug.test import Client

from aggregator.formats.merged import MergedFeed
from aggregator.models.config import Config
from aggregator.web.feeds import routes
from aggregator.web.feeds.server import FeedServer
from aggregator.web.middleware.cache import serve_from, serve_repeated
from tests.web.sample_store import CONFIG, START, SampleStore, open_sample


def _finish(response: Response) -> Response:
    """Add a header field, as the application does."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _page(feed: MergedFeed, format: str) -> Response:
    """Return the feed's title, in place of the page that the application renders."""
    return Response(f"{feed.title} ({format})")


class FeedSite:
    """Feeds of a store, requested as over HTTP; tests set `clock` and `now`."""

    def __init__(self, sample: SampleStore) -> None:
        self.sample = sample
        self.config: Config = CONFIG
        self.clock = 0.0
        self.now: datetime = START + timedelta(days=9)
        self.restart()

    def restart(self) -> None:
        """Create the application again, as a new process does: with empty caches."""
        self.feeds = FeedServer(
            self.sample.store, lambda: self.config, clock=lambda: self.clock, now=lambda: self.now
        )
        app = Flask("test")
        app.register_blueprint(routes.blueprint(self.feeds, _page))
        app.after_request(_finish)
        served = serve_from(self.feeds.cached_document, app.wsgi_app)
        self.client = Client(serve_repeated(self.feeds.cached_response, lambda *_: None, served))
        self.get = self.client.get

    def later(self) -> None:
        """Advance the clock until the cache checks for changes."""
        self.clock += 1


@pytest.fixture
def site(tmp_path: Path) -> Iterator[FeedSite]:
    with open_sample(tmp_path) as sample:
        yield FeedSite(sample)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Callable[[], FeedSite]]:
    """Create sites, each with its own empty store."""
    with ExitStack() as stack:

        def make() -> FeedSite:
            folder = Path(tempfile.mkdtemp(dir=tmp_path))
            return FeedSite(stack.enter_context(open_sample(folder)))

        yield make
