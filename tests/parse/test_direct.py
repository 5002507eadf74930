"""The direct reader says what feedparser says, value by value, or nothing at all."""

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from aggregator.models.entry import ParsedFeed
from aggregator.parse import decode, direct, document, elements, entries
from tests.parse import URL, atom, rdf, rss
from tests.parse.odd_documents import XHTML, documents


def both(body: bytes, url: str = URL) -> tuple[ParsedFeed | None, ParsedFeed | None]:
    """Return a document as read directly and by the library, None where it is not read."""
    read = decode.document(body, "")
    root, is_clean = elements.tree(read.xml)
    found = elements.read(root)
    base = document.base_of(url, found.link)
    values = direct.read(read.xml, root, base) if root is not None and is_clean else None
    fast = values and entries.feed(values, found, base=base)
    try:
        library = document.library(read.xml, base)
    except document.NotAFeed:
        return fast or None, None
    fault = library.get("bozo_exception")
    return fast or None, None if fault else entries.feed(library, found, base=base)


def assert_equal_or_declined(body: bytes, url: str = URL) -> bool:
    """Check a document, and return whether it was read directly."""
    fast, library = both(body, url)
    assert fast is None or fast == library, body
    return fast is not None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss("<title>T</title><item><title>A</title></item>"), id="RSS"),
        pytest.param(b'<rss version="0.92"><channel><item/></channel></rss>', id="RSS 0.92"),
        pytest.param(b"<rss><channel/></rss>", id="RSS of no version"),
        pytest.param(rss("<item/>", head="<!DOCTYPE rss>"), id="a DOCTYPE, which is taken out"),
        pytest.param(atom("<title>T</title><entry><id>urn:1</id></entry>"), id="Atom"),
        pytest.param(atom("<entry><id>i</id></entry>", attributes='xml:lang="de_AT"'), id="lang"),
        pytest.param(rss("<link>/l/</link><item><link>a?</link></item>"), id="relative links"),
        pytest.param(
            rss('<item xml:base="b/"><guid>1</guid></item><item><guid>2</guid></item>'), id="bases"
        ),
        pytest.param(
            rss("<item><title>A &amp;amp; B</title><title>C &lt;b>D&lt;/b></title></item>"),
            id="RSS titles that are HTML",
        ),
        pytest.param(
            rss("<item><description>D</description><description>E</description></item>"),
            id="a second description is content",
        ),
        pytest.param(
            rss(
                "<itunes:summary>S</itunes:summary><description>D</description>"
                "<item><description>E</description><media:description>F</media:description></item>"
            ),
            id="what a blurb of the feed does to the description after it",
        ),
        pytest.param(
            atom(f'<entry><content type="xhtml"> {XHTML}a<br/>&lt;</div> </content></entry>'),
            id="XHTML without its div",
        ),
        pytest.param(
            atom(f'<entry><content type="xhtml">{XHTML}a</div>{XHTML}b</div></content></entry>'),
            id="XHTML of two divs",
        ),
        pytest.param(
            atom(
                "<entry><author><name>A</name></author><author><email>b@e.org</email></author>"
                "<author>c@e.org (C)</author><contributor><uri>u</uri></contributor></entry>"
            ),
            id="persons",
        ),
        pytest.param(
            rss(
                "<itunes:author>A</itunes:author><itunes:owner><itunes:name>O</itunes:name>"
                "<itunes:email>o@e.org</itunes:email></itunes:owner>"
            ),
            id="an owner who becomes the author",
        ),
        pytest.param(
            rss(
                '<item><category domain="d">C</category><category domain="d">D</category>'
                "<category/><media:category>M</media:category><dc:subject>S</dc:subject>"
                "<itunes:keywords>k, l,</itunes:keywords></item>"
            ),
            id="categories",
        ),
        pytest.param(
            rss('<itunes:category text="A"><itunes:category text="B"/></itunes:category>'),
            id="categories in categories",
        ),
        pytest.param(
            rss(
                "<item><media:group><media:title>M</media:title><media:content url='m.mp4'>"
                "<media:description>D</media:description></media:content></media:group>"
                "<title>T</title></item>"
            ),
            id="Media RSS around the title",
        ),
        pytest.param(
            rss(
                "<image><title>I</title><url>i.png</url><link>http://i.org/</link></image>"
                "<media:title>M</media:title><textInput><title>X</title></textInput>"
                "<item><image><url>i.png</url><width>9</width></image><image>j.png</image></item>"
            ),
            id="pictures",
        ),
        pytest.param(
            rss('<item><source url="http://s.org/">S</source><title>T</title></item>'), id="source"
        ),
        pytest.param(
            atom(
                "<entry><source><id>s</id><title>S</title><link rel='self' href='s.xml'/>"
                "<author><name>A</name><uri>http://a.org/</uri></author></source></entry>"
            ),
            id="Atom source",
        ),
        pytest.param(
            rss("<item><title>cafÃ©</title><dc:creator>\x85</dc:creator></item>"), id="mojibake"
        ),
        pytest.param(
            rss('<item><x:y xmlns:x="urn:x"><title>T</title></x:y></item>'),
            id="elements in an unknown one",
        ),
        pytest.param(
            rss('<item><post-id xmlns="com-wordpress:feed-additions:1">7</post-id></item>'),
            id="an unknown namespace without a prefix",
        ),
        pytest.param(
            rss(
                "<item><pubDate>Sat, 27 Jun 2009 21:26:00 EST</pubDate><pubDate>x</pubDate></item>"
                "<item><dc:date>2009-06-27T21:26+02:00</dc:date></item>"
            ),
            id="dates",
        ),
    ],
)
def test_what_is_read_directly(body: bytes) -> None:
    assert assert_equal_or_declined(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rdf("<item/>"), id="RDF"),
        pytest.param(b"<feed version='0.3' xmlns='http://purl.org/atom/ns#'/>", id="Atom 0.3"),
        pytest.param(rss("<item>a & b</item>"), id="not well-formed"),
        pytest.param(rss("<item/>", head="<!--\n<!DOCTYPE rss>\n-->"), id="one in a comment"),
        pytest.param(rss("<item/>", head='<!DOCTYPE r [<!ENTITY e "f">]>'), id="an entity"),
        pytest.param(b"<rss><channel/><channel/></rss>", id="two channels"),
        pytest.param(rss("<item><item/></item>"), id="items in items"),
        pytest.param(rss("<item><channel/></item>"), id="a channel in an item"),
        pytest.param(rss('<item><dc:x xmlns:dc="urn:x"/></item>'), id="a prefix bound anew"),
        pytest.param(rss('<a:b xmlns:a="urn:x"/><c:b xmlns:c="urn:x"/>'), id="two prefixes of one"),
        pytest.param(rss('<a xmlns:z="http://www.w3.org/1999/xlink"/>'), id="XLink"),
        pytest.param(rss("<item><description><p>a</p></description></item>"), id="markup in RSS"),
        pytest.param(
            rss("<item><description>a<div>b</div></description></item>"), id="a div of it"
        ),
        pytest.param(
            atom('<entry><content type="xhtml"><p>a</p></content></entry>'), id="XHTML that is not"
        ),
        pytest.param(
            atom('<entry><content type="application/pdf">a</content></entry>'), id="other content"
        ),
        pytest.param(atom('<entry><content mode="base64">YQ==</content></entry>'), id="Atom 0.3's"),
        pytest.param(
            atom('<entry><link z:href="h" xmlns:z="urn:z"/></entry>'),
            id="an attribute of a foreign namespace",
        ),
        pytest.param(rss("<item><date>2009-06-27</date></item>"), id="a name of feedparser's"),
        pytest.param(rss("<item><links>x</links></item>"), id="a key of feedparser's"),
        pytest.param(rss('<item href="h"/>'), id="CDF"),
        pytest.param(atom("<author><ttl>5</ttl></author>"), id="another's element in a person"),
        pytest.param(rss("<item><title><b/></title></item>"), id="a title with elements"),
    ],
)
def test_what_is_left_to_feedparser(body: bytes) -> None:
    fast, _ = both(body)
    assert fast is None


@settings(max_examples=300)
@given(documents())
def test_any_document_has_the_library_s_values_or_is_left_to_it(body: bytes) -> None:
    event("direct" if assert_equal_or_declined(body) else "left")


@settings(max_examples=200)
@given(documents(), st.integers(0, 2000), st.integers(0, 12), st.binary(max_size=6))
def test_any_bytes_have_the_library_s_values_or_are_left_to_it(
    body: bytes, at: int, cut: int, put: bytes
) -> None:
    at = min(at, len(body))
    with contextlib.suppress(document.NotAFeed):
        assert_equal_or_declined(body[:at] + put + body[at + cut :])


def test_real_documents_have_the_library_s_values_or_are_left_to_it(corpus: Path) -> None:
    feeds = directly = 0
    for path in sorted(corpus.iterdir()):
        body = path.read_bytes()
        try:
            is_direct = assert_equal_or_declined(body)
        except document.NotAFeed:
            continue
        feeds += bool(re.search(rb"<(rss|feed)[\s>]", body[:4096]))
        directly += is_direct
    assert directly > 0.95 * feeds, f"{directly} of {feeds} RSS and Atom documents"
