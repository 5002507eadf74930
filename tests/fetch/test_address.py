"""The addresses that may be connected to, and attempts to bypass the rule."""

from collections.abc import Iterator

import pycurl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.fetch import address
from aggregator.fetch.attempt import Attempt
from aggregator.fetch.client import Client
from aggregator.fetch.handle import Handle
from aggregator.models.config import Limits
from aggregator.models.poll import Failed, FailureKind, Request
from tests.feedserver import HOSTS, FeedServer
from tests.fetch.conftest import failed, fetched

REFUSED = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "127.0.0.1": "loopback",
    "127.255.255.255": "loopback",
    "10.0.0.1": "private",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.168.1.1": "private",
    "100.64.0.1": "carrier",
    "100.127.255.255": "carrier",
    "169.254.169.254": "link-local",
    "192.0.0.1": "protocols",
    "192.0.2.1": "examples",
    "192.88.99.1": "6to4",
    "198.18.0.1": "benchmarks",
    "198.51.100.1": "examples",
    "203.0.113.1": "examples",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "::": "unspecified",
    "::1": "loopback",
    "::ffff:127.0.0.1": "IPv4",
    "::ffff:8.8.8.8": "IPv4",
    "::127.0.0.1": "IPv4",
    "64:ff9b::7f00:1": "NAT64",
    "64:ff9b:1::1": "NAT64",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fec0::1": "site-local",
    "fc00::1": "private",
    "fd12:3456::1": "private",
    "ff02::1": "multicast",
    "2001::1": "Teredo",
    "2001:2::1": "protocols",
    "2001:db8::1": "examples",
    "2002:7f00:1::1": "6to4",
    "3fff::1": "examples",
    "5f00::1": "reserved",
    "100::1": "reserved",
    "4000::1": "reserved",
    "::ffff:0:127.0.0.1": "reserved",
    "not an address": "not an IP address",
}
PUBLIC = (
    "8.8.8.8",
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "2600::1",
    "2a00:1450:4001::1",
    "2003::1",
)


@pytest.mark.parametrize(("ip", "word"), REFUSED.items())
def test_special_addresses_are_refused(ip: str, word: str) -> None:
    reason = address.refusal_reason(ip, "feeds.example", ())
    assert reason is not None
    assert word in reason


@pytest.mark.parametrize("ip", PUBLIC)
def test_public_addresses_are_not(ip: str) -> None:
    assert address.refusal_reason(ip, "feeds.example", ()) is None


@pytest.mark.parametrize(
    ("ip", "host", "allow", "open_"),
    [
        ("127.0.0.1", "h", ("127.0.0.0/8",), True),
        ("127.0.0.1", "h", ("127.0.0.1",), True),
        ("127.0.0.2", "h", ("127.0.0.1",), False),
        ("127.0.0.1", "h", ("127.0.0.1/8",), True),
        ("::1", "h", ("127.0.0.0/8",), False),
        ("::1", "h", ("[::1]",), True),
        ("::ffff:127.0.0.1", "h", ("127.0.0.0/8",), True),
        ("::ffff:10.0.0.1", "h", ("127.0.0.0/8",), False),
        ("64:ff9b::8.8.8.8", "h", ("64:ff9b::/96",), True),
        ("10.0.0.1", "news.intra", ("News.Intra.",), True),
        ("10.0.0.1", "other.intra", ("news.intra",), False),
        ("10.0.0.1", "evil-news.intra", ("news.intra",), False),
    ],
)
def test_only_the_allowed_networks_are_open(
    ip: str, host: str, allow: tuple[str, ...], open_: bool
) -> None:
    assert (address.refusal_reason(ip, host, allow) is None) is open_


@given(st.ip_addresses())
def test_no_address_that_python_calls_special_is_allowed(ip: object) -> None:
    if address.refusal_reason(str(ip), "h", ()) is None:
        for property_ in ("is_loopback", "is_link_local", "is_multicast", "is_unspecified"):
            assert not getattr(ip, property_)
        assert not getattr(ip, "is_site_local", False)


