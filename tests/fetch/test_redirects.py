"""Each redirect is checked like a first request."""

from datetime import timedelta

import pytest

from aggregator.models.poll import FailureKind, Hop, NotModified, Validators
from tests.feedserver import HOSTS, FeedServer, Received, Step, response
from tests.fetch.conftest import SHORT, Fetch, failed, fetched

FEED = b"<rss/>"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_and_recorded(
    status: int, feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.redirect("/old", "new?a=1#top", status)
    feed_server.reply("/new", 200, {}, FEED)
    outcome = fetched(fetch(feed_server.url("/old")))
    assert outcome.url == feed_server.url("/new?a=1")
    assert outcome.transfer.hops == (Hop(status=status, url=outcome.url),)
    assert [request.method for request in feed_server.requests] == ["GET", "GET"]


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("//127.0.0.2:{port}/ü", id="without scheme, not in ASCII"),
        pytest.param("http:\\\\127.0.0.2:{port}\\ü", id="backslashes"),
        pytest.param("HTTP://someone@127.0.0.2:{port}/%C3%BC", id="capitals and a user name"),
        pytest.param("http://2130706434:{port}/%C3%BC", id="a number for an address"),
    ],
)
def test_a_location_is_read_like_a_browser_does(
    location: str, feed_server: FeedServer, fetch: Fetch
) -> None:
    place = location.format(port=feed_server.port).encode().decode("latin-1")
    feed_server.redirect("/old", place)
    feed_server.reply("/%C3%BC", 200, {}, FEED)
    assert fetched(fetch(feed_server.url("/old"))).url == feed_server.url("/%C3%BC", HOSTS[1])
    assert "authorization" not in feed_server.requests[1].headers


def test_a_chain_is_followed_to_its_limit(feed_server: FeedServer, fetch: Fetch) -> None:
    for hop in range(4):
        feed_server.redirect(f"/{hop}", f"/{hop + 1}", 302)
    feed_server.reply("/4", 200, {}, FEED)
    assert len(fetched(fetch(feed_server.url("/1"), limits=SHORT)).transfer.hops) == 3
    outcome = failed(fetch(feed_server.url("/0"), limits=SHORT), FailureKind.REDIRECTS)
    assert "more than 3 redirects" in outcome.detail
    assert f"(redirected from {feed_server.url('/0')})" in outcome.detail
    assert len(outcome.transfer.hops) == 3


