"""The icon worker finds icons of feeds and sites, keeps them, and asks again after a month."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aggregator.icons.worker import REFRESH, RETRY, IconWorker, next_lookup
from aggregator.models.config import Config, Media, PerHost, Site, Source
from aggregator.models.entry import Feed
from aggregator.models.network import Network
from aggregator.models.urls import origin_of
from aggregator.store.database.connection import Store
from aggregator.store.database.times import format_time
from aggregator.store.sources import icons, network, robots, sources, sync
from tests.e2e.service import wait_for
from tests.feedserver import HOSTS, FeedServer, Received, Step, response
from tests.icons.pictures import opened, picture

START = datetime(2026, 1, 1, tzinfo=UTC)
BLUE = (0, 0, 200, 255)


@dataclass
class Desk:
    """Sources on a server, whose icons a worker looks up by a clock that the test sets."""

    store: Store
    server: FeedServer
    now: datetime = START
    feeds: dict[str, Feed] = field(default_factory=dict)
    icons: bool = True
    allow: tuple[str, ...] = ("127.0.0.0/8",)

    def add(self, source_id: str, *, icon: str = "", image: str = "", host: str = "") -> None:
        """Add a source that was polled; its site is the server."""
        link = self.server.url("/news/", host=host) if host else self.server.url("/news/")
        self.feeds[source_id] = Feed(link=link, icon=icon, image=image)
        with self.store.transaction() as db:
            sync.apply(db, self.sources, now=self.now, first_polls={})
            for key, feed in self.feeds.items():
                sources.update(db, key, {"feed": feed, "last_ok": self.now})

    @property
    def sources(self) -> list[Source]:
        return [Source(id=key, url=self.server.url(f"/{key}")) for key in self.feeds]

    def worker(self) -> IconWorker:
        media = Media(icons=self.icons)
        config = Config(path="", site=Site(), storage="", allow=self.allow, media=media)
        return IconWorker(
            self.store,
            config,
            clock=lambda: self.now,
            random=lambda: 0.5,
            per_host=PerHost(connections=2),
            look_seconds=0.05,
        )

    @contextmanager
    def working(self) -> Iterator[None]:
        worker = self.worker()
        stopping = threading.Event()
        thread = threading.Thread(target=worker.run, args=(stopping,))
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def due(self, source_id: str) -> str:
        with self.store.reading() as db:
            row = db.execute("select icon_due_at from sources where id = ?", (source_id,))
            return str(row.fetchone()[0])

    def look(self) -> None:
        """Look all due icons up."""
        with self.working():
            wait_for(lambda: all(self.due(key) > format_time(self.now) for key in self.feeds))

    def icon(self, source_id: str) -> str:
        with self.store.reading() as db:
            return sources.labels(db, [source_id])[source_id].icon

    def image(self, source_id: str) -> bytes | None:
        with self.store.reading() as db:
            return icons.image(db, self.icon(source_id))

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for, of which the last look is forgotten."""
        paths = [request.path for request in self.server.requests]
        self.server.requests.clear()
        return paths


@pytest.fixture
def desk(tmp_path: Path, feed_server: FeedServer) -> Iterator[Desk]:
    store = Store(str(tmp_path / "test.db"))
    yield Desk(store, feed_server)
    store.close()


def page(server: FeedServer, icon: str) -> None:
    server.reply("/", 200, {}, f'<link rel="icon" href="{icon}">'.encode())


def test_the_icon_of_the_feed_comes_first(desk: Desk) -> None:
    desk.server.reply("/i.png", 200, {}, picture())
    desk.add("a", icon=desk.server.url("/i.png"), image=desk.server.url("/logo.png"))
    desk.look()
    assert desk.paths == ["/i.png"]
    assert opened(desk.image("a") or b"").size == (32, 32)


def test_a_banner_is_passed_over(desk: Desk) -> None:
    desk.server.reply("/banner.png", 200, {}, picture((300, 100)))
    desk.server.reply("/square.png", 200, {}, picture())
    desk.add("a", icon=desk.server.url("/banner.png"), image=desk.server.url("/square.png"))
    desk.look()
    assert desk.paths == ["/banner.png", "/square.png"]
    assert desk.image("a")


