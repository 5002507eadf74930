"""Feeds over HTTP: contents, conditional requests and caching."""

import gzip
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import brotli  # type: ignore[import-untyped]  # ships no types
import pytest
import zstandard
from lxml import etree
from werkzeug.test import TestResponse, create_environ

from aggregator.formats import opml
from aggregator.formats.table import ENDINGS
from aggregator.models.config import Site, View
from aggregator.models.entry import Author, Enclosure
from aggregator.models.listing import PageListing
from aggregator.models.query import parse
from aggregator.web.middleware.cache import REQUEST_KEY, request_key
from tests import validators
from tests.web.conftest import FeedSite
from tests.web.sample_store import BASE, CONFIG, START, make_entry

CHECKS = {
    "atom": validators.atom,
    "rss": validators.rss,
    "json": validators.json_feed,
    "opml": validators.opml,
}

VIEWS = [
    *("all", "section/world", "section/local", "source/herald", "source/odd", "view/rain"),
    *("category/Wet%20news", "category/nobody", "author/Ann", "lang/en", "search"),
]
QUERIES = ["", "q=rain", "not=rain&limit=2", "has=audio", "since=7d&sort=updated"]


@pytest.fixture
def full(site: FeedSite) -> FeedSite:
    site.sample.add("herald", 3)
    site.sample.add("post", 2, age=timedelta(days=30))
    entry = replace(
        make_entry(99),
        authors=(Author(name="Ann"),),
        categories=("Wet news",),
        language="en",
        enclosures=(Enclosure(url="https://a.example/1.mp3", type="audio/mpeg", length=1),),
    )
    site.sample.put("odd", entry, uri="tag:odd.example,2009:99")
    return site


def titles(response: TestResponse) -> list[str]:
    return [item["title"] for item in json.loads(response.data)["items"]]


@pytest.mark.parametrize("format", CHECKS)
@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_valid_in_every_format(
    full: FeedSite, view: str, query: str, format: str
) -> None:
    if view == "search":
        query = query or "q=report"
    response = full.get(f"/feeds/{view}.{format}?{query}")
    assert response.status_code == 200
    assert CHECKS[format](response.data) == []


def test_views_select(full: FeedSite) -> None:
    assert titles(full.get("/feeds/all.json")) == [
        *("Report 99", "Report 3", "Report 2", "Report 1", "Report 5", "Report 4")
    ]
    assert titles(full.get("/feeds/section/local.json")) == ["Report 5", "Report 4"]
    assert titles(full.get("/feeds/view/rain.json?source=herald")) == ["Report 3", "Report 1"]
    assert titles(full.get("/feeds/all.json?limit=1")) == ["Report 99"]
    assert titles(full.get("/feeds/category/wet%20NEWS.json")) == ["Report 99"]
    assert titles(full.get("/feeds/all.json?since=7d&source=post")) == []


@pytest.mark.parametrize(
    ("format", "content_type"),
    [
        ("atom", "application/atom+xml; charset=utf-8"),
        ("rss", "application/rss+xml; charset=utf-8"),
        ("json", "application/feed+json"),
        ("opml", "text/x-opml; charset=utf-8"),
    ],
)
def test_metadata_of_a_feed(full: FeedSite, format: str, content_type: str) -> None:
    response = full.get(f"/feeds/section/world.{format}", headers={"Host": "evil.example"})
    headers = response.headers
    assert headers["Content-Type"] == content_type
    assert headers["Content-Length"] == str(len(response.data))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Cache-Control"] == "public, max-age=60, stale-if-error=86400"
    assert "Accept-Encoding" in headers["Vary"]
    assert "Set-Cookie" not in headers
    assert "evil" not in str(headers)
    assert b"evil" not in response.data
    assert f'<{BASE}/section/world>; rel="alternate"; type="text/html"' in headers["Link"]
    if format != "opml":
        assert f'<{BASE}/feeds/section/world.{format}>; rel="self"' in headers["Link"]
        assert headers["Last-Modified"] == "Sat, 27 Jun 2009 21:28:00 GMT"
        assert f"{BASE}/feeds/section/world.{format}".encode() in response.data


