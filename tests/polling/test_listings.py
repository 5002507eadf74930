"""Sources without a feed, polled from a loopback site into a database."""

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from werkzeug.test import Client

from aggregator.config import file
from aggregator.ingest import maintenance
from aggregator.models.config import Limits
from aggregator.models.listing import PageListing
from aggregator.polling.poller import Poller
from aggregator.store.database.connection import Store
from aggregator.store.sources import incidents, poll_log, poll_plan, sources
from aggregator.store.sources.sources import SourceState
from aggregator.web.app import create_app
from tests.feedserver import HOSTS, FeedServer, Received, Step, response
from tests.layouts import LAYOUTS, PAGINATION, Layout, page

HTML = {"Content-Type": "text/html; charset=utf-8"}


class Site:
    """A database with one source, polled at each call by a clock that runs an hour ahead."""

    def __init__(self, folder: Path) -> None:
        self.path, self.folder = folder / "sources.yaml", folder
        self.now = datetime(2026, 3, 21, 12, tzinfo=UTC)
        self.store = Store(str(folder / "news.db"))
        self.poller: Poller | None = None

    def configure(self, url: str, **source: object) -> None:
        """Write the source into the configuration and use it from now on."""
        limits = {"parse": "1s", "body": "2MB", "total": "2s", "idle": "1s"}
        config = {
            "defaults": {"limits": limits},
            "storage": {"path": str(self.folder / "news.db")},
            "network": {"allow": ["127.0.0.0/8"]},
            "sources": [{"id": "town", "url": url, "every": "1h"} | source],
        }
        self.path.write_text(yaml.safe_dump(config, allow_unicode=True))
        self.config = file.load(str(self.path), {"TOKEN": "secret-token"})
        maintenance.synchronise(self.store, self.config, self.now)
        if self.poller:
            self.poller.reconfigure(self.config)
        self.poller = self.poller or Poller(
            self.store, self.config, clock=lambda: self.now, random=lambda: 0.5
        )

    def poll(self, *, hours: int = 48) -> None:
        """Poll the source, and what is due at once after that."""
        assert self.poller
        self.now += timedelta(hours=hours)
        for _ in range(60):
            with self.store.reading() as db:
                due = poll_plan.due(db, self.now)
            if not due:
                return
            self.poller.offer(due)
            self.poller.run_until_idle()
        raise AssertionError("it is due again and again")

    def titles(self) -> list[str]:
        with self.store.reading() as db:
            rows = db.execute("select title from entries order by id desc").fetchall()
        return [row[0] for row in rows]

    def state(self) -> SourceState:
        with self.store.reading() as db:
            state = sources.get(db, "town")
        assert state
        return state

    def incidents(self, kind: str) -> list[str]:
        with self.store.reading() as db:
            return [each.detail for each in incidents.recent(db) if each.kind == kind]

    def close(self) -> None:
        if self.poller:
            self.poller.close()
        self.store.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


def requests(server: FeedServer) -> list[Received]:
    """Return the requests but those for robots.txt, which has its own tests."""
    return [request for request in server.requests if request.path != "/robots.txt"]


def paths(server: FeedServer) -> list[str]:
    return [request.path for request in requests(server)]


def keys_of(layout: Layout) -> dict[str, object]:
    """Return the keys of a source that a layout's listing is written with."""
    fields = layout.listing.__dataclass_fields__
    values = {name: getattr(layout.listing, name) for name in fields}
    given = {name: value for name, value in values.items() if value and name != "pages"}
    return {"page" if isinstance(layout.listing, PageListing) else "json": given}


def serve(server: FeedServer, layout: Layout) -> None:
    """Serve a layout and its further pages, which differ in their query."""

    def behaviour(request: Received) -> list[Step]:
        query = request.path.removeprefix(layout.path)
        body = layout.more[query] if query else layout.body
        return [response(200, {"Content-Type": layout.content_type}, body)]

    server.on(layout.path, behaviour)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_entries_of_every_layout_are_stored(
    layout: Layout, site: Site, feed_server: FeedServer
) -> None:
    serve(feed_server, layout)
    site.configure(feed_server.url(layout.path), **keys_of(layout))
    site.poll()
    assert set(layout.titles) <= set(site.titles())
    if not layout.more:
        assert site.titles() == list(layout.titles)
        assert paths(feed_server) == [layout.path]
    assert site.state().health == "fine"
    site.poll()
    assert paths(feed_server)[-1] == layout.path
    assert len(set(site.titles())) == len(site.titles())


