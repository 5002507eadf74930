"""Ill-formed documents lose no item, and each item keeps its own values."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.models.entry import ParsedFeed
from aggregator.parse import fallback, repair
from aggregator.parse.decode import NotAFeed
from aggregator.parse.tree import BEYOND_REPAIR
from tests.effort import effort
from tests.parse import parse, rss

NEXT = "<item><title>b</title></item>"


def titles(feed: ParsedFeed) -> list[str]:
    return [entry.title.value if entry.title else "" for entry in feed.entries]


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param(f"<item><title>a</item>{NEXT}", id="no end of the title"),
        pytest.param(f"<item><title>a</title>{NEXT}", id="no end of the item"),
        pytest.param(f"<item><title>a</Title></item>{NEXT}", id="an end tag in another case"),
        pytest.param(f"<item><title>a</title></b></item></p>{NEXT}", id="ends of nothing"),
        pytest.param(f"<item><title>a</title></item></channel>{NEXT}", id="an early end"),
        pytest.param(
            f"<item><title>a</title></item></channel></rss>{NEXT}", id="an end before all"
        ),
        pytest.param(
            f"<item><title>a</title></item></channel></rss><rss><channel>{NEXT}", id="two feeds"
        ),
        pytest.param(f"<item><title>a</title><1x>y</1x></item>{NEXT}", id="a tag that is none"),
        pytest.param(f"<item><title>a</title><x y=<z></item>{NEXT}", id="a tag in a tag"),
        pytest.param(
            f"<item><title>a</title><description><p>One<br>two<p></description></item>{NEXT}",
            id="HTML that is no XML",
        ),
        pytest.param(
            f"<item><title>a</title><description><![CDATA[x</description></item>{NEXT}",
            id="CDATA without end",
        ),
        pytest.param(f"<item><title>a</title><!-- x</item>{NEXT}", id="a comment without end"),
        pytest.param("<item><title>a</title></item><item><title>b", id="a document cut off"),
    ],
)
def test_every_item_of_an_ill_formed_document_is_read(inside: str) -> None:
    feed = parse(rss(inside))
    assert titles(feed) == ["a", "b"]
    assert feed.problems
    assert BEYOND_REPAIR not in feed.problems


END = len("</channel></rss>")


@pytest.mark.parametrize(
    ("body", "cut"),
    [
        (rss(f"{NEXT}{NEXT}"), [False, False]),
        (rss(f"{NEXT}<item><title>b</title>"), [False, False]),
        (rss(f"{NEXT}<item><description>The first ha")[:-END], [False, True]),
        (rss(f"{NEXT}<item><description><![CDATA[<p>The")[:-END], [False, True]),
        (rss(NEXT)[:-END], [False]),
    ],
)
def test_an_item_cut_by_the_end_of_the_document_is_marked(body: bytes, cut: list[bool]) -> None:
    assert [entry.is_cut for entry in parse(body).entries] == cut


@pytest.mark.parametrize(
    "root",
    ["<rss version=<x>>", "<rss version='2.0 xmlns:x='y'>", "<rs version='2.0'>", "rss>", ""],
)
def test_a_broken_root_is_replaced(root: str) -> None:
    feed = parse(f"{root}<channel><title>T</title>{NEXT}{NEXT}</channel></rss>".encode())
    assert titles(feed) == ["b", "b"]
    assert feed.title == "T"
    assert BEYOND_REPAIR not in feed.problems


def test_text_before_the_root_is_skipped() -> None:
    assert titles(parse(b"<br />\n<b>Warning</b>: x\n" + rss(NEXT))) == ["b"]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("R&D, &lt;3 and AT&T;", "R&D, <3 and AT&T;"),
        ("a < b", "a < b"),
        ("a ]]> b", "a ]]> b"),
        ("caf&eacute;&hellip;", "café…"),
        ("&nosuch; & &#38;", "&nosuch; & &"),
        ("<![CDATA[a & b]]> & c", "a & b & c"),
    ],
)
def test_bare_characters_and_references_of_html_are_text(sent: str, read: str) -> None:
    (entry,) = parse(rss(f"<item><title>{sent} &</title></item>")).entries
    assert entry.title is not None
    assert entry.title.value == f"{read} &"


@pytest.mark.parametrize(
    ("attributes", "url"),
    [
        ("url='http://e.example/?a=1&b=2'", "http://e.example/?a=1&b=2"),
        ("url=http://e.example/1.jpg ", "http://e.example/1.jpg"),
        ('url="http://e.example/<1>.jpg"', "http://e.example/<1>.jpg"),
        ('url="http://e.example/1.jpg" url="http://e.example/2.jpg"', "http://e.example/1.jpg"),
        ('url="http://e.example/1.jpg"width="9"', "http://e.example/1.jpg"),
    ],
)
def test_attributes_that_are_ill_formed_are_read(attributes: str, url: str) -> None:
    (entry,) = parse(rss(f"<item><media:thumbnail {attributes}/></item>")).entries
    assert [image.url for image in entry.images] == [url]


def test_entities_that_a_doctype_declares_are_their_text() -> None:
    head = '<!DOCTYPE rss [<!ENTITY firm "Salt &#38; Tar"> <!ENTITY e "&#233;">]>'
    feed = parse(rss("<item><title>&firm;, caf&e;</title></item>", head=head))
    assert titles(feed) == ["Salt & Tar, café"]
    assert feed.problems == ()


def test_declared_entities_are_not_put_in_without_bound() -> None:
    head = f'<!DOCTYPE rss [<!ENTITY e "{"x" * 100}">]>'
    body = rss(f"<item><title>{'&e;' * 50_000}</title></item>", head=head)
    assert len(titles(parse(body))[0]) <= repair.MOST_EXPANDED


def test_documents_beyond_repair_are_read_by_feedparser_and_our_rules() -> None:
    first = (
        '<rss><x y="<item>"/><item><guid>1</guid><title>a</title><link>http://e.example/1</link>'
        "<author>i@b.example (Ida)</author><category>c</category>"
        "<enclosure url='http://e.example/1.mp3' type='audio/mpeg'/>"
        "<description>&lt;p>D&lt;/p></description><content:encoded>C</content:encoded>"
        "<pubDate>Sat, 27 Jun 2009 21:26:00 GMT</pubDate></item>"
    )
    feed = parse(f"{first}{NEXT}</rss>".encode())
    assert BEYOND_REPAIR in feed.problems
    assert titles(feed) == ["a", "b"]
    entry = feed.entries[0]
    assert (entry.guid, entry.link, entry.categories) == ("1", "http://e.example/1", ("c",))
    assert [(author.name, author.email) for author in entry.authors] == [("Ida", "i@b.example")]
    assert [each.url for each in entry.enclosures] == ["http://e.example/1.mp3"]
    assert entry.summary is not None
    assert entry.content is not None
    assert (entry.summary.value, entry.content.value) == ("<p>D</p>", "C")
    assert entry.published is not None


def test_feedparser_s_values_have_no_characters_that_xml_forbids() -> None:
    root = fallback.read(b"<rss version='2.0'><channel><title>a&#x1f;b</title></channel></rss>")
    assert "".join(root.itertext()).strip() == "ab"


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from(
            ["<a>", "</a>", "<b c='1'>", "</b>", "<item>", "</item>", "<", "&", "x", "<br>", "'",
             '"', "<![CDATA[", "]]>", "<!--", "-->", "<?p", "?>", "</rss>", "<a b=c", ">", "/>"]
        ),
        max_size=30,
    )
)  # fmt: skip
def test_any_tags_become_balanced(tokens: list[str]) -> None:
    body = repair.repair_references(f"<rss>{''.join(tokens)}</rss>".encode())
    open_tags = 0
    balanced = repair.without_opaque(repair.balance(body)).decode()
    for tag in balanced.split("<")[1:]:
        open_tags += -1 if tag.startswith("/") else not tag.partition(">")[0].endswith("/")
        assert open_tags >= 0
    assert open_tags == 0


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss("&" * 100_000), id="ampersands"),
        pytest.param(rss("<![CDATA[" * 50_000), id="CDATA without end"),
        pytest.param(rss("<!--" * 50_000), id="comments without end"),
        pytest.param(rss("<?" * 50_000), id="instructions without end"),
        pytest.param(rss("<" * 100_000), id="starts of tags"),
        pytest.param(rss("</a>" * 50_000), id="end tags"),
        pytest.param(rss('<a b="' * 50_000), id="values without end"),
        pytest.param(rss("<a b='\"" * 50_000), id="quotes of both kinds"),
        pytest.param(rss("<item><a>" * 20_000), id="items without end"),
        pytest.param(rss("&a " + "<br>" * 50_000), id="HTML"),
    ],
)
def test_repair_takes_time_in_proportion(body: bytes) -> None:
    xml = b""
    with effort() as spent, contextlib.suppress(NotAFeed):
        xml = repair.balance(repair.repair_references(body))
    assert spent.times < 100
    assert len(xml) < 8 * len(body)