def test_the_feeds_own_dates_are_the_newest_change(full: FeedSite) -> None:
    root = etree.fromstring(full.get("/feeds/all.atom").data)
    assert root.findtext(f"{validators.ATOM}updated") == "2009-06-27T21:29:00Z"
    root = etree.fromstring(full.get("/feeds/all.rss").data)
    assert root.findtext("channel/lastBuildDate") == "Sat, 27 Jun 2009 21:29:00 GMT"
    assert full.get("/feeds/all.rss").headers["Last-Modified"] == "Sat, 27 Jun 2009 21:29:00 GMT"


def test_an_entry_that_comes_late_moves_last_modified_but_keeps_its_date(site: FeedSite) -> None:
    site.sample.add("herald")
    before = site.get("/feeds/all.atom").headers["Last-Modified"]
    site.sample.add("herald", age=timedelta(days=400))
    site.later()
    response = site.get("/feeds/all.atom", headers={"If-Modified-Since": before})
    assert response.status_code == 200
    late = etree.fromstring(response.data).findall("{*}entry")[-1]
    assert late.findtext("{*}updated") == late.findtext("{*}published") == "2008-05-23T21:28:00Z"


def test_last_modified_is_not_in_the_future(full: FeedSite) -> None:
    full.now -= timedelta(days=365)
    assert "Last-Modified" not in full.get("/feeds/all.atom").headers


def test_an_empty_view_is_from_1970(site: FeedSite) -> None:
    response = site.get("/feeds/all.atom")
    assert "Last-Modified" not in response.headers
    assert b"<updated>1970-01-01T00:00:00Z</updated>" in response.data
    assert validators.atom(response.data) == []


@pytest.mark.parametrize("format", CHECKS)
def test_the_same_database_gives_the_same_bytes(full: FeedSite, format: str) -> None:
    first = full.get(f"/feeds/all.{format}")
    full.restart()
    full.now += timedelta(days=365)
    second = full.get(f"/feeds/all.{format}")
    assert first.data == second.data
    assert list(first.headers) == list(second.headers)


def test_a_cached_response_equals_the_rendered_one(full: FeedSite) -> None:
    first, second = full.get("/feeds/all.rss"), full.get("/feeds/all.rss")
    assert first.data == second.data
    assert list(first.headers) == list(second.headers)


# --- parameters of other programs ------------------------------------------------------------

FOREIGN = "utm_source=news&fbclid=1&ref=a&_=1700000000&=&amp;utm_medium=x"


@pytest.mark.parametrize("format", CHECKS)
@pytest.mark.parametrize("view", ["all", "section/world", "view/rain", "search"])
def test_parameters_of_other_programs_change_nothing(
    full: FeedSite, view: str, format: str
) -> None:
    path = f"/feeds/{view}.{format}"
    plain = full.get(f"{path}?q=report")
    shared = full.get(f"{path}?{FOREIGN}&q=report&gclid={'x' * 4_000}")
    assert (shared.status_code, shared.data) == (200, plain.data)
    assert list(shared.headers) == list(plain.headers)


def test_parameters_of_other_programs_take_no_place_in_the_cache(full: FeedSite) -> None:
    full.get("/feeds/all.atom")
    full.get("/feeds/all.atom")  # from here on the response is cached
    for number in range(1_100):  # more than the cache has places for
        assert full.get(f"/feeds/all.atom?utm_id={number}").status_code == 200
    request = create_environ("/feeds/all.atom")
    assert full.feeds.cached_response(request_key(request)) is not None
    shared = create_environ("/feeds/all.atom?utm_id=1")
    shared[REQUEST_KEY] = request_key(shared)
    assert full.feeds.cached_response(shared[REQUEST_KEY]) is None
    assert full.feeds.cached_document(shared) is not None


