"""Requests, and the outcomes of responses."""

import gzip
import socket
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard

from aggregator.fetch.client import Client
from aggregator.models.poll import FailureKind, NotModified, Request, Validators
from tests.feedserver import CLOSE, RESET, FeedServer, Step, response
from tests.fetch.conftest import Fetch, failed, fetched

FEED = b"<rss version='2.0'><channel><title>Sea</title></channel></rss>"
GZIPPED = gzip.compress(FEED, mtime=0)  # ids of tests must be the same in all processes
ZSTD = zstandard.compress(FEED)
RSS = {"Content-Type": "application/rss+xml"}


def test_a_plain_request_has_these_fields_only(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/feed", 200, RSS, FEED)
    outcome = fetched(fetch(feed_server.url("/feed#top")))
    assert outcome.body == FEED
    assert outcome.url == feed_server.url("/feed")
    assert outcome.content_type == "application/rss+xml"
    assert outcome.transfer.status == 200
    assert outcome.transfer.received > len(FEED)
    assert outcome.transfer.seconds > 0
    assert not outcome.transfer.conditional
    [request] = feed_server.requests
    assert set(request.headers) == {"host", "user-agent", "accept", "accept-encoding", "a-im"}
    assert request.headers["user-agent"] == "feed-aggregator/test"
    assert request.headers["a-im"] == "feed"
    assert "application/atom+xml" in request.headers["accept"]
    assert "gzip" in request.headers["accept-encoding"]


def test_a_response_has_everything_the_parser_needs(feed_server: FeedServer, fetch: Fetch) -> None:
    fields = {
        "Content-Type": "text/xml; charset=utf-8",
        "Content-Language": "de",
        "ETag": 'W/"ä"',
        "Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT",
        "Cache-Control": "max-age=600",
        "Link": '</hub>; rel="hub", <https://example.org/feed>; rel=self',
    }
    feed_server.reply("/a/feed", 200, fields, FEED)
    outcome = fetched(fetch(feed_server.url("/a/feed")))
    assert outcome.content_language == "de"
    assert outcome.validators == Validators(etag='W/"ä"', last_modified=fields["Last-Modified"])
    assert outcome.links == (
        ("hub", feed_server.url("/hub")),
        ("self", "https://example.org/feed"),
    )
    assert outcome.transfer.freshness.lifetime == timedelta(minutes=10)


# --- validators ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("etag", "kept"),
    [
        ('"a,b \xe9"', True),
        ("unquoted", True),
        ('"tab\tinside"', True),
        ('"bell\x07"', False),
        ('"escape\x1b[2J"', False),
        ('"delete\x7f"', False),
        (f'"{"a" * 1_998}"', True),
        (f'"{"a" * 1_999}"', False),
    ],
)
def test_an_etag_that_is_no_valid_field_value_is_not_kept(
    feed_server: FeedServer, fetch: Fetch, etag: str, kept: bool
) -> None:
    feed_server.reply("/feed", 200, {"Content-Type": "text/xml", "ETag": etag}, FEED)
    assert fetched(fetch(feed_server.url("/feed"))).validators.etag == (etag if kept else "")


KNOWN = Validators(etag='W/"ä"', last_modified="Mon, 23 Nov 2026 10:00:00 GMT")


