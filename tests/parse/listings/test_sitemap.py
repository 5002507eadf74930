"""Sitemaps, news sitemaps and indexes of sitemaps."""

import gzip
from datetime import UTC, datetime

import pytest

from aggregator.models.listing import SitemapListing
from aggregator.parse.decode import NotAFeed
from aggregator.parse.document import Changes
from aggregator.parse.listings import document, sitemap

NOW = datetime(2026, 3, 21, 12, tzinfo=UTC)
URL = "https://town.example/map.xml"
NEWS = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc>https://town.example/old</loc><news:news><news:publication><news:name>Town</news:name>
<news:language>en</news:language></news:publication>
<news:publication_date>2026-03-04</news:publication_date><news:title>Old &amp; grey</news:title>
</news:news></url>
<url><loc>https://town.example/new</loc><lastmod>2026-03-06</lastmod><news:news>
<news:publication_date>2026-03-05T10:00:00Z</news:publication_date><news:title>New</news:title>
</news:news><image:image><image:loc>/new.jpg</image:loc><image:title>Boat</image:title>
</image:image></url></urlset>"""


def read(body: bytes, known: bytes = b"") -> Changes:
    return document.parse_changes(body, url=URL, listing=SitemapListing(), known=known, now=NOW)


@pytest.mark.parametrize("body", [NEWS, gzip.compress(NEWS)], ids=["plain", "gzip"])
def test_news_sitemap_gives_entries_newest_first(body: bytes) -> None:
    new, old = read(body).feed.entries
    assert (new.link, new.title and new.title.value) == ("https://town.example/new", "New")
    assert new.published == datetime(2026, 3, 5, 10, tzinfo=UTC)
    assert new.updated == datetime(2026, 3, 6, tzinfo=UTC)
    assert new.images[0].url == "https://town.example/new.jpg"
    assert old.title
    assert (old.title.value, old.language, old.images) == ("Old & grey", "en", ())


def test_known_entries_are_left_out() -> None:
    first = read(NEWS)
    changed = NEWS.replace(b"Old &amp; grey", b"Old")
    [only] = read(changed, first.item_hashes).feed.entries
    assert only.title
    assert only.title.value == "Old"


@pytest.mark.parametrize(
    ("link", "title"),
    [
        ("https://a.example/news/ferry-sails-again", "Ferry sails again"),
        ("https://a.example/news/ferry_sails.html", "Ferry sails"),
        ("https://a.example/ferry-sails/12345/", "Ferry sails"),
        ("https://a.example/caf%C3%A9-opens", "Café opens"),
        ("https://a.example/2026/03/", ""),
        ("https://a.example/", ""),
    ],
)
def test_title_from_an_address(link: str, title: str) -> None:
    assert sitemap.title_of(link) == title


def test_only_the_newest_entries_are_read() -> None:
    urls = "".join(
        f"<url><loc>https://a.example/{n}-x</loc><lastmod>{2000 + n % 26}-01-01</lastmod></url>"
        for n in range(sitemap.MOST_ENTRIES + 500)
    )
    entries = read(f"<urlset>{urls}</urlset>".encode()).feed.entries
    assert len(entries) == sitemap.MOST_ENTRIES
    years = [each.updated.year for each in entries if each.updated]
    assert years == sorted(years, reverse=True)


def test_changed_sitemaps_of_an_index_follow() -> None:
    index = b"<sitemapindex>%s</sitemapindex>" % b"".join(
        b"<sitemap><loc>/%d.xml</loc><lastmod>2026-03-%02d</lastmod></sitemap>" % (n, n)
        for n in range(1, 8)
    )
    first = read(index)
    assert first.feed.entries == ()
    assert first.following == tuple(f"https://town.example/{n}.xml" for n in (7, 6, 5, 4, 3))
    assert read(index, first.item_hashes).following == ()
    changed = index.replace(b"2026-03-02", b"2026-03-20")
    assert read(changed, first.item_hashes).following == ("https://town.example/2.xml",)


BOMB = b"<!DOCTYPE urlset [<!ENTITY a 'aaaaaaaaaa'>%s]>" % b"".join(
    b"<!ENTITY %c '%s'>" % (c, b"&%c;" % (c - 1) * 10) for c in range(ord("b"), ord("l"))
)


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (b"<urlset></urlset>", document.NoEntries, "the sitemap has no addresses"),
        (b"<urlset><url><loc>ftp://a</loc></url></urlset>", document.NoEntries, "no addresses"),
        (b"<sitemapindex/>", document.NoEntries, "the index has no sitemaps"),
        (b"<html><p>x</p></html>", NotAFeed, "its first element is <html>"),
        (b"", NotAFeed, "sitemap"),
        (b"no", NotAFeed, "sitemap"),
        (b"\x1f\x8bno", NotAFeed, "can't be decompressed"),
        (gzip.compress(bytes(sitemap.LARGEST + 1)), NotAFeed, "larger than 50,000,000 bytes"),
    ],
)
def test_other_documents_are_refused(body: bytes, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read(body)


def test_entities_are_not_expanded_and_no_file_is_read() -> None:
    for declared in (BOMB, b"<!DOCTYPE urlset [<!ENTITY k SYSTEM 'file:///etc/passwd'>]>"):
        body = declared + (
            b"<urlset xmlns:news='n'><url><loc>/a-b</loc><news:title>&k;</news:title></url>"
            b"</urlset>"
        )
        [only] = read(body).feed.entries
        assert only.title
        assert only.title.value == "A b"