def test_the_site_declares_an_icon(desk: Desk) -> None:
    page(desk.server, "/static/i.png")
    desk.server.reply("/static/i.png", 200, {}, picture())
    desk.add("a")
    desk.look()
    assert desk.paths == ["/robots.txt", "/", "/static/i.png"]
    assert desk.image("a")


def test_a_broken_icon_is_followed_by_the_usual_one(desk: Desk) -> None:
    page(desk.server, "/missing.png")
    desk.server.reply("/favicon.ico", 200, {}, picture((16, 16), "ICO"))
    desk.add("a")
    desk.look()
    assert desk.paths == ["/robots.txt", "/", "/missing.png", "/favicon.ico"]
    assert opened(desk.image("a") or b"").size == (16, 16)


def test_a_site_that_forbids_its_pages_is_not_read(desk: Desk) -> None:
    desk.server.reply("/robots.txt", 200, {}, b"User-agent: *\nDisallow: /\n")
    desk.server.reply("/favicon.ico", 200, {}, picture((16, 16), "ICO"))
    desk.add("a")
    desk.look()
    assert desk.paths == ["/robots.txt"]
    assert desk.icon("a") == ""


def test_a_site_at_another_host_is_read_by_the_rules_there(desk: Desk) -> None:
    other = desk.server.url("/home", HOSTS[1])

    def robots(request: Received) -> Sequence[Step]:
        is_other = request.headers["host"].startswith(HOSTS[1])
        return [response(200, {}, b"User-agent: *\nDisallow: /" if is_other else b"")]

    desk.server.on("/robots.txt", robots)
    desk.server.redirect("/", other)
    desk.server.reply("/home", 200, {}, b'<link rel="icon" href="/i.png">')
    desk.server.reply("/i.png", 200, {}, picture())
    desk.add("a")
    desk.look()
    assert desk.paths == ["/robots.txt", "/", "/robots.txt"]
    assert desk.icon("a") == ""
    desk.server.reply("/robots.txt", 404)
    desk.now += REFRESH * 2
    desk.look()
    assert desk.paths == ["/robots.txt", "/", "/robots.txt", "/home", "/i.png"]
    assert desk.image("a")


@pytest.mark.parametrize(("rules", "is_read"), [("", True), ("User-agent: *\nDisallow: /", False)])
def test_rules_that_polls_know_are_not_fetched_again(desk: Desk, rules: str, is_read: bool) -> None:
    page(desk.server, "/i.png")
    desk.server.reply("/i.png", 200, {}, picture())
    desk.add("a")
    with desk.store.transaction() as db:
        robots.put(db, origin_of(desk.server.url("/")), rules, desk.now + timedelta(hours=1))
    desk.look()
    assert desk.paths == (["/", "/i.png"] if is_read else [])
    assert bool(desk.image("a")) is is_read


def test_rules_that_polls_knew_for_long_are_fetched(desk: Desk) -> None:
    page(desk.server, "/i.png")
    desk.add("a")
    with desk.store.transaction() as db:
        robots.put(db, origin_of(desk.server.url("/")), "User-agent: *\nDisallow: /", desk.now)
    desk.look()
    assert desk.paths[:2] == ["/robots.txt", "/"]


def test_sources_of_one_site_share_a_look_up(desk: Desk) -> None:
    page(desk.server, "/i.png")
    desk.server.reply("/i.png", 200, {}, picture())
    for source_id in "abcdefghijklmnopqrst":
        desk.add(source_id)
    desk.look()
    assert desk.paths == ["/robots.txt", "/", "/i.png"]
    assert {desk.icon(source_id) for source_id in desk.feeds} == {desk.icon("a")} != {""}


def test_a_feed_can_not_claim_the_page_of_a_site_as_its_picture(desk: Desk) -> None:
    page(desk.server, "/i.png")
    desk.server.reply("/i.png", 200, {}, picture())
    desk.add("a", icon=desk.server.url("/"), image="site:" + desk.server.url(""))
    desk.look()
    desk.add("b")
    desk.look()
    assert desk.image("b")


