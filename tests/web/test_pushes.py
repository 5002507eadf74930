"""What operators are told of WebSub, in words and as a page."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.model import Feed, WebSub
from aggregator.store import subscribers, subscriptions
from aggregator.store.subscribers import Delivery
from aggregator.store.subscriptions import Subscription
from aggregator.web import pushes
from tests.web.stock import CONFIG, START, Stock, stocked
from tests.web.test_pages import PageSite

FEED = Feed(hubs=("https://hub.example/",), self_url="https://herald.example/feed")
ASKED = Subscription(
    token="our-token",
    source_id="herald",
    hub="https://hub.example/?key=their-key",
    topic=FEED.self_url,
    callback="https://site.example/websub/our-token",
    secret="our-secret",
    state="asked",
    since=START,
    act=START,
    failures=1,
    detail="the hub has not answered yet",
)
ACTIVE = replace(ASKED, state="active", lease_until=START + timedelta(days=10), failures=0)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[PageSite]:
    with stocked(tmp_path) as stock:
        yield PageSite(stock)


@pytest.mark.parametrize(
    ("feed", "known", "words"),
    [
        (Feed(), [], "not offered"),
        (Feed(hubs=FEED.hubs), [], "not offered: the feed names a hub, but not itself"),
        (FEED, [], "offered; its hub is asked next"),
        (FEED, [ASKED], "asked 2009-06-27 21:26 GMT: the hub has not answered yet"),
        (FEED, [replace(ASKED, failures=2, detail="status 500")], "failing since"),
        (FEED, [replace(ASKED, state="denied", detail="not you")], "denied by its hub: not you"),
        (FEED, [replace(ACTIVE, state="leaving"), ACTIVE], "active until 2009-07-07 21:26 GMT"),
        (FEED, [ASKED, ACTIVE], "nothing pushed yet, so polls keep their pace"),
        (FEED, [replace(ACTIVE, pushes=3, last_push=START)], "3 pushes, the last 2009-06-27"),
        (FEED, [replace(ACTIVE, ignored=2)], "2 ignored for a wrong signature"),
        (FEED, [replace(ACTIVE, algorithm="sha1")], "signed with sha1, which is weak"),
        (FEED, [replace(ACTIVE, suspected=START)], "found what was not pushed"),
    ],
)
def test_words_for_a_source(feed: Feed, known: list[Subscription], words: str) -> None:
    assert words in pushes.words(CONFIG, feed, known)


def test_words_where_no_hub_is_asked() -> None:
    off = replace(CONFIG, websub=WebSub(subscribe=False))
    assert "websub.subscribe" in pushes.words(off, FEED, [])
    hidden = replace(CONFIG, site=replace(CONFIG.site, base_url="http://127.0.0.1:8000"))
    assert pushes.words(hidden, FEED, []).startswith("off: no hub can reach http://127.0.0.1:8000")


def fill(stock: Stock) -> None:
    with stock.store.transaction() as db:
        subscriptions.add(db, ASKED)
        for callback in ("https://reader.example/secret-path", "https://other.example/x"):
            topic = "https://site.example/feeds/all.atom?token=their-token"
            subscribers.wish(
                db,
                topic=topic,
                callback=callback,
                host="reader.example",
                mode="subscribe",
                secret="their-secret",
                lease=timedelta(days=9_000),
                now=START,
            )
            [wish] = subscribers.wishes(db, START, 9)
            subscribers.subscribe(db, wish, "reader.example", 0, START)
            subscribers.judged(db, wish.id)
            line = Delivery(at=START, kind="push", topic=topic, callback=callback, detail="no way")
            subscribers.log(db, [line])


def test_page_shows_both_sides_and_no_secret(site: PageSite) -> None:
    fill(site.stock)
    page = site.text("/status/websub")
    for shown in ("herald", "hub.example", "/feeds/all.atom", "reader.example", "no way"):
        assert shown in page
    assert "https://site.example/hub" in page
    assert "has 2 subscribers" in page
    for secret in ("our-token", "our-secret", "their", "secret-path"):
        assert secret not in page


def test_source_page_and_json_say_how_it_is_pushed(site: PageSite) -> None:
    assert "<dt>Pushes</dt><dd>not offered</dd>" in site.text("/source/herald")
    told = site.get("/status.json").get_json()
    assert {source["push"] for source in told["sources"]} == {"not offered"}


def test_figures_count_both_sides(site: PageSite) -> None:
    fill(site.stock)
    figures = site.text("/metrics")
    for line in (
        'aggregator_websub_subscriptions{state="asked"} 1.0',
        "aggregator_websub_subscribers 2.0",
        "aggregator_websub_inbox 0.0",
    ):
        assert f"\n{line}\n" in figures
