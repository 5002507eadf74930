"""Full text over real HTTP: robots.txt, limits of hosts, hostile pages, and a crash."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from aggregator.cli.main import main
from aggregator.ingest import maintenance
from aggregator.models.config import Config, Content, Defaults, Limits, PerHost, Site, Source
from aggregator.models.entry import StoredEntry
from aggregator.polling.poller import Poller, utc_now
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries, page_queue
from aggregator.store.entries.page_queue import QueuedPage
from aggregator.store.sources import poll_log, poll_plan
from tests.feedserver import HOSTS, RESET, FeedServer, Received, Step, response

HTML = {"Content-Type": "text/html; charset=utf-8"}
TEXT = " ".join(["The night ferry to the outer islands sails again after nine winters."] * 12)
PAGE = f"<html><body><article><h1>Ferry</h1><p>{TEXT}</p></article></body></html>"


class Service:
    """A store with one or more full-text sources of a loopback server."""

    def __init__(self, folder: Path, server: FeedServer) -> None:
        self.store, self.server = Store(str(folder / "news.db")), server
        self.config = Config(
            path="",
            site=Site(),
            storage=self.store.path,
            allow=("127.0.0.0/8",),
            defaults=Defaults(
                limits=Limits(total=2.0, idle=1.0, connect=1.0, parse=1.0), per_host=PerHost()
            ),
            sources=(self.source("news"),),
        )

    def source(self, name: str, host: str = HOSTS[0]) -> Source:
        return Source(id=name, url=self.server.url(f"/{name}", host), content=Content.FULL)

    def feed(self, name: str, *links: str) -> None:
        items = "".join(
            f"<item><title>Ferry</title><guid>{link}</guid><link>{link}</link>"
            "<description>A stump.</description></item>"
            for link in links
        )
        body = f"<rss version='2.0'><channel><title>{name}</title>{items}</channel></rss>"
        self.server.feed(f"/{name}", body.encode())

    def configure(self, **fields: object) -> None:
        self.config = replace(self.config, **fields)  # type: ignore[arg-type]

    def run(self, *, force: bool = False) -> None:
        """Poll what is due, and fetch its pages."""
        maintenance.synchronise(self.store, self.config, utc_now())
        if force:
            with self.store.transaction() as db:
                poll_plan.force(db, utc_now())
        poller = Poller(self.store, self.config)
        try:
            with self.store.reading() as db:
                due = poll_plan.due(db, utc_now())
            poller.offer(due)
            poller.run_until_idle()
            poller.run_pages()
        finally:
            poller.close()

    def entry(self, link: str) -> StoredEntry:
        with self.store.reading() as db:
            stored = entries.find(db, link)
        assert stored is not None
        return stored

    def page(self, link: str) -> QueuedPage:
        with self.store.reading() as db:
            page = page_queue.get(db, self.entry(link).id)
        assert page is not None
        return page


@pytest.fixture
def service(tmp_path: Path, feed_server: FeedServer) -> Iterator[Service]:
    service = Service(tmp_path, feed_server)
    yield service
    service.store.close()


def test_text_of_the_page_is_fetched_once(service: Service) -> None:
    link = service.server.url("/a")
    service.feed("news", link)
    service.server.reply("/a", 200, HTML | {"ETag": '"1"'}, PAGE.encode())
    service.run()
    entry = service.entry(link).entry
    assert entry.text == TEXT
    assert entry.text_from == "page"
    service.run(force=True)
    assert service.server.paths() == ["/news", "/robots.txt", "/a", "/news"]
    [page] = [each for each in service.server.requests if each.path == "/a"]
    assert page.headers["accept"].startswith("text/html")
    assert "a-im" not in page.headers


def test_source_of_feed_texts_makes_no_other_request(service: Service) -> None:
    service.configure(sources=(replace(service.source("news"), content=Content.FEED),))
    service.feed("news", service.server.url("/a"))
    service.run()
    assert service.server.paths() == ["/news"]
    with service.store.reading() as db:
        assert db.execute("select count(*) from page_queue").fetchone()[0] == 0


def test_libraries_for_pages_are_loaded_with_the_first_page() -> None:
    modules = "aggregator.cli.run, aggregator.polling.scheduler, aggregator.polling.parsing"
    libraries = "{'cssselect', 'protego', 'trafilatura'}"
    program = f"import sys, {modules}; assert not {libraries} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_robots_txt_is_obeyed_per_host(service: Service) -> None:
    good, bad = service.server.url("/open/a"), service.server.url("/closed/b")
    moved = service.server.url("/open/c")
    elsewhere = service.server.url("/closed/d", HOSTS[1])
    service.feed("news", good, bad, moved)

    def robots(received: Received) -> Sequence[Step]:
        closed = b"User-agent: feed-aggregator\nDisallow: /closed/\n"
        return [response(200, {"Content-Type": "text/plain"}, closed)]

    service.server.on("/robots.txt", robots)
    for path in ("/open/a", "/closed/b", "/closed/d"):
        service.server.reply(path, 200, HTML, PAGE.encode())
    service.server.redirect("/open/c", elsewhere)
    service.run()
    requested = service.server.requests
    assert not [each.path for each in requested if each.path.startswith("/closed/")]
    assert len([each for each in requested if each.path == "/robots.txt"]) == 2
    assert service.entry(good).entry.text_from == "page"
    assert [service.page(link).outcome for link in (bad, moved)] == ["robots", "robots"]


def test_limits_of_a_host_hold_across_feeds_and_pages(service: Service) -> None:
    names = [f"news{n}" for n in range(4)]
    service.configure(sources=tuple(service.source(name) for name in names))
    links = [service.server.url(f"/p{n}") for n in range(8)]
    for n, name in enumerate(names):
        service.feed(name, *links[2 * n : 2 * n + 2])
    for n in range(8):
        service.server.reply(f"/p{n}", 200, HTML, PAGE.encode(), delay=0.02)
    service.run()
    assert service.server.peak[HOSTS[0]] <= service.config.defaults.per_host.connections
    assert sorted(service.server.paths()) == sorted(
        [f"/{name}" for name in names] + ["/robots.txt"] + [f"/p{n}" for n in range(8)]
    )
    with service.store.reading() as db:
        [ledger] = [row for row in poll_log.hosts(db) if row.host == HOSTS[0]]
    assert ledger.requests == len(service.server.requests)
    assert ledger.early == 0


def test_limited_page_keeps_its_host_from_being_asked(service: Service) -> None:
    links = [service.server.url(f"/p{n}") for n in range(3)]
    service.feed("news", *links)
    for n in range(3):
        service.server.reply(f"/p{n}", 429, {"Retry-After": "3600"})
    service.run()
    pages = [path for path in service.server.paths() if path.startswith("/p")]
    assert len(pages) == 1
    [asked] = [link for link in links if service.page(link).attempts]
    due = service.page(asked).due
    assert due is not None
    assert due - utc_now() > timedelta(minutes=59)


def test_pages_that_were_in_flight_at_a_crash_are_fetched_again(service: Service) -> None:
    link = service.server.url("/a")
    service.feed("news", link)
    service.server.reply("/a", 200, HTML, PAGE.encode(), delay=0.3)
    maintenance.synchronise(service.store, service.config, utc_now())
    poller = Poller(service.store, service.config)
    with service.store.reading() as db:
        poller.offer(poll_plan.due(db, utc_now()))
    while "/a" not in service.server.paths():
        poller.turn()
    poller.close()  # nothing of the page is stored
    assert service.entry(link).entry.text == "A stump."
    service.run()
    assert service.entry(link).entry.text == TEXT
    assert service.server.paths().count("/a") == 2


BYTE_BY_BYTE: tuple[Step, ...] = (b"x" * 99, 0.2)
ENDLESS: tuple[Step, ...] = (b"HTTP/1.1 200 OK\r\n\r\n", *BYTE_BY_BYTE * 40)

HOSTILE: dict[str, Callable[[FeedServer], None]] = {
    "reset": lambda server: server.script("/a", RESET),
    "endless": lambda server: server.script("/a", *ENDLESS),
    "too large": lambda server: server.reply("/a", 200, HTML, b"<p>x</p>" * 1_000_000),
    "a bomb": lambda server: server.reply("/a", 200, HTML, b"<div>" * 500_000 + PAGE.encode()),
    "attributes": lambda server: server.reply(
        "/a", 200, HTML, f"<p {' '.join(f'a{n}=1' for n in range(300_000))}>{TEXT}".encode()
    ),
    "a heap of links": lambda server: server.reply(
        "/a", 200, HTML, b"<a href='/x'>x</a>" * 100_000
    ),
    "no page": lambda server: server.reply("/a", 200, {"Content-Type": "application/pdf"}, b"%PDF"),
    "redirect loop": lambda server: server.redirect("/a", "/a"),
    "private address": lambda server: server.redirect("/a", "http://10.0.0.1/"),
    "file": lambda server: server.redirect("/a", "file:///etc/passwd"),
    "long header": lambda server: server.reply("/a", 200, {"X": "x" * 100_000}, PAGE.encode()),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_page_leaves_the_feeds_text(service: Service, name: str) -> None:
    bad, good = service.server.url("/a"), service.server.url("/b", HOSTS[1])
    service.feed("news", bad, good)
    HOSTILE[name](service.server)
    service.server.reply("/b", 200, HTML, PAGE.encode())
    service.run()
    assert service.entry(bad).entry.text == "A stump."
    assert service.entry(bad).entry.text_from == ""
    assert service.entry(good).entry.text == TEXT  # it harms no other
    page = service.page(bad)
    assert page.outcome or page.attempts, "the fetch has an end that is stored"


def test_text_is_sanitised_like_that_of_feeds(service: Service) -> None:
    link = service.server.url("/a")
    service.feed("news", link)
    service.configure(
        sources=tuple(
            replace(each, page_rules=replace(each.page_rules, select="article"))
            for each in service.config.sources
        )
    )
    body = PAGE.replace(
        "<p>",
        "<script>alert(1)</script><p onclick='alert(1)'><a href='javascript:alert(1)'>x</a>"
        "<img src=x onerror=alert(1)><iframe src='https://evil.example/'></iframe>",
        1,
    )
    service.server.reply("/a", 200, HTML, body.encode())
    service.run()
    content = service.entry(link).entry.content
    assert TEXT in content
    for word in ("alert", "onclick", "onerror", "javascript", "<script", "<iframe"):
        assert word not in content


def test_explain_says_how_the_fetch_of_a_page_went(tmp_path: Path, feed_server: FeedServer) -> None:
    good, bad = feed_server.url("/a"), feed_server.url("/b")
    items = "".join(f"<item><title>Ferry</title><link>{link}</link></item>" for link in (good, bad))
    body = f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>"
    feed_server.feed("/feed", body.encode())
    feed_server.reply("/a", 200, HTML, PAGE.encode())
    config = tmp_path / "sources.yaml"
    config.write_text(
        f"storage: {{path: {tmp_path / 'news.db'}}}\nnetwork: {{allow: [127.0.0.0/8]}}\n"
        f"sources: [{{id: news, url: '{feed_server.url('/feed')}', content: full}}]\n"
    )

    def run(*command: str) -> str:
        result = CliRunner().invoke(main, ["--config", str(config), *command])
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    run("poll")
    assert "text of its page; page fetched " in run("explain", good)
    explained = run("explain", bad)
    assert "text of its feed; page given up " in explained
    assert "404 Not Found: there is no page at this URL" in explained
    assert "pages of its entries: 1 fetched, 0 waiting, 1 given up" in run("explain", "news")