# --- at the moment of connecting -------------------------------------------------------------

LOCAL = (
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST.:{port}/",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://0:{port}/",
    "http://1%32%37.0.0.1:{port}/",
    "http://①②⑦.0.0.1:{port}/",
    "http://127.0.0.2:{port}@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@127.0.0.2:{port}/",
    "http:127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
)


@pytest.fixture
def outside() -> Iterator[Client]:
    """A client to which only the second loopback address is open."""
    client = Client(user_agent="t", allow=(HOSTS[1],))
    yield client
    client.close()


@pytest.mark.parametrize("url", LOCAL)
def test_every_spelling_of_a_local_url_is_refused(
    url: str, feed_server: FeedServer, outside: Client
) -> None:
    local = url.format(port=feed_server.port)
    outcome = outside.fetch_one(Request(source_id="a", url=local))
    assert "`network.allow`" in failed(outcome, FailureKind.REFUSED_ADDRESS).detail
    assert feed_server.connections == 0


@pytest.mark.parametrize("url", [*LOCAL, "//127.0.0.1:{port}/", "http://169.254.169.254/"])
def test_a_redirect_to_a_local_url_is_refused(
    url: str, feed_server: FeedServer, outside: Client
) -> None:
    place = url.format(port=feed_server.port).encode().decode("latin-1")
    if "127.0.0.2" in url and "\\" not in url:
        place = place.replace("127.0.0.2", "feeds.invalid")  # must not count as the host
    feed_server.redirect("/old", place)
    outcome = outside.fetch_one(Request(source_id="a", url=feed_server.url("/old", HOSTS[1])))
    if url.startswith("http:127"):  # relative to a http URL: a path, and harmless
        failed(outcome, FailureKind.HTTP_STATUS)
    else:
        failed(outcome, FailureKind.REFUSED_ADDRESS)
    assert {request.host for request in feed_server.requests} == {HOSTS[1]}


def test_the_message_names_host_address_and_remedy(outside: Client) -> None:
    outcome = outside.fetch_one(Request(source_id="a", url="http://localhost:1/"))
    detail = failed(outcome, FailureKind.REFUSED_ADDRESS).detail
    assert "localhost resolves to " in detail
    assert "a loopback address" in detail
    assert "add it to `network.allow`" in detail


def test_an_allowed_address_is_fetched(feed_server: FeedServer, outside: Client) -> None:
    feed_server.reply("/feed", 200, {}, b"<rss/>")
    url = feed_server.url("/feed", HOSTS[1])
    fetched(outside.fetch_one(Request(source_id="a", url=url)))


def _rebound(feed_server: FeedServer, allow: tuple[str, ...]) -> Failed | int:
    """Fetch a name that looked public before and resolves to loopback when connected to."""
    handle = Handle(user_agent="t", allow=allow, proxy="", tls_ca="")
    url = f"http://feeds.example:{feed_server.port}/feed"
    attempt = Attempt.begin(Request(source_id="a", url=url, limits=Limits(total=5)))
    assert isinstance(attempt, Attempt)
    handle.start(attempt)
    handle.easy.setopt(pycurl.RESOLVE, [f"feeds.example:{feed_server.port}:127.0.0.1"])
    code, message = 0, ""
    try:
        handle.easy.perform()
    except pycurl.error:
        code, message = pycurl.E_COULDNT_CONNECT, handle.easy.errstr()
    answer = handle.finish(code, message)[1]
    handle.easy.close()
    if answer.fault:
        return Failed(kind=answer.fault.kind, detail=answer.fault.reason)
    return answer.status


def test_a_name_is_checked_by_the_address_of_its_connection(
    feed_server: FeedServer,
) -> None:
    outcome = _rebound(feed_server, ())
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.REFUSED_ADDRESS
    assert "feeds.example resolves to 127.0.0.1, a loopback address" in outcome.detail
    assert feed_server.connections == 0
    assert _rebound(feed_server, ("feeds.example",)) == 404
