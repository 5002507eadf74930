"""Full text by the running service: through a cluster, and after kill -9."""

import signal
from collections import Counter

import pytest

from tests.e2e.service import Service
from tests.feedserver import HOSTS, FeedServer

TEXT = " ".join(["The night ferry to the outer islands sails again after nine winters."] * 12)
HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGES = 6


def publish(service: Service, server: FeedServer, *, delay: float) -> None:
    """One feed whose entries have their pages on two hosts."""
    links = [server.url(f"/p{n}", HOSTS[n % 2]) for n in range(PAGES)]
    items = "".join(
        f"<item><title>Ferry {n}</title><guid>{n}</guid><link>{link}</link>"
        "<description>A stump.</description></item>"
        for n, link in enumerate(links)
    )
    body = f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>"
    server.feed("/feed", body.encode(), etag='"1"')
    for n in range(PAGES):
        page = f"<html><body><article><p>{TEXT} {n}</p></article></body></html>"
        server.reply(f"/p{n}", 200, HTML, page.encode(), delay=delay)
    service.configure(
        [{"id": "feed", "url": server.url("/feed"), "every": "1s", "content": "full"}]
    )


def fetches(server: FeedServer) -> Counter[str]:
    return Counter(path for path in server.paths() if path.startswith("/p"))


def texts(service: Service) -> list[tuple[str, ...]]:
    return service.rows("select guid from entries where text_from = 'page' order by guid")


@pytest.mark.parametrize("options", [(), ("--cluster", "local:1")], ids=["here", "cluster"])
def test_each_page_is_fetched_once(
    service: Service, feed_server: FeedServer, options: tuple[str, ...]
) -> None:
    publish(service, feed_server, delay=0.05)
    service.start("scheduler", *options)
    service.wait(lambda: len(texts(service)) == PAGES)
    polls = len([path for path in feed_server.paths() if path == "/feed"])
    service.wait(lambda: feed_server.paths().count("/feed") > polls + 1)
    assert set(fetches(feed_server).values()) == {1}
    assert feed_server.paths().count("/robots.txt") == 2  # one of each host
    assert max(feed_server.peak.values()) <= 2


def test_kill_9_loses_no_page_and_stores_none_twice(
    service: Service, feed_server: FeedServer
) -> None:
    publish(service, feed_server, delay=0.4)
    running = service.start("scheduler")
    service.wait(lambda: len(texts(service)) >= 1 and sum(fetches(feed_server).values()) >= 3)
    running.send_to_all(signal.SIGKILL)
    running.wait()
    stored = {guid for (guid,) in texts(service)}
    before = fetches(feed_server)
    service.start("scheduler")
    service.wait(lambda: len(texts(service)) == PAGES)
    after = fetches(feed_server)
    assert service.rows("select count(*) from entries") == [(PAGES,)]
    assert service.rows("select count(*) from versions") == [(0,)]
    for n in range(PAGES):
        again = after[f"/p{n}"] - before[f"/p{n}"]
        assert again == (0 if str(n) in stored else 1)
