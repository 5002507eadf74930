"""Feeds in a browser: a page for a tab, the feed itself for every other program."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from werkzeug.test import Client, TestResponse

from aggregator.models.config import Config, View
from aggregator.models.entry import Enclosure
from aggregator.models.query import parse
from aggregator.web.app import create_app
from tests.web.conftest import FeedSite
from tests.web.sample_store import CONFIG, START, SampleStore, make_entry, open_sample
from tests.web.server import chromium, served

CHROMIUM_ACCEPT = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)
FIREFOX_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

BROWSERS = {
    "chromium over https": {
        "Sec-Fetch-Dest": "document",
        "Sec-Fetch-Mode": "navigate",
        "Upgrade-Insecure-Requests": "1",
        "Accept": CHROMIUM_ACCEPT,
    },
    "chromium over http": {"Upgrade-Insecure-Requests": "1", "Accept": CHROMIUM_ACCEPT},
    "firefox over http": {"Upgrade-Insecure-Requests": "1", "Accept": FIREFOX_ACCEPT},
    "safari over https": {"Sec-Fetch-Dest": "document", "Accept": FIREFOX_ACCEPT},
}

PROGRAMS = {
    "no fields": {},
    "curl": {"User-Agent": "curl/8.14.1", "Accept": "*/*"},
    "newsboat": {
        "User-Agent": "newsboat/2.39 (Linux x86_64)",
        "Accept": "application/rss+xml,application/atom+xml;q=0.9,text/xml;q=0.8,*/*;q=0.7",
    },
    "feedparser": {
        "User-Agent": "feedparser/6.0.11 +https://github.com/kurtmckee/feedparser/",
        "Accept": "application/atom+xml,application/rdf+xml,application/rss+xml,"
        "application/x-netcdf,application/xml;q=0.9,text/xml;q=0.2,*/*;q=0.1",
        "A-IM": "feed",
    },
    "miniflux": {
        "User-Agent": "Mozilla/5.0 (compatible; Miniflux/2.2.0; +https://miniflux.app)",
        "Accept": "application/xml, application/atom+xml, application/rss+xml, "
        "application/rdf+xml, application/feed+json, text/html, */*;q=0.9",
    },
    "a program that takes html first": {"Accept": FIREFOX_ACCEPT},
    "a script of a page": {"Sec-Fetch-Dest": "empty", "Accept": "*/*"},
    "a script that also asks for an upgrade": BROWSERS["firefox over http"]
    | {"Sec-Fetch-Dest": "empty"},
    "html no better than xml": {
        "Upgrade-Insecure-Requests": "1",
        "Accept": "text/html, application/xml",
    },
    "anything, with an upgrade": {"Upgrade-Insecure-Requests": "1", "Accept": "*/*"},
    "no upgrade": {"Upgrade-Insecure-Requests": "0", "Accept": FIREFOX_ACCEPT},
}

FEEDS = ("/feeds/all.atom", "/feeds/section/world.rss", "/feeds/all.json")
SITE_FEEDS = ("/feeds/health.atom", "/feeds/corrections.rss")

PRIVATE = replace(
    CONFIG, views=(*CONFIG.views, View(id="mine", title="Mine", query=parse("q=5"), token="opener"))
)


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[SampleStore]:
    with open_sample(tmp_path, PRIVATE) as sample:
        sample.add("herald", 55)
        yield sample


@pytest.fixture
def client(sample: SampleStore) -> Client:
    return client_of(sample, PRIVATE)


def client_of(sample: SampleStore, config: Config) -> Client:
    now = START + timedelta(days=1)
    return Client(create_app(lambda: config, sample.store, clock=lambda: now).wsgi_app)


def is_page(response: TestResponse) -> bool:
    return response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", [*FEEDS, *SITE_FEEDS])
def test_browsers_get_a_page_and_programs_the_feed(client: Client, path: str) -> None:
    """In turns, so that neither gets what was cached for the other."""
    expected = client.get(path).data
    for _ in range(2):
        for name, headers in BROWSERS.items():
            response = client.get(path, headers=headers)
            assert response.status_code == 200
            assert is_page(response), name
            assert response.headers["Cache-Control"] == "private, no-store"
            raw = client.get(f"{path}?raw", headers=headers)
            assert raw.data == expected, name
        for name, headers in PROGRAMS.items():
            response = client.get(path, headers=headers)
            assert response.data == expected, name
            vary = response.headers["Vary"]
            assert "Sec-Fetch-Dest, Upgrade-Insecure-Requests" in vary


@pytest.mark.parametrize("headers", BROWSERS.values(), ids=BROWSERS)
def test_other_documents_are_the_same_in_a_browser(client: Client, headers: dict[str, str]) -> None:
    for path in (
        "/opml",
        "/feeds/all.opml",
        "/feeds/all/archive/1.atom",
        "/feeds/view/mine.atom",
        "/feeds/nowhere.atom",
        "/feeds/all.atom?limit=x",
        "/api/v1/entries",
        "/at/2009-06-27T21:40Z/feeds/all.atom",
    ):
        plain, opened = client.get(path), client.get(path, headers=headers)
        assert (opened.status_code, opened.data) == (plain.status_code, plain.data), path
        assert opened.headers["Content-Type"] == plain.headers["Content-Type"]


def test_conditional_requests_of_programs_and_head_are_as_before(client: Client) -> None:
    first = client.get(FEEDS[0])
    validators = {"If-None-Match": first.headers["ETag"]}
    assert (
        client.get(FEEDS[0], headers=BROWSERS["chromium over http"] | validators).status_code == 200
    )
    assert client.get(FEEDS[0], headers=PROGRAMS["curl"] | validators).status_code == 304
    head = client.head(FEEDS[0], headers=PROGRAMS["curl"])
    assert head.headers["Content-Type"] == first.headers["Content-Type"]
    head = client.head(FEEDS[0], headers=BROWSERS["chromium over https"])
    assert is_page(head)
    assert head.data == b""


def test_page_of_a_private_view_opens_with_its_token_only(client: Client) -> None:
    headers = BROWSERS["chromium over https"]
    assert client.get("/feeds/view/mine.atom", headers=headers).status_code == 401
    response = client.get("/feeds/view/mine.atom?token=opener", headers=headers)
    assert is_page(response)
    assert 'href="/feeds/view/mine.atom?token=opener&amp;raw"' in response.text
    assert 'value="https://site.example/feeds/view/mine.atom?token=opener"' in response.text


def test_page_lists_what_the_feed_holds(client: Client) -> None:
    page = client.get("/feeds/all.atom?limit=7", headers=BROWSERS["safari over https"]).text
    assert page.count('<article class="item">') == 7
    assert client.get("/feeds/all.atom?limit=7").data.count(b"<entry") == 7
    assert "https://site.example/feeds/all.atom?limit=7" in page
    assert "podcast" not in page.partition("<details")[0]


def test_page_of_an_empty_feed_says_so(client: Client) -> None:
    page = client.get("/feeds/source/odd.rss", headers=BROWSERS["safari over https"]).text
    assert "No entries yet. You can subscribe now" in page


def test_page_of_a_feed_with_recordings_names_the_address_for_podcast_apps(
    sample: SampleStore, client: Client
) -> None:
    clip = Enclosure(url="https://sound.example/c.mp3", type="audio/mpeg")
    sample.put("odd", replace(make_entry(900), enclosures=(clip,)))
    page = client.get("/feeds/source/odd.atom", headers=BROWSERS["safari over https"]).text
    assert "<code>https://site.example/feeds/source/odd.rss</code>" in page


def test_a_page_leaves_the_cache_of_feeds_as_it_is(site: FeedSite) -> None:
    site.sample.add("herald")
    feed = site.get("/feeds/all.atom")
    page = site.get("/feeds/all.atom", headers=BROWSERS["chromium over https"])
    assert page.text == "The Site (atom)"
    assert site.get("/feeds/all.atom").data == feed.data


# --- in a real browser -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def test_subscribing_from_a_page_by_keyboard(browser: Browser, sample: SampleStore) -> None:
    site = replace(CONFIG, site=replace(CONFIG.site, base_url=""))
    app = create_app(lambda: site, sample.store, clock=lambda: START + timedelta(days=1))
    with served(app) as base:
        context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.goto(f"{base}/section/world")
        expect(page.get_by_role("link", name="Subscribe", exact=True)).to_have_count(1)
        expect(page.get_by_role("link", name="JSON Feed")).to_be_hidden()
        page.locator(".subscribe summary").press("Enter")
        expect(page.get_by_role("link", name="JSON Feed")).to_be_visible()
        page.get_by_role("link", name="Subscribe", exact=True).press("Enter")
        expect(page).to_have_url(f"{base}/feeds/section/world.atom")
        expect(page.get_by_role("heading", name="Subscribe to this feed")).to_be_visible()
        expect(page.locator("article.item")).to_have_count(50)
        page.get_by_role("button", name="Copy address", exact=True).press("Enter")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.get_by_label("Address of the feed").input_value()
        assert copied.endswith("/feeds/section/world.atom")
        with page.expect_response(f"{base}/feeds/section/world.atom?raw") as loaded:
            page.get_by_role("link", name="XML", exact=True).press("Enter")
        assert loaded.value.headers["content-type"].startswith("application/atom+xml")
        context.close()
