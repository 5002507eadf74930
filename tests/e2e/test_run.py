"""The service as a user starts it, from the first poll to Ctrl-C."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import feedparser
import pytest

from tests.e2e.service import wait_for
from tests.feedserver import FeedServer

RSS = """<?xml version="1.0"?>
<rss version="2.0"><channel><title>The Loop</title><link>http://loop.example/</link>
<description>d</description>{items}</channel></rss>"""
ITEM = """<item><title>News {number}</title><link>http://loop.example/{number}</link>
<guid isPermaLink="false">loop-{number}</guid>
<pubDate>Sat, 27 Jun 2009 21:{number:02}:00 GMT</pubDate></item>"""

CONFIG = """
site: {{title: Round Trip, base_url: "http://127.0.0.1:{port}"}}
storage: {{path: news.db}}
network: {{allow: [127.0.0.0/8]}}
sections: [{{id: world, title: World}}]
sources: [{{id: loop, url: "{url}", sections: [world], every: 1s}}]
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def publish(server: FeedServer, count: int) -> None:
    items = "".join(ITEM.format(number=number) for number in range(count, 0, -1))
    body = RSS.format(items=items).encode()
    server.reply("/feed", body=body, headers={"Content-Type": "application/rss+xml"})


@pytest.fixture
def service(tmp_path: Path, feed_server: FeedServer) -> Iterator[tuple[subprocess.Popen[str], str]]:
    publish(feed_server, 2)
    port = free_port()
    config = tmp_path / "sources.yaml"
    config.write_text(CONFIG.format(port=port, url=feed_server.url("/feed")))
    process = subprocess.Popen(
        [sys.executable, "-m", "aggregator", "--config", config, "run", "--port", str(port)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return bytes(answer.read())


def titles(base: str) -> list[str]:
    feed = feedparser.parse(fetched(f"{base}/feeds/all.atom"))
    assert not feed.bozo
    return [entry.title for entry in feed.entries]


def test_what_a_source_publishes_reaches_subscribers_and_pages(
    service: tuple[subprocess.Popen[str], str], feed_server: FeedServer
) -> None:
    process, base = service
    assert wait_for(lambda: titles(base)) == ["News 2", "News 1"]
    publish(feed_server, 3)
    wait_for(lambda: titles(base)[0] == "News 3")
    assert titles(base) == ["News 3", "News 2", "News 1"]
    wait_for(lambda: b"News 3" in fetched(base))
    assert b"The Loop" in fetched(f"{base}/status")
    assert fetched(f"{base}/readyz") == b"ready\n"
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does, to every process of the terminal
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"{base}/feeds/all.atom" in out
    assert "Traceback" not in err