def test_unchanged_page_is_not_fetched_again_with_etag(site: Site, feed_server: FeedServer) -> None:
    layout = LAYOUTS[0]
    feed_server.feed(layout.path, layout.body, etag='"1"', content_type="text/html")
    site.configure(feed_server.url(layout.path), **keys_of(layout))
    for _ in range(3):
        site.poll()
    first, *others = requests(feed_server)
    assert "if-none-match" not in first.headers
    assert first.headers["accept"].startswith("text/html")
    assert "a-im" not in first.headers
    assert [each.headers.get("if-none-match") for each in others] == ['"1"', '"1"']
    assert site.titles() == list(layout.titles)


def test_page_without_validators_is_compared_by_its_hash(
    site: Site, feed_server: FeedServer
) -> None:
    layout = LAYOUTS[0]
    serve(feed_server, layout)
    site.configure(feed_server.url(layout.path), **keys_of(layout))
    site.poll()
    site.poll()
    with site.store.reading() as db:
        outcomes = [poll.outcome for poll in poll_log.recent(db, "town", 9)]
    assert outcomes == ["equal", "ok"]


def test_changed_selectors_read_an_unchanged_page_again(
    site: Site, feed_server: FeedServer
) -> None:
    feed_server.feed("/", LAYOUTS[0].body, etag='"1"', content_type="text/html")
    site.configure(feed_server.url("/"), page={"items": "ul.menu li"})
    site.poll()
    assert "Culture" in site.titles()
    site.configure(feed_server.url("/"), page={"items": "ul.news li"})
    site.poll()
    assert [request.headers.get("if-none-match") for request in requests(feed_server)] == [None] * 2
    assert set(LAYOUTS[0].titles) <= set(site.titles())


def test_next_pages_are_read_while_all_entries_are_new(site: Site, feed_server: FeedServer) -> None:
    serve(feed_server, PAGINATION)
    keys = keys_of(PAGINATION)
    keys["page"] = keys["page"] | {"pages": 3}  # type: ignore[operator]
    site.configure(feed_server.url(PAGINATION.path), **keys)
    site.poll()
    pages = [PAGINATION.path + query for query in ("", "?page=2", "?page=3")]
    assert paths(feed_server) == pages
    assert len(site.titles()) == 30
    assert site.state().fill_url == ""

    # One new entry, nine known ones: nothing further is fetched.
    body = PAGINATION.body.replace(b"number 21 ", b"number 99 ").replace(
        b"/archive/21", b"/archive/99"
    )
    serve(feed_server, Layout(name="pagination", body=body, listing=PAGINATION.listing, links=()))
    site.poll()
    assert paths(feed_server) == [*pages, PAGINATION.path]
    assert site.titles()[0] == "Decision number 99 of the council"
    assert len(site.titles()) == 31
    assert site.incidents("gap") == []


def test_pages_that_name_each_other_end(site: Site, feed_server: FeedServer) -> None:
    bodies = [
        page(f'<div class=item><a href="/{n}">Number {n} of many</a></div><a class=n href="{to}">')
        for n, to in ((1, "?2"), (2, "?1"))
    ]
    feed_server.on("/", lambda request: [response(200, HTML, bodies[request.path == "/?2"])])
    site.configure(feed_server.url("/?1"), page={"items": ".item", "next": "a.n", "pages": 50})
    site.poll()
    assert paths(feed_server) == ["/?1", "/?2", "/?1"], "the third page has a known entry"


def test_failed_next_page_is_an_incident_and_ends_the_chain(
    site: Site, feed_server: FeedServer
) -> None:
    def behaviour(request: Received) -> list[Step]:
        return [response(500 if "page=2" in request.path else 200, HTML, PAGINATION.body)]

    feed_server.on("/", behaviour)
    site.configure(feed_server.url("/"), **keys_of(PAGINATION))
    site.poll()
    assert paths(feed_server) == ["/", "/?page=2"]
    [incident] = site.incidents("gap")
    assert "could not fetch further entries" in incident
    assert len(site.titles()) == 10


