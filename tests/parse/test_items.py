"""Parsing only new items gives the same values as a full parse, or is not used."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from aggregator.models.entry import Author, ParsedFeed
from aggregator.parse import document, items
from aggregator.parse.document import Changes, NotAFeed
from tests.parse import NAMESPACES, URL, atom, generated, rss


def changes(body: bytes, known: bytes = b"") -> Changes:
    return document.parse_changes(body, content_type="application/xml", url=URL, known=known)


def hashes(found: Changes) -> list[bytes]:
    size = items.HASH_SIZE
    joined = found.item_hashes
    return [joined[at : at + size] for at in range(0, len(joined), size)]


def without(entries: ParsedFeed) -> ParsedFeed:
    return replace(entries, entries=())


def assert_same_values(body: bytes, new: set[int]) -> None:
    """Parsing only the items at positions `new` gives the values of the full parse."""
    full = changes(body)
    known = [item for at, item in enumerate(hashes(full)) if at not in new]
    found = changes(body, known=b"".join(known))
    expected = tuple(entry for entry in full.feed.entries if entry.item_hash not in known)
    assert found.item_hashes == full.item_hashes
    assert found.feed.entries == expected
    assert without(found.feed) == without(full.feed)


def test_all_items_are_new_at_first() -> None:
    body = rss("<item><guid>1</guid></item><item><guid>2</guid></item>")
    found = changes(body)
    assert [entry.guid for entry in found.feed.entries] == ["1", "2"]
    assert [entry.item_hash for entry in found.feed.entries] == hashes(found)
    plain = document.parse(body, content_type="", url=URL)
    assert [replace(entry, item_hash=b"") for entry in found.feed.entries] == list(plain.entries)


def test_only_new_items_are_parsed_and_all_are_counted() -> None:
    old = "<item><guid>1</guid></item>"
    known = changes(rss(f"<title>then</title>{old}")).item_hashes
    found = changes(rss(f"<title>now</title><item><guid>2</guid></item>{old}"), known)
    assert [entry.guid for entry in found.feed.entries] == ["2"]
    assert len(hashes(found)) == 2
    assert hashes(found)[1] == known
    assert found.feed.title == "now"


def test_a_document_of_known_items_has_no_entries() -> None:
    body = atom("<entry><id>urn:1</id></entry>")
    known = changes(body).item_hashes
    assert changes(body, known).feed.entries == ()


def test_a_changed_item_is_new() -> None:
    known = changes(rss("<item><guid>1</guid></item>")).item_hashes
    assert len(changes(rss("<item><guid>1</guid> </item>"), known).feed.entries) == 1


def test_a_document_cut_in_the_tag_of_an_item_has_the_items_before() -> None:
    body = b"<rss version='2.0'><channel><item><author>A</author></item><item"
    assert [entry.authors for entry in changes(body).feed.entries] == [(Author(name="A"),)]


@pytest.mark.parametrize("attribute", ['xml:lang="fr"', 'xml:base="http://b.org/"', 'xmlns:x="u"'])
def test_attributes_of_the_root_are_part_of_every_item(attribute: str) -> None:
    body = atom("<entry><id>urn:1</id></entry>")
    assert changes(body).item_hashes != changes(body.replace(b"><entry", b"")).item_hashes
    known = changes(body).item_hashes
    changed = body.replace(b"<feed", f"<feed {attribute}".encode())
    assert len(changes(changed, known).feed.entries) == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss("<item>x</item>").decode().encode("utf-16"), id="UTF-16 too"),
        pytest.param(rss("<item>x</item><items/>"), id="names that begin like an item"),
        pytest.param(rss("<item\n>x</item><!-- <b -->"), id="comments between"),
        pytest.param(rss("<item><![CDATA[ ]] > <b> ]]></item>"), id="CDATA within"),
        pytest.param(rss("<item>x</item>", head="<!DOCTYPE rss>"), id="a DOCTYPE"),
        pytest.param(
            rss('<item xml:lang="fr"><description><div>x</div></description></item>'),
            id="markup and a language",
        ),
        pytest.param(rss('<item xmlns:dc="urn:x">y</item>'), id="a prefix with another namespace"),
        pytest.param(rss("<item><channel>x</channel></item>"), id="a channel in an item"),
    ],
)
def test_documents_that_can_be_split(body: bytes) -> None:
    assert len(hashes(changes(body))) == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss("<item><item>x</item></item>"), id="items in items"),
        pytest.param(rss("<item>x</item><item/>"), id="empty items without end tag"),
        pytest.param(rss("<item><![CDATA[</item>]]></item>"), id="an end tag in CDATA"),
        pytest.param(rss("<item><!-- <item> --></item>"), id="an item in an item's comment"),
        pytest.param(rss("<!-- <item>x</item> --><item>y</item>"), id="an item in a comment"),
        pytest.param(rss("<![CDATA[<item>x</item>]]>"), id="an item in CDATA"),
        pytest.param(rss("<?php <item>x</item> ?>"), id="an item in an instruction"),
        pytest.param(rss("<item>x</item><item>"), id="an item without end"),
        pytest.param(rss("<item>a & b</item>"), id="what is not well-formed"),
        pytest.param(rss("<item>x</item>", head='<!DOCTYPE r [<!ENTITY e "f">]>'), id="entities"),
        pytest.param(rss("<entry>x</entry>"), id="entries in RSS"),
        pytest.param(rss("<item>x</item><ITEM>y</ITEM>"), id="items in capitals"),
        pytest.param(
            b"<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:entry/></a:feed>", id="prefix"
        ),
    ],
)
def test_documents_that_can_not_be_split_for_certain_are_parsed_in_full(body: bytes) -> None:
    found = changes(body)
    assert found.item_hashes == b""
    assert found.feed.entries == document.parse(body, content_type="", url=URL).entries


def test_a_new_item_that_is_ill_formed_brings_the_full_parse() -> None:
    good = "<item><guid>1</guid></item>"
    known = changes(rss(good)).item_hashes
    found = changes(rss(f"<item><guid>2</guid>a & b</item>{good}"), known)
    assert [entry.guid for entry in found.feed.entries] == ["2", "1"]
    assert found.item_hashes == b""
    assert found.feed.problems


def test_a_new_item_that_swallows_known_ones_brings_the_full_parse() -> None:
    good = "<item><guid>1</guid></item>"
    known = changes(rss(good)).item_hashes
    found = changes(rss(f"<item><guid>2</guid><!-- </item>{good} --></item>"), known)
    assert [entry.guid for entry in found.feed.entries] == ["2"]
    assert found.item_hashes == b""


FRAGMENTS = [
    "<title>T</title>",
    '<title xml:lang="fr" xml:base="http://b.org/c/">T</title>',
    "<link>rel/1</link>",
    "<guid>g</guid>",
    "<description>&lt;b>d&lt;/b></description>",
    "<description>a<div>b</div></description>",
    "<description><p>a</p> b</description>",
    "<content:encoded><![CDATA[<p>c</p>]]></content:encoded>",
    '<content type="html">c</content>',
    '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>c</p></div></content>',
    "<summary>s</summary>",
    "<dc:creator>A</dc:creator>",
    "<author><name>N</name></author>",
    "<author>a@e.org (N)</author>",
    '<category domain="x">c</category>',
    "<category/>",
    "<image><url>i.png</url><title>it</title><link>http://i.org/</link></image>",
    '<source url="http://s.org/">S</source>',
    "<source><id>s</id><title>st</title></source>",
    "<pubDate>Sat, 27 Jun 2009 21:26:00 GMT</pubDate>",
    "<dc:date>2009-06-27</dc:date>",
    "<dc:language>es</dc:language>",
    "<media:group><media:title>m</media:title><media:content url='m.jpg'/></media:group>",
    "<media:description>md</media:description>",
    "<itunes:summary>is</itunes:summary>",
    "<itunes:image href='ii.jpg'/>",
    "<itunes:owner><itunes:name>o</itunes:name></itunes:owner>",
    "<media:credit xmlns:media='http://search.yahoo.com/mrss/'>c</media:credit>",
    "<dc:title xmlns:dc='http://search.yahoo.com/mrss/'>d</dc:title>",
    "<textInput><title>x</title></textInput>",
    "<enclosure url='e.mp3'/>",
    "<svg>x</svg>",
    "<x:y xmlns:x='urn:x'>z</x:y>",
    "<channel><title>inner</title></channel>",
    "<!-- c -->",
    "<!-- </item> -->",
    "<![CDATA[<item>]]>",
    "a & b",
    "text",
]
CHANNEL_FRAGMENTS = [
    "<title>H</title>",
    "<link>http://h.org/l/</link>",
    "<link>/relative</link>",
    "<description>a<div>b</div></description>",
    "<language>en_GB</language>",
    "<image><url>h.png</url><title>it</title></image>",
    "<textInput><title>ti</title></textInput>",
    "<author>h@h.org (H)</author>",
    "<itunes:image href='hi.png'/>",
    "<itunes:owner><itunes:name>o</itunes:name></itunes:owner>",
    "<a:link rel='self' href='s'/>",
    "<dc:date>2019-01-01</dc:date>",
    "<!-- <item>x</item> -->",
    "<item/>",
]
ITEM_ATTRIBUTES = ["", "", ' xml:lang="nl"', ' xml:base="http://ib.org/x/"', ' xml:base="sub/"']


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Documents of odd parts, well-formed or not."""
    atom_wanted = draw(st.booleans())
    name = "entry" if atom_wanted else "item"
    fragments = st.lists(st.sampled_from(FRAGMENTS), max_size=4).map("".join)
    shell = st.lists(st.sampled_from(CHANNEL_FRAGMENTS), max_size=3).map("".join)
    inside = draw(shell)
    for number in range(draw(st.integers(1, 4))):
        attribute = draw(st.sampled_from(ITEM_ATTRIBUTES))
        inside += f"<{name}{attribute}>{draw(fragments)}<n>{number}</n></{name}>"
    inside += draw(shell)
    return atom(inside, attributes=NAMESPACES) if atom_wanted else rss(inside)


@settings(max_examples=200)
@given(documents(), st.sets(st.integers(0, 3)))
def test_the_same_values_as_a_full_parse(body: bytes, new: set[int]) -> None:
    assert_same_values(body, new)


@settings(max_examples=300)
@given(generated.documents(), st.sets(st.integers(0, 2)))
def test_the_same_values_as_a_full_parse_of_any_elements(body: bytes, new: set[int]) -> None:
    try:
        assert_same_values(body, new)
    except NotAFeed:
        event("no feed")


def test_the_same_values_as_a_full_parse_over_real_feeds(corpus: Path) -> None:
    compared = 0
    for path in sorted(corpus.iterdir()):
        body = path.read_bytes()
        try:
            found = changes(body)
        except NotAFeed:
            continue
        count = len(hashes(found))
        for position in {0, count // 2, count - 1} & set(range(count)):
            assert_same_values(body, {position})
            compared += 1
    assert compared
