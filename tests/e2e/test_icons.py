"""The running service looks icons up, and no slow picture holds up its polls or its end."""

import signal

from tests.e2e.service import Service
from tests.feedserver import FeedServer
from tests.icons.pictures import picture


def feed(server: FeedServer, number: int) -> None:
    body = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title>'
        f"<icon>{server.url('/icon.png')}</icon><entry><id>urn:x:{number}</id>"
        f"<title>Report {number}</title></entry></feed>"
    )
    server.reply("/feed", 200, {"Content-Type": "application/atom+xml"}, body.encode())


def test_a_running_scheduler_finds_the_icon(service: Service, feed_server: FeedServer) -> None:
    feed(feed_server, 1)
    feed_server.reply("/icon.png", 200, {}, picture())
    service.configure([{"id": "a", "url": feed_server.url("/feed")}], media={"icons": True})
    running = service.start("scheduler")
    service.wait(lambda: service.rows("select 1 from sources where icon != ''"))
    assert service.rows("select count(*) from icons where image != x''") == [(1,)]
    running.send(signal.SIGTERM)
    assert running.wait() == 0


def test_a_slow_picture_holds_nothing_up(service: Service, feed_server: FeedServer) -> None:
    feed(feed_server, 1)
    feed_server.script("/icon.png", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 60.0)
    source = {"id": "a", "url": feed_server.url("/feed"), "every": "1s"}
    service.configure([source], media={"icons": True})
    running = service.start("scheduler")
    service.wait(lambda: any(each.path == "/icon.png" for each in feed_server.requests))
    feed(feed_server, 2)
    service.wait(lambda: service.rows("select 1 from entries where title = 'Report 2'"))
    running.send(signal.SIGTERM)
    assert running.wait() == 0
