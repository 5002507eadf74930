"""The site as files: equal to the server's answers, complete, rebuilt only where it changed."""

import http.client
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest

from aggregator.models.config import Auth, Media, View, WebSub
from aggregator.models.entry import Feed
from aggregator.models.query import parse
from aggregator.publish import folder as folders
from aggregator.publish.build import NotPublishable, build, published
from aggregator.publish.folder import NotOurs
from aggregator.store.database import change_log
from aggregator.store.entries import entries, retention
from aggregator.store.queries import select
from aggregator.store.sources import sources
from aggregator.web.app import create_app
from aggregator.web.pages import parts
from tests.publish.conftest import Newsroom, files_served
from tests.web.crawl import Reply, crawl
from tests.web.sample_store import BASE
from tests.web.server import served

TYPES = {
    ".atom": "application/atom+xml", ".rss": "application/rss+xml", ".opml": "text/x-opml",
    ".webmanifest": "application/manifest+json", ".xml": "text/xml",
}  # fmt: skip
"""Media types that a plain server of files does not know by the ending."""


def fill(newsroom: Newsroom, count: int = 130) -> None:
    """Publish entries with topics, authors, stories, late ones and corrections."""
    chance = random.Random(7)
    for number in range(count):
        link = f"https://agency.example/{number // 20}" if number % 20 < 3 else ""
        source = ("herald", "post", "odd")[number % 3]
        newsroom.publish(source, link=link, age=timedelta(minutes=chance.choice((0, 0, 3, 900))))
    newsroom.sample.revise(5, "Report number five, corrected")


