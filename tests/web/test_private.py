"""Private views: only for clients with the token."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aggregator.models.config import Auth, View
from aggregator.models.query import parse
from tests.web.conftest import FeedSite
from tests.web.pages.test_pages import PageSite
from tests.web.sample_store import CONFIG, open_sample

TOKEN = "a-token-of-our-own"
VIEW = View(id="secret", title="Secret", query=parse("q=report"), token=TOKEN)
SITE = replace(CONFIG, views=(*CONFIG.views, VIEW))
WITH = f"?token={TOKEN}"
FEED = "/feeds/view/secret.atom"


@pytest.fixture
def feeds(tmp_path: Path) -> Iterator[FeedSite]:
    with open_sample(tmp_path, SITE) as sample:
        site = FeedSite(sample)
        site.config = SITE
        site.restart()
        sample.add("herald", 2)
        yield site


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[PageSite]:
    with open_sample(tmp_path, SITE) as sample:
        sample.add("herald", 2)
        yield PageSite(sample)


@pytest.mark.parametrize("path", [FEED, "/feeds/view/secret.json", "/feeds/view/secret.opml"])
@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", f"?token={TOKEN}x", "?q=a"])
def test_without_the_token_a_private_view_is_401(feeds: FeedSite, path: str, query: str) -> None:
    answer = feeds.get(path + query)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Report" not in answer.text


def test_the_token_in_the_url_opens_the_view(feeds: FeedSite) -> None:
    answer = feeds.get(FEED + WITH)
    assert answer.status_code == 200
    assert "Report 1" in answer.text
    assert answer.headers["Cache-Control"].startswith("private")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert f"https://site.example{FEED}{WITH}" in answer.text
    assert feeds.get(FEED).status_code == 401


@pytest.mark.parametrize("path", ["/view/secret", "/view/secret?q=1", FEED])
def test_what_a_page_says_of_itself_to_others_does_not_hold_the_token(
    pages: PageSite, path: str
) -> None:
    """Its canonical address and its card; the addresses of its feeds and pages need the token."""
    joint = "&" if "?" in path else "?"
    accept = {"Accept": "text/html", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    answer = pages.client.get(f"{path}{joint}token={TOKEN}", headers=accept)
    lines = [line for line in answer.text.splitlines() if "canonical" in line or "og:" in line]
    canonical = path if path != FEED else "/view/secret"
    assert f'<link rel="canonical" href="https://site.example{canonical}">' in lines
    assert f'<meta property="og:url" content="https://site.example{canonical}">' in lines
    assert [line for line in lines if TOKEN in line] == []
    assert f"/feeds/view/secret.atom{'?q=1&amp;' if 'q=1' in path else '?'}token=" in answer.text


@pytest.mark.parametrize("suffix", ["atom", "rss", "json", "opml"])
def test_the_token_in_the_header_opens_the_view_for_this_request_only(
    feeds: FeedSite, suffix: str
) -> None:
    path = f"/feeds/view/secret.{suffix}"
    answer = feeds.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert "Authorization" in answer.headers["Vary"]
    assert TOKEN not in answer.text
    assert feeds.get(path).status_code == 401


def test_token_in_the_header_does_not_open_an_address_that_holds_another(feeds: FeedSite) -> None:
    wrong = f"{FEED}?token=wrong"
    answer = feeds.get(wrong, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert "wrong" not in answer.text
    assert feeds.get(wrong).status_code == 401


@pytest.mark.parametrize("token", ["%ff", "%ED%A0%80", "\u00e9"])
def test_token_that_is_no_text_is_wrong(feeds: FeedSite, token: str) -> None:
    assert feeds.get(f"{FEED}?token={token}").status_code == 401


def test_id_of_the_feed_does_not_hold_the_token(feeds: FeedSite) -> None:
    feed = feeds.get("/feeds/view/secret.atom" + WITH).text
    assert "<id>tag:site.example,2026:view/secret</id>" in feed


def test_other_views_ignore_a_token(feeds: FeedSite) -> None:
    assert feeds.get(f"/feeds/view/rain.atom{WITH}").status_code == 200


def test_an_unchanged_page_is_private_too(pages: PageSite) -> None:
    full = pages.get(f"/view/secret{WITH}")
    repeated = pages.get(f"/view/secret{WITH}", If_None_Match=full.headers["ETag"])
    assert repeated.status_code == 304
    assert full.headers["Vary"] == repeated.headers["Vary"] == "Authorization, Accept-Encoding"
    assert full.headers["Cache-Control"] == repeated.headers["Cache-Control"]


def test_the_page_is_private_too(pages: PageSite) -> None:
    refused = pages.get("/view/secret")
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    answer = pages.get(f"/view/secret{WITH}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"].startswith("private")
    assert f'href="{FEED}{WITH}"' in answer.text


@pytest.mark.parametrize("path", ["/", "/help", "/opml", "/status", "/view/rain"])
def test_no_other_page_names_it(pages: PageSite, path: str) -> None:
    assert "secret" not in pages.text(path).lower()


def test_a_response_of_a_protected_site_is_not_served_to_others(pages: PageSite) -> None:
    closed = replace(SITE, auth=Auth(token=TOKEN, protect="site"))
    for config in (SITE, closed, SITE, closed):
        pages.sample.config = config
        for _ in range(3):
            known = pages.get("/feeds/all.atom", Authorization=f"Bearer {TOKEN}")
            assert known.status_code == 200
        stranger = pages.get("/feeds/all.atom")
        assert stranger.status_code == (200 if config is SITE else 401)
