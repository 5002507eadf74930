"""The commands that show and change the sources of a configuration file."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aggregator.cli.fetch_once import once_poller
from aggregator.cli.main import main
from aggregator.config import file
from aggregator.errors import AggregatorError
from aggregator.formats import opml
from aggregator.policy.feed_addresses import Answer, FeedAddress
from tests.feedserver import FeedServer, Received, Step, response

RSS = b"""<rss version="2.0"><channel><title>Harbour News</title><link>http://h.example/</link>
<description>d</description><item><title>Ferry sails again</title><guid>1</guid>
<pubDate>Sat, 27 Jun 2009 21:26:00 GMT</pubDate></item></channel></rss>"""
OPML = b"""<opml version="2.0"><body><outline text="Known" xmlUrl="http://known.example/feed"/>
<outline text="Harbour News" xmlUrl="http://h.example/feed"/>
<outline text="Harbour News" xmlUrl="http://h.example/other"/>
<outline text="No feed" xmlUrl="mailto:me"/></body></opml>"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sources.yaml"
    path.write_text(f"""\
storage: {{path: {tmp_path}/news.db}}
network: {{allow: [127.0.0.0/8]}}
sections: [{{id: world, title: World}}]
sources:
  - {{id: known, url: "http://known.example/feed", sections: [world]}}  # a comment
""")
    return path


def run(config: Path, *command: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, ["--config", str(config), *command], input=stdin)


def sources(config: Path) -> dict[str, str]:
    return {source.id: source.url for source in file.load(str(config), {}).sources}


def test_check_counts_or_lists_mistakes(config: Path) -> None:
    assert run(config, "check").output == (
        f"{config}: valid, 1 sources in 1 sections, 0 saved views\n"
    )
    config.write_text("sources: [{id: a}]\nsite: {titel: x}\n")
    refused = run(config, "check")
    assert refused.exit_code == 2
    assert [line.split(": ")[0] for line in refused.output.splitlines()] == [
        f"{config}:1:11", f"{config}:2:8",
    ]  # fmt: skip


def test_check_hints_at_the_feed_behind_an_address(config: Path) -> None:
    page, feed = "https://github.com/a/b", "https://github.com/a/b/releases.atom"
    config.write_text(f"sources:\n  - {{id: b, url: {page}}}\n  - {{id: c, url: {feed}}}\n")
    checked = run(config, "check")
    assert checked.exit_code == 0
    [hint] = checked.output.splitlines()[1:]
    assert hint.startswith(f"{config}:2: hint: the feed of b is at {feed}")


def test_import_turns_the_address_of_a_page_into_that_of_its_feed(
    config: Path, tmp_path: Path
) -> None:
    feed = "https://github.com/a/b/tags.atom"
    (tmp_path / "in.opml").write_text(
        "<opml version='2.0'><body><outline text='B' xmlUrl='https://github.com/a/b/tags'/>"
        f"<outline text='B' xmlUrl='{feed}'/></body></opml>"
    )
    assert "1 listed more" in run(config, "import", "--append", str(tmp_path / "in.opml")).output
    assert [*sources(config).values()] == ["http://known.example/feed", feed]


def test_import_prints_yaml_or_appends_new_sources(config: Path, tmp_path: Path) -> None:
    (tmp_path / "in.opml").write_bytes(OPML)
    printed = run(config, "import", str(tmp_path / "in.opml")).stdout
    assert [each.id for each in file.parse(printed, "printed", {}).sources] == [
        "known", "harbour-news", "harbour-news-2",
    ]  # fmt: skip
    assert list(sources(config)) == ["known"]

    appended = run(config, "import", "--append", str(tmp_path / "in.opml"))
    assert "2 sources added" in appended.output
    assert "skipped: No feed mailto:me" in appended.output
    assert sources(config) == {
        "known": "http://known.example/feed",
        "harbour-news": "http://h.example/feed",
        "harbour-news-2": "http://h.example/other",
    }
    assert "# a comment" in config.read_text()


def test_export_writes_the_sections_as_folders(config: Path, tmp_path: Path) -> None:
    run(config, "export", "--output", str(tmp_path / "out.opml"))
    outlines = opml.parse((tmp_path / "out.opml").read_bytes()).outlines
    assert [(folder.text, [each.url for each in folder.children]) for folder in outlines] == [
        ("World", ["http://known.example/feed"])
    ]


