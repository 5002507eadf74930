"""The metadata of a feed, and the values that its entries inherit."""

import pytest

from tests.parse import atom, parse, rdf, rss


@pytest.mark.parametrize(
    ("inside", "subtitle"),
    [
        ("<itunes:summary>S</itunes:summary><description>D</description>", "D"),
        ("<description/><itunes:summary>S</itunes:summary>", "S"),
        ("<itunes:subtitle>T</itunes:subtitle>", "T"),
        ("<itunes:subtitle>T</itunes:subtitle><itunes:summary>S</itunes:summary>", "S"),
        ("<description>&lt;p>D&lt;/p></description>", "<p>D</p>"),
        ("<item><description>x</description></item>", ""),
    ],
)
def test_the_description_of_a_podcast(inside: str, subtitle: str) -> None:
    assert parse(rss(inside)).subtitle == subtitle


def test_a_blurb_of_the_channel_changes_no_item() -> None:
    item = "<item><description>N</description><itunes:summary>S</itunes:summary></item>"
    feed = parse(rss(f"<itunes:summary>A</itunes:summary>{item}{item}"))
    for entry in feed.entries:
        assert entry.summary is not None
        assert (entry.summary.value, entry.content) == ("N", None)


@pytest.mark.parametrize(
    ("body", "image"),
    [
        pytest.param(
            rdf(
                '<channel><image rdf:resource="http://e.example/id"/></channel>'
                '<image rdf:about="http://e.example/id"><url>http://e.example/i.png</url></image>'
            ),
            "http://e.example/i.png",
            id="RSS 1.0",
        ),
        pytest.param(
            rdf('<channel><image rdf:resource="http://e.example/i.png"/></channel>'),
            "http://e.example/i.png",
            id="RSS 1.0, by its id",
        ),
        pytest.param(
            rss('<image xml:base="http://b.example/c/"><url>i.png</url></image>'),
            "http://b.example/c/i.png",
            id="a base",
        ),
        pytest.param(
            rss('<image><url/></image><itunes:image href="http://e.example/i.png"/>'),
            "http://e.example/i.png",
            id="artwork beside an empty image",
        ),
        pytest.param(
            rss('<media:thumbnail url="http://e.example/i.png"/>'),
            "http://e.example/i.png",
            id="a thumbnail",
        ),
        pytest.param(
            rss(
                '<podcast:images srcset="http://e.example/s.png 300w, '
                'http://e.example/i.png 1500w"/>'
            ),
            "http://e.example/i.png",
            id="the largest of podcast:images",
        ),
        pytest.param(
            rss("<image><url>http://e.example/i.png?a=1&b=2</url></image>"),
            "http://e.example/i.png?a=1&b=2",
            id="a bare ampersand",
        ),
        pytest.param(
            atom("<icon>http://e.example/i.ico</icon>"), "http://e.example/i.ico", id="icon"
        ),
    ],
)
def test_the_picture_of_a_feed(body: bytes, image: str) -> None:
    assert parse(body).image == image


@pytest.mark.parametrize(
    ("body", "languages"),
    [
        (rss("<language>sv-SE</language><item/>"), ["sv-SE"]),
        (rss("<dc:language>sv</dc:language><item/>"), ["sv"]),
        (rss("<language>sv</language><item><dc:language>da</dc:language></item>"), ["da"]),
        (b'<rss version="2.0"><channel xml:lang="sv"><item/></channel></rss>', ["sv"]),
        (
            atom(
                '<entry/><entry xml:lang="da"/><entry><title xml:lang="nl">t</title></entry>',
                attributes='xml:lang="sv"',
            ),
            ["sv", "da", "nl"],
        ),
        (rss("<item/>"), [""]),
    ],
)
def test_the_language_of_a_feed_is_that_of_its_entries(body: bytes, languages: list[str]) -> None:
    assert [entry.language for entry in parse(body).entries] == languages


def test_dates_of_atom_0_3() -> None:
    feed = parse(
        b'<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry>'
        b"<created>2004-01-02T03:04:05Z</created><modified>2005-01-02T03:04:05Z</modified>"
        b"</entry></feed>"
    )
    (entry,) = feed.entries
    assert entry.published is not None
    assert entry.updated is not None
    assert (entry.published.year, entry.updated.year) == (2004, 2005)


def test_texts_of_atom_0_3() -> None:
    feed = parse(
        b'<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry>'
        b'<title mode="escaped" type="text/html">A &amp;amp; B</title>'
        b'<content type="application/xhtml+xml" mode="xml">'
        b'<div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div></content>'
        b"</entry></feed>"
    )
    (entry,) = feed.entries
    assert entry.title is not None
    assert entry.content is not None
    assert (entry.title.type, entry.title.value) == ("html", "A &amp; B")
    assert entry.content.value == "<p>x</p>"
