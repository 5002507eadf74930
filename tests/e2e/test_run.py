"""The service as a user starts it, from the first poll to Ctrl-C."""

import os
import signal
import socket
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress

import feedparser
import pytest

from tests.e2e import processes
from tests.e2e.service import Running, Service, free_port
from tests.feedserver import FeedServer

RSS = """<?xml version="1.0"?>
<rss version="2.0"><channel><title>The Loop</title><link>http://loop.example/</link>
<description>d</description>{items}</channel></rss>"""
ITEM = """<item><title>News {number}</title><link>http://loop.example/{number}</link>
<guid isPermaLink="false">loop-{number}</guid>
<pubDate>Sat, 27 Jun 2009 21:{number:02}:00 GMT</pubDate></item>"""


def publish(server: FeedServer, count: int) -> None:
    items = "".join(ITEM.format(number=number) for number in range(count, 0, -1))
    body = RSS.format(items=items).encode()
    server.reply("/feed", body=body, headers={"Content-Type": "application/rss+xml"})


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return bytes(answer.read())


def titles(base: str) -> list[str]:
    feed = feedparser.parse(fetched(f"{base}/feeds/all.atom"))
    assert not feed.bozo
    return [entry.title for entry in feed.entries]


def start(service: Service, server: FeedServer, *options: str) -> tuple[Running, str]:
    """Start all with one source, and return it with the address of its front page."""
    port = free_port()
    publish(server, 2)
    source = {"id": "loop", "url": server.url("/feed"), "sections": ["world"], "every": "1s"}
    service.configure([source], sections=[{"id": "world", "title": "World"}])
    return service.start("run", "--port", str(port), *options), f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("options", [(), ("--cluster", "local:2")], ids=["here", "cluster"])
def test_what_a_source_publishes_reaches_subscribers_and_pages(
    service: Service, feed_server: FeedServer, options: tuple[str, ...]
) -> None:
    running, base = start(service, feed_server, *options)
    assert service.wait(lambda: titles(base)) == ["News 2", "News 1"]
    publish(feed_server, 3)
    service.wait(lambda: titles(base)[0] == "News 3")
    assert titles(base) == ["News 3", "News 2", "News 1"]
    service.wait(lambda: b"News 3" in fetched(base))
    assert b"The Loop" in fetched(f"{base}/status")
    assert fetched(f"{base}/readyz") == b"ready\n"
    rebound = urllib.request.Request(base, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="421") as refused:
        urllib.request.urlopen(rebound, timeout=10)
    refused.value.close()
    running.send_to_all(signal.SIGINT)  # as Ctrl-C does
    assert running.wait() == 0
    assert f"{base}/feeds/all.atom" in running.log
    assert "Traceback" not in running.log


@pytest.mark.parametrize("moment", [0, 0.3, 0.6])
def test_ctrl_c_at_any_time_of_the_start_leaves_no_process(
    service: Service, feed_server: FeedServer, moment: float
) -> None:
    running, _ = start(service, feed_server)
    service.wait(lambda: "Press Ctrl-C to stop" in running.log)
    time.sleep(moment)
    running.send_to_all(signal.SIGINT)
    assert running.wait() == 0
    assert "Traceback" not in running.log


def test_when_run_is_killed_its_web_server_ends(service: Service, feed_server: FeedServer) -> None:
    running, base = start(service, feed_server)
    service.wait(lambda: fetched(base))
    running.send(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL  # and nothing is left that holds the port


def test_when_its_web_server_is_asked_to_stop_run_ends(
    service: Service, feed_server: FeedServer
) -> None:
    running, base = start(service, feed_server)
    service.wait(lambda: fetched(base))
    children = [p for p in processes.of_session(running.pid) if p.parent == running.pid]
    # It renames itself where setproctitle is installed.
    os.kill(
        next(p.pid for p in children if " web " in p.command or "granian" in p.command),
        signal.SIGTERM,
    )
    assert running.wait() == 0


def test_demo_takes_another_port_for_its_publisher(service: Service) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        with suppress(OSError):  # in use by another program is as good
            stack.enter_context(socket.create_server(("127.0.0.1", 8001)))
        running = service.start("demo", "--port", str(port))
        stories = service.wait(lambda: len(titles(base)))
        assert stories
        assert f"{base}/entry/" in fetched(f"{base}/feeds/all.json").decode()
        second = service.start("demo", "--port", str(free_port()))
        assert second.wait() == 2
        assert "another scheduler" in second.log
        running.send_to_all(signal.SIGINT)
        assert running.wait() == 0
        assert service.tracebacks() == 0