def test_export_names_our_feed_of_a_page(config: Path) -> None:
    page = "  - {id: town, url: 'http://town.example/news', page: {items: li}, sections: [world]}\n"
    config.write_text(config.read_text() + page)
    exported = run(config, "export")
    assert "town.example" not in exported.stdout
    assert "left out: town has no feed. Set site.base_url" in " ".join(exported.stderr.split())

    config.write_text("site: {base_url: 'https://news.example/x'}\n" + config.read_text())
    exported = run(config, "export")
    assert exported.stderr == ""
    [folder] = opml.parse(exported.stdout_bytes).outlines
    assert [(each.url, each.link) for each in folder.children] == [
        ("http://known.example/feed", ""),
        ("https://news.example/x/feeds/source/town.atom", "http://town.example/news"),
    ]

    before = config.read_text()
    (config.parent / "own.opml").write_bytes(exported.stdout_bytes)
    again = run(config, "import", "--append", str(config.parent / "own.opml"))
    assert "0 sources added; 2 already in the configuration" in again.output
    assert config.read_text() == before


def test_add_finds_the_feed_of_a_page(config: Path, feed_server: FeedServer) -> None:
    feed = feed_server.url("/feed")
    page = f'<!doctype html><link rel="alternate" type="application/rss+xml" href="{feed}"><p>Hi'
    feed_server.reply("/", body=page.encode(), headers={"Content-Type": "text/html"})
    feed_server.reply("/feed", body=RSS, headers={"Content-Type": "application/rss+xml"})

    declined = run(config, "add", feed_server.url("/"), stdin="n\n")
    assert "2009-06-27  Ferry sails again" in declined.output
    assert list(sources(config)) == ["known"]

    added = run(config, "add", feed_server.url("/"), "--section", "world", "--yes")
    assert added.exit_code == 0, added.output
    assert sources(config)["harbour-news"] == feed

    again = run(config, "add", feed, "--yes")
    assert again.exit_code == 2
    assert f"{feed} is already in the configuration, as harbour-news" in again.output


def test_init_writes_a_file_that_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    missing = CliRunner().invoke(main, ["check"])
    assert "Create it with `aggregator init`" in missing.output
    assert CliRunner().invoke(main, ["init"]).exit_code == 0
    assert "valid" in CliRunner().invoke(main, ["check"]).output
    kept = CliRunner().invoke(main, ["init"])
    assert kept.exit_code == 2
    assert "config/sources.yaml already exists; it was not changed" in kept.output


def test_add_asks_before_it_creates_a_section(config: Path, feed_server: FeedServer) -> None:
    feed_server.reply("/feed", body=RSS, headers={"Content-Type": "application/rss+xml"})
    before = config.read_text()
    command = ("add", feed_server.url("/feed"), "--section", "wrld")
    refused = run(config, *command, stdin="n\n")
    assert "There is no section wrld. Did you mean world? Create it?" in refused.output
    assert refused.exit_code == 2
    assert config.read_text() == before

    added = run(config, *command, "--section", "World", stdin="y\n\n")
    assert added.exit_code == 0, added.output
    after = file.load(str(config), {})
    assert [(each.id, each.title) for each in after.sections] == [
        ("world", "World"), ("wrld", "Wrld"),
    ]  # fmt: skip
    assert after.sources[-1].sections == ("wrld", "world")


def test_add_with_yes_creates_a_section(config: Path, feed_server: FeedServer) -> None:
    feed_server.reply("/feed", body=RSS, headers={"Content-Type": "application/rss+xml"})
    assert run(config, "add", feed_server.url("/feed"), "--section", "Süd", "--yes").exit_code == 0
    assert file.load(str(config), {}).sections[-1].id == "sud"


def test_add_tries_http_after_https(config: Path, feed_server: FeedServer) -> None:
    feed_server.reply("/feed", body=RSS, headers={"Content-Type": "application/rss+xml"})
    address = feed_server.url("/feed").removeprefix("http://")
    assert run(config, "add", address, "--yes").exit_code == 0
    assert sources(config)["harbour-news"] == f"http://{address}"


def test_add_tries_the_form_of_an_address_after_the_page(
    config: Path, feed_server: FeedServer
) -> None:
    feed_server.reply("/@ada", 200, {"Content-Type": "text/html"}, b"<html><p>Ada</p></html>")
    feed_server.feed("/@ada.rss", RSS)
    assert run(config, "add", feed_server.url("/@ada"), "--yes").exit_code == 0
    assert sources(config)["harbour-news"] == feed_server.url("/@ada.rss")
    assert feed_server.paths() == ["/@ada", "/@ada.rss"]


