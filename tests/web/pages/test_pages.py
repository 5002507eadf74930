"""The pages, requested over WSGI."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from aggregator.models.config import Auth, Config, Zone
from aggregator.models.entry import Author, Enclosure, Image, SafeHtml
from aggregator.models.network import Network
from aggregator.store.database import metadata
from aggregator.store.database.times import format_time
from aggregator.store.entries import entries, search_index
from aggregator.store.sources import network, poll_log, sources
from aggregator.web.app import create_app
from aggregator.web.ops import sparkline
from aggregator.web.pages.dates import short_time
from tests.web.sample_store import CONFIG, START, SampleStore, make_entry, open_sample

SITE = replace(CONFIG, site=replace(CONFIG.site, zones=(Zone(name="Europe/London", label="UK"),)))
FOREIGN = "utm_source=news&fbclid=1&ref=a&_=1700000000&=&amp;utm_medium=x"
NASTY = "<svg/onload=alert(1)>'\"<script>alert(2)</script>"


class PageSite:
    """Pages over a store."""

    def __init__(self, sample: SampleStore) -> None:
        self.sample = sample
        self.now = START + timedelta(minutes=30)
        self.app: Flask = create_app(lambda: sample.config, sample.store, clock=lambda: self.now)
        self.client = Client(self.app)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(
            path,
            buffered=True,
            headers={key.replace("_", "-"): value for key, value in headers.items()},
        )

    def text(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[PageSite]:
    with open_sample(tmp_path, SITE) as sample:
        yield PageSite(sample)


def headlines(page: str) -> list[str]:
    return re.findall(r'<a class="headline"[^>]*>([^<]*)</a>', page)


def test_masthead_says_when_the_page_was_updated_in_each_zone(pages: PageSite) -> None:
    pages.sample.now = START - timedelta(minutes=1)
    pages.sample.add("herald")
    line = "Page last updated at 21:26 GMT, Saturday, 27 June 2009 · 22:26 UK"
    assert line in pages.text("/")
    assert 'datetime="2009-06-27T21:26:00Z"' in pages.text("/")


def alive(pages: PageSite) -> None:
    with pages.sample.store.transaction() as db:
        metadata.put(db, "tick", format_time(pages.now))


def test_empty_front_page_without_a_scheduler_says_how_to_start_it(pages: PageSite) -> None:
    page = pages.text("/")
    assert "No entries yet" in page
    assert "The scheduler is not running" in page


def test_empty_front_page_says_what_happens_next(pages: PageSite) -> None:
    alive(pages)
    assert "3 sources are being polled for the first time" in pages.text("/")
    with pages.sample.store.transaction() as db:
        sources.update(db, "herald", {"health": "failing", "failures": 1})
    assert "1 of 3 sources were polled. 1 failed, all so far." in pages.text("/")
    with pages.sample.store.transaction() as db:
        later = pages.now + timedelta(hours=1)
        sources.update(db, "herald", {"next_poll": later + timedelta(hours=1)})
        for source_id in ("post", "odd"):
            sources.update(db, source_id, {"health": "fine", "next_poll": later})
    page = " ".join(pages.text("/").split())
    assert "3 of 3 sources were polled. 1 failed. 2 brought no entries." in page
    assert f"The next poll is due at {short_time(later, pages.now)}" in page


def test_every_page_says_that_the_network_is_down(pages: PageSite) -> None:
    alive(pages)
    before = pages.get("/help")
    since = pages.now - timedelta(minutes=5)
    with pages.sample.store.transaction() as db:
        state = Network(down_since=since, retry_at=pages.now + timedelta(minutes=2))
        network.put(db, state)
    line = f"its network seems to be down since {short_time(since, pages.now)}"
    assert line not in before.text
    for path in ("/", "/help", "/status", "/source/herald", "/section/world", "/missing"):
        assert line in pages.get(path).text, path
    assert "once this server can reach the hosts of the 3 sources" in pages.text("/")
    assert '"network_down_since":"2009-' in "".join(pages.text("/status.json").split())


def test_front_page_without_sources_says_how_to_add_some(tmp_path: Path) -> None:
    nothing = replace(CONFIG, sources=(), sections=(), views=())
    with open_sample(tmp_path, nothing) as sample:
        assert "No sources are configured" in PageSite(sample).text("/")


def test_front_page_leads_with_the_newest_entry_with_a_picture(pages: PageSite) -> None:
    picture = Image(url="https://a.example/p.jpg", caption="A view")
    entry = replace(make_entry(900), title="Pictured", image=picture)
    pages.sample.put("herald", entry)
    pages.sample.add("post", 3)
    page = pages.text("/")
    assert headlines(page)[0] == "Pictured"
    assert "A view" in page


def test_every_headline_says_its_language(pages: PageSite) -> None:
    for number in range(40):
        entry = replace(make_entry(900 + number), title=f"Titre {number}", language="fr")
        pages.sample.put("herald" if number % 2 else "post", entry)
    page = pages.text("/") + pages.text("/entry/1")
    assert '<article class="full" dir="ltr" lang="fr">' in page
    titles = re.findall(r"<(?!title|h1)[^<]*>(?:<a [^<]*>)?Titre \d+", page)
    assert len(titles) > 20
    assert [title for title in titles if 'lang="fr"' not in title] == []


def test_front_page_shows_each_section(pages: PageSite) -> None:
    pages.sample.add("odd")
    pages.sample.add("herald", 3)
    pages.sample.add("post", 3)
    page = pages.text("/")
    assert '<a href="/section/world">World</a>' in page
    assert '<a href="/section/local">Local</a>' in page


def test_busy_source_does_not_fill_its_section(pages: PageSite) -> None:
    pages.sample.add("post", 4)  # two are in Latest
    pages.sample.add("herald", 20)
    world = pages.text("/").partition('<a href="/section/world">World</a></h2>')[2]
    block = world.partition("</section>")[0]
    assert block.count('href="/source/post"') == 2
    assert block.count('href="/source/herald"') == 4


def test_pages_name_their_feeds(pages: PageSite) -> None:
    pages.sample.add("herald")
    for path, feed in (
        ("/", "all"),
        ("/section/world", "section/world"),
        ("/view/rain", "view/rain"),
    ):
        page = pages.text(path)
        for kind, suffix in (("atom+xml", "atom"), ("rss+xml", "rss"), ("feed+json", "json")):
            assert re.search(
                rf'<link rel="alternate" type="application/{re.escape(kind)}"'
                rf' title="[^"]+" href="/feeds/{feed}\.{suffix}">',
                page,
            )


@pytest.mark.parametrize("path", ["/section/world", "/source/herald", "/view/rain", "/search?q=a"])
def test_view_offers_each_format_to_readers(pages: PageSite, path: str) -> None:
    pages.sample.add("herald")
    page = pages.text(path)
    address, _, query = path.partition("?")
    for suffix in ("atom", "rss", "json"):
        feed = f"/feeds{address}.{suffix}{f'?{query}' if query else ''}"
        assert f'href="{feed}"' in page
        assert f'data-copy="https://site.example{feed}"' in page


def test_no_internal_link_is_broken(pages: PageSite) -> None:
    pages.sample.add("herald", 45)
    pages.sample.add("post", 2)
    linked_by, broken = {"/": "/"}, []
    left = ["/"]
    while left:
        path = left.pop()
        answer = pages.get(path)
        if answer.status_code not in (200, 303):
            broken.append((path, answer.status_code, f"linked by {linked_by[path]}"))
        if answer.mimetype != "text/html":
            continue
        for link in re.findall(r'(?:href|src)="([/?][^"#]*)', answer.text):
            target = urljoin(path, html.unescape(link))
            kind = re.sub(r"\d+", "0", target.partition("?before=")[0])  # one of each is enough
            if kind not in linked_by:
                linked_by[kind] = path
                left.append(target)
                linked_by[target] = path
    assert [line for line in broken if line[0] != "/readyz"] == []  # nothing polls here


@pytest.mark.parametrize(
    "name", ["/", "/x", "x/", "AC/DC", "a//b", ".", "..", "../x", "50%2Foff", "%", "?&#;", "a\\b"]
)
def test_any_name_has_a_page_and_feeds(pages: PageSite, name: str) -> None:
    authors, categories = (Author(name=name), Author()), (name,)
    pages.sample.put("herald", replace(make_entry(1), authors=authors, categories=categories))
    pages.sample.put("herald", replace(make_entry(2), categories=(f"{name} not",)))
    story = pages.text("/entry/1")
    for kind in ("author", "category"):
        [link] = re.findall(rf'href="(/{kind}[/?][^"]*)"', story)
        path = html.unescape(link)
        assert urljoin("https://site.example/entry/1", path) == f"https://site.example{path}"
        page = pages.text(path)
        assert headlines(page) == ["Report 1"]
        for feed in re.findall(r'rel="alternate"[^>]* href="([^"]*)"', page):
            assert "/news.example/1" in pages.text(html.unescape(feed)).replace("\\/", "/")


def test_front_page_links_to_all_entries(pages: PageSite) -> None:
    added = pages.sample.add("herald", 45)
    link = re.findall(r'href="([^"]*)">All stories', pages.text("/"))[0]
    assert len(headlines(pages.text(link))) == 40
    assert len(added) > 40
    assert "before=" in pages.text(link)


def test_paging_shows_every_entry_once(pages: PageSite) -> None:
    pages.sample.add("herald", 95)
    titles, path = [], "/section/world"
    while path:
        page = pages.text(path)
        titles += headlines(page)
        older = re.search(r'<a rel="next" href="([^"]+)">', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert len(titles) == len(set(titles)) == 95


def test_paging_by_change_shows_every_entry_once(pages: PageSite) -> None:
    added = pages.sample.add("herald", 9, age=timedelta(days=2))
    for entry_id in (added[2], added[5]):
        pages.sample.revise(entry_id, f"Revised {entry_id}")
    titles, path = [], "/search?sort=updated&limit=2"
    while path:
        page = pages.text(path)
        titles += headlines(page)
        older = re.search(r'<a rel="next" href="([^"]+)">', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert titles[:2] == [f"Revised {added[5]}", f"Revised {added[2]}"]
    assert len(titles) == len(set(titles)) == 9


def test_copies_do_not_end_the_paging(pages: PageSite) -> None:
    pages.sample.add("herald", 10)
    for source in ("herald", "post"):
        pages.sample.put(source, make_entry(900))
    pages.sample.add("herald", 38)
    assert 'rel="next"' in pages.text("/section/world")


def test_search_marks_matches(pages: PageSite) -> None:
    pages.sample.add("herald", 4)
    page = pages.text("/search?q=rain")
    assert "<mark>rain</mark>" in page
    assert len(headlines(page)) == 2


def test_search_without_words_is_a_form(pages: PageSite) -> None:
    assert 'name="q"' in pages.text("/search")


@pytest.mark.parametrize(
    "path", ["/", "/section/world", "/view/rain", "/source/herald", "/entry/1", "/search?q=rain"]
)
def test_parameters_of_other_programs_change_nothing(pages: PageSite, path: str) -> None:
    pages.sample.add("herald", 2)
    shared = f"{path}{'&' if '?' in path else '?'}{FOREIGN}"
    answer = pages.get(shared)
    assert answer.status_code == 200
    assert answer.text == pages.text(path)


@pytest.mark.parametrize(
    ("query", "status", "hint"),
    [
        ("sectoin=world", 400, 'did you mean "section"'),
        ("q=rain&sectoin=world", 200, 'did you mean "section"'),
        (FOREIGN, 200, ""),
    ],
)
def test_search_suggests_the_parameter_that_was_meant(
    pages: PageSite, query: str, status: int, hint: str
) -> None:
    answer = pages.get(f"/search?{query}")
    assert answer.status_code == status
    assert hint in html.unescape(answer.text)
    assert ("did you mean" in answer.text) == bool(hint)


def test_search_names_ignored_terms(pages: PageSite) -> None:
    pages.sample.add("herald")
    assert "no letters or digits" in pages.text("/search?q=rain+%2A%2A%2A")


def test_search_that_finds_nothing_says_so(pages: PageSite) -> None:
    assert "No entries found" in pages.text("/search?q=xylophone")


def test_a_search_marks_words_inside_running_text(pages: PageSite) -> None:
    text = "東京都議会は予算案を可決した"
    pages.sample.put("herald", replace(make_entry(900), title="Budget", text=text))
    assert "東京都<mark>議会</mark>は" in pages.text("/search?q=議会")


def test_a_search_says_until_when_entries_are_indexed(pages: PageSite) -> None:
    pages.sample.add("herald", 2)
    note = "Entries from before 27 June 2009 are still being indexed."
    assert note not in pages.text("/search?q=rain")
    with pages.sample.store.transaction() as db:
        metadata.put(db, search_index.UNINDEXED, "1")
    assert note in pages.text("/search?q=rain")


@pytest.mark.parametrize(
    "q", ['"', "(", "AND", "a OR", "NEAR(", "*", "^x", "-", "col:x", "'", "\0"]
)
def test_no_search_fails(pages: PageSite, q: str) -> None:
    pages.sample.add("herald")
    assert pages.client.get("/search", query_string={"q": q}).status_code in (200, 400)


def test_entry_page_shows_all_parts_of_an_entry(pages: PageSite) -> None:
    entry = replace(
        make_entry(1),
        authors=(Author(name="Ann Writer"),),
        categories=("Weather",),
        content=SafeHtml("<p>All of <b>it</b></p>"),
        image=Image(url="https://a.example/p.jpg", caption="The caption", credit="A. Photographer"),
        enclosures=(
            Enclosure(url="https://a.example/c.mp3", type="audio/mpeg", length=1000, duration=187),
        ),
    )
    page = pages.text(f"/entry/{pages.sample.put('herald', entry)}")
    for part in (
        "<p>All of <b>it</b></p>",
        "Ann Writer",
        '<a href="/category/Weather"',
        "The caption",
        "A. Photographer",
        '<audio controls preload="none" src="https://a.example/c.mp3">',
        "3:07",
        "Read the original at <bdi>Herald</bdi>",
        "We are not responsible for the content of external sites",
    ):
        assert part in page


@pytest.mark.parametrize("text_from", ["", "page"])
def test_entry_page_says_where_its_text_is_from(pages: PageSite, text_from: str) -> None:
    entry = replace(make_entry(1), text_from=text_from)
    page = pages.text(f"/entry/{pages.sample.put('herald', entry)}")
    assert ("Its text is that of its page." in page) is (text_from == "page")


def test_entry_page_links_related_entries_with_date_and_section(pages: PageSite) -> None:
    pages.sample.add("post", 20)
    titles = ("Ferry to Tolvik sails again", "Tolvik waits for its ferry", "Cats sleep")
    for number, title in enumerate(titles, 900):
        pages.sample.put("herald", replace(make_entry(number), title=title, summary="", text=title))
    page = pages.text("/entry/21")
    also = page[page.index("See also") : page.index("More from Herald")]
    assert headlines(also) == ["Tolvik waits for its ferry"]
    assert "27 June 2009</time> | World" in also
    assert headlines(page[page.index("More from Herald") :]) == ["Cats sleep"]


def test_entry_page_shows_changes(pages: PageSite) -> None:
    [entry_id] = pages.sample.add("herald")
    pages.sample.revise(entry_id, "Report one")
    assert "<del>1</del><ins>one</ins>" in pages.text(f"/entry/{entry_id}")


def test_entry_without_a_title_has_a_headline(pages: PageSite) -> None:
    entry_id = pages.sample.put(
        "odd", replace(make_entry(1), title="", summary="", link=""), uri="x:1"
    )
    assert '<h1 dir="auto">Untitled</h1>' in pages.text(f"/entry/{entry_id}")


def test_print_view_is_linked_and_marked(pages: PageSite) -> None:
    [entry_id] = pages.sample.add("herald")
    assert '<a href="?print=1">' in pages.text(f"/entry/{entry_id}")
    assert 'class="full printing"' in pages.text(f"/entry/{entry_id}?print=1")


def test_copies_from_two_sources_are_one_story(pages: PageSite) -> None:
    entry = make_entry(1)
    pages.sample.put("herald", entry)
    pages.sample.put("post", entry)
    assert headlines(pages.text("/section/world")) == ["Report 1"]


def test_topics_are_counted_and_spelt_as_mostly_from_a_to_z(pages: PageSite) -> None:
    names: tuple[tuple[str, ...], ...] = (
        ("weather",), ("Weather", "C/D & E"), ("weather", "Öl", "Zoo"), ("WEATHER",), ()
    )  # fmt: skip
    for number, categories in enumerate(names, 900):
        pages.sample.put("herald", replace(make_entry(number), categories=categories))
    old = replace(make_entry(910), published=START - timedelta(days=40), categories=("Old",))
    pages.sample.put("herald", old)
    page = pages.text("/topics")
    assert re.findall(r'<a href="(/category[^"]*)" dir="auto">([^<]*)</a>', page) == [
        ("/category?name=C%2FD%20%26%20E", "C/D &amp; E"),
        ("/category/%C3%96l", "Öl"),
        ("/category/weather", "weather"),
        ("/category/Zoo", "Zoo"),
    ]
    assert headlines(pages.text("/category/C/D%20%26%20E")) == ["Report 901"]


def test_topic_is_spelt_as_in_the_newest_entry_at_a_tie(pages: PageSite) -> None:
    for number, name in enumerate(("weather", "Weather"), 900):
        pages.sample.put("herald", replace(make_entry(number), categories=(name,)))
    assert '<a href="/category/Weather"' in pages.text("/topics")


def test_topics_page_without_topics_says_so(pages: PageSite) -> None:
    assert "has a topic" in pages.text("/topics")


def test_news_counts_newer_entries(pages: PageSite) -> None:
    first = pages.sample.add("herald")[0]
    pages.sample.add("post", 2)
    assert pages.get(f"/news.json?since={first}").json == {"new": 2, "text": "2 new entries"}
    assert pages.get("/news.json?since=x").status_code == 400


@pytest.mark.parametrize("path", ["/", "/section/world", "/news.json?since=0"])
def test_unchanged_page_is_answered_with_304(pages: PageSite, path: str) -> None:
    pages.sample.add("herald")
    tag = pages.get(path).headers["ETag"]
    assert pages.get(path, If_None_Match=tag).status_code == 304
    pages.sample.add("herald")
    assert pages.get(path, If_None_Match=tag).status_code == 200


@pytest.mark.parametrize("path", ["/section/world?since=1h", "/search?q=report&since=1h"])
def test_a_duration_counts_from_now(pages: PageSite, path: str) -> None:
    pages.sample.add("herald")  # at 21:27
    pages.now = START + timedelta(hours=1, minutes=1, seconds=59)
    first = pages.get(path)
    assert headlines(first.text) == ["Report 1"]
    pages.now += timedelta(seconds=1)
    assert headlines(pages.get(path, If_None_Match=first.headers.get("ETag", "")).text) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/section/nowhere", 404),
        ("/view/nowhere", 404),
        ("/entry/4711", 404),
        ("/source/nowhere", 404),
        ("/nowhere", 404),
        ("/section/world?before=yesterday", 400),
        ("/section/world?before=2009-06-27T21:26:00Z~9999999999999999999", 400),
        ("/section/world?before=0001-01-01T00:00:00%2B2300~1", 400),
        ("/entry/9999999999999999999", 404),
        ("/status?sort=colour", 400),
        ("/status?page=0", 400),
        ("/status?section=nowhere", 400),
        ("/status?health=sad", 400),
        (f"/status?text={'x' * 201}", 400),
        ("/status.csv?sort=--health", 400),
    ],
)
def test_errors_are_pages_with_their_status(pages: PageSite, path: str, status: int) -> None:
    answer = pages.get(path)
    assert answer.status_code == status
    assert f"Error {status}" in answer.text


def test_wrong_method_is_answered_with_the_allowed_ones(pages: PageSite) -> None:
    answer = pages.client.post("/")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


PATHS = (
    "/", "/stories", "/status", "/status/hosts", "/status.json", "/status.csv", "/status/websub",
    "/topics", "/metrics", "/search",
    "/search?q=rain", "/help", "/section/world", "/view/rain", "/category/x", "/author/x",
    "/lang/en", "/source/herald", "/entry/1", "/healthz", "/readyz", "/news.json?since=1",
    "/nowhere", "/section/world?x=1", "/feeds/all.atom", "/feeds/nowhere.atom",
    "/feeds/health.atom", "/opml", "/style.css", "/static/site.js", "/logo", "/logo.svg",
    "/picture",
    "/at", "/at/2009-06-27T21:50Z/", "/at/2009-06-27T21:50Z/section/world",
    "/at/2009-06-27T21:50Z/author?name=/", "/at/2009-06-27T21:50Z/feeds/all.atom",
    "/corrections", "/feeds/corrections.atom", "/author?name=/", "/category?name=/", "/login",
    "/robots.txt", "/sitemap.xml", "/sitemap/pages.xml", "/sitemap/news.xml",
    "/sitemap/stories/0.xml", "/favicon.ico", "/apple-touch-icon.png", "/manifest.webmanifest",
    "/api/v1", "/api/v1/openapi.json", "/api/v1/entries", "/api/v1/entries/1",
    "/api/v1/sources", "/api/v1/sources/herald", "/api/v1/sources/herald/polls",
    "/api/v1/sections", "/api/v1/stories", "/api/v1/stories/1", "/websub/nothing",
    "/icon/0123456789abcdef.png", "/embed", "/embed/section/world", "/embed/category?name=/",
    "/oembed", "/stories/before/1", "/section/world/before/1", "/view/rain/before/1",
    "/category/x/before/1", "/author/x/before/1", "/lang/en/before/1", "/source/herald/before/1",
    "/search/index.json", "/search/0.json",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_response_has_the_security_headers(pages: PageSite, path: str) -> None:
    pages.sample.add("herald")
    headers = pages.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize("path", [path for path in PATHS if path not in ("/opml",)])
def test_no_parameter_becomes_markup(pages: PageSite, path: str) -> None:
    joint = "&" if "?" in path else "?"
    names = ("q", "section", "before", "since", "sort", "health", "text", "page", "author", "print")
    for name in names:
        answer = pages.get(f"{path}{joint}{name}={NASTY}")
        assert answer.status_code != 500
        if answer.mimetype == "text/html":
            assert "<svg/" not in answer.text
            assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "path", ["section", "view", "category", "author", "lang", "source", "entry"]
)
def test_no_path_becomes_markup(pages: PageSite, path: str) -> None:
    answer = pages.client.get(f"/{path}/{NASTY}")
    assert answer.status_code < 500
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "/%09/evil.example", "//evil.example/%2e%2e"]
)
def test_no_path_leads_to_another_site(pages: PageSite, path: str) -> None:
    location = pages.get(path).headers.get("Location", "/")
    assert "evil" not in location or (location.startswith("/") and not location.startswith("//"))


def test_publishers_text_is_never_markup(pages: PageSite) -> None:
    entry = replace(
        make_entry(1),
        title=NASTY,
        summary=NASTY,
        authors=(Author(name=NASTY),),
        categories=(NASTY,),
        image=Image(url="https://a.example/p.jpg", caption=NASTY, credit=NASTY),
        enclosures=(Enclosure(url="https://a.example/x", type="text/x", title=NASTY),),
    )
    entry_id = pages.sample.put("herald", entry)
    for path in ("/", "/section/world", f"/entry/{entry_id}", "/search?q=alert", "/source/herald"):
        page = pages.text(path)
        assert "<script>alert" not in page
        assert "<svg/onload" not in page


def test_dropped_entry_is_in_no_list_and_has_no_page_for_strangers(pages: PageSite) -> None:
    [entry_id] = pages.sample.add("herald")
    with pages.sample.store.transaction() as db:
        entries.hide(db, [entry_id], "dropped by the rule title: x", withdrawn=None)
    assert headlines(pages.text("/section/world")) == []
    for path in (f"/entry/{entry_id}", f"/api/v1/entries/{entry_id}"):
        answer = pages.get(path)
        assert answer.status_code == 404
        assert b"Report 1" not in answer.data


def test_dropped_entry_says_why_to_signed_in_users(pages: PageSite) -> None:
    [entry_id] = pages.sample.add("herald")
    with pages.sample.store.transaction() as db:
        entries.hide(db, [entry_id], "dropped by the rule title: x", withdrawn=None)
    pages.sample.config = replace(pages.sample.config, auth=Auth(token="a-token-of-16-letters"))
    assert pages.get(f"/entry/{entry_id}").status_code == 404
    signed_in = {"Authorization": "Bearer a-token-of-16-letters"}
    page = pages.get(f"/entry/{entry_id}", **signed_in)
    assert page.status_code == 200
    assert "dropped by the rule" in page.get_data(as_text=True)


def test_large_pages_are_compressed(pages: PageSite) -> None:
    pages.sample.add("herald", 40)
    answer = pages.get("/section/world", Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert int(answer.headers["Content-Length"]) < 10_000


def test_status_names_every_source(pages: PageSite) -> None:
    page = pages.text("/status")
    assert "Herald" in page
    assert "odd.example" in page
    assert "The scheduler is not running" in page


def test_status_by_health_shows_the_worst_first(pages: PageSite) -> None:
    with pages.sample.store.transaction() as db:
        sources.update(db, "herald", {"health": "fine"})
        sources.update(db, "post", {"health": "failing"})
    page = pages.text("/status?sort=health")
    assert re.findall(r'<th scope="row"><a href="/source/(\w+)"', page) == ["post", "odd", "herald"]


def test_status_draws_new_entries_of_each_day(pages: PageSite) -> None:
    today = poll_log.DayCounts(day=pages.now.date(), new=18, changed=0, polls=3, failed=0)
    before = replace(today, day=today.day - timedelta(days=13), new=9)
    chart = sparkline.draw([before, today], pages.now)
    assert chart.path.startswith("M0,20v-10h5V20zM6,20v-1h5V20z")
    assert chart.path.endswith("M78,20v-19h5V20z")
    assert chart.label == "27 new in 14 days, 18 today, at most 18 a day"


def test_source_page_shows_state_and_entries(pages: PageSite) -> None:
    pages.sample.add("herald", 3)
    page = pages.text("/source/herald")
    assert "first poll" in page
    assert "Poll now" in page
    assert len(headlines(page)) == 3


def test_source_page_shows_entries_first_and_facts_to_who_is_signed_in(pages: PageSite) -> None:
    pages.sample.add("herald")
    page = pages.text("/source/herald")
    assert page.index("Report 1") < page.index('id="known"')
    pages.sample.config = replace(pages.sample.config, auth=Auth(token="a-token-of-16-letters"))
    page = pages.text("/source/herald")
    assert "Report 1" in page
    assert 'id="known"' not in page
    assert "herald.example" not in page
    assert "Poll now" not in page
    signed_in = {"Authorization": "Bearer a-token-of-16-letters"}
    assert 'id="known"' in pages.get("/source/herald", **signed_in).text


def test_pages_of_each_kind_have_their_own_description(pages: PageSite) -> None:
    pages.sample.add("herald")
    paths = (
        "/", "/stories", "/section/world", "/section/local", "/view/rain", "/category/x",
        "/author/x", "/lang/en", "/search", "/topics", "/help", "/status", "/status/hosts",
        "/status/websub", "/source/herald", "/source/post", "/entry/1", "/corrections", "/nowhere",
    )  # fmt: skip
    found = [
        re.findall(r'<meta name="description" content="([^"]+)">', pages.get(path).text)
        for path in paths
    ]
    assert all(len(each) == 1 for each in found)
    assert len({each[0] for each in found}) == len(paths)


def next_poll(pages: PageSite) -> str:
    with pages.sample.store.reading() as db:
        state = sources.get(db, "herald")
    assert state is not None
    return state.next_poll_reason


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Origin": "http://localhost"}, 303, id="from our page"),
        pytest.param(
            {"Sec-Fetch-Site": "same-origin"}, 303, id="from our page, said by the browser"
        ),
        pytest.param({"Origin": "https://evil.example"}, 403, id="from another site"),
        pytest.param(
            {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403, id="both"
        ),
        pytest.param({}, 403, id="from nowhere"),
    ],
)
def test_poll_now_is_refused_from_other_sites(
    pages: PageSite, headers: dict[str, str], status: int
) -> None:
    answer = pages.client.post("/source/herald/poll", headers=headers)
    assert answer.status_code == status
    assert (next_poll(pages) == "requested") is (status == 303)


def test_poll_now_lifts_a_retry_after(pages: PageSite) -> None:
    with pages.sample.store.transaction() as db:
        until = pages.now + timedelta(hours=1)
        sources.update(db, "herald", {"gate_from": pages.now, "gate_until": until})
    answer = pages.client.post("/source/herald/poll", headers={"Origin": "http://localhost"})
    assert answer.status_code == 303
    with pages.sample.store.reading() as db:
        state = sources.get(db, "herald")
    assert state is not None
    assert (state.gate_until, state.next_poll) == (None, pages.now)


def test_poll_now_needs_post(pages: PageSite) -> None:
    assert pages.get("/source/herald/poll").status_code == 405


def test_changed_configuration_takes_effect(tmp_path: Path) -> None:
    config: list[Config] = [CONFIG]
    with open_sample(tmp_path) as sample:
        app = create_app(lambda: config[0], sample.store, clock=lambda: START)
        config[0] = replace(CONFIG, site=replace(CONFIG.site, title="Renamed", accent="#123456"))
        client = Client(app)
        page = client.get("/").text
        assert "Renamed" in page
        style = re.search(r'href="(/style.css\?v=\w+)"', page)
        assert style
        assert "#123456" in client.get(style[1]).text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            "image/svg+xml",
        ),
    ],
)
def test_local_logo_is_served_as_an_image_only(tmp_path: Path, body: bytes, kind: str) -> None:
    file = tmp_path / "logo"
    file.write_bytes(body)
    with open_sample(tmp_path, replace(SITE, site=replace(SITE.site, logo=str(file)))) as sample:
        site = PageSite(sample)
        assert '<img src="/logo" alt="The Site"' in site.text("/")
        answer = site.get("/logo")
        assert (answer.data, answer.mimetype) == (body, kind)
        assert answer.headers["Content-Security-Policy"].endswith("; sandbox")
        assert site.get("/logo", If_None_Match=answer.headers["ETag"]).status_code == 304
        assert "<icon>https://site.example/logo</icon>" in site.text("/feeds/all.atom")
        file.unlink()
        assert site.get("/logo").status_code == 404


def test_help_shows_examples_as_code(pages: PageSite) -> None:
    page = pages.text("/help")
    assert "such as <code>en</code> or <code>pt-br</code>." in page
    assert "<code>&#34;a phrase&#34;</code>" in page
    assert "`" not in page


def test_remote_logo_is_linked_and_not_served(tmp_path: Path) -> None:
    logo = "https://pictures.example/logo.png"
    with open_sample(tmp_path, replace(SITE, site=replace(SITE.site, logo=logo))) as sample:
        site = PageSite(sample)
        assert f'<img src="{logo}"' in site.text("/")
        assert site.get("/logo").status_code == 404