# --- durations -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/feeds/all.json?since=12h", "/feeds/view/today.json"])
def test_a_duration_counts_from_now(full: FeedSite, path: str) -> None:
    view = View(id="today", title="Today", query=parse("since=12h"))
    full.config = replace(CONFIG, views=(view,))
    full.now = START + timedelta(hours=12, minutes=1)  # the first report is of that minute
    first = full.get(path)
    assert titles(first) == ["Report 99", "Report 3", "Report 2", "Report 1"]
    assert "Last-Modified" not in first.headers
    known = {"If-None-Match": first.headers["ETag"]}
    full.now += timedelta(seconds=59)
    assert full.get(path, headers=known).status_code == 304
    full.now += timedelta(seconds=1)
    later = full.get(path, headers=known)
    assert (later.status_code, titles(later)) == (200, ["Report 99"])
    full.now += timedelta(days=1)
    assert titles(full.get(path)) == []
    dated = {"If-Modified-Since": "Sat, 27 Jun 2009 21:29:00 GMT"}
    assert full.get(path, headers=dated).status_code == 200


def test_the_sources_of_a_duration_count_from_now(full: FeedSite) -> None:
    path = "/feeds/all.opml?since=12h"
    full.now = START + timedelta(hours=12, minutes=1)
    assert b"herald" in full.get(path).data
    full.now += timedelta(minutes=1)
    assert b"herald" not in full.get(path).data


# --- conditional requests --------------------------------------------------------------------


def test_an_unchanged_feed_is_304_with_the_fields_for_caches(full: FeedSite) -> None:
    first = full.get("/feeds/all.atom")
    again = full.get(
        "/feeds/all.atom", headers={"If-None-Match": f'"x", W/{first.headers["ETag"]}'}
    )
    assert (again.status_code, again.data) == (304, b"")
    for name in ("ETag", "Vary", "Cache-Control", "X-Content-Type-Options"):
        assert again.headers[name] == first.headers[name]
    for name in ("Content-Type", "Last-Modified"):  # of no use beside the ETag (RFC 9110 §15.4.5)
        assert name not in again.headers


def test_the_first_request_after_a_start_can_be_304(full: FeedSite) -> None:
    tag = full.get("/feeds/all.atom").headers["ETag"]
    full.restart()
    assert full.get("/feeds/all.atom", headers={"If-None-Match": tag}).status_code == 304


def test_all_formats_of_dates_are_accepted(full: FeedSite) -> None:
    for date in (
        "Sat, 27 Jun 2009 21:29:00 GMT",
        "Saturday, 27-Jun-09 21:29:00 GMT",
        "Sat Jun 27 21:29:00 2009",
    ):
        assert full.get("/feeds/all.rss", headers={"If-Modified-Since": date}).status_code == 304
    earlier = {"If-Modified-Since": "Sat, 27 Jun 2009 21:28:59 GMT"}
    assert full.get("/feeds/all.rss", headers=earlier).status_code == 200


