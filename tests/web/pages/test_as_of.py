"""Past versions of pages and feeds."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urljoin

import feedparser
import pytest

from aggregator.ingest import recluster
from aggregator.store.entries import stories
from tests import validators
from tests.web.pages.test_pages import PageSite, headlines, pages
from tests.web.sample_store import START, make_entry

__all__ = ["pages"]

ENDINGS = {"atom": validators.atom, "rss": validators.rss, "json": validators.json_feed}


@pytest.fixture
def past(pages: PageSite) -> PageSite:
    """A site with a changed title, a withdrawn entry and new entries after 21:30."""
    pages.sample.add("herald", 3)  # 21:27
    pages.sample.add("post", 2)  # 21:28
    pages.sample.now = START + timedelta(minutes=10)
    pages.sample.revise(5, "Other")
    pages.sample.withdraw(4)
    pages.sample.add("odd", age=timedelta(hours=9))
    pages.sample.add("herald")
    return pages


THEN = "/at/2009-06-27T21:30Z"


def test_front_page_shows_the_entries_of_that_time(past: PageSite) -> None:
    page = past.text(f"{THEN}/")
    assert list(dict.fromkeys(headlines(page))) == [f"Report {n}" for n in (5, 4, 3, 2, 1)]
    assert "Report 7" in past.text("/")
    assert "Page last updated at 21:28 GMT" in page


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/section/world", ["Report 5", "Report 4", "Report 3", "Report 2", "Report 1"]),
        ("/section/local", ["Report 5", "Report 4"]),
        ("/view/rain", ["Report 5", "Report 3", "Report 1"]),
        ("/section/world?q=sun", ["Report 4", "Report 2"]),
        ("/author/nobody", []),
        ("/category?name=/", []),
        ("/lang/en", []),
    ],
)
def test_views_show_the_entries_of_that_time(
    past: PageSite, path: str, expected: list[str]
) -> None:
    page = past.text(THEN + path)
    assert headlines(page) == expected


def test_banner_shows_the_time_and_links_to_other_times(past: PageSite) -> None:
    past.now = START + timedelta(hours=3)
    page = past.text("/at/2009-06-27T22:30Z/section/world")
    assert "This page as it was at" in page
    assert "22:30 GMT, Saturday, 27 June 2009 · 23:30 UK" in page
    links = re.findall(r'<li><a href="([^"]*)">(A day|An hour|Now|Print)', page)
    assert links == [
        ("/at/2009-06-27T21:30Z/section/world", "An hour"),
        ("/at/2009-06-27T23:30Z/section/world", "An hour"),
        ("/section/world", "Now"),
        ("/at/2009-06-27T22:30Z/section/world?print=1", "Print"),
    ]
    assert 'class="edition note printing"' in past.text(links[-1][0])


def test_no_link_leads_before_the_oldest_entry(past: PageSite) -> None:
    past.now = START + timedelta(days=3)
    links = re.findall(r'<li><a href="/at/([^/]*)/">', past.text("/at/2009-06-28T21:00Z/"))
    assert links == ["2009-06-28T20:00Z", "2009-06-28T22:00Z", "2009-06-29T21:00Z"]


def test_navigation_stays_in_the_past_version(past: PageSite) -> None:
    page = past.text(f"{THEN}/")
    nav = page.partition('aria-label="Sections">')[2].partition("</nav>")[0]
    assert re.findall(r'href="([^"]*)"', nav) == [
        f"{THEN}/", f"{THEN}/section/world", f"{THEN}/section/local", f"{THEN}/view/rain",
    ]  # fmt: skip
    assert f'<h2 id="s-world"><a href="{THEN}/section/world">' in page
    assert f'<link rel="canonical" href="https://site.example{THEN}/">' in page
    assert "data-newest" not in page


def test_no_link_of_a_past_version_is_broken(past: PageSite) -> None:
    past.sample.add("herald", 60)
    past.now = past.sample.now + timedelta(hours=1)
    at = f"/at/{past.sample.now:%Y-%m-%dT%H:%M}Z"
    for path in (f"{at}/", f"{at}/section/world", f"{at}/view/rain?print=1"):
        for link in re.findall(r'(?:href|src)="([/?][^"#]*)', past.text(path)):
            target = urljoin(path, html.unescape(link))
            if not target.startswith(
                ("/at/2009-06-26", "/at/2009-06-27T20", "/at/2009-06-27T21:0")
            ):
                assert past.get(target).status_code in (200, 303), target


def test_next_pages_show_the_entries_of_that_time(past: PageSite) -> None:
    past.sample.add("herald", 60)
    at = past.sample.now
    past.sample.add("herald", 60, age=timedelta(minutes=1))
    past.now = past.sample.now
    path: str | None = f"/at/{at:%Y-%m-%dT%H:%M}Z/section/world"
    titles: list[str] = []
    while path:
        page = past.text(path)
        titles += headlines(page)
        link = re.search(r'rel="next" href="([^"]*)"', page)
        path = html.unescape(link[1]) if link else None
    assert len(titles) == len(set(titles)) == 65


@pytest.mark.parametrize("ending", ENDINGS)
def test_past_feed_is_valid(past: PageSite, ending: str) -> None:
    answer = past.get(f"{THEN}/feeds/section/world.{ending}")
    assert answer.status_code == 200
    assert ENDINGS[ending](answer.data) == []
    assert answer.headers["Cache-Control"] == "no-cache"


def test_past_feed_has_a_different_id_and_addresses(past: PageSite) -> None:
    now = feedparser.parse(past.text("/feeds/all.atom"))
    then = feedparser.parse(past.text(f"{THEN}/feeds/all.atom"))
    assert then.feed.id != now.feed.id
    assert [entry.title for entry in then.entries] == [f"Report {n}" for n in (5, 4, 3, 2, 1)]
    assert {entry.id for entry in then.entries} - {entry.id for entry in now.entries} == {
        "https://news.example/4"
    }
    links = {link.rel: link.href for link in then.feed.links}
    assert links["self"] == f"https://site.example{THEN}/feeds/all.atom"
    assert then.entries[0].updated == "2009-06-27T21:28:00Z"


def test_past_feed_has_no_date_of_a_later_change(past: PageSite) -> None:
    published = START - timedelta(hours=1)
    edits = (START - timedelta(minutes=30), START + timedelta(hours=2))
    for number, updated in enumerate(edits, 90):
        entry = replace(make_entry(number, published), updated=updated)
        past.sample.put("herald", entry)
    past.now = START + timedelta(hours=3)
    then = feedparser.parse(past.text("/at/2009-06-27T22:30Z/feeds/source/herald.atom"))
    dates = {entry.title: entry.updated for entry in then.entries}
    assert dates["Report 90"] == "2009-06-27T20:56:00Z"
    assert dates["Report 91"] == "2009-06-27T20:26:00Z"


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/at/yesterday/", 400, "Write the time in GMT"),
        ("/at/2009-06-31T21:26Z/", 400, "Write the time in GMT"),
        ("/at/2009-06-27T21:26:00Z/", 400, "Write the time in GMT"),
        ("/at/２009-06-27T21:26Z/", 400, "Write the time in GMT"),
        ("/at?moment=tomorrow", 400, "Write the time in GMT"),
        ("/at/2009-06-27T21:57Z/", 404, "in the future. It is now 21:56 GMT"),
        ("/at/9999-12-31T23:59Z/section/world", 404, "in the future"),
        ("/at/2009-06-27T21:26Z/", 404, "The oldest is from 21:27 GMT, Saturday, 27 June 2009"),
        ("/at/0001-01-01T00:00Z/feeds/all.atom", 404, "No entries are stored from this time"),
        (f"{THEN}/section/nowhere", 404, "there is no section nowhere"),
        (f"{THEN}/status", 404, ""),
        (f"{THEN}/feeds/all/archive/1.atom", 404, "no archives"),
        (f"{THEN}/feeds/all.opml", 404, "ends in .atom"),
    ],
)
def test_invalid_times_and_paths_are_errors(
    past: PageSite, path: str, status: int, message: str
) -> None:
    answer = past.get(path)
    assert answer.status_code == status
    assert message in answer.text


def test_form_redirects_to_the_past_version_of_the_page(past: PageSite) -> None:
    answer = past.get("/at?moment=2009-06-27T21:30&page=/section/world")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{THEN}/section/world"
    assert past.get("/at?moment=2009-06-27T21:30&page=//evil.example").headers["Location"] == (
        f"{THEN}/evil.example"
    )
    odd = past.get("/at?moment=2009-06-27T21:30&page=/section/world%0D%0AX:y")
    assert odd.headers["Location"] == f"{THEN}/section/worldX:y"


def test_default_is_an_hour_ago_or_the_oldest_version(past: PageSite) -> None:
    assert past.get("/at").headers["Location"] == "/at/2009-06-27T21:27Z/"
    past.now = START + timedelta(hours=3)
    assert past.get("/at").headers["Location"] == "/at/2009-06-27T23:26Z/"


def test_site_without_entries_has_no_past_versions(pages: PageSite) -> None:
    assert pages.get("/at").headers["Location"] == "/"


def test_a_site_younger_than_a_minute_has_no_past(past: PageSite) -> None:
    past.now = START + timedelta(minutes=1, seconds=59)
    assert past.get("/at").headers["Location"] == "/"
    past.now += timedelta(seconds=1)
    assert past.get("/at").headers["Location"] == "/at/2009-06-27T21:27Z/"


def test_past_version_is_not_cached_and_not_indexed(past: PageSite) -> None:
    answer = past.get(f"{THEN}/")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    tag = answer.headers["ETag"]
    assert past.get(f"{THEN}/", If_None_Match=tag).status_code == 304


def test_later_members_and_a_rebuild_of_a_story_change_no_past_version(pages: PageSite) -> None:
    sample = pages.sample
    sample.add("odd", 2)
    for number, source in enumerate(("herald", "post"), 100):  # 21:28 and 21:29
        title = "The ferry to Tolvik runs aground off Skerrow"
        sample.put(source, replace(make_entry(number), title=title))
    paths = [f"{THEN}{path}" for path in ("/", "/section/world", "/feeds/all.atom")]
    sample.now = START + timedelta(minutes=10)
    before = [pages.text(path) for path in paths]
    assert before[0].count("runs aground") == before[1].count("runs aground") > 0
    sample.put("odd", replace(make_entry(102), title="Ferry to Tolvik runs aground off Skerrow"))
    with sample.store.reading() as db:
        assert len(stories.of_entry(db, 3)) == 3
    assert [PageSite(sample).text(path) for path in paths] == before
    with sample.store.transaction() as db:
        db.execute("delete from story_members where entry_id = 5")
    recluster.rebuild(sample.store, sample.config, sample.now)
    with sample.store.reading() as db:
        assert len(stories.of_entry(db, 3)) == 3
    assert [PageSite(sample).text(path) for path in paths] == before
