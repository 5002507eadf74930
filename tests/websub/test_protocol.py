"""The rules of WebSub, as tables."""

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.models.config import Auth, Config, Site, WebSub
from aggregator.models.entry import Feed
from aggregator.websub import protocol
from aggregator.websub.protocol import Offer, Reach, SubscriptionRequest, parse_subscription_request

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CONFIG = Config(path="", site=Site(base_url="https://site.example"), storage="")
CLOSED = Auth(token="a-token-for-programs", protect="site")


@pytest.mark.parametrize(
    ("url", "allow", "wanted"),
    [
        ("https://site.example", (), Reach.EVERYWHERE),
        ("http://8.8.8.8:8000", (), Reach.EVERYWHERE),
        ("http://127.0.0.1:8000", (), Reach.NOWHERE),
        ("http://127.0.0.1:8000", ("127.0.0.0/8",), Reach.NEIGHBOURS),
        ("http://[::1]:8000", (), Reach.NOWHERE),
        ("http://192.168.1.7", ("10.0.0.0/8",), Reach.NOWHERE),
        ("http://0x7f.1/", (), Reach.NOWHERE),
        ("http://localhost:8000", (), Reach.NOWHERE),
        ("http://localhost:8000", ("localhost",), Reach.NEIGHBOURS),
        ("http://news.lan", (), Reach.NOWHERE),
        ("http://news.lan", ("news.lan",), Reach.NEIGHBOURS),
    ],
)
def test_reach_of_a_url(url: str, allow: tuple[str, ...], wanted: Reach) -> None:
    assert protocol.reach(url, allow) is wanted


def site(base_url: str, **more: object) -> Config:
    return replace(CONFIG, site=Site(base_url=base_url), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        (CONFIG, "https://site.example/hub"),
        (replace(CONFIG, websub=WebSub(hub="off")), ""),
        (replace(CONFIG, websub=WebSub(hub="https://hub.example/")), "https://hub.example/"),
        (site("http://127.0.0.1:8000"), ""),
        (site("http://127.0.0.1:8000", websub=WebSub(hub="https://hub.example/")), ""),
        (site("http://127.0.0.1:8000", allow=("127.0.0.0/8",)), "http://127.0.0.1:8000/hub"),
        (replace(CONFIG, auth=CLOSED), ""),
        (replace(CONFIG, auth=replace(CLOSED, protect="control")), "https://site.example/hub"),
    ],
)
def test_hub_that_our_feeds_name(config: Config, wanted: str) -> None:
    assert protocol.hub_url(config) == wanted


def test_hubs_that_could_not_reach_us_are_not_asked() -> None:
    near = site("http://127.0.0.1:8000", allow=("127.0.0.0/8",))
    assert protocol.objection(CONFIG, "https://hub.example/") == ""
    assert "http://127.0.0.1:8000" in protocol.objection(site("http://127.0.0.1:8000"))
    assert protocol.objection(near, "http://127.0.0.2/hub") == ""
    assert "this hub" in protocol.objection(near, "https://hub.example/")
    assert "websub.subscribe" in protocol.objection(replace(CONFIG, websub=WebSub(subscribe=False)))


@pytest.mark.parametrize(
    ("hubs", "self_url", "wanted"),
    [
        ((), "https://a.example/feed", None),
        (("https://hub.example/",), "", None),
        (
            ("http://h.example/", "https://s.example/"),
            "https://a.example/feed",
            "https://s.example/",
        ),
        (("http://h.example/", "http://s.example/"), "https://a.example/feed", "http://h.example/"),
    ],
)
def test_offer_of_a_feed(hubs: tuple[str, ...], self_url: str, wanted: str | None) -> None:
    found = protocol.offer(Feed(hubs=hubs, self_url=self_url))
    assert found == (Offer(hub=wanted, topic=self_url) if wanted else None)


def test_subscription_request_has_the_form_of_the_recommendation() -> None:
    form = protocol.subscription_form(
        mode="subscribe", topic="https://a.example/ü?x=1&y", callback="https://us/c", secret="s"
    )
    assert parse_qs(form.decode(), strict_parsing=True) == {
        "hub.mode": ["subscribe"],
        "hub.topic": ["https://a.example/ü?x=1&y"],
        "hub.callback": ["https://us/c"],
        "hub.verify": ["async"],
        "hub.lease_seconds": ["864000"],
        "hub.secret": ["s"],
    }


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("864000", timedelta(days=10)),
        ("1", timedelta(minutes=1)),
        ("1209601", timedelta(days=14)),
        ("9" * 16, timedelta(days=14)),
        ("0", None), ("", None), ("-1", None), ("1.5", None), ("٣", None), ("1" * 99, None),
    ],
)  # fmt: skip
def test_lease_is_clamped_and_junk_is_ignored(text: str, wanted: timedelta | None) -> None:
    assert protocol.granted(text) == wanted