# --- entries ---


def test_link_identifies_an_entry_whose_title_changes(site: Site, feed_server: FeedServer) -> None:
    markup = "<li><a href=/a>{}</a></li><li><a href=/b>Another entry here</a></li>"
    feed_server.reply("/", 200, HTML, page(markup.format("Ferry sails again")))
    site.configure(feed_server.url("/"), page={"items": "#content li"})
    site.poll()
    feed_server.reply("/", 200, HTML, page(markup.format("Ferry sails again, late")))
    site.poll()
    assert sorted(site.titles()) == ["Another entry here", "Ferry sails again, late"]
    with site.store.reading() as db:
        [last, *_] = poll_log.recent(db, "town", 9)
    assert (last.new, last.changed) == (0, 1)


def test_entry_keeps_the_relative_date_that_it_was_first_seen_with(
    site: Site, feed_server: FeedServer
) -> None:
    def published() -> list[str]:
        with site.store.reading() as db:
            rows = db.execute("select published from entries order by published").fetchall()
        return [row[0] for row in rows]

    item = "<li><a href=/{0}>Entry number {0}</a><i class=d>{1}</i></li>"
    listing = {"items": "#content li", "date": ".d"}
    feed_server.reply("/", 200, HTML, page(item.format(1, "3 hours ago")))
    site.configure(feed_server.url("/"), page=listing)
    site.poll()
    [first] = published()
    body = page(item.format(2, "1 hour ago") + item.format(1, "2 days ago"))
    feed_server.reply("/", 200, HTML, body)
    site.poll()
    assert published()[0] == first
    assert len(published()) == 2


def test_full_text_is_fetched_for_entries_of_a_page(site: Site, feed_server: FeedServer) -> None:
    text = "".join(
        f"<p>The night ferry number {n} sails again from the old harbour, and the town is glad.</p>"
        for n in range(12)
    )
    article = f"<html><body><article><h1>Ferry sails again</h1>{text}</article></body></html>"
    feed_server.reply("/a", 200, HTML, article.encode())
    feed_server.reply("/", 200, HTML, page("<li><a href=/a>Ferry sails again</a></li>"))
    site.configure(feed_server.url("/"), page={"items": "#content li"}, content="full")
    site.poll()
    assert site.poller
    site.poller.run_pages()
    assert feed_server.paths() == ["/robots.txt", "/", "/a"], "one robots.txt for both"
    with site.store.reading() as db:
        [found] = db.execute("select text from entries").fetchall()
    assert "The night ferry number 11 sails again" in found[0]


def test_pages_of_the_site_show_such_a_source(site: Site, feed_server: FeedServer) -> None:
    serve(feed_server, LAYOUTS[0])
    site.configure(feed_server.url(LAYOUTS[0].path), **keys_of(LAYOUTS[0]))
    site.poll()
    client = Client(create_app(lambda: site.config, site.store, clock=lambda: site.now))
    shown = client.get("/source/town")
    assert shown.status_code == 200
    assert LAYOUTS[0].titles[0] in shown.text
    assert "ul.news &gt; li" in shown.text
    assert LAYOUTS[0].titles[0] in client.get("/feeds/source/town.atom").text


# --- robots.txt ---


def test_robots_txt_comes_first_and_once_a_day(site: Site, feed_server: FeedServer) -> None:
    serve(feed_server, LAYOUTS[0])
    site.configure(feed_server.url(LAYOUTS[0].path), **keys_of(LAYOUTS[0]))
    site.poll()
    site.poll(hours=3)
    site.poll(hours=30)
    page_path = LAYOUTS[0].path
    assert feed_server.paths() == ["/robots.txt", page_path, page_path, "/robots.txt", page_path]


