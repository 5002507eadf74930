import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from aggregator.clean.html import bounds, constructs, plain
from aggregator.clean.html.sanitise import sanitise
from aggregator.models.entry import Text
from aggregator.parse import document
from aggregator.parse.decode import NotAFeed
from tests.clean.checks import ILLEGAL, TAGS, assert_inert
from tests.clean.payloads import PAYLOADS
from tests.effort import effort

BASE = "https://example.org/blog/"
REL = 'rel="noopener noreferrer nofollow"'

SANITISED = {
    "allowed markup stays as it is": (
        "<h2>T</h2><p>a <em>b</em> <code>c</code></p><ul><li>d</li></ul>",
        "<h2>T</h2><p>a <em>b</em> <code>c</code></p><ul><li>d</li></ul>",
    ),
    "what is not closed is closed": ("<p>a<b>b<i>c", "<p>a<b>b<i>c</i></b></p>"),
    "what was never opened is not closed": ("a</div></b></body>b", "ab"),
    "an unknown tag goes, its text stays": ("<blink>a</blink><x-y>b</x-y>", "ab"),
    "presentation and hooks for scripts go": (
        '<p class="c" id="i" style="color:red" onclick="x()" data-x="y" align="left">a</p>',
        "<p>a</p>",
    ),
    "a relative link is resolved": (
        '<a href="../x?y=1&amp;z=2">a</a>',
        f'<a href="https://example.org/x?y=1&amp;z=2" {REL}>a</a>',
    ),
    "a link to a protocol-relative URL takes the base's scheme": (
        '<a href="//example.com/">a</a>',
        f'<a href="https://example.com/" {REL}>a</a>',
    ),
    "a mail address may be linked": (
        '<a href="mailto:a@example.org">a</a>',
        f'<a href="mailto:a@example.org" {REL}>a</a>',
    ),
    "a link to a place in the page loses its target": ('<a href="#fn1">1</a>', "<a>1</a>"),
    "an unsafe link keeps its text": ('<a href="javascript:x()">a</a>', "<a>a</a>"),
    "a password in a link goes": (
        '<a href="https://u:p@example.com/">a</a>',
        f'<a href="https://example.com/" {REL}>a</a>',
    ),
    "a picture keeps source, words and size": (
        '<img src="i.png" alt="A &quot;b&quot;" width="20px" height="10" loading=lazy>',
        '<img src="https://example.org/blog/i.png" alt="A &quot;b&quot;" width="20" height="10">',
    ),
    "a size in percent is no size": (
        '<img src="/i.png" width="100%">',
        '<img src="https://example.org/i.png">',
    ),
    "a counting pixel goes": ('a<img src="/t.gif" width="1" height="1">b', "ab"),
    "a counting pixel of no height goes": ('<img src="/t.gif" height=0>', ""),
    "a counting pixel made by style goes": ('<img src="/t.gif" style="width: 1px;">', ""),
    "a picture that is not shown goes": ('<img src="/t.gif" style="display:none">', ""),
    "a picture of 10 pixels is no counting pixel": (
        '<img src="/t.gif" width="10" height="16" style="width:10px">',
        '<img src="https://example.org/t.gif" width="10" height="16">',
    ),
    "a picture without a source goes": ('a<img alt="b">', "a"),
    "a picture that a script would load is shown": (
        '<img src="data:image/gif;base64,AA" data-src="/i.png" alt="a">',
        '<img alt="a" src="https://example.org/i.png">',
    ),
    "a picture with only a srcset is shown": (
        '<img srcset="/s.png 1x, /l.png 2x">',
        '<img src="https://example.org/l.png">',
    ),
    "a picture of a character becomes the character": (
        'a<img src="https://s.w.org/images/core/emoji/14/72x72/1f3c9.png" alt="🏉">b',
        "a🏉b",
    ),
    "a picture's other sizes go": (
        '<img srcset="/l.png 2x" sizes="1px" src="/s.png" data-orig-file="/m.png">',
        '<img src="https://example.org/s.png">',
    ),
    "a picture element becomes its picture": (
        '<picture><source srcset="/i.webp" type="image/webp"><img src="/i.png"></picture>',
        '<img src="https://example.org/i.png">',
    ),
    "figures keep their captions": (
        '<figure><img src="/i.png"><figcaption>c</figcaption></figure>',
        '<figure><img src="https://example.org/i.png"><figcaption>c</figcaption></figure>',
    ),
    "a film waits for its reader": (
        '<video src="/v.mp4" autoplay loop muted poster="/p.jpg"></video>',
        '<video src="https://example.org/v.mp4" poster="https://example.org/p.jpg" controls=""'
        ' preload="none"></video>',
    ),
    "a film without a source goes": ('a<video poster="/p.jpg"><source src="data:x"></video>', "a"),
    "a film keeps the words for those who can't see it": (
        '<video autoplay><source src="/v.mp4" type="video/mp4">no film</video>',
        '<video controls="" preload="none"><source src="https://example.org/v.mp4"'
        ' type="video/mp4">no film</video>',
    ),
    "a frame becomes a link": (
        '<p>a</p><iframe width="560" src="//www.example.com/embed/x?a=1&amp;b=2">no</iframe>b',
        f'<p>a</p><p><a href="https://www.example.com/embed/x?a=1&amp;b=2" {REL}>'
        "www.example.com</a></p>b",
    ),
    "a counting frame goes": ('<iframe src="/t" width=1 height=1></iframe>a', "a"),
    "a frame without a source goes": ("<iframe>x</iframe>a", "a"),
    "a frame of any case is found": (
        "<IFRAME SRC=https://example.com/x></IFRAME>",
        f'<p><a href="https://example.com/x" {REL}>example.com</a></p>',
    ),
    "a table stays": (
        '<table><tr><th scope="row" colspan=2>a</th><td></td></tr></table>',
        '<table><tbody><tr><th scope="row" colspan="2">a</th><td></td></tr></tbody></table>',
    ),
    "code keeps its lines": ("<pre>a\n  b\n</pre>", "<pre>a\n  b\n</pre>"),
    "line ends that a reader drops are dropped once for all": (
        "<pre>\n\n\na</pre>",
        "<pre>a</pre>",
    ),
    "empty elements go": ("<p>a</p><p>&nbsp;</p><div><span> </span></div><p><br></p>", "<p>a</p>"),
    "an empty element keeps words apart": ("a<b> </b>b<i></i>c", "a bc"),
    "lists keep their numbers": (
        '<ol start="3" reversed><li value="7">a</li></ol>',
        '<ol start="3" reversed=""><li value="7">a</li></ol>',
    ),
    "details stay": (
        "<details open><summary>a</summary>b</details>",
        '<details open=""><summary>a</summary>b</details>',
    ),
    "the direction of writing stays": (
        '<p dir="rtl" lang="ar">a</p><p dir="x">b</p>',
        '<p dir="rtl" lang="ar">a</p><p>b</p>',
    ),
    "text alone stays text": ('a > b & "c" d', 'a &gt; b &amp; "c" d'),
    "text without any markup is only escaped": ("a > b\xa0c\r\nd", "a &gt; b&nbsp;c\nd"),
    "a bare < is text": ("1 < 2", "1 &lt; 2"),
    "entities are decoded": ("&eacute;&rsquo;&#x4e2d;&lt;", "é’中&lt;"),
    "forbidden characters go, in every form": ("a\x00\x0b&#1;&#xFFFE;\ud800\ufffeb", "ab"),
    "a carriage return is a line end": ("a\r\nb&#13;<br>", "a\nb\n<br>"),
    "comments go": ("a<!-- b -->c", "ac"),
    "what a browser would read otherwise the second time is settled": (
        "<p><object><p>x</p></object></p>",
        "<p>x</p>",
    ),
}


