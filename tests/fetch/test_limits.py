"""No server can use more time or memory than the limits allow."""

import gzip
import resource
import socket
import time
import zlib
from dataclasses import replace

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard

from aggregator.models.config import Limits
from aggregator.models.poll import FailureKind
from tests.effort import effort
from tests.feedserver import FeedServer, response
from tests.fetch.conftest import SHORT, Fetch, failed, fetched

FULL = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"


def test_a_body_of_just_the_limit_is_fetched(feed_server: FeedServer, fetch: Fetch) -> None:
    body = b"x" * SHORT.body
    feed_server.reply("/feed", 200, {}, body)
    assert fetched(fetch(feed_server.url("/feed"), limits=SHORT)).body == body
    feed_server.reply("/feed", 200, {"Content-Encoding": "gzip"}, gzip.compress(body))
    assert fetched(fetch(feed_server.url("/feed"), limits=SHORT)).body == body


def test_an_announced_body_over_the_limit_is_not_read(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/feed", 200, {}, b"x" * (SHORT.body + 1))
    outcome = failed(fetch(feed_server.url("/feed"), limits=SHORT), FailureKind.TOO_LARGE)
    assert "20,000 bytes (limit `body`): the server announced more" in outcome.detail


def test_an_endless_body_is_aborted(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.script("/feed", FULL + b"\r\n", *([b"x" * 1_000] * 100), 60.0)
    outcome = failed(fetch(feed_server.url("/feed"), limits=SHORT), FailureKind.TOO_LARGE)
    assert "the server sent more" in outcome.detail
    assert outcome.transfer.received < 2 * SHORT.body


def test_a_redirect_with_an_endless_body_is_followed(feed_server: FeedServer, fetch: Fetch) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /new\r\n\r\n"
    feed_server.script("/feed", head, *([b"x" * 10_000] * 100), 60.0)
    feed_server.reply("/new", 200, {}, b"<rss/>")
    fetched(fetch(feed_server.url("/feed")))


def _bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(200)) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        pytest.param("gzip", _bomb(), id="200 MB of gzip"),
        pytest.param("br", brotli.compress(bytes(200_000_000), quality=1), id="200 MB of brotli"),
        pytest.param("zstd", zstandard.compress(bytes(200_000_000)), id="200 MB of zstd"),
    ],
)
def test_a_compression_bomb_costs_little(
    coding: str, body: bytes, feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/feed", 200, {"Content-Encoding": coding}, body)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with effort() as spent:
        outcome = failed(fetch(feed_server.url("/feed")), FailureKind.TOO_LARGE)
    assert spent.times < 100
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # kB
    assert "10,000,000 bytes (limit `body`)" in outcome.detail


def test_a_thousand_gzip_members_are_an_attack(feed_server: FeedServer, fetch: Fetch) -> None:
    body = gzip.compress(b"") * 1_000
    feed_server.reply("/feed", 200, {"Content-Encoding": "gzip"}, body)
    failed(fetch(feed_server.url("/feed")), FailureKind.TRUNCATED)


def test_gzip_of_two_members_is_read_and_padding_is_not(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    body = gzip.compress(b"<rss>") + gzip.compress(b"</rss>") + bytes(100)
    feed_server.reply("/feed", 200, {"Content-Encoding": "gzip"}, body)
    assert fetched(fetch(feed_server.url("/feed"))).body == b"<rss></rss>"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param("X-Big: " + "y" * 6_000, id="one large field"),
        pytest.param("\r\n".join(f"X-{n}: {n}" for n in range(1_000)), id="many small fields"),
    ],
)
def test_a_large_header_is_refused(fields: str, feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.script("/feed", FULL + fields.encode() + b"\r\n\r\n<rss/>", 60.0)
    outcome = failed(fetch(feed_server.url("/feed"), limits=SHORT), FailureKind.TOO_LARGE)
    assert "header is larger than 5,000 bytes (limit `header`)" in outcome.detail


def test_libcurls_own_limits_on_headers_are_too_large_as_well(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    limits = Limits(header=10_000_000)
    feed_server.script("/feed", FULL + b"X: " + b"y" * 400_000 + b"\r\n\r\n<rss/>", 60.0)
    failed(fetch(feed_server.url("/feed"), limits=limits), FailureKind.TOO_LARGE)


def test_silence_is_ended_by_the_idle_limit(feed_server: FeedServer, fetch: Fetch) -> None:
    limits = replace(SHORT, total=30)
    feed_server.script("/feed", 60.0)
    start = time.monotonic()
    outcome = failed(fetch(feed_server.url("/feed"), limits=limits), FailureKind.TIMEOUT)
    assert 0.9 < time.monotonic() - start < 9
    assert "limit `idle`" in outcome.detail


def test_a_body_that_stops_is_ended_by_the_idle_limit(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.script("/feed", FULL + b"Content-Length: 100\r\n\r\n<rss>", 60.0)
    outcome = fetch(feed_server.url("/feed"), limits=replace(SHORT, total=30))
    assert "limit `idle`" in failed(outcome, FailureKind.TIMEOUT).detail


def test_drops_are_ended_by_the_total_limit(feed_server: FeedServer, fetch: Fetch) -> None:
    drip = [step for _ in range(100) for step in (b"x", 0.1)]
    feed_server.script("/feed", FULL + b"Content-Length: 100\r\n\r\n", *drip)
    start = time.monotonic()
    outcome = failed(fetch(feed_server.url("/feed"), limits=SHORT), FailureKind.TIMEOUT)
    assert 1.4 < time.monotonic() - start < 8
    assert "not finished after 1.5 s (limit `total`)" in outcome.detail


def test_limits_of_one_request_do_not_affect_the_next(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.script("/feed", 0.3, response(200, {}, b"x" * 1_000))
    url = feed_server.url("/feed")
    failed(fetch(url, limits=Limits(body=999)), FailureKind.TOO_LARGE)
    failed(fetch(url, limits=Limits(total=0.1)), FailureKind.TIMEOUT)
    fetched(fetch(url))


def test_a_connection_that_is_never_accepted_is_ended(fetch: Fetch) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        for _ in range(4):  # fill the backlog
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            waiting.append(one)
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        outcome = failed(fetch(url, limits=Limits(connect=0.3, total=9)), FailureKind.TIMEOUT)
        for one in waiting:
            one.close()
    assert "no connection within 0.3 s (limit `connect`)" in outcome.detail
