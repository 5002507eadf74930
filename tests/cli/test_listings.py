"""Sources without a feed from the command line: proposals of add and doctor, and try."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aggregator.cli.main import main
from aggregator.config import edit, file
from aggregator.models.config import Source
from aggregator.models.listing import JsonListing, Listing, PageListing, SitemapListing
from tests.feedserver import HOSTS, FeedServer
from tests.layouts import API, BLOG, NEWS_LIST, Layout, page


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sources.yaml"
    path.write_text(f"""\
storage: {{path: {tmp_path}/news.db}}
network: {{allow: [127.0.0.0/8]}}
sources:
  - {{id: known, url: "http://known.example/feed"}}
""")
    return path


def run(config: Path, *command: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, ["--config", str(config), *command], input=stdin)


def serve(server: FeedServer, layout: Layout) -> str:
    server.reply(layout.path, 200, {"Content-Type": layout.content_type}, layout.body)
    return server.url(layout.path)


def last_source(config: Path) -> Source:
    return file.load(str(config), {}).sources[-1]


def test_add_proposes_selectors_and_writes_them(config: Path, feed_server: FeedServer) -> None:
    url = serve(feed_server, NEWS_LIST)
    added = run(config, "add", url, stdin="1\n")
    assert added.exit_code == 0, added.output
    assert "has no feed, but entries can be found on it:" in added.output
    assert "1. 10 entries" in added.output
    assert f"2026-03-20  {NEWS_LIST.titles[0]}" in added.output
    assert "items: ul.news > li" in added.output
    assert feed_server.paths() == [NEWS_LIST.path, "/robots.txt"], "each is fetched once"
    source = last_source(config)
    assert (source.id, source.url) == ("town", url)
    assert source.listing == PageListing(items="ul.news > li", title="a", date=".date")
    assert "page: {items: ul.news > li, title: a, date: .date}}\n" in config.read_text()


def test_add_takes_the_first_proposal_with_yes_and_another_by_its_number(
    config: Path, feed_server: FeedServer
) -> None:
    other = "".join(
        f"<li><h3><a href=/o/{n}>Other story number {n}</a></h3></li>" for n in range(8)
    )
    body = BLOG.body.replace(b"</main>", f"<ul class=others>{other}</ul></main>".encode())
    url = serve(feed_server, replace(BLOG, body=body))
    second = run(config, "add", url, "--id", "second", stdin="2\n")
    assert "Add which one (1 to 2, 0 for none)" in second.output
    assert last_source(config).listing == PageListing(items="ul.others > li", title="h3")
    config.write_text(config.read_text().replace(url, "http://other.example/"))
    assert run(config, "add", url, "--id", "first", "--yes").exit_code == 0
    listing = last_source(config).listing
    assert isinstance(listing, PageListing)
    assert listing.items == "article.post"


def test_add_writes_nothing_if_no_proposal_is_wanted(config: Path, feed_server: FeedServer) -> None:
    before = config.read_text()
    refused = run(config, "add", serve(feed_server, NEWS_LIST), stdin="0\n")
    assert refused.exit_code == 0
    assert config.read_text() == before


def test_add_proposes_json(config: Path, feed_server: FeedServer) -> None:
    assert run(config, "add", serve(feed_server, API), "--id", "api", "--yes").exit_code == 0
    listing = last_source(config).listing
    assert listing == API.listing


def test_add_says_so_where_nothing_can_be_found(config: Path, feed_server: FeedServer) -> None:
    feed_server.reply("/", 200, {"Content-Type": "text/html"}, b"<html><p>x</p></html>")
    refused = run(config, "add", feed_server.url("/"), "--yes")
    assert refused.exit_code == 2
    assert "no feed found" in refused.output


def test_doctor_shows_proposals_as_yaml(config: Path, feed_server: FeedServer) -> None:
    url = serve(feed_server, NEWS_LIST)
    before = config.read_text()
    shown = run(config, "doctor", url, "--page")
    assert shown.exit_code == 0
    assert f"- id: town\n         url: {url}\n         page:\n" in shown.output
    assert config.read_text() == before
    assert feed_server.paths() == ["/robots.txt", NEWS_LIST.path]


def forbid(server: FeedServer, path: str) -> None:
    server.reply("/robots.txt", 200, {}, f"User-agent: *\nDisallow: {path}\n".encode())


def is_forbidden(answered: Result, path: str) -> bool:
    text = " ".join(answered.output.split())
    return (
        f"{path}: the site's robots.txt forbids it to feed-aggregator (“Disallow: {path}”)" in text
        and "Ask its publisher for a feed, or to allow it" in text
    )


@pytest.mark.parametrize(
    ("command", "status"), [(("add", "--yes"), 2), (("doctor", "--page"), 1)], ids=str
)
def test_page_that_robots_txt_forbids_is_not_proposed(
    config: Path, feed_server: FeedServer, command: tuple[str, ...], status: int
) -> None:
    before = config.read_text()
    forbid(feed_server, NEWS_LIST.path)
    refused = run(config, *command, serve(feed_server, NEWS_LIST))
    assert refused.exit_code == status
    assert is_forbidden(refused, NEWS_LIST.path), refused.output
    assert config.read_text() == before


@pytest.mark.parametrize("command", ["doctor", "try"])
@pytest.mark.parametrize("host", HOSTS[:2])
def test_page_of_a_source_that_robots_txt_forbids_is_not_fetched(
    config: Path, feed_server: FeedServer, command: str, host: str
) -> None:
    """A page that is redirected to another host is judged by the rules there."""
    forbid(feed_server, NEWS_LIST.path)
    serve(feed_server, NEWS_LIST)
    feed_server.redirect("/", feed_server.url(NEWS_LIST.path, host))
    url = feed_server.url(NEWS_LIST.path if host == HOSTS[0] else "/")
    source = f"  - {{id: town, url: '{url}', page: {{items: .news li}}}}\n"
    config.write_text(config.read_text() + source)
    refused = run(config, command, "town")
    assert refused.exit_code == 1
    assert is_forbidden(refused, NEWS_LIST.path), refused.output
    assert NEWS_LIST.path not in feed_server.paths()


def test_feeds_and_json_are_found_whatever_robots_txt_says(
    config: Path, feed_server: FeedServer
) -> None:
    forbid(feed_server, "/")
    assert run(config, "add", serve(feed_server, API), "--id", "api", "--yes").exit_code == 0
    assert feed_server.paths() == [API.path]


@pytest.mark.parametrize(
    ("status", "message"), [(200, "nothing on it repeats as entries do"), (404, "404 Not Found")]
)
def test_doctor_without_proposals_fails(
    config: Path, feed_server: FeedServer, status: int, message: str
) -> None:
    feed_server.reply("/", status, {"Content-Type": "text/html"}, b"<html><p>x</p></html>")
    failed = run(config, "doctor", feed_server.url("/"), "--page")
    assert failed.exit_code == 1
    assert message in failed.output


def test_page_that_takes_too_long_has_no_proposals(config: Path, feed_server: FeedServer) -> None:
    attributes = " ".join(f"a{n}=b" for n in range(100_000))
    feed_server.reply("/", 200, {"Content-Type": "text/html"}, f"<a {attributes}>".encode())
    config.write_text(f"defaults: {{limits: {{parse: 1s}}}}\n{config.read_text()}")
    failed = run(config, "doctor", feed_server.url("/"), "--page")
    assert failed.exit_code == 1
    assert "nothing on it repeats as entries do" in failed.output


def test_doctor_reads_a_source_by_its_selectors(config: Path, feed_server: FeedServer) -> None:
    url = serve(feed_server, NEWS_LIST)
    config.write_text(
        config.read_text()
        + f"  - {{id: town, url: '{url}', page: {{items: .news li, summary: p.lead}}}}\n"
    )
    shown = run(config, "doctor", "town").output
    assert "page: Town, 10 entries" in shown
    assert "problem: `summary: p.lead` finds nothing in any entry" in shown


def test_try_shows_entries_and_what_rules_do_without_storing(
    config: Path, feed_server: FeedServer, tmp_path: Path
) -> None:
    markup = (
        "<li><a href=/1>Ferry sails again</a><p>The <b>night</b> ferry.</p><img src=/1.jpg></li>"
        "<li><a href=/2>Football in the park</a><p>Two goals.</p></li><a class=n href='?2'>"
    )
    feed_server.reply("/", 200, {"Content-Type": "text/html"}, page(f"<ul class=x>{markup}</ul>"))
    config.write_text(f"""\