def test_if_match_of_another_document_fails(full: FeedSite) -> None:
    response = full.get("/feeds/all.atom", headers={"If-Match": '"other"'})
    assert response.status_code == 412
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_head_is_get_without_the_body(full: FeedSite) -> None:
    for path in ("/feeds/all.atom", "/feeds/nosuch.atom", "/feeds/all.atom?limit=x"):
        got, head = full.get(path), full.client.head(path)
        assert (head.status_code, head.data) == (got.status_code, b"")
        assert list(head.headers) == list(got.headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PURGE"])
def test_other_methods_are_refused(full: FeedSite, method: str) -> None:
    response = full.client.open("/feeds/all.atom", method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_pages_of_other_sites_may_send_conditional_requests(full: FeedSite) -> None:
    response = full.client.options("/feeds/all.json")
    assert response.status_code == 204
    assert "If-None-Match" in response.headers["Access-Control-Allow-Headers"]


# --- content codings -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "coding", "decode"),
    [
        ("gzip", "gzip", gzip.decompress),
        ("br", "br", brotli.decompress),
        ("zstd", "zstd", zstandard.ZstdDecompressor().decompress),
        ("gzip;q=0, identity", None, bytes),
        ("deflate", None, bytes),
    ],
)
def test_content_codings(full: FeedSite, accept: str, coding: str | None, decode: Any) -> None:
    plain = full.get("/feeds/all.atom")
    coded = full.get("/feeds/all.atom", headers={"Accept-Encoding": accept})
    assert coded.headers.get("Content-Encoding") == coding
    assert decode(coded.data) == plain.data
    assert coded.headers["Content-Length"] == str(len(coded.data))
    assert (coded.headers["ETag"] == plain.headers["ETag"]) is (coding is None)
    again = full.get(
        "/feeds/all.atom",
        headers={"Accept-Encoding": accept, "If-None-Match": coded.headers["ETag"]},
    )
    assert again.status_code == 304
    assert again.headers["ETag"] == coded.headers["ETag"]
    assert "Accept-Encoding" in again.headers["Vary"]


def test_a_feed_is_compressed_once_for_each_coding(full: FeedSite) -> None:
    first = full.get("/feeds/all.atom", headers={"Accept-Encoding": "gzip"})
    second = full.get("/feeds/all.atom", headers={"Accept-Encoding": "gzip, deflate"})
    assert first.data == second.data


def test_a_request_that_accepts_no_coding_is_406(full: FeedSite) -> None:
    response = full.get("/feeds/all.atom", headers={"Accept-Encoding": "identity;q=0, *;q=0"})
    assert response.status_code == 406


# --- what is wrong with a request ------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/feeds/all.atom?limit=none", 400, "from 1 to 500"),
        ("/feeds/all.atom?section=nosuch", 400, "sections are: local, world"),
        ("/feeds/section/world.atom?section=local", 400, "set by the view itself"),
        ("/feeds/search.atom", 400, "a search needs one of"),
        ("/feeds/section/nosuch.atom", 404, "no section nosuch"),
        ("/feeds/source/nosuch.rss", 404, "no source nosuch"),
        ("/feeds/view/nosuch.json", 404, "no view nosuch"),
        ("/feeds/planet/x.atom", 404, "no planet x"),
        ("/feeds/all.xml", 404, ", ".join(f".{ending}" for ending in ENDINGS)),
        ("/feeds/all", 404, ".atom, .rss"),
        ("/feeds/all/archive/1.atom", 404, "no archive 1"),
        ("/feeds/all/archive/0.atom", 404, "numbered from 1"),
        ("/feeds/all/archive/01.atom", 404, "numbered from 1"),
        ("/feeds/all/archive/x.atom", 404, "numbered from 1"),
        ("/feeds/all/archive/1.opml", 404, "numbered from 1"),
        ("/feeds/all/archive/1.atom?q=x", 404, "no archive 1"),
        ("/feeds/section/<svg onload=alert(1)>.atom", 404, "<svg"),
        ("/feeds/all.atom?limit=<svg/onload=alert(1)>", 400, "<svg"),
    ],
)
def test_an_error_names_the_allowed_values(
    full: FeedSite, path: str, status: int, words: str
) -> None:
    response = full.get(path)
    assert response.status_code == status
    assert words in response.text
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_an_address_that_is_not_utf_8_is_not_found(full: FeedSite) -> None:
    response = full.get("/", environ_overrides={"PATH_INFO": "/feeds/section/\xff.atom"})
    assert (response.status_code, response.text) == (404, "the address is not valid UTF-8\n")


# --- changes ---------------------------------------------------------------------------------


def test_a_new_entry_shows_after_the_next_check_of_the_cache(full: FeedSite) -> None:
    full.get("/feeds/section/world.json")
    before = full.get("/feeds/section/world.json")
    full.sample.add("herald")
    assert full.get("/feeds/section/world.json").data == before.data
    full.later()
    after = full.get("/feeds/section/world.json")
    assert titles(after)[0] == "Report 6"
    assert after.headers["ETag"] != before.headers["ETag"]