@pytest.mark.parametrize(("markup", "expected"), SANITISED.values(), ids=SANITISED.keys())
def test_sanitise(markup: str, expected: str) -> None:
    assert sanitise(markup, base=BASE) == expected


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("around", ["{}", "<p>a{}b", "<table><tr>{}</table>", "<a href='/x'>{}"])
def test_no_payload_survives(payload: str, around: str) -> None:
    made = sanitise(around.format(payload), base=BASE)
    assert_inert(made)
    assert sanitise(made, base=BASE) == made


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_in_text_are_text(payload: str) -> None:
    made = plain.paragraphs(payload)
    assert_inert(made)
    assert set(re.findall(r"<(\w+)", made)) <= {"p", "br"}


_FOREIGN = (
    "annotation-xml", "body", "button", "desc", "embed", "font", "foreignObject", "form", "iframe",
    "malignmark", "math", "mfrac", "mglyph", "mi", "mo", "mrow", "mtext", "nobr", "noscript",
    "object", "picture", "script", "select", "style", "svg", "template", "text", "textarea",
    "title", "xmp",
)  # fmt: skip
_NAMES = st.sampled_from(sorted(TAGS.union(_FOREIGN)))
_SENT = st.sampled_from((
    "", " href='/x'", " href=javascript:x", " src=x", " onerror=x", " width=1", " style='a'",
    " title='</style><img src=x onerror=y>'", " data-src=/y", " srcset='/z 1x'", " dir=rtl",
    " id=a", " href='#a'", " name=a", " hidden", " style='display:none'", " class=language-x",
    " type=checkbox", " display=block", " align=right", " aria-label='<b>'", " aria-hidden=true",
))  # fmt: skip
_PIECES = st.one_of(
    st.builds("<{}{}>".format, _NAMES, _SENT),
    st.builds("</{}>".format, _NAMES),
    st.sampled_from([" ", "\n", "&nbsp;", "&#13;", "&#1;", "&lt;", "&amp;lt;", "<!--", "-->", "<"]),
    st.text(max_size=5),
)
MARKUP = st.lists(_PIECES, max_size=25).map("".join)


