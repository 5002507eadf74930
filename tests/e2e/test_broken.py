"""A list of 233 sources of which 20 are broken in 20 ways: after one round, those are named."""

import gzip
import json
import socket
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from lxml import html

from aggregator.policy.health import UNHEALTHY
from tests.e2e.service import Service, free_port
from tests.feedserver import CLOSE, HOSTS, FeedServer, Step, certificate, response

SOURCES = 233
RSS = {"Content-Type": "application/rss+xml"}
FEED = (
    b"<?xml version='1.0'?><rss version='2.0'><channel><title>Feed</title>"
    b"<item><guid>1</guid><title>One</title></item></channel></rss>"
)
NOISE = bytes(range(256)) * 8
DRIPS: list[Step] = [b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n"]
DRIPS += [step for _ in range(300) for step in (b"<", 0.3)]

ANSWERS: dict[str, tuple[str, Sequence[Step]]] = {
    # the words of the status page; and what the server sends
    "missing": ("404 Not Found", [response(404)]),
    "gone": ("410 Gone", [response(410)]),
    "crashing": ("500 Internal Server Error", [response(500)]),
    "locked": ("401 Unauthorized", [response(401, {"WWW-Authenticate": "Basic"})]),
    "forbidden": ("403 Forbidden", [response(403)]),
    "hanging": ("timed out", [60.0]),
    "dripping": ("timed out", DRIPS),
    "page": ("not a feed", [response(200, {"Content-Type": "text/html"}, b"<!doctype html><p>Hi")]),
    "json": ("not a feed", [response(200, {"Content-Type": "application/json"}, b'{"ok": true}')]),
    "ruined": ("not a feed", [response(200, RSS, b"<?xml version='1.0'?><rs" + NOISE)]),
    "empty": ("the response is empty", [response(200, RSS)]),
    "torn": (
        "the response was cut off",
        [response(200, RSS | {"Content-Encoding": "gzip"}, gzip.compress(FEED + NOISE)[:-40])],
    ),
    "large": ("the response is too large", [response(200, RSS, FEED + b" " * 2_000_000)]),
    "circling": ("too many redirects", [response(302, {"Location": "/circling"})]),
    "private": (
        "the host's address is refused",
        [response(302, {"Location": "http://10.0.0.1/feed"})],
    ),
    "garbled": ("not a valid HTTP response", [b"\x16\x03 this is no HTTP\r\n\r\n", CLOSE]),
}
"""Sources that are broken by an answer of the feed server."""

EXPECTED = {source_id: words for source_id, (words, _) in ANSWERS.items()} | {
    "busy": "503 Service Unavailable",
    "nameless": "can't find the host (DNS)",
    "refusing": "can't connect",
    "untrusted": "certificate is self-signed",
}


@pytest.fixture
def urls(feed_server: FeedServer, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The URL of each broken source."""
    for source_id, (_, steps) in ANSWERS.items():
        feed_server.script(f"/{source_id}", *steps)
    feed_server.reply("/busy", 503, {"Retry-After": "600"})
    with ExitStack() as stack:
        secure = stack.enter_context(FeedServer(certificate=certificate(tmp_path)))
        secure.feed("/feed", FEED)
        bound = stack.enter_context(socket.socket())  # not listening: connections are refused
        bound.bind((HOSTS[1], 0))
        yield {
            **{source_id: feed_server.url(f"/{source_id}", HOSTS[1]) for source_id in ANSWERS},
            "busy": feed_server.url("/busy", HOSTS[2]),  # its Retry-After is for the whole host
            "nameless": "http://feeds.invalid/rss",
            "refusing": f"http://{HOSTS[1]}:{bound.getsockname()[1]}/feed",
            "untrusted": secure.url("/feed", HOSTS[3]),
        }


def rows_of_status_page(base: str) -> dict[str, tuple[str, str]]:
    """Return health and error of each source, from all parts of the page."""
    found: dict[str, tuple[str, str]] = {}
    address: str | None = f"{base}/status?sort=health"
    while address:
        with urllib.request.urlopen(address, timeout=20) as reply:
            page = html.document_fromstring(reply.read().decode())
        page.make_links_absolute(f"{base}/status")
        for row in page.xpath("//table[contains(@class, 'sources')]/tbody/tr"):
            source_id = row.xpath("string(./th//a/@href)").rpartition("/")[2]
            health = row.xpath("string(.//span[contains(@class, 'health')])")
            found[source_id] = (health, row.xpath("string(.//span[@class='error'])"))
        address = next(iter(page.xpath("//a[@rel='next']/@href")), None)
    return found


def test_twenty_broken_sources_of_233_are_named_after_one_round_and_no_other(
    service: Service, feed_server: FeedServer, urls: dict[str, str]
) -> None:
    assert len(EXPECTED) == 20
    good = [f"good-{number}" for number in range(SOURCES - len(EXPECTED))]
    feed_server.feed("/feed", FEED)
    sources = [{"id": id, "url": feed_server.url(f"/feed?{id}")} for id in good]
    port = free_port()
    service.configure(
        [*({"id": id, "url": url} for id, url in urls.items()), *sources],
        defaults={
            "every": "1h",
            "limits": {"connect": "5s", "idle": "5s", "total": "8s", "body": "1MB"},
            "per_host": {"connections": 8},
        },
        network={"allow": list(HOSTS)},
    )
    service.start("run", "--port", str(port))
    service.wait(service.polled)
    page = service.wait(lambda: rows_of_status_page(f"http://127.0.0.1:{port}"))
    assert page.keys() == {*EXPECTED, *good}
    named = {id: words for id, (health, words) in page.items() if health in UNHEALTHY or words}
    assert named == EXPECTED
    assert {page[id][0] for id in EXPECTED} <= {"failing", "gone"}
    assert {page[id] for id in good} == {("fine", "")}

    listed = json.loads(service.run("status", "--json").stdout)
    assert {source["id"]: source["problem"] for source in listed if source["problem"]} == EXPECTED
    assert {source["id"] for source in listed if source["health"] in UNHEALTHY} == set(EXPECTED)
    assert len(listed) == SOURCES
    service.assert_sound()