def test_a_change_elsewhere_leaves_a_view_alone(full: FeedSite) -> None:
    full.get("/feeds/section/local.json")
    made = full.feeds._cache.get(("/feeds/section/local.json", ""))
    full.sample.add("herald")
    full.later()
    full.get("/feeds/section/local.json")
    assert full.feeds._cache.get(("/feeds/section/local.json", "")) is made


def test_a_document_rendered_after_the_last_check_is_cached(full: FeedSite) -> None:
    full.get("/feeds/all.json")
    full.get("/feeds/all.json")
    full.sample.add("herald")
    full.get("/feeds/section/world.json")
    made = full.feeds._cache.get(("/feeds/section/world.json", ""))
    assert made is not None
    full.get("/feeds/section/world.json")
    assert full.feeds._cache.get(("/feeds/section/world.json", "")) is made


def test_a_question_mark_in_the_path_is_not_the_query(full: FeedSite) -> None:
    assert full.get("/feeds/search.atom?q=rain").status_code == 200
    assert full.get("/feeds/search.atom%3Fq=rain").status_code == 404


def test_a_revised_entry_shows_and_moves_the_date(full: FeedSite) -> None:
    full.sample.revise(1, "Report 1, corrected")
    response = full.get("/feeds/all.json")
    assert "Report 1, corrected" in titles(response)
    assert response.headers["Last-Modified"] == "Sat, 27 Jun 2009 21:30:00 GMT"


def test_a_reloaded_configuration_shows_at_once(full: FeedSite) -> None:
    full.get("/feeds/all.atom")
    full.config = replace(CONFIG, site=Site(title="Renamed", base_url="https://new.example"))
    body = full.get("/feeds/all.atom").text
    assert '<title type="text">Renamed</title>' in body
    assert "https://new.example/feeds/all.atom" in body


def test_a_withdrawn_entry_leaves_a_tombstone(full: FeedSite) -> None:
    full.sample.withdraw(3)
    response = full.get("/feeds/all.json")
    assert "Report 3" not in titles(response)
    deleted = json.loads(response.data)["_aggregator"]["deleted"]
    assert deleted == [{"id": "https://news.example/3", "when": "2009-06-27T21:30:00Z"}]
    assert response.headers["Last-Modified"] == "Sat, 27 Jun 2009 21:30:00 GMT"
    assert b"deleted-entry ref" in full.get("/feeds/section/world.atom").data
    assert b"deleted-entry ref" not in full.get("/feeds/section/local.atom").data
    assert b"deleted-entry ref" not in full.get("/feeds/all.atom?q=sun").data


# --- only what is new (RFC 3229) -------------------------------------------------------------


def delta(site: FeedSite, tag: str, **headers: str) -> TestResponse:
    asked = {"If-None-Match": tag, "A-IM": "gzip, feed", **headers}
    return site.get("/feeds/all.json", headers=asked)


def test_a_client_with_an_earlier_state_gets_a_delta(full: FeedSite) -> None:
    tag = full.get("/feeds/all.json").headers["ETag"]
    full.sample.add("herald")
    full.sample.revise(1, "Report 1, corrected")
    full.later()
    response = delta(full, tag)
    assert response.status_code == 226
    assert titles(response) == ["Report 6", "Report 1, corrected"]
    assert response.headers["IM"] == "feed"
    assert response.headers["Cache-Control"] == "no-store, im"
    assert response.headers["Vary"] == "Accept-Encoding, A-IM, If-None-Match"
    whole = full.get("/feeds/all.json")
    assert response.headers["ETag"] == whole.headers["ETag"]
    assert delta(full, whole.headers["ETag"]).status_code == 304
    assert validators.json_feed(response.data) == []


