"""A feed that publishes more between two polls than its document holds, and links its archive."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.e2e.service import Service
from tests.feedserver import FeedServer


def document(first: int, last: int, older: str = "") -> bytes:
    link = f'<atom:link rel="prev-archive" href="{older}"/>' if older else ""
    now = datetime.now(UTC)
    items = "".join(
        f"<item><guid>urn:item:{number}</guid><title>Item {number}</title>"
        f"<pubDate>{format_datetime(now - timedelta(minutes=40 - number))}</pubDate></item>"
        for number in range(last, first - 1, -1)
    )
    return (
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        f"<title>Busy</title>{link}{items}</channel></rss>"
    ).encode()


def test_entries_that_left_the_document_are_fetched_from_its_archive(
    service: Service, feed_server: FeedServer
) -> None:
    feed_server.feed("/feed", document(1, 10), etag='"1"')
    service.configure([{"id": "busy", "url": feed_server.url("/feed")}])
    assert service.run("poll").returncode == 0

    feed_server.feed("/feed", document(31, 40, feed_server.url("/archive/2")), etag='"2"')
    feed_server.feed("/archive/2", document(16, 30, feed_server.url("/archive/1")))
    feed_server.feed("/archive/1", document(5, 15))
    assert service.run("poll", "--force").returncode == 0
    assert feed_server.paths() == ["/feed", "/feed", "/archive/2", "/archive/1"]
    assert service.one("select count(distinct guid) from entries") == 40
    assert service.one("select count(*) from entries") == 40
    told = service.rows("select detail from incidents where kind = 'gap' order by id")
    assert [detail for (detail,) in told][-1] == "filled the gap from the feed's archive"
    assert service.run("poll", "--force").returncode == 0
    assert feed_server.paths()[4:] == ["/feed"]
    assert feed_server.requests[-1].headers["if-none-match"] == '"2"'