@pytest.mark.parametrize(
    ("answer", "url"),
    [
        (b'{"results": [{"feedUrl": "https://a.example/feed"}]}', "https://a.example/feed"),
        (b'{"results": []}', ""),
        (b"", ""),
    ],
)
def test_lookup_of_a_podcast(
    config: Path, feed_server: FeedServer, answer: bytes, url: str
) -> None:
    feed_server.reply("/lookup", 200, {}, answer)
    address = FeedAddress(name="Podcast", url=feed_server.url("/lookup"), answer=Answer.ITUNES)
    with once_poller(file.load(str(config), {})) as poller:
        if url:
            assert poller.feed_url(address) == url
        else:
            with pytest.raises(AggregatorError, match=r"Podcast: .*/lookup names no feed"):
                poller.feed_url(address)


@pytest.mark.parametrize("body", [b'{"status": "ok"}', b'{"items": [{"title": "x"}]}', b"[1, 2]"])
def test_add_refuses_json_that_is_no_feed(
    config: Path, feed_server: FeedServer, body: bytes
) -> None:
    feed_server.reply("/api", body=body, headers={"Content-Type": "application/json"})
    refused = run(config, "add", feed_server.url("/api"), "--yes")
    assert refused.exit_code == 2
    assert "JSON Feed" in refused.output
    assert list(sources(config)) == ["known"]


@pytest.mark.parametrize(("id", "why"), [("Ä b", "can't be an id"), ("known", "is in use")])
def test_add_refuses_a_bad_id_before_it_fetches(config: Path, id: str, why: str) -> None:
    refused = run(config, "add", "https://feed.invalid/", "--id", id, "--yes")
    assert refused.exit_code == 2
    assert why in refused.output


def test_add_keeps_a_symbolic_link(config: Path, feed_server: FeedServer) -> None:
    feed_server.reply("/feed", body=RSS, headers={"Content-Type": "application/rss+xml"})
    target = config.with_name("real.yaml")
    config.rename(target)
    config.symlink_to(target)
    assert run(config, "add", feed_server.url("/feed"), "--yes").exit_code == 0
    assert config.is_symlink()
    assert "harbour-news" in sources(target)


@pytest.mark.parametrize(("typed", "near"), [("pol", "poll"), ("stauts", "status")])
def test_a_mistyped_command_is_corrected(config: Path, typed: str, near: str) -> None:
    refused = run(config, typed)
    assert refused.exit_code == 2
    assert f"There is no command {typed}. Did you mean {near}?" in refused.output


def test_add_without_a_feed_says_why(config: Path, feed_server: FeedServer) -> None:
    feed_server.reply("/", 404)
    refused = run(config, "add", feed_server.url("/"))
    assert refused.exit_code == 2
    assert "no feed found: " in refused.output


@pytest.mark.parametrize("status", [400, 403, 412, 500, 503])
def test_server_that_fails_on_conditional_requests(
    config: Path, feed_server: FeedServer, status: int
) -> None:
    def behaviour(request: Received) -> list[Step]:
        if "if-none-match" in request.headers:
            return [response(status)]
        return [response(200, {"Content-Type": "application/rss+xml", "ETag": '"1"'}, RSS)]

    feed_server.on("/feed", behaviour)
    run(config, "add", feed_server.url("/feed"), "--id", "harbour", "--yes")
    diagnosis = run(config, "doctor", "harbour")
    assert diagnosis.exit_code == 1
    assert "again with its ETag or Last-Modified, as polls ask" in diagnosis.output
    assert f"status {status}" in diagnosis.output

    feed_server.requests.clear()
    for _ in range(6):
        run(config, "poll", "harbour")
    conditional = ["if-none-match" in request.headers for request in feed_server.requests]
    settled = 1 if status == 412 else 2  # refusals after which no more validators are sent
    assert conditional == [False, True, False, settled == 2, False, False]
    assert "health: silent" in run(config, "explain", "harbour").output


