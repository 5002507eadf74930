"""`parse` reads any document or raises NotAFeed, in bounded time."""

import contextlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aggregator.parse import document
from aggregator.parse.decode import NotAFeed
from tests.effort import effort
from tests.parse import URL, atom, rdf, rss

LITTLE = 200
"""As `effort` measures; the documents below took feedparser minutes or gigabytes."""

NESTED = "\n".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 12))
BOMB = f"<!DOCTYPE rss [\n<!ENTITY e0 'ha'>\n{NESTED}\n]>"
REPEATED = f'<!DOCTYPE rss [\n<!ENTITY e "{"x" * 50_000}">\n]>'


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss("<item><title>&e11;</title></item>", head=BOMB), id="an entity bomb"),
        pytest.param(rss("<item>" + "<a>" * 100_000 + "</a>" * 100_000), id="deep nesting"),
        pytest.param(rss("<item>" + "<a>" * 100_000), id="deep nesting without end"),
        pytest.param(
            rss("<item><a " + " ".join(f"a{n}=''" for n in range(50_000)) + "/></item>"),
            id="attributes without number",
        ),
    ],
)
def test_expensive_documents_are_refused_quickly(body: bytes) -> None:
    with effort() as spent, pytest.raises(NotAFeed):
        document.parse(body, url=URL)
    assert spent.times < LITTLE


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss(f"<item><title>{'&e;' * 5_000}</title></item>", head=REPEATED), id="long"),
        pytest.param(rss("<item><title>" + "&amp;" * 50_000 + "</title></item>"), id="references"),
        pytest.param(rss("<item/>" * 2_000), id="many items"),
        pytest.param(rss(f"<item>{'x' * 200_000}</item>") + b"\xff", id="a bad byte, long texts"),
        pytest.param(
            rss("<x xml:base='a/'>" * 200 + "<item>" + "<a:link href='b'/>" * 20_000 + "</item>"),
            id="many links below many bases",
        ),
        pytest.param(rss("<item>" + "<author>a@b.example</author>" * 20_000), id="many authors"),
        pytest.param(
            rss("<item>" + "<media:group>" * 200 + "<media:content/>" * 20_000), id="media"
        ),
        pytest.param(rss(f"<item><author>{'a@' * 50_000}</author></item>"), id="addresses"),
        pytest.param(rss(f"<item><author>a@{'b' * 100_000}</author></item>"), id="a long host"),
        pytest.param(
            rss(f"<item><description>{'&lt;a ' * 50_000}</description></item>"), id="tags"
        ),
        pytest.param(rss(f"<item><title>{'&lt;/b' * 50_000}</title></item>"), id="ends of tags"),
        pytest.param(rss("<item><category>c</category>" * 1_000), id="items in items"),
        pytest.param(rss("", head="<!--" * 50_000), id="comments without end"),
        pytest.param(b"<!DOCTYPE rss [" + b'"' * 100_001, id="a DOCTYPE without end"),
        pytest.param(b"<?xml " + b"<?" * 100_000, id="instructions without end"),
        pytest.param(rss("<item>" + "<![CDATA[" * 20_000), id="CDATA without end"),
        pytest.param(rss(f"<item>{'<!DOCTYPE [' * 20_000}</item>"), id="DOCTYPEs without end"),
        pytest.param(rss(f"<item>{'<!<!----' * 20_000}</item>"), id="comments in pieces"),
        pytest.param(rss(f"<item>{'<![CDA<![CDATA[TA[' * 9_000}</item>"), id="CDATA in pieces"),
        pytest.param(rss(f"<item>{'<?' * 50_000}</item><item/>"), id="instructions in an item"),
    ],
)
def test_odd_documents_cost_little(body: bytes) -> None:
    with effort() as spent, contextlib.suppress(NotAFeed):
        document.parse_changes(body, url=URL)
    assert spent.times < LITTLE


def test_entries_without_bound_are_not_read() -> None:
    feed = document.parse(rss("<item/>" * (document.MOST_ENTRIES + 1)), url=URL)
    assert len(feed.entries) == document.MOST_ENTRIES
    assert "20,001" in feed.problems[0]


@pytest.mark.parametrize(
    "inside",
    [
        "</media:player>",
        "</textInput>",
        "<x:where/></georss:point>",
        "<image><width>a</b></width></image>",
        "</category>",
        "<georss:point>x</georss:point>",
        "&#xD800;",
    ],
)
def test_documents_that_make_feedparser_raise_are_refused_or_read(inside: str) -> None:
    for body in (rss(inside), rss(f"<item>{inside}</item>")):
        with contextlib.suppress(NotAFeed):
            assert document.parse(body, url=URL).version == "rss20"


SEEDS = [
    rss(
        "<title>T</title><item><title>a &amp; b</title><link>http://e.org/</link>"
        "<description><![CDATA[<p>x</p>]]></description><guid>1</guid>"
        "<pubDate>Sat, 27 Jun 2009 21:26:00 GMT</pubDate><source url='u'>S</source>"
        "<enclosure url='e.mp3' length='1'/><media:group><media:content url='m.jpg'/></media:group>"
        "<itunes:image href='i'/><georss:point>1 2</georss:point></item>"
    ),
    atom("<id>f</id><entry><content type='xhtml'><div>c</div></content><link href='/'/></entry>"),
    rdf("<channel><title>T</title></channel><item><title>t</title></item>"),
    b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": 1, "tags": ["a"]}]}',
]
TOKENS = [
    *(b"<", b">", b"&", b'"', b"'", b"\0", b"\xff", b"\xed\xa0\x80", b"&#0;", b"&#xdfff;", b"&x;"),
    *(b"<!", b"<![", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?", b"?>", b"<!DOCTYPE x [", b"]>"),
    *(
        b"<item>",
        b"</item>",
        b"<entry>",
        b"<link>",
        b"</link>",
        b"</title>",
        b"<image>",
        b"<source>",
    ),
    *(b"</category>", b"</content>", b"<svg>", b"<div>", b" xml:base='http://['", b" type='x'"),
    *(b"{", b"}", b"[", b"null", b"1e999", b"\\ud800", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"),
]
TYPES = [
    "",
    "text/xml; charset=utf-16",
    "text/xml; charset=gb2312",
    "application/json",
    "text/html",
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Documents with parts inserted or removed."""
    body = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(body)))
        if draw(st.booleans()):
            body = body[:at] + draw(st.sampled_from(TOKENS) | st.binary(max_size=4)) + body[at:]
        else:
            body = body[:at] + body[at + draw(st.integers(1, 40)) :]
    return body


@settings(max_examples=400)
@given(mutated() | st.binary(max_size=200), st.sampled_from(TYPES), st.booleans())
@example(b"{", "", True)
def test_parse_never_raises_anything_else(body: bytes, content_type: str, known: bool) -> None:
    with contextlib.suppress(NotAFeed):
        document.parse_changes(
            body, content_type=content_type, url=URL, known=b"\0" * 16 if known else b""
        )