@pytest.mark.parametrize("loop", [("/a",), ("/a", "/b"), ("/a", "/b", "/c")])
def test_a_redirect_loop_is_found_when_it_closes(
    loop: tuple[str, ...], feed_server: FeedServer, fetch: Fetch
) -> None:
    for here, there in zip(loop, (*loop[1:], loop[0]), strict=True):
        feed_server.redirect(here, there, 302)
    outcome = failed(fetch(feed_server.url("/a")), FailureKind.REDIRECTS)
    assert "loop" in outcome.detail
    assert feed_server.paths() == list(loop)


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/1", "data:text/xml,<rss/>"],
)
def test_other_schemes_are_refused(location: str, feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.redirect("/old", location)
    outcome = failed(fetch(feed_server.url("/old")), FailureKind.REFUSED_SCHEME)
    assert "only http and https" in outcome.detail


def test_a_location_in_latin_1_keeps_its_bytes(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.redirect("/old", "/ü?ä=%C3%BC")
    feed_server.reply("/%FC", 200, {}, FEED)
    assert fetched(fetch(feed_server.url("/old"))).url == feed_server.url("/%FC?%E4=%C3%BC")


def _wall(request: Received) -> list[Step]:
    if request.headers.get("cookie") == "consent=yes; id=7":
        return [response(200, {}, FEED)]
    fields = {"Location": request.path, "Set-Cookie": "consent=yes; Path=/\r\nSet-Cookie: id=7"}
    return [response(302, fields)]


def test_a_cookie_wall_is_passed_and_its_cookies_are_forgotten(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.on("/feed", _wall)
    for _ in range(2):
        assert fetched(fetch(feed_server.url("/feed"))).body == FEED
    sent = [request.headers.get("cookie", "") for request in feed_server.requests]
    assert sent == ["", "consent=yes; id=7"] * 2


def test_a_cookie_goes_only_to_the_host_that_set_it(feed_server: FeedServer, fetch: Fetch) -> None:
    away = {"Location": feed_server.url("/b", HOSTS[1]), "Set-Cookie": "a=1; Domain=0.0.1"}
    feed_server.reply("/a", 302, away)
    feed_server.redirect("/b", feed_server.url("/c"), 302)
    feed_server.reply("/c", 200, {}, FEED)
    fetched(fetch(feed_server.url("/a"), headers={"Cookie": "mine=1"}))
    sent = [request.headers.get("cookie", "") for request in feed_server.requests]
    assert sent == ["mine=1", "", "a=1"]


def test_a_cookie_is_added_to_those_of_the_source(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/a", 302, {"Location": "/b", "Set-Cookie": "a=1"})
    feed_server.reply("/b", 200, {}, FEED)
    fetched(fetch(feed_server.url("/a"), headers={"Cookie": "mine=1"}))
    assert feed_server.requests[1].headers["cookie"] == "mine=1; a=1"


def test_a_wall_that_accepts_no_cookie_is_a_loop(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/a", 302, {"Location": "/a", "Set-Cookie": "a=1"})
    assert "loop" in failed(fetch(feed_server.url("/a")), FailureKind.REDIRECTS).detail
    assert len(feed_server.requests) == 2


def test_a_wall_with_ever_new_cookies_ends_at_the_limit(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    def wall(request: Received) -> list[Step]:
        cookie = "x" * len(request.headers.get("cookie", "")) + "y"
        return [response(302, {"Location": "/a", "Set-Cookie": f"a={cookie}"})]

    feed_server.on("/a", wall)
    outcome = failed(fetch(feed_server.url("/a"), limits=SHORT), FailureKind.REDIRECTS)
    assert "more than 3 redirects" in outcome.detail


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "without a Location header"),
        ({"Location": "http://[/"}, "redirects (status 301) to 'http://[/', which is not a valid"),
    ],
)
def test_an_unusable_location_is_named(
    headers: dict[str, str], reason: str, feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/old", 301, headers)
    assert reason in failed(fetch(feed_server.url("/old")), FailureKind.PROTOCOL).detail


@pytest.mark.parametrize("headers", [{}, {"Location": ""}, {"Location": "http://[/"}])
def test_a_redirect_to_nowhere_is_an_error(
    headers: dict[str, str], feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/old", 301, headers)
    failed(fetch(feed_server.url("/old")), FailureKind.PROTOCOL)


def test_secrets_are_sent_to_their_origin_only(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.redirect("/1", "/2")
    feed_server.redirect("/2", feed_server.url("/3", HOSTS[1]))
    feed_server.redirect("/3", feed_server.url("/4"))
    feed_server.reply("/4", 200, {}, FEED)
    headers = {"Authorization": "Bearer s", "Cookie": "s=1", "X-Key": "s"}
    fetched(fetch(feed_server.url("/1"), headers=headers))
    for request, sent in zip(feed_server.requests, (True, True, False, False), strict=True):
        names = set(request.headers) & {"authorization", "cookie", "x-key"}
        assert len(names) == (3 if sent else 0), request.path


def test_validators_are_for_the_final_url(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.redirect("/old", feed_server.url("/new", HOSTS[1]))
    feed_server.feed("/new", FEED, etag='"1"')
    known = {
        "validators": Validators(etag='"1"'),
        "validators_url": feed_server.url("/new", HOSTS[1]),
    }
    outcome = fetch(feed_server.url("/old"), **known)
    assert isinstance(outcome, NotModified)
    assert outcome.url == known["validators_url"]
    assert outcome.transfer.conditional
    old, new = feed_server.requests
    assert "if-none-match" not in old.headers
    assert new.headers["if-none-match"] == '"1"'


def test_a_304_for_an_intermediate_url_is_a_failure(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.redirect("/old", "/new")
    feed_server.reply("/new", 304)
    url = feed_server.url("/old")
    outcome = fetch(url, validators=Validators(etag='"1"'), validators_url=url)
    assert not failed(outcome, FailureKind.FALSE_304).transfer.conditional


def test_the_longest_retry_after_of_all_hops_counts(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/old", 302, {"Location": "/new", "Retry-After": "3600"})
    feed_server.reply("/new", 200, {"Retry-After": "60", "Cache-Control": "max-age=5"}, FEED)
    said = fetched(fetch(feed_server.url("/old"))).transfer.freshness
    assert said.retry_after == timedelta(hours=1)
    assert said.lifetime == timedelta(seconds=5)


def test_the_freshness_of_a_redirect_is_ignored(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/old", 301, {"Location": "/new", "Cache-Control": "max-age=9, no-store"})
    feed_server.reply("/new", 200, {"ETag": '"1"'}, FEED)
    outcome = fetched(fetch(feed_server.url("/old")))
    assert outcome.transfer.freshness.lifetime is None
    assert outcome.validators.etag == '"1"'


def test_all_hops_share_the_total_time(feed_server: FeedServer, fetch: Fetch) -> None:
    for hop in range(3):
        feed_server.on(f"/{hop}", lambda request: [0.4, _to(int(request.path[1:]) + 1)])
    feed_server.reply("/3", 200, {}, FEED, delay=0.9)
    outcome = failed(fetch(feed_server.url("/0"), limits=SHORT), FailureKind.TIMEOUT)
    assert "limit `total`" in outcome.detail
    assert 1.3 < outcome.transfer.seconds < 8


def _to(hop: int) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: /{hop}\r\nContent-Length: 0\r\n\r\n".encode()


def test_a_redirect_to_a_host_that_may_not_be_contacted_is_not_followed(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.redirect("/old", feed_server.url("/new", HOSTS[1]))
    feed_server.reply("/new", 200, {}, FEED)
    start = feed_server.url("/old")
    outcome = failed(fetch(start, hosts=frozenset({HOSTS[0]})), FailureKind.ELSEWHERE)
    assert outcome.transfer.hops == (Hop(status=301, url=feed_server.url("/new", HOSTS[1])),)
    assert feed_server.paths() == ["/old"]
    assert fetched(fetch(start, hosts=frozenset(HOSTS[:2]))).body == FEED