def fetch(url: str) -> Reply:
    """Return a response of a plain server of files, with the media type of a better one."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")
    response = connection.getresponse()
    body = response.read()
    connection.close()
    headers = {name.lower(): value for name, value in response.getheaders()}
    headers["content-type"] = TYPES.get(Path(parts.path).suffix, headers.get("content-type", ""))
    return Reply(response.status, headers, body)


def address_of(file: str) -> str:
    return quote("/" + file.removesuffix("index.html").rstrip("/")) or "/"


# --- equal to the server -----------------------------------------------------------------------


@pytest.mark.parametrize("base", [BASE, f"{BASE}/planet"])
def test_every_file_has_the_bytes_that_the_server_sends(newsroom: Newsroom, base: str) -> None:
    fill(newsroom)
    site = replace(newsroom.config.site, base_url=base)
    newsroom.config = replace(newsroom.config, site=site)
    report = newsroom.build()
    config = published(newsroom.config)
    app = create_app(lambda: config, newsroom.sample.store, clock=lambda: newsroom.sample.now)
    files = newsroom.files()
    assert report.files == len(files) > 200
    with served(app) as address:
        host = urlsplit(address).netloc
        for file, body in files.items():
            connection = http.client.HTTPConnection(host)
            connection.request("GET", f"{urlsplit(base).path}{address_of(file)}")
            response = connection.getresponse()
            assert response.read() == body, file
            assert response.status == (404 if file == "404.html" else 200), file
            connection.close()


def test_documents_are_those_of_a_site_with_a_server(newsroom: Newsroom) -> None:
    fill(newsroom)
    newsroom.config = replace(newsroom.config, websub=WebSub(hub="off"))
    newsroom.build()
    client = create_app(
        lambda: newsroom.config, newsroom.sample.store, clock=lambda: newsroom.sample.now
    ).test_client()
    documents = {
        file: body
        for file, body in newsroom.files().items()
        if not file.endswith(".html") and not file.startswith("search/")
    }
    assert len(documents) > 30
    for file, body in documents.items():
        assert client.get(f"/{file}", base_url=BASE).data == body, file


def test_processes_write_what_one_process_writes(newsroom: Newsroom, tmp_path: Path) -> None:
    fill(newsroom)
    newsroom.build()
    other = tmp_path / "other"
    build(newsroom.config, other, now=newsroom.sample.now, processes=2)
    assert newsroom.files(other) == newsroom.files()


# --- complete ------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/planet"])
@pytest.mark.parametrize("relative", [False, True])
def test_no_link_is_dead_on_a_plain_server(
    newsroom: Newsroom, tmp_path: Path, prefix: str, relative: bool
) -> None:
    fill(newsroom)
    view = View(id="wet", title="Wet", query=parse("q=rain"), token="secret-token")
    newsroom.config = replace(newsroom.config, views=(*newsroom.config.views, view))
    public = tmp_path / "www"
    public.mkdir()
    with files_served(public) as address:
        base = f"{address}{prefix}"
        site = replace(newsroom.config.site, base_url=base)
        newsroom.config = replace(newsroom.config, site=site)
        newsroom.folder = public / prefix.strip("/")
        report = newsroom.build(relative=relative)
        result = crawl(base, fetch)
        headings = {fetch(f"{base}{path}/").status for path in ("/section/world", "/entry/1")}
    assert headings == {200}
    assert report.dead_links == ()
    assert result.broken == {}
    assert result.outside == set()
    reached = {unquote(urlsplit(url).path).removeprefix(prefix) for url in result.statuses}
    pages = {address_of(file) for file in newsroom.files() if file != "404.html"}
    unreached = {unquote(page) for page in pages} - {
        path.removesuffix("index.html").rstrip("/") or "/" for path in reached
    }
    # Scripts ask for the index of the search; browsers ask for icons without being told.
    assert all(
        page.startswith("/search/") or page in ("/favicon.ico", "/apple-touch-icon.png")
        for page in unreached
    )
    assert not any("wet" in page for page in pages)
    queries = {urlsplit(url).query for url in result.statuses} - {""}
    assert all(query.startswith("v=") for query in queries)


def test_pages_offer_nothing_that_needs_a_server(newsroom: Newsroom) -> None:
    fill(newsroom)
    newsroom.config = replace(newsroom.config, auth=Auth(token="some-token"))
    newsroom.build()
    for file, body in newsroom.files().items():
        for text in (b"/login", b"/status", b'"/at', b"print=1", b"expand", b'method="post"'):
            assert text not in body or file == "robots.txt", (file, text)


def test_feeds_of_files_name_no_hub_of_ours(newsroom: Newsroom) -> None:
    newsroom.publish("herald")
    newsroom.config = replace(newsroom.config, websub=WebSub(hub="own"))
    newsroom.build()
    assert b'rel="hub"' not in (newsroom.folder / "feeds/all.atom").read_bytes()
    newsroom.config = replace(newsroom.config, websub=WebSub(hub="https://hub.example/"))
    newsroom.build()
    assert b'rel="hub"' in (newsroom.folder / "feeds/all.atom").read_bytes()


def test_the_logo_has_an_ending_by_which_servers_know_its_type(
    newsroom: Newsroom, tmp_path: Path
) -> None:
    picture = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    (tmp_path / "ours.SVG").write_bytes(picture)
    site = replace(newsroom.config.site, logo=str(tmp_path / "ours.SVG"))
    newsroom.config = replace(newsroom.config, site=site)
    newsroom.publish("herald")
    assert newsroom.build().dead_links == ()
    assert b'<img src="/logo.svg"' in (newsroom.folder / "index.html").read_bytes()
    assert f"{BASE}/logo<".encode() in (newsroom.folder / "feeds/all.atom").read_bytes()
    for name in ("logo", "logo.svg"):
        assert (newsroom.folder / name).read_bytes() == picture


def test_lists_lead_to_every_entry(newsroom: Newsroom) -> None:
    fill(newsroom)
    newsroom.build()
    with newsroom.sample.store.reading() as db:
        listed = select.select_ids(db, parse(""), limit=1_000)
        starts = [before for before, _ in parts.split(listed)]
    pages = [newsroom.folder / parts.path("stories", before) / "index.html" for before in starts]
    text = b"".join(page.read_bytes() for page in pages)
    assert len(pages) > 2
    assert all(b'href="/entry/%d"' % id in text for id in listed)


# --- rebuilt where it changed --------------------------------------------------------------------


def late(newsroom: Newsroom, chance: random.Random) -> None:
    newsroom.publish("herald", age=timedelta(hours=chance.randrange(20)))


def withdraw(newsroom: Newsroom, chance: random.Random) -> None:
    with newsroom.sample.store.reading() as db:
        ids = select.select_ids(db, parse("stories=expand"), limit=1_000)
    newsroom.sample.withdraw(chance.choice(ids))


def revise(newsroom: Newsroom, chance: random.Random) -> None:
    with newsroom.sample.store.reading() as db:
        ids = select.select_ids(db, parse("stories=expand"), limit=1_000)
    newsroom.sample.revise(chance.choice(ids), f"New words {chance.randrange(10**6)}")


def follow(newsroom: Newsroom, chance: random.Random) -> None:
    number = chance.randrange(7)
    newsroom.publish(chance.choice(("post", "odd")), link=f"https://agency.example/{number}")


def rename(newsroom: Newsroom, chance: random.Random) -> None:
    with newsroom.sample.store.transaction() as db:
        sources.update(db, "odd", {"feed": Feed(title=f"Odd {chance.randrange(100)}")})


def delete(newsroom: Newsroom, _: random.Random) -> None:
    with newsroom.sample.store.transaction() as db:
        oldest = select.arrival_ids(db, parse("stories=expand"), after_id=0)[:2]
        entries.mark_left(db, oldest, newsroom.sample.now)
        later = newsroom.sample.now + timedelta(seconds=1)
        assert retention.expire(db, retention.Cutoffs(default=later)).count >= 1


def follow_elsewhere(newsroom: Newsroom, chance: random.Random) -> None:
    """Let an entry join a story of a source that the change log does not name."""
    sample, link = newsroom.sample, f"https://agency.example/{chance.randrange(7)}"
    with sample.store.reading() as db:
        before = change_log.versions(db)
    newsroom.publish("odd", link=link)
    with sample.store.transaction() as db:
        for source_id in ("herald", "post"):
            scope = change_log.source_scope(source_id)
            db.execute("update changes set version = ? where scope = ?", (before[scope], scope))


CHANGES: tuple[Callable[[Newsroom, random.Random], None], ...] = (
    late, withdraw, revise, follow, follow_elsewhere, rename, delete,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_rebuilt_site_is_a_new_one(
    newsroom: Newsroom, tmp_path: Path, change: Callable[[Newsroom, random.Random], None]
) -> None:
    fill(newsroom)
    chance = random.Random(3)
    newsroom.build()
    for round in range(2):
        for _ in range(2 * round + 1):
            change(newsroom, chance)
        newsroom.sample.now += timedelta(hours=13)
        report = newsroom.build()
        fresh = tmp_path / f"fresh-{round}"
        complete = newsroom.build(fresh)
        assert newsroom.files() == newsroom.files(fresh)
        assert report.dead_links == complete.dead_links == ()
        assert report.rendered < complete.rendered / 2 or change is rename


def test_unchanged_files_keep_their_time(newsroom: Newsroom) -> None:
    fill(newsroom)
    newsroom.build()
    before = {path: path.stat().st_mtime_ns for path in newsroom.folder.rglob("*.html")}
    new = newsroom.publish("herald")
    report = newsroom.build()
    touched = {
        path.relative_to(newsroom.folder).as_posix()
        for path in newsroom.folder.rglob("*.html")
        if before.get(path) != path.stat().st_mtime_ns
    }
    assert f"entry/{new}/index.html" in touched
    assert {"index.html", "stories/index.html", "section/world/index.html"} <= touched
    assert len(touched) < 20
    assert len(before) > 150
    again = newsroom.build()
    assert (again.new, again.changed, again.removed) == (0, 0, 0)
    assert again.rendered < report.rendered


def test_the_work_depends_on_what_changed(newsroom: Newsroom) -> None:
    fill(newsroom, 60)
    newsroom.build()
    newsroom.publish("herald")
    few = newsroom.build().rendered
    fill(newsroom, 180)
    newsroom.build()
    newsroom.publish("herald")
    assert newsroom.build().rendered < few + 10


def test_removed_entries_are_removed(newsroom: Newsroom) -> None:
    fill(newsroom, 10)
    newsroom.build()
    assert (newsroom.folder / "entry/3/index.html").exists()
    newsroom.sample.withdraw(3)
    report = newsroom.build()
    assert report.removed >= 1
    assert not (newsroom.folder / "entry/3").exists()
    assert not any(b'"/entry/3"' in body for body in newsroom.files().values())


def test_a_changed_configuration_renders_everything(newsroom: Newsroom) -> None:
    fill(newsroom, 10)
    newsroom.build()
    site = replace(newsroom.config.site, title="Another title")
    newsroom.config = replace(newsroom.config, site=site)
    report = newsroom.build()
    assert report.rendered == report.files
    assert b"Another title" in (newsroom.folder / "entry/1/index.html").read_bytes()


# --- interrupted ---------------------------------------------------------------------------------


class Interrupted(Exception):
    """The machine stops."""


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_an_interrupted_build_leaves_no_dead_link(
    newsroom: Newsroom, tmp_path: Path, share: float
) -> None:
    public = tmp_path / "www"
    with files_served(tmp_path) as address:
        base = f"{address}/www"
        newsroom.folder = public
        newsroom.config = replace(
            newsroom.config, site=replace(newsroom.config.site, base_url=base)
        )
        fill(newsroom, 60)
        newsroom.build()
        for _ in range(5):
            newsroom.publish("post")
        newsroom.sample.withdraw(60)
        interrupt(newsroom, share)
        assert crawl(base, fetch).broken == {}
        newsroom.sample.withdraw(61)  # what the interrupted build wrote goes too
        newsroom.build()
    fresh = tmp_path / "fresh"
    newsroom.build(fresh)
    assert newsroom.files() == newsroom.files(fresh)


def interrupt(newsroom: Newsroom, share: float) -> None:
    """Build, and stop when a share of the files is in place."""
    staging = newsroom.folder.with_name("staging")
    newsroom.build(staging)
    with folders.opened(newsroom.folder) as last:
        staged = [
            folders.stage(newsroom.folder, file, body)
            for file, body in newsroom.files(staging).items()
        ]
        folders.save(newsroom.folder, replace(last, is_finished=False))
        ordered = sorted((one for one in staged if one), key=lambda one: one.outcome == "changed")
        folders.put_in_place(newsroom.folder, ordered[: int(share * len(ordered))])


def test_a_killed_build_is_completed_by_the_next(newsroom: Newsroom, tmp_path: Path) -> None:
    fill(newsroom, 90)
    config = tmp_path / "sources.yaml"
    config.write_text(
        f"site: {{title: The Site, base_url: '{BASE}'}}\nstorage: {{path: {tmp_path}/test.db}}\n"
        "sources: [{id: herald, url: 'https://herald.example/feed'}]\n"
    )
    command = [sys.executable, "-m", "aggregator", "--config", str(config), "build"]
    target, aside = newsroom.folder, newsroom.folder / folders.ASIDE
    process = subprocess.Popen([*command, str(target)], stdout=subprocess.DEVNULL)
    while process.poll() is None and not (aside.exists() and len([*aside.iterdir()]) > 20):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (target / "index.html").exists()
    for folder in (target, tmp_path / "fresh"):
        subprocess.run([*command, str(folder)], check=True, stdout=subprocess.DEVNULL)
    assert not aside.exists()
    clocks = ("sitemap/news.xml",)
    files, fresh = newsroom.files(), newsroom.files(tmp_path / "fresh")
    assert {file for file in files if files[file] != fresh.get(file)} <= set(clocks)
    assert files.keys() == fresh.keys()


# --- refused -------------------------------------------------------------------------------------


def test_a_site_without_an_address_is_refused(newsroom: Newsroom) -> None:
    newsroom.config = replace(newsroom.config, site=replace(newsroom.config.site, base_url=""))
    with pytest.raises(NotPublishable, match=r"set site\.base_url or give --base-url"):
        newsroom.build()
    assert not newsroom.folder.exists()


def test_a_site_with_a_password_is_refused(newsroom: Newsroom) -> None:
    newsroom.config = replace(newsroom.config, auth=Auth(token="some-token", protect="site"))
    with pytest.raises(NotPublishable, match="files can't ask for a password"):
        newsroom.build()


def test_a_site_that_fetches_pictures_is_refused(newsroom: Newsroom) -> None:
    newsroom.config = replace(newsroom.config, media=Media(proxy=True))
    with pytest.raises(NotPublishable, match="files can't fetch pictures"):
        newsroom.build()


def test_a_folder_of_others_is_refused(newsroom: Newsroom) -> None:
    newsroom.folder.mkdir()
    (newsroom.folder / "thesis.txt").write_text("mine")
    with pytest.raises(NotOurs):
        newsroom.build()
    assert [path.name for path in newsroom.folder.iterdir()] == ["thesis.txt"]


def test_a_site_without_entries_is_built(newsroom: Newsroom) -> None:
    report = newsroom.build()
    assert report.dead_links == ()
    assert b"No entries yet" in (newsroom.folder / "index.html").read_bytes()