@pytest.mark.parametrize("listing", [{"page": {"items": "li"}}, {"json": None}], ids=str)
def test_page_that_robots_txt_forbids_is_not_fetched(
    site: Site, feed_server: FeedServer, listing: dict[str, object]
) -> None:
    if "json" in listing:
        listing = {"json": {"script": "#s", "items": "@", "title": "t"}}
    feed_server.reply("/robots.txt", 200, {}, b"User-agent: *\nDisallow: /news")
    feed_server.reply("/news", 200, HTML, page("<li><a href=/a>One entry here</a></li>"))
    site.configure(feed_server.url("/news"), **listing)
    site.poll()
    assert feed_server.paths() == ["/robots.txt"]
    assert site.state().error_kind == "robots"
    assert site.titles() == []
    site.poll(hours=3)
    assert feed_server.paths() == ["/robots.txt"]


def test_next_page_that_robots_txt_forbids_is_not_fetched(
    site: Site, feed_server: FeedServer
) -> None:
    feed_server.reply("/robots.txt", 200, {}, b"User-agent: *\nDisallow: /*?page=")
    serve(feed_server, PAGINATION)
    site.configure(feed_server.url(PAGINATION.path), **keys_of(PAGINATION))
    site.poll()
    assert paths(feed_server) == [PAGINATION.path]
    assert len(site.titles()) == 10


def test_page_is_not_fetched_while_robots_txt_can_not_be(
    site: Site, feed_server: FeedServer
) -> None:
    feed_server.reply("/robots.txt", 503)
    serve(feed_server, LAYOUTS[0])
    site.configure(feed_server.url(LAYOUTS[0].path), **keys_of(LAYOUTS[0]))
    site.poll()
    assert feed_server.paths() == ["/robots.txt"]
    feed_server.reply("/robots.txt", 404)
    site.poll()
    assert feed_server.paths() == ["/robots.txt", "/robots.txt", LAYOUTS[0].path]
    assert site.titles() == list(LAYOUTS[0].titles)


def hosts_and_paths(server: FeedServer) -> list[tuple[str, str]]:
    return [(request.headers["host"].split(":")[0], request.path) for request in server.requests]


def redirect_to_other_host(server: FeedServer, rules: dict[str, bytes]) -> str:
    """Redirect a page of the first host through the second to the third; return its URL."""

    def robots(request: Received) -> list[Step]:
        host = request.headers["host"].split(":")[0]
        return [response(200, {}, rules[host])] if host in rules else [response(404)]

    server.on("/robots.txt", robots)
    server.redirect("/news", server.url("/moved", HOSTS[1]), 301)
    server.redirect("/moved", server.url(LAYOUTS[0].path, HOSTS[2]), 302)
    serve(server, LAYOUTS[0])
    return server.url("/news")


def test_robots_txt_of_each_host_of_a_redirect_comes_before_its_page(
    site: Site, feed_server: FeedServer
) -> None:
    url = redirect_to_other_host(feed_server, {})
    site.configure(url, headers={"Authorization": "secret"}, **keys_of(LAYOUTS[0]))
    site.poll()
    assert site.titles() == list(LAYOUTS[0].titles)
    way = [
        (HOSTS[0], "/robots.txt"),
        (HOSTS[0], "/news"),
        (HOSTS[1], "/robots.txt"),
        (HOSTS[1], "/moved"),
        (HOSTS[2], "/robots.txt"),
        (HOSTS[2], LAYOUTS[0].path),
    ]
    assert hosts_and_paths(feed_server) == way
    sent = {request.headers.get("authorization") for request in requests(feed_server)[1:]}
    assert sent == {None}, "header fields stay with their origin"
    move = site.state().move
    assert move
    assert move.url == feed_server.url("/moved", HOSTS[1]), "permanent redirects are adopted"
    feed_server.requests.clear()
    site.poll(hours=3)
    assert hosts_and_paths(feed_server) == way[1::2], "each host once, with its rules as they are"


@pytest.mark.parametrize(
    "rules", [b"User-agent: *\nDisallow: /moved", b"User-agent: *\nDisallow: /"]
)
def test_page_is_not_fetched_from_a_host_that_forbids_it(
    site: Site, feed_server: FeedServer, rules: bytes
) -> None:
    url = redirect_to_other_host(feed_server, {HOSTS[1]: rules})
    site.configure(url, **keys_of(LAYOUTS[0]))
    site.poll()
    assert hosts_and_paths(feed_server)[1:] == [(HOSTS[0], "/news"), (HOSTS[1], "/robots.txt")]
    assert site.state().error_kind == "robots"
    assert feed_server.url("/moved", HOSTS[1]) in site.state().error
    assert site.titles() == []
    feed_server.reply("/news", 200, HTML, LAYOUTS[0].body)
    site.poll(hours=3)
    assert site.titles() == list(LAYOUTS[0].titles), "the redirect is asked for again"