def test_validators_are_sent_back_byte_for_byte(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.feed("/feed", FEED, etag=KNOWN.etag)
    url = feed_server.url("/feed")
    outcome = fetch(url, validators=KNOWN, validators_url=url)
    assert isinstance(outcome, NotModified)
    assert outcome.url == url
    assert outcome.validators == KNOWN
    assert outcome.transfer.conditional
    [request] = feed_server.requests
    assert request.headers["if-none-match"] == KNOWN.etag
    assert request.headers["if-modified-since"] == KNOWN.last_modified


def test_a_304_updates_the_validators_it_names(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/feed", 304, {"ETag": '"2"', "Cache-Control": "max-age=60"})
    url = feed_server.url("/feed")
    outcome = fetch(url, validators=KNOWN, validators_url=url)
    assert isinstance(outcome, NotModified)
    assert outcome.validators == Validators(etag='"2"', last_modified=KNOWN.last_modified)
    assert outcome.transfer.freshness.lifetime == timedelta(minutes=1)


def test_no_store_leaves_no_validators(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/feed", 200, {"ETag": '"1"', "Cache-Control": "no-store"}, FEED)
    outcome = fetched(fetch(feed_server.url("/feed")))
    assert outcome.validators == Validators()
    assert outcome.transfer.freshness.no_store


def test_validators_too_long_to_be_sent_are_not_kept(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/feed", 200, {"ETag": f'"{"x" * 5_000}"'}, FEED)
    assert fetched(fetch(feed_server.url("/feed"))).validators == Validators()


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        pytest.param("/feed", True, id="their own URL"),
        pytest.param("/feed?", False, id="another URL"),
        pytest.param("", False, id="no URL at all"),
    ],
)
def test_validators_are_sent_only_to_their_url(
    url: str, asked: bool, feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/feed", 200, RSS, FEED)
    known = url and feed_server.url(url)
    outcome = fetched(fetch(feed_server.url("/feed"), validators=KNOWN, validators_url=known))
    assert outcome.transfer.conditional is asked
    assert ("if-none-match" in feed_server.requests[0].headers) is asked


def test_an_unrequested_304_is_a_failure(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/feed", 304)
    failed(fetch(feed_server.url("/feed")), FailureKind.FALSE_304)


# --- header fields of the source -------------------------------------------------------------


def test_a_source_has_its_own_header_fields(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/feed", 200, RSS, FEED)
    headers = {
        "X-Key": "k",
        "accept": "text/xml",
        "A-IM": "",
        "User-Agent": "other",
        "X": "a\r\nY: b",
    }
    fetched(fetch(feed_server.url("/feed"), headers=headers))
    [request] = feed_server.requests
    assert request.headers["x-key"] == "k"
    assert request.headers["accept"] == "text/xml"
    assert request.headers["user-agent"] == "other"
    assert "a-im" not in request.headers
    assert "y" not in request.headers


def test_a_password_in_the_url_is_used_and_never_shown(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/feed", 200, RSS, FEED)
    url = feed_server.url("/feed?key=hidden").replace("//", "//me:p%40ss@")
    outcome = fetched(fetch(url))
    assert feed_server.requests[0].headers["authorization"] == "Basic bWU6cEBzcw=="
    assert "ss@" not in outcome.url
    feed_server.reply("/feed", 404)
    detail = failed(fetch(url), FailureKind.HTTP_STATUS).detail
    assert "/feed?…" in detail
    assert "hidden" not in detail
    assert "ss@" not in detail


def test_no_cookie_is_kept(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/feed", 200, {"Set-Cookie": "id=1; Path=/"}, FEED)
    feed_server.reply("/moved", 302, {"Set-Cookie": "id=2; Path=/", "Location": "/feed"})
    for path in ("/feed", "/moved", "/feed"):
        fetched(fetch(feed_server.url(path)))
    sent = [request.headers.get("cookie", "") for request in feed_server.requests]
    assert sent == ["", "", "id=2", ""]  # within one chain of redirects only
    assert not any("referer" in request.headers for request in feed_server.requests)


# --- statuses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (201, FailureKind.PROTOCOL, "201"),
        (204, FailureKind.EMPTY, "no body"),
        (206, FailureKind.PROTOCOL, "206"),
        (300, FailureKind.HTTP_STATUS, "300 Multiple Choices: "),
        (400, FailureKind.HTTP_STATUS, "400"),
        (401, FailureKind.HTTP_STATUS, "user name and password"),
        (403, FailureKind.HTTP_STATUS, "refuses"),
        (404, FailureKind.HTTP_STATUS, "404 Not Found: there is no feed at this URL"),
        (410, FailureKind.GONE, "ended"),
        (429, FailureKind.RATE_LIMITED, "429 Too Many Requests: "),
        (500, FailureKind.HTTP_STATUS, "500 Internal Server Error: "),
        (503, FailureKind.HTTP_STATUS, "503"),
        (999, FailureKind.HTTP_STATUS, "status 999: "),
    ],
)
def test_other_statuses_fail(
    status: int, kind: FailureKind, words: str, feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/feed", status, RSS, b"" if status == 204 else FEED)
    outcome = failed(fetch(feed_server.url("/feed")), kind)
    assert outcome.transfer.status == status
    assert words in outcome.detail
    assert outcome.detail.startswith(feed_server.url("/feed"))


def test_an_empty_body_is_no_feed(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/feed", 200, RSS, b"")
    failed(fetch(feed_server.url("/feed")), FailureKind.EMPTY)


@pytest.mark.parametrize(
    ("field", "partial"),
    [({"IM": "feed"}, True), ({"im": "FEED"}, True), ({}, None), ({"IM": "vcdiff"}, None)],
)
def test_a_226_with_im_feed_is_a_list_of_changes(
    field: dict[str, str], partial: bool | None, feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/feed", 226, RSS | field, FEED)
    outcome = fetch(feed_server.url("/feed"))
    if partial:
        assert fetched(outcome).partial
    else:
        failed(outcome, FailureKind.PROTOCOL)


def test_an_empty_226_is_no_list(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/feed", 226, {"IM": "feed"})
    failed(fetch(feed_server.url("/feed")), FailureKind.EMPTY)


def test_retry_after_is_noted_with_every_failure(feed_server: FeedServer, fetch: Fetch) -> None:
    for status in (429, 503, 404):
        feed_server.reply("/feed", status, {"Retry-After": "3600"})
        outcome = fetch(feed_server.url("/feed"))
        assert outcome.transfer.freshness.retry_after == timedelta(hours=1)


def test_a_retry_date_without_a_date_of_the_answer_is_measured_by_our_clock(
    feed_server: FeedServer, now: datetime
) -> None:
    feed_server.reply("/feed", 429, {"Retry-After": "Sat, 27 Jun 2009 22:26:00 GMT"})
    client = Client(user_agent="t", allow=("127.0.0.1",), clock=lambda: now)
    outcome = client.fetch_one(Request(source_id="a", url=feed_server.url("/feed")))
    client.close()
    assert outcome.transfer.freshness.retry_after == timedelta(hours=1)


def test_an_error_status_with_a_broken_body_is_reported_as_the_status(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    head = b"HTTP/1.1 404 Not Found\r\nContent-Encoding: gzip\r\nContent-Length: 900\r\n\r\n"
    feed_server.script("/feed", head + b"not gzip", CLOSE)
    failed(fetch(feed_server.url("/feed")), FailureKind.HTTP_STATUS)
    feed_server.reply("/feed", 500, {}, b"x" * 1_000_000)
    failed(fetch(feed_server.url("/feed")), FailureKind.HTTP_STATUS)


def test_interim_responses_and_trailers_are_no_header(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    early = b'HTTP/1.1 103 Early Hints\r\nETag: "no"\r\n\r\n'
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b'%x\r\n%s\r\n0\r\nETag: "no"\r\n\r\n' % (len(FEED), FEED)
    feed_server.script("/feed", early + head + body)
    outcome = fetched(fetch(feed_server.url("/feed")))
    assert outcome.body == FEED
    assert outcome.validators == Validators()


# --- encodings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", GZIPPED),
        ("br", brotli.compress(FEED)),
        ("zstd", ZSTD),
        ("identity", FEED),
        ("deflate", zlib.compress(FEED)),
        ("deflate", zlib.compress(FEED, wbits=-15)),
    ],
    ids=["gzip", "br", "zstd", "identity", "deflate", "deflate without its header"],
)
def test_content_codings_are_undone(
    coding: str, body: bytes, feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/feed", 200, {"Content-Encoding": coding}, body)
    assert fetched(fetch(feed_server.url("/feed"))).body == FEED


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        *((coding, FEED) for coding in ("utf-8", "UTF-8, none", "aws-chunked", "none", "8bit")),
        *((coding, FEED) for coding in ("gzip", "br", "zstd", "deflate", "gzip, br", "x" * 500)),
        ("utf-8", FEED.decode().encode("utf-16")),
        ("aws-chunked, gzip", GZIPPED),
        ("gzip, gzip", GZIPPED),
        ("gzip\r\nContent-Encoding: gzip", GZIPPED),
        ("br", GZIPPED),
        ("utf-8", GZIPPED),
        ("identity", GZIPPED),
        ("none", ZSTD),
    ],
)
def test_a_wrong_content_encoding_loses_no_feed(
    coding: str, body: bytes, feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/feed", 200, {"Content-Encoding": coding}, body)
    read = fetched(fetch(feed_server.url("/feed"))).body
    assert read in (FEED, FEED.decode().encode("utf-16"))


def test_compressed_files_are_read_without_a_content_encoding(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/feed.gz", 200, {"Content-Type": "application/gzip"}, GZIPPED)
    assert fetched(fetch(feed_server.url("/feed.gz"))).body == FEED


def test_an_unknown_coding_is_named(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/feed", 200, {"Content-Encoding": "compress"}, bytes(range(256)))
    outcome = failed(fetch(feed_server.url("/feed")), FailureKind.ENCODING)
    assert "encoded as 'compress'; we accept gzip, br, zstd" in outcome.detail


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        pytest.param("gzip", b"\x1f\x8bnot gzip at all", id="no gzip"),
        pytest.param("br", b"\xff" * 50, id="no brotli"),
        pytest.param("zstd", b"\xff" * 50, id="no zstd"),
        pytest.param("compress-o-matic", bytes(range(256)), id="unknown"),
        pytest.param("gzip, gzip", gzip.compress(GZIPPED, mtime=0), id="stacked"),
    ],
)
def test_a_body_that_can_not_be_decoded_fails(
    coding: str, body: bytes, feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/feed", 200, {"Content-Encoding": coding}, body)
    failed(fetch(feed_server.url("/feed")), FailureKind.ENCODING)


@pytest.mark.parametrize(
    ("coding", "body"),
    [("gzip", GZIPPED[:-12]), ("br", brotli.compress(FEED)[:-2]), ("zstd", ZSTD[:-2])],
    ids=["gzip", "br", "zstd"],
)
def test_a_compressed_body_that_ends_too_soon_is_no_feed(
    coding: str, body: bytes, feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.reply("/feed", 200, {"Content-Encoding": coding, "ETag": '"1"'}, body)
    failed(fetch(feed_server.url("/feed")), FailureKind.TRUNCATED)


# --- sloppy framing --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"HTTP/1.1 200 OK\nETag: 1\nContent-Length: 6\n\n", id="bare line feeds"),
        pytest.param(b"HTTP/1.1 200\r\nETag: 1\nContent-Length: 6\r\n\n", id="mixed lines"),
        pytest.param(b"HTTP/1.1 200\r\nETag : 1\r\nContent-Length: 6\r\n\r\n", id="blank"),
        pytest.param(b"HTTP/1.1 200 \xdcber\r\nETag: 1\r\nContent-Length: 6\r\n\r\n", id="Latin"),
        pytest.param(b"HTTP/1.0 200 OK\r\nETag: 1\r\n\r\n", id="no length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nETag: 1\r\nContent-Length: 6\r\nContent-Length: 6\r\n\r\n",
            id="the same length twice",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nX: \xff\xfe\r\nETag:1\r\nContent-Length:6\r\n\r\n", id="no blanks"
        ),
    ],
)
def test_sloppy_framing_is_read(head: bytes, feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.script("/feed", head + b"<rss/>", CLOSE)
    outcome = fetched(fetch(feed_server.url("/feed")))
    assert (outcome.body, outcome.validators.etag) == (b"<rss/>", "1")


# --- broken transfers ------------------------------------------------------------------------

HEAD = b'HTTP/1.1 200 OK\r\nETag: "cut"\r\n'


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        pytest.param(
            (HEAD + b"Content-Length: 5000\r\n\r\n" + FEED, CLOSE),
            FailureKind.TRUNCATED,
            id="shorter than its Content-Length",
        ),
        pytest.param(
            (HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n" + FEED, CLOSE),
            FailureKind.TRUNCATED,
            id="cut inside a chunk",
        ),
        pytest.param(
            (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n", CLOSE),
            FailureKind.TRUNCATED,
            id="cut between chunks",
        ),
        pytest.param(
            (HEAD + b"Content-Length: 5000\r\n\r\n" + FEED, RESET),
            FailureKind.TRUNCATED,
            id="reset in mid-body",
        ),
        pytest.param((HEAD, CLOSE), FailureKind.TRUNCATED, id="closed inside the header"),
        pytest.param((CLOSE,), FailureKind.CONNECT, id="closed without an answer"),
        pytest.param((RESET,), FailureKind.CONNECT, id="reset without an answer"),
        pytest.param((b"<rss/>", CLOSE), FailureKind.PROTOCOL, id="no header at all (HTTP/0.9)"),
        pytest.param(
            (b"HTTP/1.1 200 OK\r\nHTTP/x:y\r\nContent-Length: 1\r\n\r\n<", CLOSE),
            FailureKind.EMPTY,
            id="a field that looks like a status line",
        ),
        pytest.param((b"HTTP/7.0 what\r\n\r\n", CLOSE), FailureKind.PROTOCOL, id="no HTTP"),
        pytest.param(
            (b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", CLOSE),
            FailureKind.PROTOCOL,
            id="NUL in the header",
        ),
    ],
)
def test_a_broken_response_fails(
    steps: tuple[Step, ...], kind: FailureKind, feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.script("/feed", *steps)
    failed(fetch(feed_server.url("/feed")), kind)


def test_an_unknown_name_is_a_dns_failure(fetch: Fetch) -> None:
    outcome = failed(fetch("http://feeds.invalid/rss"), FailureKind.DNS)
    assert "http://feeds.invalid/rss" in outcome.detail


def test_a_closed_port_is_a_connect_failure(fetch: Fetch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening
        port = taken.getsockname()[1]
        failed(fetch(f"http://127.0.0.1:{port}/"), FailureKind.CONNECT)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("feeds.example.org/rss", FailureKind.PROTOCOL),
        ("", FailureKind.PROTOCOL),
        ("http://", FailureKind.PROTOCOL),
        ("http://[::1/", FailureKind.PROTOCOL),
        ("file:///etc/passwd", FailureKind.REFUSED_SCHEME),
        ("FILE:/etc/passwd", FailureKind.REFUSED_SCHEME),
        ("ftp://example.org/rss", FailureKind.REFUSED_SCHEME),
        ("gopher://127.0.0.1/1", FailureKind.REFUSED_SCHEME),
        ("data:text/xml,<rss/>", FailureKind.REFUSED_SCHEME),
        ("feed:https://example.org/", FailureKind.REFUSED_SCHEME),
    ],
)
def test_other_schemes_are_not_requested(url: str, kind: FailureKind, fetch: Fetch) -> None:
    failed(fetch(url), kind)


def test_odd_urls_are_written_as_browsers_write_them(feed_server: FeedServer, fetch: Fetch) -> None:
    fetch(f" http:\\\\127.0.0.1:{feed_server.port}\\a b/../ü?q=ü ")
    assert feed_server.paths() == ["/%C3%BC?q=%C3%BC"]


def test_connections_are_kept(feed_server: FeedServer, fetch: Fetch) -> None:
    feed_server.reply("/feed", 200, RSS, FEED)
    feed_server.reply("/none", 404, {}, b"no")
    for path in ("/feed", "/none", "/feed"):
        fetch(feed_server.url(path))
    assert feed_server.connections == 1


def test_a_connection_closed_while_idle_is_opened_again(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    feed_server.script("/feed", response(200, RSS, FEED), CLOSE)
    for _ in range(3):
        assert fetched(fetch(feed_server.url("/feed"))).body == FEED


def test_dates_without_a_clock_are_read_by_the_wall_clock(
    feed_server: FeedServer, fetch: Fetch
) -> None:
    until = datetime.now(UTC) + timedelta(days=10)
    feed_server.reply("/feed", 503, {"Retry-After": format_datetime(until, usegmt=True)})
    wait = fetch(feed_server.url("/feed")).transfer.freshness.retry_after
    assert wait is not None
    assert timedelta(days=9.9) < wait <= timedelta(days=10)
