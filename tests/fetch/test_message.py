"""Messages to hubs and subscribers, their responses, and redirects."""

import pytest

from aggregator.fetch.client import Client
from aggregator.models.config import Limits
from aggregator.models.poll import FailureKind, Message, Request
from tests.feedserver import FeedServer
from tests.fetch.conftest import Fetch, failed, fetched

FORM = "application/x-www-form-urlencoded"
BODY = b"hub.mode=subscribe\0&x=%20"
POST = Message(body=BODY, content_type=FORM)


def test_post_carries_its_body_type_and_header_and_asks_for_no_feed(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/hub", 202)
    outcome = fetch(feed_server.url("/hub"), message=POST, headers={"X-Hub-Signature": "a=b"})
    assert fetched(outcome).transfer.status == 202
    assert fetched(outcome).body == b""
    [request] = feed_server.requests
    assert (request.method, request.body) == ("POST", BODY)
    assert request.headers["content-type"] == FORM
    assert request.headers["x-hub-signature"] == "a=b"
    assert not {"a-im", "if-none-match", "expect"} & set(request.headers)


def test_large_post_is_sent_at_once(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/hub", 204)
    body = bytes(5_000_000)
    outcome = fetched(fetch(feed_server.url("/hub"), message=Message(body=body)))
    assert feed_server.requests[0].body == body
    assert outcome.transfer.seconds < 0.9


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_answers_a_message(feed_server: FeedServer, fetch: Fetch, status: int) -> None:
    feed_server.reply("/hub", status, body=b"echo")
    outcome = fetched(fetch(feed_server.url("/hub"), message=Message(method="GET")))
    assert outcome.body == (b"" if status == 204 else b"echo")
    assert feed_server.requests[0].method == "GET"


@pytest.mark.parametrize("status", [307, 308])
def test_redirect_that_keeps_the_method_is_followed_with_the_body(
    feed_server: FeedServer, fetch: Fetch, status: int
) -> None:
    feed_server.redirect("/hub", "/other", status)
    feed_server.reply("/other", 202)
    fetched(fetch(feed_server.url("/hub"), message=POST))
    assert [(one.method, one.body) for one in feed_server.requests] == [("POST", BODY)] * 2


@pytest.mark.parametrize("status", [301, 302, 303])
def test_redirect_that_would_make_it_a_get_is_refused(
    feed_server: FeedServer, fetch: Fetch, status: int
) -> None:
    feed_server.redirect("/hub", "/other", status)
    outcome = failed(fetch(feed_server.url("/hub"), message=POST), FailureKind.HTTP_STATUS)
    assert outcome.transfer.status == status
    assert feed_server.paths() == ["/hub"]


def test_no_redirect_is_followed_when_none_may_be(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.redirect("/hub", "/other", 307)
    limits = Limits(redirects=0)
    failed(fetch(feed_server.url("/hub"), message=POST, limits=limits), FailureKind.REDIRECTS)
    assert feed_server.paths() == ["/hub"]


def test_the_text_of_a_refusal_is_shortened(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/hub", 422, body=b"no such topic " + b"x" * 10_000)
    outcome = failed(fetch(feed_server.url("/hub"), message=POST), FailureKind.HTTP_STATUS)
    assert "no such topic" in outcome.detail
    assert len(outcome.detail) < 500


def test_gone_is_a_kind_of_its_own(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/hub", 410)
    failed(fetch(feed_server.url("/hub"), message=POST), FailureKind.GONE)


def test_handle_that_posted_gets_again(feed_server: FeedServer, client: Client) -> None:
    feed_server.reply("/hub", 202)
    feed_server.reply("/feed", 200, body=b"<rss/>")
    client.fetch_one(Request(source_id="a", url=feed_server.url("/hub"), message=POST))
    client.fetch_one(Request(source_id="b", url=feed_server.url("/feed")))
    assert [(one.method, one.body) for one in feed_server.requests] == [
        ("POST", BODY), ("GET", b""),
    ]  # fmt: skip
    assert "a-im" in feed_server.requests[1].headers


def test_message_to_a_private_address_is_refused(feed_server: FeedServer) -> None:
    client = Client(user_agent="feed-aggregator/test")
    try:
        outcome = client.fetch_one(Request(source_id="a", url=feed_server.url("/"), message=POST))
    finally:
        client.close()
    failed(outcome, FailureKind.REFUSED_ADDRESS)
    assert feed_server.requests == []


def test_a_broken_body_of_a_response_to_a_post_is_ignored(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/large", 200, body=bytes(100_000))
    feed_server.reply("/odd", 200, {"Content-Encoding": "gzip"}, b"no gzip")
    limits = Limits(body=4_096)
    for path in ("/large", "/odd"):
        url = feed_server.url(path)
        assert fetched(fetch(url, message=POST, limits=limits)).transfer.status == 200
    failed(
        fetch(feed_server.url("/large"), message=Message(method="GET"), limits=limits),
        FailureKind.TOO_LARGE,
    )
