import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from aggregator.clean import text
from aggregator.clean.html import plain
from aggregator.clean.html.sanitise import sanitise
from aggregator.models import excerpt
from aggregator.models.entry import Text
from tests.clean.test_html import MARKUP
from tests.effort import effort

PLAIN = {
    "tags go": ("<p>a <b>b</b>c</p>", "a bc"),
    "blocks are kept apart": ("<p>a</p><p>b</p>c<br>d<ul><li>e</li><li>f</li></ul>", "a b c d e f"),
    "cells are kept apart": ("<td>a</td><td>b</td>", "a b"),
    "white space is folded": (" a\n\t b&nbsp;&#160; c\u3000d ", "a b c d"),
    "entities are decoded once": ("&lt;b&gt; &amp;amp; &eacute; &#x4e2d;", "<b> &amp; é 中"),
    "scripts and styles go with what is in them": ("a<script>b<p></script>c<style>d", "a c"),
    "comments go": ("a<!-- <p>b</p> -->c", "a c"),
    "a > in an attribute ends no tag": ('<a title="1 > 2">b</a>', "b"),
    "a bare < is text": ("1 < 2", "1 < 2"),
    "a tag without end goes": ("a<p class=", "a"),
    "controls go": ("a\x00\x1bb", "ab"),
}


@pytest.mark.parametrize(("markup", "expected"), PLAIN.values(), ids=PLAIN.keys())
def test_plain(markup: str, expected: str) -> None:
    assert text.plain(markup) == expected


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C"]))))
def test_plain_keeps_the_words_of_paragraphs(words: list[str]) -> None:
    expected = " ".join(" ".join(words).split())
    assert text.plain(plain.paragraphs("\n\n".join(words))) == expected


@given(MARKUP)
def test_plain_reads_sanitised_html_as_another_parser_does(markup: str) -> None:
    clean = sanitise(markup, base="https://example.org/")
    shown = lxml_html.fragment_fromstring(clean, create_parent="main").text_content()
    assert "".join(text.plain(clean).split()) == "".join(shown.split())


TITLES = {
    "text is text": (Text(value="AT&amp;T <b> 1 < 2", type="text"), "AT&amp;T <b> 1 < 2"),
    "html is read": (Text(value="A <b>bold</b> one &amp; more"), "A bold one & more"),
    "xhtml is read": (Text(value="A <em>new</em> one", type="xhtml"), "A new one"),
    "a bare & is an &": (Text(value="AT&T"), "AT&T"),
    "what was escaped twice is read twice": (Text(value="AT&amp;amp;T &amp;#8217;s"), "AT&T ’s"),
    "a tag that is spoken of stays": (
        Text(value="Use &lt;b&gt; and &amp;lt;i&amp;gt;"),
        "Use <b> and &lt;i&gt;",
    ),
    "what is no element of HTML is text": (Text(value="List<T>, vec<int>"), "List<T>, vec<int>"),
    "an element's name with more to it is text": (Text(value="a<b-tree>"), "a<b-tree>"),
    "scripts go": (Text(value="a<script>alert(1)</script>b"), "a b"),
    "it is one line": (Text(value="a\n\tb\x07 \u2028c", type="text"), "a b c"),
    "characters that turn the direction go": (
        Text(value="evil\u202egpj.exe \u2066x\u2069", type="text"),
        "evilgpj.exe x",
    ),
    "characters that join stay": (Text(value="نمی\u200cخواهم", type="text"), "نمی\u200cخواهم"),
    "none is nothing": (None, ""),
}


@pytest.mark.parametrize(("title", "expected"), TITLES.values(), ids=TITLES.keys())
def test_title(title: Text | None, expected: str) -> None:
    assert text.title(title) == expected


def test_a_long_title_is_cut_between_words() -> None:
    found = text.title(Text(value="word " * 500, type="text"))
    assert len(found) <= text.TITLE_LENGTH
    assert found.endswith("word…")


LEADS = {
    "what fits stays": ("one two", 7, "one two"),
    "the cut is between words": ("one two three", 10, "one two…"),
    "nothing dangles before the cut": ("one two, – three", 11, "one two…"),
    "a long word is cut": ("a" * 20, 10, "a" * 9 + "…"),
    "words too far ahead are no place to cut": ("a " + "b" * 20, 10, "a " + "b" * 7 + "…"),
    "scripts without spaces are cut anywhere": ("東京都知事選挙", 5, "東京都知…"),
    "an accent stays with its letter": ("abcde\u0301fgh", 6, "abcd…"),
    "a vowel sign stays with its letter": ("ककककि क", 5, "ककक…"),
    "a family stays together": ("ab👩\u200d👩\u200d👧cd", 6, "ab…"),
    "a skin has its colour": ("abc👍🏽de", 5, "abc…"),
    "a flag is whole": ("ab🇩🇪🇫🇷cd", 6, "ab🇩🇪…"),
    "accents without letter are cut": ("\u0301" * 9, 4, "\u0301\u0301\u0301…"),
}


@pytest.mark.parametrize(("words", "limit", "expected"), LEADS.values(), ids=LEADS.keys())
def test_lead(words: str, limit: int, expected: str) -> None:
    assert excerpt.lead(words, limit) == expected


@given(st.text(st.sampled_from("ab 東\u0301\u200d👍🏽🇩🇪क\u093f")), st.integers(1, 12))
def test_lead_is_a_beginning_and_never_longer_than_asked(words: str, limit: int) -> None:
    lead = excerpt.lead(words, limit)
    assert len(lead) <= limit
    if lead != words:
        assert words.startswith(lead.removesuffix("…"))


@given(st.text(), st.integers(1, 300))
def test_one_line_is_one_line(words: str, limit: int) -> None:
    line = text.one_line(words, limit)
    assert len(line) <= limit
    assert line.splitlines() in ([], [line])
    assert not any(unicodedata.category(each) in ("Cc", "Cs") for each in line)
    assert text.one_line(line, limit) == line


@given(st.text())
def test_line_never_fails(markup: str) -> None:
    assert len(text.line(markup, 50)) <= 50


def test_seen_is_equal_for_texts_that_look_equal() -> None:
    assert text.visible_form("Caf\u0065\u0301 \u200bau lait") == text.visible_form("Café aulait")
    assert text.visible_form("US") != text.visible_form("us")


@pytest.mark.parametrize(
    "piece", ["<", "<p ", '<a "', "<a '", "<!--", "<script", "</script", "&", "&#", '"<', "\u0301"]
)
def test_hostile_text_costs_little(piece: str) -> None:
    with effort() as spent:
        text.line(piece * (500_000 // len(piece)))
    assert spent.times < 250


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("One<br/>two", "One two"),
        ("A guide to <head> elements", "A guide to <head> elements"),
        ("Why <script>, <style> and <b>bold</b>", "Why <script>, <style> and bold"),
        ("<em>Moby Dick", "Moby Dick"),
        ("<p>One", "One"),
        ("The harbour&apos;s &plus; &lpar;new&rpar;", "The harbour's + (new)"),
        ('<a href="/x">One</a>', "One"),
    ],
)
def test_tags_of_a_title_are_text_where_they_are_words(title: str, shown: str) -> None:
    assert text.line(title) == shown


def test_a_title_of_many_tags_costs_little() -> None:
    with effort() as spent:
        text.line("<b> " * 100_000)
    assert spent.times < 200
