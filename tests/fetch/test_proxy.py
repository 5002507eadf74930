"""A proxy is used when the configuration names one, and the address guard holds with it."""

import pytest

from aggregator.fetch.client import Client
from aggregator.models.poll import FailureKind, Request
from tests.feedserver import HOSTS, FeedServer
from tests.fetch.conftest import Fetch, failed, fetched

FEED = b"<rss/>"


def _fetch(server: FeedServer, url: str, allow: tuple[str, ...] = ()) -> tuple[object, list[str]]:
    """Fetch `url` through `server` as a proxy; return the outcome and the proxy's requests."""
    client = Client(user_agent="t", allow=allow, proxy=server.url("/").rstrip("/"))
    outcomes = [outcome for _, outcome in client.fetch([Request(source_id="a", url=url)] * 2)]
    client.close()
    assert len(outcomes) == 2
    return outcomes[0], server.paths()


def test_a_proxy_fetches_what_is_open_by_name(feed_server: FeedServer) -> None:
    feed_server.reply("http://feeds.invalid/rss", 200, {}, FEED)
    outcome, asked = _fetch(feed_server, "http://feeds.invalid/rss", ("feeds.invalid",))
    assert fetched(outcome).body == FEED  # type: ignore[arg-type]
    assert asked == ["http://feeds.invalid/rss"] * 2


def test_a_public_address_needs_no_permission(feed_server: FeedServer) -> None:
    feed_server.reply("http://8.8.8.8/rss", 200, {}, FEED)
    fetched(_fetch(feed_server, "http://8.8.8.8/rss")[0])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://localhost/", FailureKind.REFUSED_ADDRESS),
        ("http://169.254.169.254/latest/", FailureKind.REFUSED_ADDRESS),
        ("http://[::1]/", FailureKind.REFUSED_ADDRESS),
        ("http://feeds.invalid/", FailureKind.DNS),
    ],
)
def test_a_proxy_is_not_asked_for_what_is_refused(
    url: str, kind: FailureKind, feed_server: FeedServer
) -> None:
    outcome, asked = _fetch(feed_server, url)
    assert "`network.allow`" in failed(outcome, kind).detail  # type: ignore[arg-type]
    assert asked == []


def test_a_redirect_is_checked_before_the_proxy_is_asked(feed_server: FeedServer) -> None:
    feed_server.redirect("http://8.8.8.8/rss", "http://10.0.0.1/")
    outcome, asked = _fetch(feed_server, "http://8.8.8.8/rss")
    failed(outcome, FailureKind.REFUSED_ADDRESS)  # type: ignore[arg-type]
    assert asked == ["http://8.8.8.8/rss"] * 2


def test_a_proxy_that_refuses_a_tunnel_is_a_connect_failure(feed_server: FeedServer) -> None:
    outcome, _ = _fetch(feed_server, "https://8.8.8.8/rss")
    failed(outcome, FailureKind.CONNECT)  # type: ignore[arg-type]


def test_the_environment_names_no_proxy(
    feed_server: FeedServer, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    feed_server.reply("/feed", 200, {}, FEED)
    fetched(fetch(feed_server.url("/feed")))


def test_the_environment_names_no_exception_from_the_proxy(
    feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    url = feed_server.url("/feed", HOSTS[1])
    _, asked = _fetch(feed_server, url, ("127.0.0.0/8",))
    assert asked == [url] * 2


def test_stop_cancels_lookups(feed_server: FeedServer) -> None:
    client = Client(user_agent="t", proxy=feed_server.url("/"))
    client.stop()
    outcome = client.fetch_one(Request(source_id="a", url="http://feeds.invalid/"))
    client.close()
    failed(outcome, FailureKind.CANCELLED)
