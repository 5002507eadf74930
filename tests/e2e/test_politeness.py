"""Our requests: the same few fields, validators byte for byte, no cookie."""

from collections.abc import Sequence

import pytest

import aggregator
from tests.e2e.service import Service
from tests.feedserver import FeedServer, Received, Step, response

BODY = (
    b"<rss version='2.0'><channel><title>t</title>"
    b"<item><guid>1</guid><title>One</title></item></channel></rss>"
)
ODD = {"ETag": "W/\"a,b ; \xe9 'c' \"", "Last-Modified": "yesterday, at 5 o'clock"}


@pytest.mark.parametrize("options", [(), ("--cluster", "local:1")], ids=["here", "cluster"])
def test_validators_are_returned_byte_for_byte_and_cookies_are_not(
    service: Service, feed_server: FeedServer, options: tuple[str, ...]
) -> None:
    def behave(request: Received) -> Sequence[Step]:
        cookie = {"Set-Cookie": "session=1; Path=/"}
        if "if-none-match" in request.headers:
            return [response(304, cookie)]
        return [response(200, ODD | cookie | {"Content-Type": "application/rss+xml"}, BODY)]

    feed_server.on("/feed", behave)
    service.configure(
        [{"id": "feed", "url": feed_server.url("/feed"), "every": "1s"}],
        site={"base_url": "https://news.example", "contact": "desk@news.example"},
    )
    service.start("scheduler", *options)
    service.wait_for_requests(feed_server, 2)
    first, second = feed_server.requests[:2]
    assert first.headers == {
        "host": f"127.0.0.1:{feed_server.port}",
        "user-agent": f"feed-aggregator/{aggregator.__version__}"
        " (+https://news.example; desk@news.example)",
        "accept": "application/atom+xml, application/rss+xml, application/feed+json,"
        " application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8,"
        " application/json;q=0.7, */*;q=0.1",
        "a-im": "feed",
        "accept-encoding": first.headers["accept-encoding"],  # what this libcurl can decode
    }
    assert second.headers == dict(first.headers) | {
        "if-none-match": ODD["ETag"],
        "if-modified-since": ODD["Last-Modified"],
    }
