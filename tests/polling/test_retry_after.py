"""A Retry-After from the server's response to the user's command that lifts it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner

from aggregator.cli.main import main
from aggregator.store.database.connection import Store
from aggregator.store.sources import sources
from tests.feedserver import FeedServer


def test_absurd_wait_is_capped_explained_and_lifted_by_name(
    tmp_path: Path, feed_server: FeedServer
) -> None:
    feed_server.reply("/feed", 429, {"Retry-After": "1000000000000"})
    config, path = tmp_path / "sources.yaml", tmp_path / "news.db"
    config.write_text(
        f"storage: {{path: {path}}}\nnetwork: {{allow: [127.0.0.0/8]}}\n"
        f"sources: [{{id: news, url: '{feed_server.url('/feed')}'}}]\n"
    )

    def run(*command: str) -> str:
        result = CliRunner().invoke(main, ["--config", str(config), *command])
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    run("poll")
    store = Store(str(path))
    with store.reading() as db:
        state = sources.get(db, "news")
    store.close()
    assert state is not None
    assert state.gate_until is not None
    assert timedelta(0) < state.gate_until - datetime.now(UTC) < timedelta(days=7)
    assert state.health == "failing"  # it never succeeded
    explained = run("explain", "news")
    assert f"no request before {state.gate_until:%Y-%m-%d %H:%M} UTC (Retry-After)" in explained
    assert "`aggregator poll news` polls it now" in explained
    run("poll", "--force")
    assert len(feed_server.requests) == 1
    run("poll", "news")
    assert len(feed_server.requests) == 2
