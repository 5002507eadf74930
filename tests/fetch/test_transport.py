"""The options of a source's requests: User-Agent, proxy, cookies, trusted certificates."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.fetch.client import Client
from aggregator.models.config import Cookie, Transport
from aggregator.models.poll import FailureKind, FetchOutcome, Request
from tests.feedserver import HOSTS, FeedServer, certificate
from tests.fetch.conftest import failed, fetched

FEED = b"<rss/>"

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="needs the `openssl` command to make a certificate"
)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(pem: Path) -> Iterator[FeedServer]:
    with FeedServer(certificate=pem) as server:
        server.reply("/feed", 200, {}, FEED)
        yield server


def get(client: Client, url: str, **options: object) -> FetchOutcome:
    transport = Transport(**options)  # type: ignore[arg-type]
    return client.fetch_one(Request(source_id="a", url=url, transport=transport))


def test_user_agent_of_one_source_is_not_sent_for_the_next(
    feed_server: FeedServer, client: Client
) -> None:
    feed_server.reply("/feed", 200, {}, FEED)
    url = feed_server.url("/feed")
    for options in ({"user_agent": "Reader/1.0"}, {}):
        fetched(get(client, url, **options))
    assert [each.headers["user-agent"] for each in feed_server.requests] == [
        "Reader/1.0", "feed-aggregator/test",
    ]  # fmt: skip


def test_proxy_of_one_source(feed_server: FeedServer, client: Client) -> None:
    feed_server.reply("http://8.8.8.8/feed", 200, {}, FEED)
    feed_server.reply("/feed", 200, {}, FEED)
    fetched(get(client, "http://8.8.8.8/feed", proxy=feed_server.url("").rstrip("/")))
    fetched(get(client, feed_server.url("/feed")))
    assert feed_server.paths() == ["http://8.8.8.8/feed", "/feed"]


def test_address_is_checked_before_a_proxy_is_asked(
    feed_server: FeedServer, client: Client
) -> None:
    outcome = get(client, "http://169.254.169.254/", proxy=feed_server.url("").rstrip("/"))
    failed(outcome, FailureKind.REFUSED_ADDRESS)
    assert feed_server.requests == []


def test_address_is_checked_again_after_a_request_through_a_proxy(feed_server: FeedServer) -> None:
    feed_server.reply("http://8.8.8.8/feed", 200, {}, FEED)
    client = Client(user_agent="t")  # allows no private address
    fetched(get(client, "http://8.8.8.8/feed", proxy=feed_server.url("").rstrip("/")))
    failed(get(client, feed_server.url("/feed")), FailureKind.REFUSED_ADDRESS)
    client.close()


COOKIES = (
    Cookie(domain=HOSTS[0], name="a", value="1"),
    Cookie(domain=HOSTS[0], name="s", value="2", secure=True),
    Cookie(domain=HOSTS[1], name="b", value="3"),
    Cookie(domain=".example", name="c", value="4"),
)


def test_cookies_go_to_their_own_hosts(feed_server: FeedServer, client: Client) -> None:
    feed_server.redirect("/feed", feed_server.url("/there", HOSTS[1]))
    feed_server.reply("/there", 200, {}, FEED)
    fetched(get(client, feed_server.url("/feed"), cookies=COOKIES))
    assert [each.headers.get("cookie") for each in feed_server.requests] == ["a=1", "b=3"]


def test_server_may_replace_a_cookie_within_a_chain(
    feed_server: FeedServer, client: Client
) -> None:
    feed_server.reply("/feed", 302, {"Location": "/there", "Set-Cookie": "a=new"})
    feed_server.reply("/there", 200, {}, FEED)
    for _ in range(2):
        fetched(get(client, feed_server.url("/feed"), cookies=COOKIES[:1]))
    assert [each.headers.get("cookie") for each in feed_server.requests] == [
        "a=1", "a=new", "a=1", "a=new",
    ]  # fmt: skip


def test_many_long_cookies_are_sent(feed_server: FeedServer, client: Client) -> None:
    feed_server.reply("/feed", 200, {}, FEED)
    cookies = [Cookie(domain=HOSTS[0], name=f"n{n}", value="v" * 300) for n in range(25)]
    fetched(get(client, feed_server.url("/feed"), cookies=tuple(cookies)))
    assert feed_server.requests[0].headers["cookie"].count("=") == 25


@needs_openssl
def test_secure_cookie_goes_over_tls(secure: FeedServer, client: Client, pem: Path) -> None:
    fetched(get(client, secure.url("/feed"), cookies=COOKIES, ca=str(pem)))
    assert secure.requests[0].headers["cookie"] == "a=1; s=2"


@needs_openssl
def test_trusted_authority_is_that_of_one_source(
    secure: FeedServer, client: Client, pem: Path
) -> None:
    url = secure.url("/feed")
    failed(get(client, url), FailureKind.TLS)
    fetched(get(client, url, ca=str(pem)))
    failed(get(client, url), FailureKind.TLS)


@needs_openssl
def test_insecure_accepts_any_certificate_of_one_source(secure: FeedServer, client: Client) -> None:
    url = secure.url("/feed")
    fetched(get(client, url, insecure=True))
    failed(get(client, url), FailureKind.TLS)


@needs_openssl
@pytest.mark.parametrize("host", [HOSTS[0], HOSTS[1]])
def test_redirect_to_another_host_is_not_trusted(
    secure: FeedServer, client: Client, host: str
) -> None:
    secure.redirect("/old", secure.url("/feed", host))
    outcome = get(client, secure.url("/old"), insecure=True)
    if host == HOSTS[0]:
        fetched(outcome)
    else:
        failed(outcome, FailureKind.TLS)
