"""Bad servers beside good ones, which they must not affect."""

import gzip
import signal
import socket
from collections.abc import Iterator

import pytest

from tests.e2e.churn import Churn
from tests.e2e.service import Service
from tests.feedserver import CLOSE, HOSTS, RESET, FeedServer, Step, response

RSS = {"Content-Type": "application/rss+xml"}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"
START = b"<?xml version='1.0'?><rss version='2.0'><channel><title>Bad</title>"
END = b"</channel></rss>"
GOOD = START + b"<item><guid>1</guid><title>One</title></item>" + END
LOL = b"".join(
    b"<!ENTITY l%d '%s'>" % (n, b"&l%d;" % (n - 1) * 10 if n else b"lol") for n in range(10)
)
ENDLESS: list[Step] = [b"<!--" + b"x" * 65_000 + b"-->"] * 10_000
DRIPS: list[Step] = [b"x", 0.5] * 300
NEVER: dict[str, list[Step]] = {
    "hangs": [300.0],
    "drips": [HEAD + b"Content-Length: 300\r\n\r\n", *DRIPS],
}
CANARY = "127.0.0.9"


def rss(body: bytes, prologue: bytes = b"") -> bytes:
    return response(200, RSS, prologue + START + body + END)


def to(location: str, status: int = 302) -> bytes:
    return response(status, {"Location": location})


BAD: dict[str, tuple[str, list[Step]]] = {
    # how the poll must end, "" for well; and what the server does
    "never-ends": ("too_large", [HEAD + b"\r\n", *ENDLESS]),
    "is-11-mb": ("too_large", [rss(b" " * 11_000_000)]),
    "is-a-bomb-of-gzip": (
        "too_large",
        [response(200, RSS | {"Content-Encoding": "gzip"}, gzip.compress(b" " * 100_000_000))],
    ),
    "is-not-gzip": ("encoding", [response(200, RSS | {"Content-Encoding": "gzip"}, b"\x1f\x8bno")]),
    "has-100-kb-of-header": ("too_large", [response(200, RSS | {"X-Large": "y" * 100_000}, GOOD)]),
    "resets": ("truncated", [HEAD + b"Content-Length: 5000\r\n\r\n" + GOOD, RESET]),
    "is-shorter-than-said": ("truncated", [HEAD + b"Content-Length: 5000\r\n\r\n" + GOOD, CLOSE]),
    "breaks-a-chunk": (
        "truncated",
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(GOOD) + GOOD[:50], CLOSE],
    ),
    "leads-in-circles": ("redirects", [to("/circle")]),
    "leads-to-a-neighbour": ("refused_address", [to("http://10.0.0.1/feed")]),
    "leads-to-the-canary": ("refused_address", [to(f"http://{CANARY}:PORT/", 301)]),
    "leads-to-the-cloud": ("refused_address", [to("http://169.254.169.254/latest/meta-data/")]),
    "leads-to-a-file": ("refused_scheme", [to("file:///etc/passwd")]),
    "is-missing": ("http_status", [response(404)]),
    "is-gone": ("gone", [response(410)]),
    "is-busy": ("http_status", [response(503)]),
    "wants-rest": ("rate_limited", [response(429, {"Retry-After": "3600"})]),
    "is-not-modified-since-never": ("false_304", [response(304)]),
    "is-a-page": ("not_a_feed", [response(200, {"Content-Type": "text/html"}, b"<p>Hello")]),
    "is-empty": ("empty", [response(200, RSS)]),
    "is-a-bomb-of-entities": (
        "not_a_feed",
        [rss(b"<item><title>&l9;</title></item>", b"<!DOCTYPE rss [" + LOL + b"]>")],
    ),
    "is-deep": ("not_a_feed", [rss(b"<item>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</item>")]),
    "has-nul-bytes": ("", [rss(b"<item><guid>1</guid><title>O\0ne</title></item>")]),
    "has-3000-items": (
        "",
        [rss(b"".join(b"<item><guid>%d</guid></item>" % n for n in range(3000)))],
    ),
}


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """A port on an address that the configuration does not open."""
    with socket.create_server((CANARY, 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.mark.parametrize(
    "command", [("scheduler",), ("scheduler", "--cluster", "local:2")], ids=["here", "cluster"]
)
def test_good_feeds_are_stored_while_hostile_servers_respond(
    service: Service, feed_server: FeedServer, canary: socket.socket, command: tuple[str, ...]
) -> None:
    good = Churn(feed_server, 40)
    port = str(canary.getsockname()[1]).encode()
    feed_server.redirect("/circle", "/circle")
    for name, steps in (NEVER | {name: steps for name, (_, steps) in BAD.items()}).items():
        with_port = [s.replace(b"PORT", port) if isinstance(s, bytes) else s for s in steps]
        feed_server.script(f"/{name}", *with_port)
    bad = [{"id": name, "url": feed_server.url(f"/{name}", "localhost")} for name in (*NEVER, *BAD)]
    service.configure(
        [*bad, *good.sources()],
        network={"allow": [*HOSTS, "localhost"]},
        defaults={"every": "1h", "per_host": {"connections": 3}},
    )
    scheduler = service.start(*command)
    service.wait(lambda: service.polled(*BAD, *good.truth()))
    ended = dict(service.rows("select id, error_kind from sources where polls"))
    assert not NEVER.keys() & ended.keys()
    assert {name: ended[name] for name in BAD} == {name: kind for name, (kind, _) in BAD.items()}
    assert {name: service.entries()[name] for name in good.truth()} == good.truth()
    with pytest.raises(BlockingIOError):
        canary.accept()
    scheduler.send(signal.SIGTERM)
    assert scheduler.wait() == 0
    service.assert_sound()