storage: {{path: {tmp_path}/news.db}}
network: {{allow: [127.0.0.0/8]}}
sources:
  - id: town
    url: {feed_server.url("/")}
    page: {{items: .x li, summary: p, date: .when, next: a.n}}
    drop: [{{title: football}}]
""")
    tried = run(config, "try", "town")
    assert tried.exit_code == 0, tried.output
    for line in (
        "undated     Ferry sails again",
        f"link: {feed_server.url('/1')}",
        "summary: The night ferry.",
        f"image: {feed_server.url('/1.jpg')}",
        "dropped by the rule title: football",
        "`date: .when` finds nothing in any entry",
        "2 entries; nothing was stored",
        f"followed by {feed_server.url('/?2')}",
    ):
        assert line in tried.output
    assert feed_server.paths() == ["/robots.txt", "/"]
    assert not (tmp_path / "news.db").exists()


def test_try_names_the_selector_that_finds_nothing(config: Path, feed_server: FeedServer) -> None:
    url = serve(feed_server, NEWS_LIST)
    config.write_text(config.read_text() + f"  - {{id: town, url: '{url}', page: {{items: .x}}}}\n")
    tried = run(config, "try", "town")
    assert tried.exit_code == 1
    assert "`items: .x` finds nothing" in tried.output


def test_try_refuses_an_unknown_source(config: Path) -> None:
    refused = run(config, "try", "nothing")
    assert refused.exit_code == 2
    assert "no source has the id 'nothing'" in refused.output


@pytest.mark.parametrize(
    "listing",
    [
        None,
        SitemapListing(),
        PageListing(items="#main > .news:not(#x)"),
        PageListing(items="a", title="#x", date="b[c=': #y']", next="a[rel=next]", pages=3),
        JsonListing(items="a[?b=='${X}']", title="@", post='{"q": "{ a }\\n"}'),
    ],
)
@pytest.mark.parametrize(
    "text",
    ["", "sources: []\n", "sources:\n  - {id: x, url: 'http://x.example/'}\n",
     "sources: [{id: x, url: 'http://x.example/'}]\n",
     "sources:\n- id: x\n  url: http://x.example/\n"],
)  # fmt: skip
def test_written_listing_is_read_back(text: str, listing: Listing | None) -> None:
    source = Source(id="a", url="http://a.example/", listing=listing)
    written = edit.append(text, [source])
    assert file.parse(written, "x", {}).sources[-1].listing == listing
