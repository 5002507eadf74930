"""The fast ways of reading text find what the patterns find that say what is meant."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.clean import counters, text
from aggregator.clean.html import sanitise as sanitiser
from aggregator.clean.html.rewrite import rewrite
from aggregator.clean.html.sanitise import sanitise
from tests.clean.test_html import MARKUP

ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
SPACES = " \t\n\r\x0b\x1c\x85\xa0\u2028\u202f\u3000"
CHARACTERS = st.one_of(
    st.sampled_from(f"{SPACES}aé中😀\x00\x07\x7f\x80\x9f\xad\u200b\ud800\ufffd\ufffe\uffff"),
    st.characters(),
)
TEXTS = st.text(CHARACTERS)
PARTS = [
    *[
        "7",
        "12",
        "1,234",
        "٣",
        "７",
        "5k",
        " ",
        "\u202f",
        "(",
        ": ",
        "：",
        "[",
        ") ",
        ". ",
        "| ",
        ", ",
    ],
    *["comments", "Replies", "likes", "total comments", "points", "ago", " ago", "hours", "words"],
    *["评论", "条评论", "コメント", "❤", "👍\ufe0f", "é", "ſhares", "Kommentare", "تعليق", "x5"],
]
COUNTED = st.lists(st.sampled_from(PARTS)).map("".join)

BASE = "https://example.org/"
_NESTED = st.sampled_from((
    "a", "b", "blockquote", "code", "dd", "div", "dl", "dt", "em", "figure", "h2", "h3", "i", "li",
    "math", "ol", "p", "pre", "q", "ruby", "rt", "span", "summary", "table", "td", "tr", "ul",
))  # fmt: skip
_LEAVES = st.sampled_from((
    "a", " ", "\n", "&amp;", "&nbsp;", "<br>", "<hr>", "<wbr>", "<img src=/a.png>",
    "<img src='https://[::1]/a.png'>", "<input type=checkbox>",
))  # fmt: skip
_WRITTEN = st.sampled_from((
    "", "", " href=/x", " href='#a' id=a", " href='https://xn--a.example/'", " title='<\r&quot;'",
))  # fmt: skip
TREES = st.recursive(
    _LEAVES,
    lambda inner: st.builds(
        "<{0}{1}>{2}</{0}>".format, _NESTED, _WRITTEN, st.lists(inner, max_size=4).map("".join)
    ),
)


@given(st.one_of(TREES, MARKUP))
def test_a_parser_changes_nothing_in_sanitised_html(value: str) -> None:
    markup = sanitise(value, base=BASE)
    assert sanitiser._JUDGE.clean(markup) == markup


def is_stable(markup: str) -> bool:
    rewritten = rewrite(markup, BASE)
    assert rewritten
    return rewritten.is_stable


@pytest.mark.parametrize(
    "markup",
    [
        '<h2>a</h2><p>b <a href="/x">c <b>d</b></a><br></p><ul><li><p>e</p></li></ul><hr>',
        "<b><p>a</p></b><blockquote><div><pre>\n\nb<i>c</i></pre></div></blockquote>",
        '<dl><dt>a</dt><dd>b</dd></dl><p><img src="/a.png" alt="&lt;"></p><p></p>',
        '<a href="#a">b</a><p id="a">c</p>',
    ],
)
def test_usual_html_is_stable(markup: str) -> None:
    assert is_stable(markup)


@pytest.mark.parametrize(
    "markup",
    [
        "<p>a<div>b</div></p>",
        "<h2><span><h3>a</h3></span></h2>",
        "<h2>a<hr></h2>",
        "<a><b><a>c</a></b></a>",
        "<a><p><i><a>c</a></i></p></a>",
        "<li>a</li>",
        "<ul><li><div><li>a</li></div></li></ul>",
        "<table><b>a</b></table>",
        "<math><mi>a</mi></math>",
        "<ruby>a<rt>b</rt></ruby>",
        "<p>a",
        "a</p>",
        '<a href="https://xn--bcher-kva.example/">b</a>',
        '<a href="https://[::1]/" title="b">c</a>',
        '<img src="https://a_b.example/c.png">',
        '<iframe src="/a"></iframe>',
        '<video src="/a"></video>',
        '<input type="checkbox">',
    ],
)
def test_what_a_parser_may_change_is_not_stable(markup: str) -> None:
    assert not is_stable(markup)


@given(TEXTS)
def test_characters_that_are_removed(value: str) -> None:
    assert text.legal(value) == ILLEGAL.sub("", value)


def test_only_references_to_usual_characters_are_not_looked_at() -> None:
    skipped = [
        code
        for code in range(0x110000)
        if not all(
            map(sanitiser._UNUSUAL_REFERENCE.search, (f"&#{code};", f"&#0{code};", f"&#x{code:X};"))
        )
    ]
    assert {0x27, 0xA0, 0x2019, 0x1F600} <= set(skipped)
    assert not [code for code in skipped if ILLEGAL.match(chr(code)) or chr(code) == "\r"]
    assert sanitiser._UNUSUAL_REFERENCE.search("&#8217")


@given(TEXTS)
def test_white_space_is_folded(value: str) -> None:
    shown = value.replace("<", "").replace("&", "")
    assert text.plain(shown) == " ".join(ILLEGAL.sub("", shown).split())


@given(MARKUP)
def test_sanitised_text_hides_nothing(value: str) -> None:
    content = sanitise(value, base="https://example.org/")
    assert text.plain_of(content) == text.plain(content)


@given(COUNTED)
def test_a_counter_begins_after_a_digit(words: str) -> None:
    parts = re.split(r"\d", words)[1:]
    if counters._COUNTED.search(words):
        assert any(map(counters._AFTER.match, parts))
    if counters._AGO.search(words):
        assert any(map(counters._AFTER_AGO.match, parts))


@given(COUNTED)
def test_a_text_is_cut_at_each_digit(words: str) -> None:
    is_usual = not words.encode().translate(None, counters._USUAL)
    assert counters._between_digits(words, is_usual=is_usual) == re.split(r"\d", words)