@given(MARKUP)
def test_sanitised_html_is_inert_and_sanitising_it_again_changes_nothing(markup: str) -> None:
    made = sanitise(markup, base=BASE)
    assert_inert(made)
    assert sanitise(made, base="https://elsewhere.example/") == made


@given(st.text())
def test_text_is_kept_as_it_is(words: str) -> None:
    made = plain.paragraphs(words)
    assert_inert(made)
    assert sanitise(made, base=BASE) == made
    shown = lxml_html.fragment_fromstring(made, create_parent="main").text_content()
    assert "".join(shown.split()) == "".join(ILLEGAL_OR_C1.sub("", words).split())


ILLEGAL_OR_C1 = re.compile(f"{ILLEGAL.pattern}|[\x7f-\x84\x86-\x9f]")


def test_text_has_paragraphs_and_lines() -> None:
    words = "one\ntwo <b>\r\n\r\n \n\nthree & four https://example.org/\n"
    assert plain.paragraphs(words) == (
        "<p>one<br>two &lt;b&gt;</p><p>three &amp; four https://example.org/</p>"
    )


class TestFromText:
    def test_no_text_is_no_html(self) -> None:
        assert constructs.from_text(None, base=BASE) == ""

    def test_text_is_escaped(self) -> None:
        assert constructs.from_text(Text(value="a <b> & c", type="text"), base=BASE) == (
            "<p>a &lt;b&gt; &amp; c</p>"
        )

    def test_text_that_must_be_html_is_read_as_such(self) -> None:
        text = Text(value='See <a href="/x">this</a>.', type="text")
        assert constructs.from_text(text, base=BASE) == (
            f'See <a href="https://example.org/x" {REL}>this</a>.'
        )

    @pytest.mark.parametrize("kind", ["html", "xhtml"])
    def test_html_resolves_against_its_own_base(self, kind: str) -> None:
        text = Text(value='<img src="i.png">', type=kind, base="/deep/down/")
        assert constructs.from_text(text, base=BASE) == (
            '<img src="https://example.org/deep/down/i.png">'
        )

    def test_an_invalid_base_is_ignored(self) -> None:
        text = Text(value='<img src="i.png">', base="javascript:x")
        assert constructs.from_text(text, base=BASE) == '<img src="https://example.org/blog/i.png">'