def test_page_is_not_read_from_a_path_of_its_host_that_is_forbidden(
    site: Site, feed_server: FeedServer
) -> None:
    feed_server.reply("/robots.txt", 200, {}, b"User-agent: *\nDisallow: /members")
    feed_server.redirect("/news", "/members/news")
    feed_server.reply("/members/news", 200, HTML, LAYOUTS[0].body)
    site.configure(feed_server.url("/news"), **keys_of(LAYOUTS[0]))
    site.poll()
    assert site.state().error_kind == "robots"
    assert site.titles() == []


def test_page_of_ever_new_redirects_is_given_up(site: Site, feed_server: FeedServer) -> None:
    feed_server.redirect("/a", feed_server.url("/b", HOSTS[1]))
    feed_server.redirect("/b", feed_server.url("/a", HOSTS[0]))
    site.configure(feed_server.url("/a"), **keys_of(LAYOUTS[0]))
    site.poll()
    assert site.state().error_kind == "redirects"
    assert len(requests(feed_server)) == Limits().redirects + 1


@pytest.mark.parametrize("key", ["json", "sitemap"])
def test_robots_txt_is_for_pages_only(site: Site, feed_server: FeedServer, key: str) -> None:
    feed_server.reply("/robots.txt", 200, {}, b"User-agent: *\nDisallow: /")
    body = b'[{"t": "One"}]' if key == "json" else sitemap("a/one")
    feed_server.reply("/x", 200, {}, body)
    listing = {"json": {"items": "@", "title": "t"}} if key == "json" else {"sitemap": True}
    site.configure(feed_server.url("/x"), **listing)
    site.poll()
    assert feed_server.paths() == ["/x"]
    assert site.titles() == ["One"]


def test_limits_of_a_host_hold_across_pages_and_feeds(
    tmp_path: Path, feed_server: FeedServer
) -> None:
    """Ten pages and ten feeds of one host: one connection at a time, no page twice."""
    rss = b"<rss version='2.0'><channel><item><guid>%d</guid></item></channel></rss>"
    sources = []
    for number in range(10):
        markup = f"<li><a href=/{number}>Entry of page {number}</a></li>"
        feed_server.reply(f"/p{number}", 200, HTML, page(markup), delay=0.02)
        feed_server.reply(f"/f{number}", 200, {}, rss % number, delay=0.02)
        sources.append({"id": f"p{number}", "url": feed_server.url(f"/p{number}")})
        sources[-1] |= {"page": {"items": "#content li"}}  # type: ignore[dict-item]
        sources.append({"id": f"f{number}", "url": feed_server.url(f"/f{number}")})
    config = {
        "storage": {"path": str(tmp_path / "news.db")},
        "network": {"allow": ["127.0.0.0/8"]},
        "defaults": {"per_host": {"connections": 1}},
        "sources": sources,
    }
    (tmp_path / "sources.yaml").write_text(yaml.safe_dump(config))
    loaded = file.load(str(tmp_path / "sources.yaml"), {})
    now = datetime(2026, 3, 21, 12, tzinfo=UTC)
    store = Store(loaded.storage)
    maintenance.synchronise(store, loaded, now)
    poller = Poller(store, loaded, clock=lambda: now, random=lambda: 0.5)
    with store.reading() as db:
        poller.offer(poll_plan.due(db, now + timedelta(days=1)))
    poller.run_until_idle()
    with store.reading() as db:
        [stored] = db.execute("select count(*) from entries").fetchone()
    poller.close()
    store.close()
    assert feed_server.peak == {"127.0.0.1": 1}
    assert sorted(feed_server.paths()) == sorted(
        ["/robots.txt", *(f"/{kind}{number}" for kind in "pf" for number in range(10))]
    )
    assert stored == 20


# --- selectors that find nothing ---