def test_deltas_have_the_coding_and_etag_of_the_whole(full: FeedSite) -> None:
    gz = {"Accept-Encoding": "gzip"}
    tag = full.get("/feeds/all.json", headers=gz).headers["ETag"]
    full.sample.add("herald")
    full.later()
    response = delta(full, f'"unknown", {tag}', **gz)
    assert response.status_code == 226
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["ETag"] == full.get("/feeds/all.json", headers=gz).headers["ETag"]
    assert json.loads(gzip.decompress(response.data))["items"][0]["title"] == "Report 6"


def test_a_client_with_an_unknown_state_gets_everything(full: FeedSite) -> None:
    tag = full.get("/feeds/all.json").headers["ETag"]
    full.sample.add("herald")
    full.restart()
    assert delta(full, tag).status_code == 200
    assert delta(full, "*").status_code == 304


def test_a_delta_needs_the_a_im_field(full: FeedSite) -> None:
    tag = full.get("/feeds/all.json").headers["ETag"]
    full.sample.add("herald")
    full.later()
    assert full.get("/feeds/all.json", headers={"If-None-Match": tag}).status_code == 200
    asked = {"If-None-Match": tag, "A-IM": "vcdiff"}
    assert full.get("/feeds/all.json", headers=asked).status_code == 200
    assert full.get("/feeds/all.json", headers={"A-IM": "feed"}).status_code == 200


def test_remembered_states_are_bounded(full: FeedSite) -> None:
    for limit in range(1, 502):
        full.get(f"/feeds/all.json?limit={min(limit, 500)}")
        full.get(f"/feeds/all.atom?limit={min(limit, 500)}")
    assert len(full.feeds._states) == 500


# --- OPML ------------------------------------------------------------------------------------


def test_the_list_of_sources_is_nested_by_section(full: FeedSite) -> None:
    for path in ("/opml", "/feeds/all.opml"):
        read = opml.parse(full.get(path).data)
        assert read.title == "The Site"
        assert [
            (tuple(folder.text for folder in folders), source.url)
            for folders, source in opml.sources(read.outlines)
        ] == [
            (("World",), "https://herald.example/feed"),
            (("World",), "https://post.example/rss"),
            (("Local",), "https://post.example/rss"),
            ((), "https://odd.example/feed"),
        ]


def test_sources_without_a_feed_are_listed_with_ours(full: FeedSite) -> None:
    [first, *rest] = full.config.sources
    page = replace(first, listing=PageListing(items="li"))
    full.config = replace(full.config, sources=(page, *rest))
    full.later()
    read = opml.parse(full.get("/opml").data)
    [own] = [source for _, source in opml.sources(read.outlines) if "herald" in source.url]
    assert own.url == f"{BASE}/feeds/source/herald.atom"
    assert own.link == first.url
    assert full.get(own.url.removeprefix(BASE)).mimetype == "application/atom+xml"


@pytest.mark.parametrize(
    ("view", "hosts"),
    [
        ("section/local", ["post"]),
        ("source/herald", ["herald"]),
        ("view/rain", ["herald", "post", "odd"]),
        ("search", ["odd"]),
    ],
)
def test_the_sources_behind_a_view(full: FeedSite, view: str, hosts: list[str]) -> None:
    query = "?q=99" if view == "search" else ""
    read = opml.parse(full.get(f"/feeds/{view}.opml{query}").data)
    urls = [source.url for _, source in opml.sources(read.outlines)]
    assert [url.split("/")[2].split(".")[0] for url in urls] == hosts


# --- bounds ----------------------------------------------------------------------------------


def test_cached_documents_are_served_while_the_database_fails(full: FeedSite) -> None:
    full.get("/feeds/all.atom")
    with full.sample.store.transaction() as db:
        db.execute("drop table changes")
    full.later()
    assert full.get("/feeds/all.atom").status_code == 200
    response = full.get("/feeds/all.rss")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "10"


def test_a_saved_view_may_name_a_limit(full: FeedSite) -> None:
    few = View(id="few", title="Few", query=parse("limit=2"))
    full.config = replace(CONFIG, views=(few,))
    assert len(titles(full.get("/feeds/view/few.json"))) == 2
