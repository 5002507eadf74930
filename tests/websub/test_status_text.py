"""Descriptions of how a source is pushed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from aggregator.cli.main import main
from aggregator.models.config import Config, Site, WebSub
from aggregator.models.entry import Feed
from aggregator.store.websub.subscriptions import Subscription
from aggregator.websub import status_text
from tests.feedserver import FeedServer
from tests.web.sample_store import ASKED, START
from tests.websub.peers import HubPeer

CONFIG = Config(path="", site=Site(base_url="https://site.example"), storage="")
FEED = Feed(hubs=("https://hub.example/",), self_url="https://herald.example/feed")
ACTIVE = replace(ASKED, state="active", lease_until=START + timedelta(days=10), failures=0)


@pytest.mark.parametrize(
    ("feed", "known", "status"),
    [
        (Feed(), [], "not offered"),
        (Feed(hubs=FEED.hubs), [], "not offered: the feed names a hub, but not itself"),
        (FEED, [], "offered; not requested yet"),
        (FEED, [ASKED], "requested 2009-06-27 21:26 GMT: the hub has not answered yet"),
        (FEED, [replace(ASKED, failures=2, detail="status 500")], "failing since"),
        (FEED, [replace(ASKED, state="denied", detail="not you")], "denied by its hub: not you"),
        (FEED, [replace(ACTIVE, state="leaving"), ACTIVE], "active until 2009-07-07 21:26 GMT"),
        (FEED, [ASKED, ACTIVE], "nothing pushed yet, so polling continues at the usual interval"),
        (FEED, [replace(ACTIVE, pushes=3, last_push=START)], "3 pushes, the last 2009-06-27"),
        (FEED, [replace(ACTIVE, ignored=2)], "2 ignored for a wrong signature"),
        (FEED, [replace(ACTIVE, algorithm="sha1")], "signed with sha1, which is weak"),
        (FEED, [replace(ACTIVE, suspected=START)], "found entries that were not pushed"),
    ],
)
def test_status_of_a_source(feed: Feed, known: list[Subscription], status: str) -> None:
    assert status in status_text.of_source(CONFIG, feed, known)


def test_status_where_no_hub_is_asked() -> None:
    off = replace(CONFIG, websub=WebSub(subscribe=False))
    assert "websub.subscribe" in status_text.of_source(off, FEED, [])
    hidden = replace(CONFIG, site=replace(CONFIG.site, base_url="http://127.0.0.1:8000"))
    assert status_text.of_source(hidden, FEED, []).startswith(
        "off: no hub can reach http://127.0.0.1:8000"
    )


def test_explain_and_doctor_show_the_hub(tmp_path: Path, feed_server: FeedServer) -> None:
    peer = HubPeer(feed_server)
    config = tmp_path / "sources.yaml"
    config.write_text(
        f"storage: {{path: {tmp_path}/news.db}}\nnetwork: {{allow: [127.0.0.0/8]}}\n"
        "site: {base_url: 'http://localhost:8000'}\n"
        f"sources: [{{id: news, url: '{peer.topic}'}}]\n"
    )

    def run(*command: str) -> str:
        result = CliRunner().invoke(main, ["--config", str(config), *command])
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    run("poll")
    assert "WebSub: off: no hub can reach http://localhost:8000" in run("explain", "news")
    assert f"has a WebSub hub: {feed_server.url('/hub')}" in run("doctor", "news")
