"""Which texts are HTML, and how markup in elements is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.models.entry import ParsedEntry, Text
from aggregator.parse.text import fix_encoding
from tests.parse import atom_entry, rss_item

XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def read(text: Text | None) -> tuple[str, str] | None:
    return (text.type, text.value) if text else None


@pytest.mark.parametrize(
    ("sent", "kind", "value"),
    [
        ("One\n\nTwo &lt;later&gt; x", "text", "One\n\nTwo <later> x"),
        ("Map&lt;String&gt; is a\ntype", "text", "Map<String> is a\ntype"),
        ("Salt &amp; tar", "text", "Salt & tar"),
        ("Salt &amp;amp; tar\nTwo", "text", "Salt & tar\nTwo"),
        ("Salt &amp;amp; tar", "html", "Salt &amp; tar"),
        ("&lt;P&gt;One&lt;BR&gt;two", "html", "<P>One<BR>two"),
        ("One &lt;img src='p.png'/&gt;", "html", "One <img src='p.png'/>"),
        ("&lt;!-- x --&gt;One", "html", "<!-- x -->One"),
        ("1 &lt; 2", "text", "1 < 2"),
        ("Press &lt;a&gt; or &lt;b&gt;", "text", "Press <a> or <b>"),
        ("Press &lt;a href='/'&gt;here", "html", "Press <a href='/'>here"),
        ("One&lt;/b&gt;", "html", "One</b>"),
    ],
)
def test_a_description_is_html_where_html_is_in_it(sent: str, kind: str, value: str) -> None:
    for element in ("description", "media:description"):
        assert read(rss_item(f"<{element}>{sent}</{element}>").summary) == (kind, value)


def test_a_text_declared_as_plain_is_plain() -> None:
    entry = rss_item('<media:description type="plain">A &lt;b> c</media:description>')
    assert read(entry.summary) == ("text", "A <b> c")


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ("The &lt;head&gt; element", "text"),
        ("Use &lt;b&gt; now", "text"),
        ("list&lt;int&gt; of C++", "text"),
        ("&lt;em&gt;So&lt;/em&gt; it is", "html"),
        ("One&lt;br/&gt;two", "html"),
        ("It&amp;apos;s", "html"),
        ("It&amp;#8217;s", "html"),
        ("Ticket &amp;#8217 again", "html"),
        ("R&amp;#x", "text"),
        ("Salt &amp;plus; tar", "html"),
        ("Salt &amp;nosuch; tar", "text"),
    ],
)
def test_a_title_is_html_where_tags_or_references_are_meant(sent: str, kind: str) -> None:
    title = rss_item(f"<title>{sent}</title>").title
    assert title is not None
    assert title.type == kind


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            f'<content type="xhtml"><div {XHTML}>a<br/>&lt;b&gt; &amp;</div></content>',
            ("xhtml", "a<br>&lt;b&gt; &amp;"),
            id="XHTML",
        ),
        pytest.param(
            '<content type="xhtml"><x:div xmlns:x="http://www.w3.org/1999/xhtml">'
            '<x:p class="q">a</x:p></x:div></content>',
            ("xhtml", '<p class="q">a</p>'),
            id="XHTML with a prefix",
        ),
        pytest.param(
            f'<content type="xhtml"><div {XHTML}>a</div><div {XHTML}>b</div></content>',
            ("xhtml", "<div>a</div><div>b</div>"),
            id="two divs",
        ),
        pytest.param(
            f'<content type="xhtml"><div {XHTML} dir="rtl">a</div></content>',
            ("xhtml", '<div dir="rtl">a</div>'),
            id="a div with a direction",
        ),
        pytest.param(
            '<content type="image/svg+xml"><svg xmlns="http://www.w3.org/2000/svg">'
            "<title>T</title></svg></content>",
            ("xhtml", "<svg><title>T</title></svg>"),
            id="a picture in XML",
        ),
        pytest.param(
            '<content type="text/markdown"># A &lt;b></content>', ("text", "# A <b>"), id="text/*"
        ),
        pytest.param('<content type="markdown">A</content>', ("text", "A"), id="no media type"),
        pytest.param('<content type="HTML">&lt;p></content>', ("html", "<p>"), id="any case"),
        pytest.param('<content type="application/zip">UEs=</content>', None, id="bytes"),
        pytest.param('<content type="application/xml"><x/></content>', None, id="other XML"),
        pytest.param(
            '<content type="html"><p>a &lt;i>b&lt;/i></p>c</content>',
            ("html", "<p>a <i>b</i></p>c"),
            id="elements beside escaped markup",
        ),
    ],
)
def test_content_of_each_type(content: str, expected: tuple[str, str] | None) -> None:
    assert read(atom_entry(content).content) == expected


@pytest.mark.parametrize(
    ("entry", "summary", "content"),
    [
        pytest.param(
            rss_item(
                "<media:content url='p.jpg' medium='image'><media:description>C, long"
                "</media:description></media:content><description>D</description>"
            ),
            "D",
            None,
            id="a caption before the description",
        ),
        pytest.param(
            rss_item("<itunes:summary>I, long</itunes:summary><description>D</description>"),
            "D",
            None,
            id="a blurb before the description",
        ),
        pytest.param(rss_item("<itunes:subtitle>S</itunes:subtitle>"), "S", None, id="a subtitle"),
        pytest.param(
            rss_item("<description/><itunes:summary>I</itunes:summary>"), "I", None, id="empty"
        ),
        pytest.param(
            rss_item(f"<description>D</description><body {XHTML}><p>B</p></body>"),
            "D",
            "<p>B</p>",
            id="a body of XHTML",
        ),
    ],
)
def test_summary_and_content_are_read_by_name(
    entry: ParsedEntry, summary: str, content: str | None
) -> None:
    assert entry.summary is not None
    assert entry.summary.value == summary
    assert (entry.content.value if entry.content else None) == content


@pytest.mark.parametrize(
    ("sent", "meant"),
    [("cafÃ©", "café"), ("café", "café"), ("it\x92s", "it’s"), ("Ã", "Ã"), ("plain", "plain")],
)
def test_text_of_a_wrong_encoding_is_repaired(sent: str, meant: str) -> None:
    assert fix_encoding(sent) == meant


@given(st.text(st.sampled_from("aé\x80\x92\xa0¿Âãð€’中")))
def test_an_encoding_is_restored_wherever_it_can_be(value: str) -> None:
    try:
        restored = value.encode("iso-8859-1").decode()
    except UnicodeError:
        restored = value
    assert fix_encoding(value) == restored.replace("\x80", "€").replace("\x92", "’")
