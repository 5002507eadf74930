"""`explain` shows the date of an entry that can't be read."""

from pathlib import Path

from click.testing import CliRunner

from aggregator.cli.main import main
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