def test_doctor_asks_with_the_headers_of_the_source(config: Path, feed_server: FeedServer) -> None:
    feed_server.feed("/feed", RSS, etag='"1"')
    source = f"  - id: harbour\n    url: {feed_server.url('/feed')}\n    headers: {{X-Key: k}}\n"
    config.write_text(f"{config.read_text().rstrip()}\n{source}")
    diagnosis = run(config, "doctor", "harbour")
    assert diagnosis.exit_code == 0, diagnosis.output
    assert "status 304" in diagnosis.output
    assert [request.headers.get("x-key") for request in feed_server.requests] == ["k", "k"]


@pytest.mark.parametrize("status", [200, 404])
def test_doctor_follows_a_page_to_its_feed(
    config: Path, feed_server: FeedServer, status: int
) -> None:
    link = '<link rel="alternate" type="application/rss+xml" href="/{}">'
    page = f"<html><head>{link.format('feed')}{link.format('more')}</head><p>News</p></html>"
    feed_server.reply("/", body=page.encode(), headers={"Content-Type": "text/html"})
    feed_server.reply("/feed", status, body=RSS, headers={"Content-Type": "application/rss+xml"})
    source = f"  - id: harbour\n    url: {feed_server.url('/')}\n"
    config.write_text(f"{config.read_text().rstrip()}\n{source}")
    diagnosis = run(config, "doctor", "harbour")
    words = " ".join(diagnosis.output.split())
    assert f"the page's feed, as polls ask for it: {feed_server.url('/feed')}" in words
    assert f"Its other feeds: {feed_server.url('/more')}" in words
    assert ("Harbour News, 1 entries" in words) is (status == 200)
    assert diagnosis.exit_code == (0 if status == 200 else 1)
    assert feed_server.paths() == ["/", "/feed"]


@pytest.mark.parametrize("path", ["/", "/feed"])
def test_doctor_takes_a_url_that_is_not_configured(
    config: Path, feed_server: FeedServer, path: str
) -> None:
    page = b'<html><link rel="alternate" type="application/rss+xml" href="/feed"><p>News</p></html>'
    feed_server.reply("/", body=page, headers={"Content-Type": "text/html"})
    feed_server.reply("/feed", body=RSS, headers={"Content-Type": "application/rss+xml"})
    before = config.read_text()
    diagnosis = run(config, "doctor", feed_server.url(path))
    words = " ".join(diagnosis.output.split())
    assert diagnosis.exit_code == 0, words
    assert words.startswith(f"not configured {feed_server.url(path)}")
    assert "Harbour News, 1 entries" in words
    assert feed_server.paths() == (["/", "/feed"] if path == "/" else ["/feed"])
    assert config.read_text() == before


def test_doctor_of_a_configured_url_asks_as_its_source(
    config: Path, feed_server: FeedServer
) -> None:
    feed_server.reply("/feed", body=RSS, headers={"Content-Type": "application/rss+xml"})
    source = f"  - {{id: harbour, url: '{feed_server.url('/feed')}', headers: {{X-Key: k}}}}\n"
    config.write_text(config.read_text() + source)
    assert run(config, "doctor", feed_server.url("/feed#top")).output.startswith("harbour ")
    assert feed_server.requests[0].headers["x-key"] == "k"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("harbr", "no source has the id 'harbr'"), ("ftp://a.example/", "ftp://a.example/ ")],
)
def test_doctor_refuses_other_names(config: Path, name: str, reason: str) -> None:
    refused = run(config, "doctor", name)
    assert refused.exit_code != 0
    assert reason in f"{refused.output}{refused.exception}"


def test_doctor_and_explain_describe_a_source(config: Path, feed_server: FeedServer) -> None:
    feed_server.reply("/feed", body=RSS, headers={"Content-Type": "application/rss+xml"})
    run(config, "add", feed_server.url("/feed"), "--id", "harbour", "--yes")
    diagnosis = run(config, "doctor", "harbour").output
    assert "Harbour News, 1 entries" in diagnosis
    assert "every poll downloads the whole feed" in diagnosis

    assert run(config, "poll", "harbour").exit_code == 0
    explained = run(config, "explain", "harbour").output
    assert "health: silent" in explained  # its only entry is of 2009
    assert "next " in explained
    entry = run(config, "explain", "1").output
    assert "Ferry sails again" in entry
    assert "entry 1 of harbour" in entry
    unknown = run(config, "explain", "nowhere")
    assert unknown.exit_code == 2
    assert "no source has this id, and no entry this id, guid or URL" in unknown.output