def test_an_icon_is_asked_for_again_after_a_month(desk: Desk) -> None:
    desk.server.reply("/i.png", 200, {"ETag": '"1"'}, picture())
    desk.add("a", icon=desk.server.url("/i.png"))
    desk.look()
    before = desk.icon("a")
    desk.now += REFRESH - timedelta(seconds=1)
    desk.look()
    assert desk.paths == ["/i.png"]
    desk.now += timedelta(seconds=1)
    desk.server.reply("/i.png", 304, {"ETag": '"1"'})
    desk.look()
    assert [request.headers["if-none-match"] for request in desk.server.requests] == ['"1"']
    assert desk.icon("a") == before
    assert desk.image("a")
    desk.now += REFRESH
    desk.server.reply("/i.png", 200, {"ETag": '"2"'}, picture(color=BLUE))
    desk.look()
    assert desk.icon("a") != before
    assert opened(desk.image("a") or b"").convert("RGBA").getpixel((0, 0)) == BLUE


def test_an_icon_outlives_a_fault_of_its_server(desk: Desk) -> None:
    desk.server.reply("/i.png", 200, {}, picture())
    desk.add("a", icon=desk.server.url("/i.png"))
    desk.look()
    before = desk.icon("a")
    desk.now += REFRESH
    desk.server.reply("/i.png", 500)
    desk.look()
    assert desk.icon("a") == before
    desk.now += RETRY
    desk.server.reply("/i.png", 404)
    desk.look()
    assert desk.icon("a") == ""


def test_a_failure_is_remembered(desk: Desk) -> None:
    desk.server.reply("/robots.txt", 503)
    desk.add("a")
    desk.look()
    assert desk.paths == ["/robots.txt"]
    desk.now += RETRY - timedelta(seconds=1)
    desk.look()
    assert desk.paths == []
    desk.now += timedelta(seconds=1)
    desk.look()
    assert desk.paths == ["/robots.txt"]
    desk.now += 4 * RETRY - timedelta(seconds=1)
    desk.look()
    assert desk.paths == []


def test_a_private_address_is_not_asked(desk: Desk) -> None:
    desk.allow = ()
    desk.add("a", icon=desk.server.url("/i.png"))
    desk.look()
    assert desk.paths == []
    assert desk.icon("a") == ""


def test_a_source_that_was_never_polled_with_success_is_left_alone(desk: Desk) -> None:
    desk.add("a", icon=desk.server.url("/i.png"))
    with desk.store.transaction() as db:
        sources.update(db, "a", {"last_ok": None})
        assert icons.due(db, desk.now, 9) == []


@pytest.mark.parametrize("reason", ["the configuration", "the network"])
def test_nothing_is_looked_up_without(desk: Desk, reason: str) -> None:
    if reason == "the configuration":
        desk.icons = False
    else:
        with desk.store.transaction() as db:
            network.put(db, Network(down_since=START))
    desk.add("a", icon=desk.server.url("/i.png"))
    stopping = threading.Event()
    worker = desk.worker()
    for _ in range(3):
        worker.turn()
    stopping.set()
    worker.run(stopping)
    assert desk.paths == []
    assert desk.due("a") == ""


def test_a_moved_source_is_looked_up_again(desk: Desk) -> None:
    desk.server.reply("/i.png", 200, {}, picture())
    desk.add("a", icon=desk.server.url("/i.png"))
    desk.look()
    with desk.store.transaction() as db:
        moved = [replace(desk.sources[0], url=desk.server.url("/other"))]
        sync.apply(db, moved, now=desk.now, first_polls={})
    assert desk.due("a") == ""


@pytest.mark.parametrize(
    ("failures", "jitter", "days"),
    [(0, 0.5, 30), (0, 0, 24), (0, 1, 36), (1, 0.5, 1), (2, 0.5, 4), (3, 0.5, 16), (4, 0.5, 30),
     (10**9, 0.5, 30)],
)  # fmt: skip
def test_interval(failures: int, jitter: float, days: float) -> None:
    assert next_lookup(failures, jitter) == timedelta(days=days)


def test_icons_that_no_source_shows_are_deleted(desk: Desk) -> None:
    desk.server.reply("/i.png", 200, {}, picture())
    desk.add("a", icon=desk.server.url("/i.png"))
    desk.look()
    with desk.store.transaction() as db:
        assert icons.forget(db, desk.now + 9 * REFRESH) == 0
        icons.assign(db, {"a": ("", desk.now)})
        assert icons.forget(db, desk.now + REFRESH) == 0  # not due before
        assert icons.forget(db, desk.now + REFRESH + timedelta(seconds=1)) == 1
