"""The options of sources, from the file through a poll to what people are shown."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from aggregator.cli.main import main
from aggregator.models.entry import StoredEntry
from aggregator.store.database.connection import Store
from aggregator.store.entries import entries
from tests.feedserver import FeedServer

RSS = """<rss version='2.0'><channel><title>The Example</title><language>en</language>
<item><title>Exclusive: Ferry</title><guid>item-1</guid><pubDate>27 Jun 2009 12:00:00</pubDate>
<description>&lt;p&gt;It sails.&lt;/p&gt;&lt;p&gt;Read more&lt;/p&gt;</description></item>
<item><title>Second</title><guid>item-2</guid><pubDate>27 Jun 2009 12:00:00 +0000</pubDate></item>
<item><title>Third</title><guid>item-3</guid></item></channel></rss>"""

Run = Callable[..., str]


class Site:
    """A configuration with one source, and commands on it."""

    def __init__(self, folder: Path, server: FeedServer) -> None:
        self.folder, self.server = folder, server
        server.feed("/feed", RSS.encode())

    def configure(self, options: str) -> None:
        (self.folder / "sources.yaml").write_text(
            f"storage: {{path: {self.folder / 'news.db'}}}\n"
            "network: {allow: [127.0.0.0/8]}\n"
            f"sources:\n  - id: news\n    url: '{self.server.url('/feed')}'\n    {options}\n"
        )

    def run(self, *command: str) -> str:
        path = str(self.folder / "sources.yaml")
        result = CliRunner().invoke(main, ["--config", path, *command])
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    def entry(self, guid: str) -> StoredEntry | None:
        store = Store(str(self.folder / "news.db"))
        with store.reading() as db:
            found = entries.find(db, guid)
        store.close()
        return found


@pytest.fixture
def site(tmp_path: Path, feed_server: FeedServer) -> Site:
    return Site(tmp_path, feed_server)


def test_what_a_feed_gets_wrong_is_mended_and_explained(site: Site) -> None:
    site.configure(
        "items: 2\n    language: de\n    timezone: Asia/Tokyo\n"
        "    title_template: '{feed}: {title}'\n"
        "    transforms: [{title: '^Exclusive: '}, {content: '<p>Read more</p>'}]"
    )
    site.run("check")
    site.run("poll")
    first = site.entry("item-1")
    assert first is not None
    assert first.entry.title == "The Example: Ferry"
    assert first.entry.content == "<p>It sails.</p>"
    assert first.entry.summary == "It sails."
    assert first.entry.language == "de"
    assert first.entry.published == datetime(2009, 6, 27, 3, 0, tzinfo=UTC)
    second = site.entry("item-2")
    assert second is not None
    assert second.entry.published == datetime(2009, 6, 27, 12, 0, tzinfo=UTC)
    assert site.entry("item-3") is None
    explained = site.run("explain", str(first.id))
    assert "edited: title “Exclusive: Ferry” became “Ferry” (transforms: ^Exclusive: )" in explained
    assert "became “The Example: Ferry” (title_template)" in explained
    assert "edited: content: 1 match replaced (transforms: <p>Read more</p>)" in explained


def test_change_of_the_options_is_no_correction(site: Site) -> None:
    site.configure("title: News")
    site.run("poll")
    site.configure("transforms: [{title: '^Exclusive: '}]")
    site.server.feed("/feed", RSS.replace("It sails", "It  sails").encode())
    site.run("poll", "news")
    first = site.entry("item-1")
    assert first is not None
    assert first.entry.title == "Ferry"
    assert first.changed == first.first_seen


def test_limits_of_a_source(site: Site) -> None:
    site.configure("limits: {body: 200B}")
    assert "200" in site.run("poll")
    assert "limit `body`" in site.run("explain", "news")


def test_secrets_reach_the_server_and_no_output(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEED_PASSWORD", "open-sesame")
    (site.folder / "cookies.txt").write_text(
        "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tcookie-secret\n"
    )
    site.configure(
        "credentials: {username: ann, password: '${FEED_PASSWORD}'}\n"
        f"    cookies: {site.folder / 'cookies.txt'}\n    user_agent: Reader/1.0"
    )
    echo = "<rss><channel><title>open-sesame cookie-secret YW5uOm9wZW4tc2VzYW1l"
    site.server.feed("/feed", echo.encode())
    output = site.run("poll") + site.run("explain", "news") + site.run("doctor", "news")
    for request in site.server.requests:
        assert request.headers["authorization"] == "Basic YW5uOm9wZW4tc2VzYW1l"
        assert request.headers["cookie"] == "session=cookie-secret"
        assert request.headers["user-agent"] == "Reader/1.0"
    for secret in ("open-sesame", "cookie-secret", "YW5uOm9wZW4tc2VzYW1l"):
        assert secret not in output
