"""All formats are valid, unique, deterministic, and read back without a change."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser
import pytest
from hypothesis import given, settings
from lxml import etree

from aggregator.formats import atom, entries, jsonfeed, merged, rss
from aggregator.formats.entries import FeedEntry
from aggregator.formats.merged import MergedFeed
from aggregator.formats.table import FORMATS, Format
from aggregator.models.entry import Author, Enclosure, Extension, Image, Origin, SafeHtml
from aggregator.models.urls import as_uri
from tests import validators
from tests.formats import strategies
from tests.formats.strategies import ENTRY, SEEN, SOURCE, make_feed, make_item

Render = Callable[[MergedFeed], bytes]
Check = Callable[[bytes], list[str]]

VALIDATORS = {"atom": validators.atom, "rss": validators.rss, "json": validators.json_feed}
ALL = [pytest.param(row.render, VALIDATORS[name], id=name) for name, row in FORMATS.items()]
XML = [pytest.param(atom.render, id="atom"), pytest.param(rss.render, id="rss")]

EVERYTHING = replace(
    make_item(
        replace(
            ENTRY,
            authors=(Author(name="Ann", uri="https://ann.example/", email="ann@herald.example"),),
            categories=("Weather", "A & B"),
            enclosures=(
                Enclosure(url="https://a.example/1.mp3", type="audio/mpeg", length=7, duration=61),
                Enclosure(url="https://a.example/2.MP4?x=1", title="Two"),
            ),
            image=Image(url="https://a.example/i.png", width=10, height=20),
            via="https://blog.example/",
            comments="https://herald.example/1#comments",
            extensions=(Extension(name="itunes:explicit", text="no"),),
            language="en-GB",
        )
    ),
    sections=("world", "weather"),
    also=(("Rain again", "https://post.example/9"),),
    page_url="https://site.example/entries/1",
)

FULL = replace(
    make_feed(EVERYTHING),
    subtitle="From everywhere",
    language="en",
    icon="https://site.example/icon.png",
    alternates=(("application/x-test", "https://site.example/feeds/all.test"),),
    hubs=("https://site.example/hub",),
    previous_archive="https://site.example/feeds/all/archive/3.xml",
    tombstones=(("tag:site.example,2009:0", SEEN),),
)


@pytest.mark.parametrize(("render", "check"), ALL)
@given(feed=strategies.feeds(strategies.nasty))
@settings(max_examples=60)
def test_a_document_of_any_entries_is_valid(render: Render, check: Check, feed: MergedFeed) -> None:
    assert check(render(feed)) == []


@pytest.mark.parametrize(("render", "check"), ALL)
@pytest.mark.parametrize(
    "feed",
    [
        pytest.param(make_feed(), id="an empty view"),
        pytest.param(FULL, id="all fields at once"),
        pytest.param(replace(make_feed(make_item()), complete=True), id="a complete view"),
        pytest.param(
            replace(
                FULL,
                archive=True,
                current="https://site.example/feeds/all.xml",
                self_url="https://site.example/a/4",
            ),
            id="an archive",
        ),
        pytest.param(
            make_feed(
                make_item(replace(ENTRY, link="", title="", summary="", content=SafeHtml("")))
            ),
            id="an entry that says nothing",
        ),
        pytest.param(make_feed(make_item(uri=ENTRY.link)), id="an id that is the link"),
        pytest.param(make_feed(make_item(), make_item(id=2)), id="an id that came twice"),
    ],
)
def test_the_document_is_valid(render: Render, check: Check, feed: MergedFeed) -> None:
    assert check(render(feed)) == []


@pytest.mark.parametrize(("render", "check"), ALL)
def test_of_entries_with_one_id_the_first_to_arrive_is_shown_and_names_the_others(
    render: Render, check: Check
) -> None:
    first, later = make_item(id=1), make_item(replace(ENTRY, title="Copy"), id=2)
    named = replace(first, also=(*first.also, (later.source.title, ENTRY.link)))
    assert render(make_feed(later, first)) == render(make_feed(named))


@pytest.mark.parametrize("render", XML)
@given(feed=strategies.feeds(strategies.plain, min_size=1))
@settings(max_examples=40)
def test_feedparser_reads_back_what_was_written(render: Render, feed: MergedFeed) -> None:
    parsed = _parse(render(feed))
    assert not parsed.bozo, parsed.get("bozo_exception")
    assert parsed.feed.title == feed.title
    assert len(parsed.entries) == len(feed.items)
    for got, presented in zip(parsed.entries, entries.present(feed), strict=True):
        _compare(got, presented, first_enclosure_only=render is rss.render)


def _parse(body: bytes) -> Any:
    return feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)


def _compare(got: Any, presented: FeedEntry, *, first_enclosure_only: bool) -> None:
    item = presented.item
    entry = item.entry.entry
    assert got.id == item.entry.uri
    link = as_uri(entry.link) if entry.link else got.get("link", "")  # feedparser takes the id
    assert got.get("link", "") == link
    assert got.title == entry.title
    assert _moment(got.published_parsed) == item.published.replace(microsecond=0)
    updated = dict.get(got, "updated_parsed") or got.published_parsed
    assert _moment(updated) == item.updated.replace(microsecond=0)
    wanted = [author.name for author in presented.authors]
    assert [author.name for author in got.get("authors", []) if author] == wanted
    assert [tag.term for tag in got.get("tags", [])] == list(entry.categories)
    enclosures = entry.enclosures[:1] if first_enclosure_only else entry.enclosures
    assert [enclosure.href for enclosure in got.get("enclosures", [])] == [
        as_uri(e.url) for e in enclosures
    ]
    assert got.source.title == item.origin.title
    if presented.content:
        assert got.content[0].value == presented.content
    assert got.summary == entry.summary


def _moment(parsed: Any) -> datetime:
    year, month, day, hour, minute, second = parsed[:6]
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@given(feed=strategies.feeds(strategies.plain))
@settings(max_examples=40)
def test_json_has_the_values_of_entries(feed: MergedFeed) -> None:
    document = json.loads(jsonfeed.render(feed))
    assert document["_aggregator"]["updated"] == merged.rfc3339(feed.updated)
    for got, item in zip(document["items"], feed.items, strict=True):
        entry = item.entry.entry
        assert (got["id"], got.get("url", ""), got["title"]) == (
            item.entry.uri,
            entry.link,
            entry.title,
        )
        assert got["date_published"] == merged.rfc3339(item.published)
        assert got["date_modified"] == merged.rfc3339(item.updated)
        names = [author.name for author in entry.authors] or [item.origin.title]
        assert [author["name"] for author in got["authors"]] == names
        assert [a["url"] for a in got.get("attachments", [])] == [e.url for e in entry.enclosures]
        assert got["_aggregator"]["source"]["feed_url"] == item.source.url


def test_the_bytes_do_not_depend_on_the_process() -> None:
    code = (
        "import sys; from tests.formats.test_formats import FULL, atom, jsonfeed, rss; "
        "write = sys.stdout.buffer.write; "
        "write(atom.render(FULL)); write(rss.render(FULL)); write(jsonfeed.render(FULL))"
    )
    runs = {
        subprocess.run(  # a hash seed of its own for each
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert runs == {atom.render(FULL) + rss.render(FULL) + jsonfeed.render(FULL)}


def test_an_entry_copied_from_another_feed_credits_that_feed() -> None:
    origin = Origin(id="urn:x", title="First Press", url="https://first.example/feed")
    feed = make_feed(make_item(replace(ENTRY, origin=origin)))
    assert _parse(atom.render(feed)).entries[0].source.id == "urn:x"
    got = _parse(rss.render(feed)).entries[0].source
    assert (got.title, got.href) == ("First Press", "https://first.example/feed")
    about = json.loads(jsonfeed.render(feed))["items"][0]["_aggregator"]
    assert about["origin"]["title"] == "First Press"
    assert about["source"]["title"] == SOURCE.title


def test_atom_names_the_source_with_id_title_date_and_links() -> None:
    got = _parse(atom.render(make_feed(make_item()))).entries[0].source
    assert (got.id, got.title) == (SOURCE.feed_id, SOURCE.title)
    assert got.updated == "2009-06-27T21:26:00Z"
    assert [(link.rel, link.href) for link in got.links] == [
        ("self", SOURCE.url),
        ("alternate", SOURCE.link),
    ]


@pytest.mark.parametrize(
    ("authors", "named"), [((), ["The Herald"]), ((Author(name="Ann"),), ["Ann"])]
)
def test_atom_names_the_publisher_where_an_entry_has_no_author(
    authors: tuple[Author, ...], named: list[str]
) -> None:
    body = atom.render(make_feed(make_item(replace(ENTRY, authors=authors))))
    names = etree.fromstring(body).findall("{*}entry/{*}author/{*}name")
    assert [name.text for name in names] == named


def test_withdrawn_entries_have_tombstones() -> None:
    stone = b'<at:deleted-entry ref="tag:site.example,2009:0" when="2009-06-27T21:26:00Z"/>'
    assert stone in atom.render(FULL)
    deleted = json.loads(jsonfeed.render(FULL))["_aggregator"]["deleted"]
    assert deleted == [{"id": "tag:site.example,2009:0", "when": "2009-06-27T21:26:00Z"}]


def test_an_entry_in_the_document_has_no_tombstone() -> None:
    feed = replace(FULL, tombstones=((EVERYTHING.entry.uri, SEEN),))
    assert b"deleted-entry ref" not in atom.render(feed)


def test_updated_is_never_before_published() -> None:
    later = SEEN + timedelta(hours=1)
    item = make_item(replace(ENTRY, published=later))
    assert item.updated == item.published == later


def test_an_entry_without_a_date_is_published_when_it_was_first_seen() -> None:
    assert make_item(replace(ENTRY, published=None)).published == SEEN


def test_rss_description_escapes_text_that_looks_like_html() -> None:
    body = rss.render(make_feed(make_item(replace(ENTRY, summary="a < b & c"))))
    assert b"<description>a &amp;lt; b &amp;amp; c</description>" in body


def test_an_rss_enclosure_has_all_attributes() -> None:
    item = make_item(replace(ENTRY, enclosures=(Enclosure(url="https://a.example/file"),)))
    got = _parse(rss.render(make_feed(item))).entries[0].enclosures[0]
    assert (got.type, got.length) == ("application/octet-stream", "0")


def test_rss_carries_further_enclosures_as_media_content() -> None:
    got = _parse(rss.render(FULL)).entries[0]
    assert [media["url"] for media in got.media_content] == ["https://a.example/2.MP4?x=1"]
    assert got.media_content[0]["type"] == "video/mp4"


@pytest.mark.parametrize("render", XML)
@pytest.mark.parametrize(
    ("extension", "written"),
    [
        pytest.param(
            Extension(
                name="podcast:transcript",
                attributes=(("url", "https://a.example/t.vtt"), ("type", "text/vtt")),
            ),
            '<podcast:transcript url="https://a.example/t.vtt" type="text/vtt"/>',
            id="a listed element passes",
        ),
        pytest.param(
            Extension(
                name="podcast:person", text="A & B", attributes=(("role", "host"), ("onload", "x"))
            ),
            '<podcast:person role="host">A &amp; B</podcast:person>',
            id="an attribute that is not listed is dropped",
        ),
        pytest.param(
            Extension(name="media:player", text="x"), "", id="an unlisted element is dropped"
        ),
        pytest.param(
            Extension(name="itunes:author", text="Somebody"),
            "<itunes:author>",
            id="an author where none is named",
        ),
        pytest.param(
            Extension(name="podcast:person", text="Ann", attributes=(("href", "javascript:x"),)),
            "",
            id="an element with another scheme is dropped",
        ),
    ],
)
def test_extensions_pass_by_allow_list(render: Render, extension: Extension, written: str) -> None:
    item = make_item(replace(ENTRY, extensions=(extension,)))
    body = render(make_feed(item)).decode()
    if written:
        assert written in body
    else:
        assert f"<{extension.name}" not in body


@pytest.mark.parametrize("render", XML)
def test_an_author_is_not_repeated_as_an_extension(render: Render) -> None:
    author = Extension(name="itunes:author", text="Ann")
    item = make_item(replace(ENTRY, authors=(Author(name="Ann"),), extensions=(author,)))
    assert b"itunes:author" not in render(make_feed(item))


def test_json_lists_extensions_with_text_and_attributes() -> None:
    person = Extension(name="podcast:person", text="Ann", attributes=(("role", "host"), ("x", "y")))
    entry = replace(ENTRY, extensions=(person, Extension(name="media:player", text="x")))
    [item] = json.loads(jsonfeed.render(make_feed(make_item(entry))))["items"]
    assert item["_aggregator"]["extensions"] == [
        {"name": "podcast:person", "text": "Ann", "attributes": {"role": "host"}}
    ]


def test_namespaces_have_their_exact_uris() -> None:
    person = Extension(name="podcast:person", text="Ann")
    item = make_item(replace(EVERYTHING.entry.entry, extensions=(person,)))
    body = atom.render(replace(FULL, archive=True, items=(item,)))
    for uri in (
        b'"http://search.yahoo.com/mrss/"',
        b'"http://www.itunes.com/dtds/podcast-1.0.dtd"',
        b'"https://podcastindex.org/namespace/1.0"',
        b'"http://purl.org/syndication/history/1.0"',
        b'"http://purl.org/atompub/tombstones/1.0"',
    ):
        assert uri in body


@pytest.mark.parametrize("render", XML)
@given(feed=strategies.feeds(strategies.nasty))
@settings(max_examples=30)
def test_a_document_declares_the_namespaces_that_it_uses_and_no_other(
    render: Render, feed: MergedFeed
) -> None:
    root = etree.fromstring(render(feed))
    used = {element.prefix for element in root.iter("*")}
    assert {prefix for prefix in root.nsmap if prefix} == {prefix for prefix in used if prefix}


@pytest.mark.parametrize("row", FORMATS.values(), ids=lambda row: row.name)
def test_no_control_character_is_written(row: Format) -> None:
    controls = "".join(map(chr, (*range(9), *range(0x7F, 0xA0))))
    entry = replace(ENTRY, title=f"a{controls}b\u00a0c", content=SafeHtml(f"<p>a{controls}b</p>"))
    text = row.render(make_feed(make_item(entry))).decode()
    assert not set(controls) & set(text)
    assert "ab\u00a0c" in text


def test_an_rss_channel_escapes_a_description_that_looks_like_html() -> None:
    body = rss.render(replace(make_feed(), subtitle="<script>"))
    assert b"<description>&amp;lt;script&amp;gt;</description>" in body


@pytest.mark.parametrize("render", XML)
@pytest.mark.parametrize(
    ("extension", "written"),
    [
        (Extension(name="itunes:explicit", text="Yes"), "<itunes:explicit>true<"),
        (Extension(name="itunes:explicit", text="clean"), "<itunes:explicit>false<"),
        (Extension(name="itunes:explicit", text="maybe"), ""),
        (Extension(name="itunes:episode", text="12"), "<itunes:episode>12<"),
        (Extension(name="itunes:episode", text="12b"), ""),
        (Extension(name="media:credit", text="", attributes=(("role", "author"),)), ""),
        (
            Extension(name="media:credit", text="Ann", attributes=(("role", "author"),)),
            '<media:credit role="author">Ann<',
        ),
        (
            Extension(name="media:credit", text="Ann", attributes=(("role", "Best boy"),)),
            "<media:credit>Ann<",
        ),
        (
            Extension(
                name="media:credit", text="A", attributes=(("role", "owner"), ("scheme", "urn:yvs"))
            ),
            '<media:credit role="owner" scheme="urn:yvs">A<',
        ),
    ],
)
def test_elements_have_valid_values(render: Render, extension: Extension, written: str) -> None:
    item = make_item(replace(ENTRY, extensions=(extension,)))
    body = render(make_feed(item)).decode()
    assert (written or "</entry>") in body.replace("</item>", "</entry>")
    assert written or f"<{extension.name}" not in body


def test_updated_is_the_publishers_until_we_see_a_change() -> None:
    published = SEEN - timedelta(days=9)
    item = make_item(replace(ENTRY, published=published))
    assert (item.updated, item.modified) == (published, SEEN)
    edited = published + timedelta(days=1)
    item = make_item(replace(ENTRY, published=published, updated=edited))
    assert (item.updated, item.modified) == (edited, SEEN)
    seen = SEEN + timedelta(hours=1)
    changed = replace(item, entry=replace(item.entry, changed=seen))
    assert (changed.updated, changed.modified) == (seen, seen)


def test_rss_and_json_carry_the_language_of_an_entry() -> None:
    feed = make_feed(make_item(replace(ENTRY, language="pt-br")))
    assert b'<item xml:lang="pt-br">' in rss.render(feed)
    assert json.loads(jsonfeed.render(feed))["items"][0]["language"] == "pt-br"


def test_a_channel_with_recordings_has_artwork_and_says_whether_it_is_explicit() -> None:
    sound = Enclosure(url="https://a.example/1.mp3", type="audio/mpeg")
    cover = Image(url="https://a.example/cover.jpg", is_artwork=True)
    words = Extension(name="itunes:explicit", text="yes")
    episode = replace(ENTRY, enclosures=(sound,), image=cover, extensions=(words,))
    head = rss.render(make_feed(make_item(episode))).partition(b"<item")[0]
    assert b'<itunes:image href="https://a.example/cover.jpg"/>' in head
    assert b"<itunes:explicit>true</itunes:explicit>" in head
    assert b"itunes:" not in rss.render(make_feed(make_item())).partition(b"<item")[0]


def test_json_follows_the_archives_by_next_url() -> None:
    assert json.loads(jsonfeed.render(FULL))["next_url"] == FULL.previous_archive


@pytest.mark.parametrize("render", XML)
def test_the_archive_chain_is_linked(render: Render) -> None:
    links = {link.rel: link.href for link in _parse(render(FULL)).feed.links}
    assert links["prev-archive"] == FULL.previous_archive
    assert links["hub"] == FULL.hubs[0]
    assert links["self"] == FULL.self_url