HOSTILE = {
    "a text beyond the limit": "<p>word</p>" * 100_000,
    "100,000 open elements": "<div>" * 100_000 + "end",
    "open elements whose ends are hidden in comments": "<div><!--</div>-->" * 1_000 + "end",
    "many of them": "<div><!--</div>-->" * 50_000 + "end",
    "ends without a start": "</div>" * 100_000 + "end",
    "open elements whose ends are out of scope": "<div><table></div></table>" * 30_000 + "end",
    "list items nested by a foreign element": "<li><object><!--</object>-->" * 30_000 + "end",
    "900,000 ampersands": "&" * 900_000,
    "tags without end": "<p " * 300_000,
    "attributes without end": '<a "' * 200_000,
    "900,000 <": "<" * 900_000,
    "frames without end": "<iframe src=x>" * 60_000,
    "empty elements without end": "<span> </span>" * 60_000,
}


@pytest.mark.parametrize("markup", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_markup_costs_little_and_is_shallow(markup: str) -> None:
    with effort() as spent:
        made = sanitise(markup, base=BASE)
    assert spent.times < 300
    depth = deepest = 0
    for end in re.findall(r"<(/?)(?!br|img)[a-z]", made):
        depth += -1 if end else 1
        deepest = max(deepest, depth)
    assert deepest <= bounds.MAX_DEPTH
    assert "end" not in markup[-3:] or "end" in made


def test_the_corpus_is_sanitised(corpus: Path) -> None:
    for path in sorted(corpus.iterdir()):
        try:
            feed = document.parse(path.read_bytes(), url=BASE)
        except NotAFeed:
            continue
        for entry in feed.entries:
            for text in (entry.content, entry.summary):
                made = constructs.from_text(text, base=BASE)
                assert_inert(made)
                assert sanitise(made, base=BASE) == made


class TestBareText:
    """HTML without elements, as most RSS descriptions of notes and videos."""

    def test_line_breaks_and_words_in_brackets_stay(self) -> None:
        text = Text(value="One\n\nTwo <changelog> &amp; more\n- three")
        assert constructs.from_text(text, base=BASE) == (
            "<p>One</p><p>Two &lt;changelog&gt; &amp; more<br>- three</p>"
        )

    def test_one_line_needs_no_paragraph(self) -> None:
        assert constructs.from_text(Text(value=" a &lt;b&gt; &eacute; "), base=BASE) == (
            "a &lt;b&gt; é"
        )

    def test_blank_lines_between_inline_elements_stay(self) -> None:
        text = Text(value="One <b>two</b>\n \n<i>three</i>\nfour\n\n")
        assert constructs.from_text(text, base=BASE) == ("One <b>two</b><br><br><i>three</i>\nfour")

    def test_blank_lines_beside_blocks_are_white_space(self) -> None:
        text = Text(value="<p>One</p>\n\n<p>two</p>")
        assert constructs.from_text(text, base=BASE) == "<p>One</p>\n\n<p>two</p>"


WRAPPED = (
    "The ferry to the island leaves from the old pier at\nnine and comes back from there at four"
    " in the\nafternoon."
)


@pytest.mark.parametrize(
    ("words", "is_joined"),
    [
        (WRAPPED, True),
        (WRAPPED.replace("four in the\n", "4 in\n"), False),  # the next word had room
        (WRAPPED.replace("\n", "\n  "), True),
        ("A list\nof short\nlines", False),
        (WRAPPED.partition("\nafter")[0], False),
        ("x" * (plain.NARROWEST - 1) + "\ny" * 2, False),
        (("x" * plain.NARROWEST + "\n") * 3, True),
        (("x" * plain.WIDEST + "\n") * 3, True),
        (("x" * (plain.WIDEST + 1) + "\n") * 3, False),
    ],
)
def test_lines_wrapped_by_an_editor_are_joined(words: str, is_joined: bool) -> None:
    assert ("<br>" not in plain.paragraphs(words)) is is_joined
