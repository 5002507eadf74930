"""`explain` shows the date of an entry that can't be read."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from aggregator.cli.main import main
from aggregator.icons.worker import places
from aggregator.store.database.connection import Store
from aggregator.store.sources import icons, sources
from aggregator.store.sources.icons import StoredIcon
from tests.feedserver import FeedServer
from tests.parse import rss


def test_explain_shows_a_date_that_cannot_be_read(tmp_path: Path, feed_server: FeedServer) -> None:
    items = "".join(
        f"<item><guid>{guid}</guid><title>{guid}</title>{date}</item>"
        for guid, date in (
            ("open", "<pubDate>03/04/2009</pubDate>"),
            ("certain", "<pubDate>13/04/2009</pubDate>"),
            ("none", ""),
        )
    )
    feed_server.reply("/feed", body=rss(items))
    config = tmp_path / "sources.yaml"
    config.write_text(
        f"storage: {{path: {tmp_path}/news.db}}\nnetwork: {{allow: [127.0.0.0/8]}}\n"
        f"sources: [{{id: news, url: '{feed_server.url('/feed')}'}}]\n"
    )

    def run(*command: str) -> str:
        result = CliRunner().invoke(main, ["--config", str(config), *command])
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    run("poll")
    assert "its date can't be read: “03/04/2009”; listed by when it was first seen" in run(
        "explain", "open"
    )
    assert "date" not in run("explain", "certain")
    assert "no date: listed by when it was first seen" in run("explain", "none")


def test_explain_tells_about_the_icon(tmp_path: Path, feed_server: FeedServer) -> None:
    feed_server.reply("/feed", body=rss("<item><title>A</title></item>"))
    config, database = tmp_path / "sources.yaml", tmp_path / "news.db"
    config.write_text(
        f"storage: {{path: {database}}}\nnetwork: {{allow: [127.0.0.0/8]}}\n"
        f"sources: [{{id: news, url: '{feed_server.url('/feed')}'}}]\n"
    )

    def explained() -> str:
        result = CliRunner().invoke(main, ["--config", str(config), "explain", "news"])
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    CliRunner().invoke(main, ["--config", str(config), "poll"])
    assert "icon: not looked up yet" in explained()
    store = Store(str(database))
    with store.transaction() as db:
        state = sources.get(db, "news")
        assert state
        source = icons.DueSource(id="news", url=state.url, link=state.link, feed=state.feed)
        [*_, site] = places(source)
        due = datetime(2026, 12, 24, tzinfo=UTC)
        nothing = StoredIcon(place=site, hash="", due=due, reason="it has no icon")
        icons.put(db, nothing)
    assert "no icon: it has no icon; next look-up 2026-12-24" in explained()
    with store.transaction() as db:
        icons.put(db, replace(nothing, hash="abc", url="https://a.example/i.png", reason=""))
        icons.assign(db, {"news": ("abc", due)})
    store.close()
    assert "icon: https://a.example/i.png, next look-up 2026-12-24" in explained()
