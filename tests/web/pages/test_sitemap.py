"""robots.txt, the sitemaps, the icons and the web manifest."""

import re
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from lxml import etree

from aggregator.models.config import Auth, View
from aggregator.models.query import parse
from aggregator.store.queries import sitemap as queries
from aggregator.web.pages import sitemap
from tests.web.middleware.test_auth import HASH, TOKEN
from tests.web.pages.test_pages import PageSite, pages
from tests.web.pages.test_sharing import TITLE, Card, story
from tests.web.sample_store import CONFIG, make_entry

__all__ = ["pages", "story"]

SITE = "https://site.example"
NS = {
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "n": "http://www.google.com/schemas/sitemap-news/0.9",
}


def found(pages: PageSite, path: str, name: str = "s:loc") -> list[str]:
    answer = pages.get(path)
    assert answer.status_code == 200
    assert answer.mimetype == "text/xml"
    return [
        element.text or "" for element in etree.fromstring(answer.data).iterfind(f".//{name}", NS)
    ]


def is_open(robots: str, path: str) -> bool:
    """Return whether a crawler may read a path: the longest rule decides (RFC 9309 §2.2.2)."""
    best = (0, True)
    for kind, rule in re.findall("^(Allow|Disallow): (.*)$", robots, re.MULTILINE):
        if re.match(re.escape(rule).replace(r"\*", ".*"), path):
            best = max(best, (len(rule), kind == "Allow"))
    return best[1]


@pytest.mark.parametrize("prefix", ["", "/news"])
@pytest.mark.parametrize(
    ("path", "opened"),
    [
        ("/", True),
        ("/section/world", True),
        ("/section/world?before=x", True),
        ("/author/Jo", True),
        ("/author?name=A/B", True),
        ("/entry/1", True),
        ("/static/site.js?v=1", True),
        ("/style.css?v=1", True),
        ("/picture?url=x", True),
        ("/sitemap.xml", True),
        ("/feeds/all.atom", True),
        ("/search", False),
        ("/search?q=rain", False),
        ("/search?before=1", True),
        ("/at", False),
        ("/at/2009-06-27T21:50Z/", False),
        ("/section/world?q=rain", False),
        ("/section/world?q=rain&before=x", False),
        ("/entry/1?print=1", False),
        ("/feeds/all.atom?q=rain", False),
        ("/view/secret?token=x", False),
        ("/api/v1/entries", False),
    ],
)
def test_robots_close_searches_past_versions_and_narrowed_lists(
    prefix: str, path: str, opened: bool
) -> None:
    robots = sitemap.robots(CONFIG, prefix)
    assert is_open(robots, prefix + path) is opened


def test_robots_name_the_sitemap(pages: PageSite) -> None:
    robots = pages.text("/robots.txt")
    assert f"\nSitemap: {SITE}/sitemap.xml\n" in robots


def test_closed_site_names_nothing(pages: PageSite, story: list[int]) -> None:
    pages.sample.config = replace(CONFIG, auth=Auth(password=HASH, token=TOKEN, protect="site"))
    assert pages.text("/robots.txt") == "User-agent: *\nDisallow: /\n"
    for path in ("/sitemap.xml", "/sitemap/pages.xml", "/sitemap/news.xml"):
        for _ in range(2):
            answer = pages.get(path)
            assert answer.status_code == 401
            assert SITE not in answer.text
            known = pages.get(path, Authorization=f"Bearer {TOKEN}")
            assert known.status_code == 200
            assert known.headers["Cache-Control"] == "private, no-cache"
    assert pages.get("/sitemap/stories/0.xml").status_code == 401
    for path in ("/favicon.ico", "/apple-touch-icon.png", "/manifest.webmanifest"):
        assert pages.get(path).status_code == 200


def test_site_with_protected_actions_is_open_to_crawlers(pages: PageSite) -> None:
    pages.sample.config = replace(CONFIG, auth=Auth(password=HASH))
    assert is_open(pages.text("/robots.txt"), "/")
    assert pages.get("/sitemap.xml").status_code == 200


def test_index_names_the_parts_that_have_stories(pages: PageSite, story: list[int]) -> None:
    pages.sample.add("herald")
    named = [f"{SITE}/sitemap/{name}.xml" for name in ("pages", "news", "stories/0")]
    assert found(pages, "/sitemap.xml") == named
    assert pages.get("/sitemap/stories/1.xml").status_code == 404


