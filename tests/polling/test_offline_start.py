"""A start without a network: pages say so, and entries come within two minutes of its return."""

import html
import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.test import Client

from aggregator.config import file
from aggregator.ingest import maintenance
from aggregator.polling.poller import Poller
from aggregator.store.database import metadata
from aggregator.store.database.connection import Store
from aggregator.store.database.times import format_time
from aggregator.store.sources import poll_plan
from aggregator.web.app import create_app
from aggregator.web.pages.dates import short_time
from tests.feedserver import HOSTS, FeedServer

RSS = (
    b"<?xml version='1.0'?><rss version='2.0'><channel><title>Feed</title>"
    b"<item><guid>1</guid><title>One</title></item></channel></rss>"
)
PROMISED = timedelta(minutes=2)


class Site:
    """The poller and the pages of a new database, by a clock that the test sets."""

    def __init__(self, folder: Path, urls: list[str]) -> None:
        path = folder / "sources.yaml"
        sources = "".join(f"\n  - {{id: s{n}, url: '{url}'}}" for n, url in enumerate(urls))
        path.write_text(
            f"storage: {{path: {folder / 'news.db'}}}\n"
            f"network: {{allow: [127.0.0.0/8]}}\nsources:{sources}\n"
        )
        self.config = file.load(str(path), {})
        self.now = datetime(2009, 6, 27, 21, 26, tzinfo=UTC)
        self.store = Store(self.config.storage)
        maintenance.synchronise(self.store, self.config, self.now)
        self.poller = Poller(self.store, self.config, clock=lambda: self.now, random=lambda: 0.5)
        self.client = Client(create_app(lambda: self.config, self.store, clock=lambda: self.now))

    def close(self) -> None:
        self.poller.close()
        self.store.close()

    @property
    def next_due(self) -> datetime:
        with self.store.reading() as db:
            due = poll_plan.next_due(db)
        assert due is not None
        return due

    @property
    def reached(self) -> int:
        """Number of sources with entries."""
        with self.store.reading() as db:
            row = db.execute("select count(distinct source_id) from entries").fetchone()
        return int(row[0])

    def poll(self) -> None:
        """Set the clock to the next poll, and finish all that are due."""
        self.now = max(self.now, self.next_due)
        with self.store.transaction() as db:
            metadata.put(db, "tick", format_time(self.now))
        with self.store.reading() as db:
            self.poller.offer(poll_plan.due(db, self.now))
        self.poller.run_until_idle()

    def front_page(self) -> str:
        """Return the text of the front page."""
        answer = self.client.get("/")
        assert answer.status_code == 200
        return " ".join(html.unescape(re.sub("<[^>]*>", " ", answer.text)).split())


@pytest.fixture(params=[1, 2, 40], ids=lambda count: f"{count} sources")
def site(request: pytest.FixtureRequest, tmp_path: Path, feed_server: FeedServer) -> Iterator[Site]:
    """Sources of as many hosts as there are, up to four; all of them answer if they are up."""
    feed_server.feed("/feed", RSS)
    hosts = itertools.islice(itertools.cycle(HOSTS), request.param)
    site = Site(tmp_path, [feed_server.url(f"/feed?{n}", host) for n, host in enumerate(hosts)])
    yield site
    site.close()


@pytest.mark.parametrize("offline", [timedelta(seconds=20), timedelta(minutes=12)], ids=str)
def test_first_entries_within_two_minutes_of_the_return_of_the_network(
    site: Site, feed_server: FeedServer, offline: timedelta
) -> None:
    count = len(site.config.sources)
    assert "No entries yet" in site.front_page()
    back = site.now + offline
    with feed_server.down():
        while site.next_due < back:
            site.poll()
            page = site.front_page()
            due = short_time(site.next_due, site.now)
            assert f"The next poll is due at {due}" in page
            if count == 1:  # the network, or this host: nobody can tell
                assert "1 of 1 source was polled. 1 failed, all so far." in page
            else:
                assert f"The next attempt is at {due}." in page
                assert f"once this server can reach the hosts of the {count} sources" in page
    site.now = max(site.now, back)
    while site.reached < count:
        site.poll()
        assert site.now <= back + PROMISED
    page = site.front_page()
    assert "No entries yet" not in page
    assert "network" not in page