def test_items_that_find_nothing_for_three_polls_are_an_incident(
    site: Site, feed_server: FeedServer
) -> None:
    layout = LAYOUTS[0]
    serve(feed_server, layout)
    site.configure(feed_server.url(layout.path), **keys_of(layout))
    site.poll()
    feed_server.reply(layout.path, 200, HTML, page("<p>We have moved our news.</p>"))
    site.poll(hours=11)
    site.poll(hours=11)
    assert site.state().health == "retrying"
    assert site.incidents("failing") == []
    site.poll(hours=11)
    [incident] = site.incidents("failing")
    assert "`items: ul.news > li` finds nothing" in incident
    assert site.state().problem == "no entries found"
    serve(feed_server, layout)
    site.poll(hours=11)
    assert site.state().health == "fine"


def test_a_field_that_finds_nothing_for_three_polls_is_an_incident_of_its_own(
    site: Site, feed_server: FeedServer
) -> None:
    layout = LAYOUTS[0]
    serve(feed_server, layout)
    site.configure(feed_server.url(layout.path), page={"items": ".news li", "summary": "p.lead"})
    site.poll()
    site.poll()
    assert site.state().feed.problems == ("`summary: p.lead` finds nothing in any entry",)
    assert site.incidents("selector") == []
    for _ in range(3):
        site.poll()
    [incident] = site.incidents("selector")
    assert incident == "found nothing in 3 polls: `summary: p.lead`; correct the selectors"
    assert site.titles() == list(layout.titles)


# --- JSON ---


def test_json_is_posted(site: Site, feed_server: FeedServer) -> None:
    answer = json.dumps({"data": [{"t": "Ferry sails", "u": "/ferry"}]}).encode()
    feed_server.feed("/graphql", answer, etag='"1"', content_type="application/json")
    query = '{"query": "{ posts { t u } }", "token": "${TOKEN}"}'
    listing = {"items": "data", "title": "t", "link": "u", "post": query}
    site.configure(feed_server.url("/graphql"), json=listing)
    site.poll()
    site.poll()
    assert site.titles() == ["Ferry sails"]
    for request in requests(feed_server):
        assert request.method == "POST"
        assert json.loads(request.body)["token"] == "secret-token"
        assert request.headers["content-type"] == "application/json"
        assert request.headers["accept"].startswith("application/json")
        assert not {"a-im", "expect", "if-none-match"} & set(request.headers)
    assert "secret-token" in site.config.secrets
    assert "secret-token" not in site.config.sources[0].yaml


@pytest.mark.parametrize(
    ("status", "host", "why"),
    [
        (302, "127.0.0.1", "answers a POST with a redirect (302) to"),
        (307, "127.0.0.2", "redirects a POST to another origin"),
    ],
)
def test_post_is_not_redirected_elsewhere(
    site: Site, feed_server: FeedServer, status: int, host: str, why: str
) -> None:
    feed_server.redirect("/api", feed_server.url("/other", host), status)
    site.configure(
        feed_server.url("/api"), json={"items": "data", "title": "t", "post": '{"a": 1}'}
    )
    site.poll()
    assert why in site.state().error
    assert paths(feed_server) == ["/api"]


def test_post_follows_a_redirect_that_keeps_it(site: Site, feed_server: FeedServer) -> None:
    feed_server.redirect("/api", "/other", 307)
    feed_server.reply("/other", 200, {"Content-Type": "application/json"}, b'[{"t": "One"}]')
    site.configure(feed_server.url("/api"), json={"items": "@", "title": "t", "post": '{"a": 1}'})
    site.poll()
    assert [request.body for request in requests(feed_server)] == [b'{"a": 1}'] * 2
    assert site.titles() == ["One"]


# --- sitemaps ---


def sitemap(*names: str, changed: str = "2026-03-01") -> bytes:
    urls = "".join(
        f"<url><loc>http://127.0.0.1/{name}</loc><lastmod>{changed}</lastmod></url>"
        for name in names
    )
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'.encode()