def test_every_listed_page_is_its_own_canonical(pages: PageSite, story: list[int]) -> None:
    secret = View(id="secret", title="Secret", query=parse("q=x"), token="a-token-of-our-own")
    pages.sample.config = replace(CONFIG, views=(*CONFIG.views, secret))
    single = pages.sample.add("herald")[0]
    listed = found(pages, "/sitemap/pages.xml") + found(pages, "/sitemap/stories/0.xml")
    assert {f"{SITE}/", f"{SITE}/section/world", f"{SITE}/view/rain"} < set(listed)
    assert f"{SITE}/source/herald" in listed
    assert f"{SITE}/entry/{story[0]}" in listed
    assert f"{SITE}/entry/{single}" not in listed
    assert not any("secret" in url for url in listed)
    for url in listed:
        assert Card(pages.text(url.removeprefix(SITE))).canonical in ([url], []), url


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_parts_hold_every_story_once(pages: PageSite, size: int) -> None:
    for number, place in enumerate(("Skerrow", "Portnoy", "Lunna")):
        for source in ("herald", "post"):
            title = f"{place}: {number + 2} rescued as {place} ferry runs aground near {place}"
            entry = replace(make_entry(1000), title=title, summary="", guid=title + source)
            entry = replace(entry, link=f"https://{source}.example/{place}", canonical_url="")
            pages.sample.put(source, replace(entry, text=title))
    with pages.sample.store.reading() as db:
        parts = queries.parts(db, size)
        listed = [id for part in parts for id, _ in queries.stories(db, part, size)]
    assert listed == [1, 3, 5]
    assert parts == sorted({id // size for id in listed})


def test_story_has_the_time_of_its_last_change(pages: PageSite, story: list[int]) -> None:
    changed = "2009-06-27T21:29:00Z"
    assert found(pages, "/sitemap/stories/0.xml", "s:lastmod") == [changed]
    pages.sample.revise(story[1], TITLE + ", again")
    assert found(pages, "/sitemap/stories/0.xml", "s:lastmod") == ["2009-06-27T21:30:00Z"]


def test_news_are_stories_of_two_days(pages: PageSite, story: list[int]) -> None:
    pages.sample.add("herald")
    assert found(pages, "/sitemap/news.xml") == [f"{SITE}/entry/{story[0]}"]
    assert found(pages, "/sitemap/news.xml", "n:title") == [TITLE]
    assert found(pages, "/sitemap/news.xml", "n:name") == ["The Site"]
    assert found(pages, "/sitemap/news.xml", "n:language") == ["en"]
    assert found(pages, "/sitemap/news.xml", "n:publication_date") == ["2009-06-27T21:27:00Z"]
    pages.now += timedelta(days=2)
    assert found(pages, "/sitemap/news.xml") == []
    assert found(pages, "/sitemap/stories/0.xml") == [f"{SITE}/entry/{story[0]}"]


def test_hidden_reports_are_not_listed(pages: PageSite, story: list[int]) -> None:
    for hidden, listed in ((story[0], [f"{SITE}/entry/{story[1]}"]), (story[1], [])):
        pages.sample.withdraw(hidden)
        assert found(pages, "/sitemap/news.xml") == listed
    assert pages.get("/sitemap/stories/0.xml").status_code == 404


def test_hostile_headline_is_text(pages: PageSite) -> None:
    title = "Ferry & <news:title> aground ]]> off \"Skerrow' with 212 on board"
    for number, source in enumerate(("herald", "post"), 1000):
        pages.sample.put(source, replace(make_entry(number), title=title, summary=""))
    assert found(pages, "/sitemap/news.xml", "n:title") == [title]


def test_unchanged_sitemap_is_not_sent_again(pages: PageSite, story: list[int]) -> None:
    for path in ("/sitemap.xml", "/sitemap/pages.xml", "/sitemap/news.xml"):
        etag = pages.get(path).headers["ETag"]
        assert pages.get(path, If_None_Match=etag).status_code == 304
        pages.sample.add("post")
        assert pages.get(path, If_None_Match=etag).status_code == 200


def test_icons_are_pictures(pages: PageSite) -> None:
    icon = pages.get("/favicon.ico")
    assert (icon.mimetype, icon.data[:6]) == ("image/x-icon", b"\0\0\1\0\1\0")
    for path, size in (("/apple-touch-icon.png", 180), ("/static/icon-512.png", 512)):
        answer = pages.get(path)
        assert answer.mimetype == "image/png"
        assert answer.data[:8] == b"\x89PNG\r\n\x1a\n"
        stream = BytesIO(answer.data[16:24])
        assert [int.from_bytes(stream.read(4)) for _ in "wh"] == [size, size]


def test_manifest_names_the_site_and_its_icons(pages: PageSite) -> None:
    answer = pages.get("/manifest.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    manifest = answer.get_json()
    assert (manifest["name"], manifest["start_url"]) == ("The Site", "/")
    for icon in manifest["icons"]:
        assert pages.get(icon["src"]).mimetype == icon["type"]


def test_pages_name_icons_manifest_and_colours(pages: PageSite) -> None:
    page = pages.text("/help")
    assert '<link rel="manifest" href="/manifest.webmanifest">' in page
    for path in re.findall('<link rel="(?:icon|apple-touch-icon)" href="([^"]+)"', page):
        assert "immutable" in pages.get(path).headers["Cache-Control"]
    light, dark = re.findall('<meta name="theme-color" content="([^"]+)" media="([^"]+)">', page)
    assert light == ("#fdfcf9", "(prefers-color-scheme: light)")
    assert dark == ("#141413", "(prefers-color-scheme: dark)")