@given(st.integers(min_value=1, max_value=14 * 86400))
def test_renewal_comes_well_before_the_end(seconds: int) -> None:
    until = NOW + timedelta(seconds=seconds)
    assert NOW < protocol.renewal(NOW, until) <= until - timedelta(seconds=seconds) * 0.3


@pytest.mark.parametrize("name", ["sha1", "sha256", "sha384", "sha512"])
def test_signature_of_each_registered_algorithm(name: str) -> None:
    good = hmac.new(b"secret", b"body", name).hexdigest()
    assert protocol.signed_with(f"{name}={good}", "secret", b"body") == name
    assert protocol.signed_with(f"{name.upper()}={good.upper()}", "secret", b"body") == name
    assert protocol.signed_with(f"{name}={good}", "secret", b"body ") == ""
    assert protocol.signed_with(f"{name}={good}", "other", b"body") == ""


@pytest.mark.parametrize("header", ["", "sha256", "sha256=", "md5=ab", "=", "sha256=é\ud800"])
def test_junk_is_no_signature(header: str) -> None:
    assert protocol.signed_with(header, "secret", b"body") == ""


def test_our_signature_is_sha256_of_the_bytes() -> None:
    wanted = hmac.new(b"s", b"\0b", hashlib.sha256).hexdigest()
    assert protocol.signature("s", b"\0b") == f"sha256={wanted}"
    assert protocol.signed_with(protocol.signature("s", b"\0b"), "s", b"\0b") == "sha256"


FORM = {
    "hub.mode": "subscribe",
    "hub.topic": "https://site.example/feeds/all.atom",
    "hub.callback": "https://them.example/cb?a=b",
}


def test_least_request_is_enough() -> None:
    assert parse_subscription_request(FORM, ()) == SubscriptionRequest(
        mode="subscribe", topic=FORM["hub.topic"], callback=FORM["hub.callback"]
    )


def test_unknown_parameters_are_ignored() -> None:
    assert parse_subscription_request(
        FORM | {"hub.verify": "sync", "x": "y"}, ()
    ) == parse_subscription_request(FORM, ())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hub.mode": ""}, "hub.mode"),
        ({"hub.mode": "publish"}, "detects their changes"),
        ({"hub.topic": ""}, "hub.topic"),
        ({"hub.topic": "x" * 3000}, "hub.topic"),
        ({"hub.callback": ""}, "hub.callback"),
        ({"hub.callback": "ftp://them.example/"}, "http or https"),
        ({"hub.callback": "javascript:alert(1)"}, "http or https"),
        ({"hub.callback": "//them.example/"}, "http or https"),
        ({"hub.callback": "https://a:b@them.example/"}, "user name"),
        ({"hub.callback": "https://them.example/#x"}, "fragment"),
        ({"hub.callback": "https://them.example/\r\nX: y"}, "must be a URL"),
        ({"hub.callback": "http://127.0.0.1/"}, "public address"),
        ({"hub.callback": "http://0x7f.1/"}, "public address"),
        ({"hub.callback": "http://[::ffff:10.0.0.1]/"}, "public address"),
        ({"hub.callback": "http://localhost/"}, "public address"),
        ({"hub.secret": "x" * 200}, "hub.secret"),
        ({"hub.secret": "ü" * 100}, "hub.secret"),
        ({"hub.lease_seconds": "0"}, "hub.lease_seconds"),
        ({"hub.lease_seconds": "ever"}, "hub.lease_seconds"),
    ],
)
def test_invalid_request_is_explained(change: dict[str, str], words: str) -> None:
    found = parse_subscription_request(FORM | change, ())
    assert isinstance(found, str)
    assert words in found


@pytest.mark.parametrize(
    ("asked", "lease"),
    [("1", timedelta(minutes=1)), ("7200", timedelta(hours=2)), ("99999999", timedelta(days=14))],
)
def test_requested_lease_is_granted_within_bounds(asked: str, lease: timedelta) -> None:
    subscription = parse_subscription_request(FORM | {"hub.lease_seconds": asked}, ())
    assert isinstance(subscription, SubscriptionRequest)
    assert subscription.lease == lease


def test_lease_of_an_unsubscription_is_ignored() -> None:
    subscription = parse_subscription_request(
        FORM | {"hub.mode": "unsubscribe", "hub.lease_seconds": "junk"}, ()
    )
    assert isinstance(subscription, SubscriptionRequest)


@pytest.mark.parametrize(
    ("callback", "wanted"),
    [
        ("https://t/c", "https://t/c?hub.mode=x%26"),
        ("https://t/c?", "https://t/c?hub.mode=x%26"),
        ("https://t/c?a=b&hub.mode=y", "https://t/c?a=b&hub.mode=y&hub.mode=x%26"),
        ("https://t/c?a=%20b&", "https://t/c?a=%20b&hub.mode=x%26"),
        ("https://t\\[c", "https://t\\[c?hub.mode=x%26"),  # which urlsplit can't read
    ],
)
def test_query_of_a_callback_is_kept(callback: str, wanted: str) -> None:
    assert protocol.with_parameters(callback, {"hub.mode": "x&"}) == wanted