def index(server: FeedServer, days: dict[str, str]) -> bytes:
    parts = "".join(
        f"<sitemap><loc>{server.url(path)}</loc><lastmod>{day}</lastmod></sitemap>"
        for path, day in days.items()
    )
    return f"<sitemapindex>{parts}</sitemapindex>".encode()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_sitemap_as_a_source(
    site: Site, feed_server: FeedServer, pack: Callable[[bytes], bytes]
) -> None:
    body = pack(sitemap("news/ferry-sails-again", "news/2026/bridge_closes.html"))
    feed_server.reply("/map", 200, {"Content-Type": "application/octet-stream"}, body)
    site.configure(feed_server.url("/map"), sitemap=True)
    site.poll()
    assert sorted(site.titles()) == ["Bridge closes", "Ferry sails again"]


def test_only_changed_sitemaps_of_an_index_are_fetched(site: Site, feed_server: FeedServer) -> None:
    days = {f"/{number}.xml": f"2026-03-{number:02}" for number in range(1, 8)}
    for path in days:
        feed_server.reply(path, 200, {}, sitemap(f"a{path.removesuffix('.xml')}-of-march"))
    feed_server.reply("/index", 200, {}, index(feed_server, days))
    site.configure(feed_server.url("/index"), sitemap=True)
    site.poll()
    assert paths(feed_server) == ["/index", *(f"/{number}.xml" for number in (7, 6, 5, 4, 3))]
    site.poll()
    assert paths(feed_server)[6:] == ["/index"]
    feed_server.reply("/5.xml", 200, {}, sitemap("a/5-of-march", "a/new-one", changed="2026-03-20"))
    feed_server.reply("/index", 200, {}, index(feed_server, days | {"/5.xml": "2026-03-20"}))
    site.poll()
    assert paths(feed_server)[7:] == ["/index", "/5.xml"]
    assert site.titles()[0] == "New one"
    assert len(site.titles()) == 6
    assert site.state().health == "fine"


# --- hostile pages ---

BOMB = "<!DOCTYPE urlset [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
    f"<!ENTITY {name} '{f'&{before};' * 10}'>" for before, name in pairwise("abcdefghijkl")
)
ITEM = "<li><a href=/x>One true entry</a></li>"
HOSTILE = {
    "deep nesting": ("<div><p>" * 200_000, "no_entries"),
    "deep nesting of tables": ("<table><tr><td>" * 100_000, "no_entries"),
    "attributes without number": (
        f"<a {' '.join(f'a{n}=b' for n in range(100_000))}>",
        "parse",
    ),
    "an attribute of a megabyte": (f"{ITEM}<p class='{'a ' * 500_000}'>", "ok"),
    "many empty items": ("<li>x</li>" * 20_000, "no_entries"),
    "more items than memory": ("<li>x</li>" * 190_000, "not_a_feed"),
    "larger than the limit": (ITEM + "x" * 2_100_000, "too_large"),
    "no markup": ("\0" * 1000, "not_a_feed"),
    "an entity bomb": (BOMB + f"]>{ITEM}&l;", "ok"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_page_harms_nothing(name: str, site: Site, feed_server: FeedServer) -> None:
    markup, expected = HOSTILE[name]
    feed_server.reply("/", 200, HTML, markup.encode())
    site.configure(feed_server.url("/"), page={"items": "li", "date": "time", "summary": "p"})
    site.poll()
    with site.store.reading() as db:
        [poll] = poll_log.recent(db, "town", 9)
    assert poll.outcome == expected
    assert site.titles() == (["One true entry"] if expected == "ok" else [])
    feed_server.reply("/", 200, HTML, f"<ul>{ITEM}</ul>".encode())
    site.poll()
    assert site.titles() == ["One true entry"], "the next page is read as ever"


def test_slow_page_is_given_up(site: Site, feed_server: FeedServer) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<ul>"
    steps: list[Step] = [0.3, b"<li>"]
    feed_server.script("/", head, *(steps * 20))
    site.configure(feed_server.url("/"), page={"items": "li"})
    site.poll()
    assert site.state().error_kind == "timeout"


def test_pages_of_private_addresses_are_refused(site: Site, feed_server: FeedServer) -> None:
    markup = '<li><a href="/a">One entry here</a></li><a class=n href="http://10.0.0.1/">'
    feed_server.reply("/", 200, HTML, markup.encode())
    site.configure(feed_server.url("/"), page={"items": "li", "next": ".n"})
    site.poll()
    assert site.titles() == ["One entry here"]
    [incident] = site.incidents("gap")
    assert "10.0.0.1" in incident
