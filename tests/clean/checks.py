"""Checks that hold for all sanitised HTML, made with another parser than the sanitiser's."""

import re
from urllib.parse import urlsplit

from lxml import html

TAGS = {
    "a", "abbr", "acronym", "address", "article", "aside", "audio", "b", "bdi", "bdo", "big",
    "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del",
    "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "footer", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre",
    "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "source", "span", "strike",
    "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time",
    "tr", "tt", "u", "ul", "var", "video", "wbr", "input",
}  # fmt: skip
MATH = {
    "math", "maction", "menclose", "merror", "mfenced", "mfrac", "mi", "mmultiscripts", "mn", "mo",
    "mover", "mpadded", "mphantom", "mprescripts", "mroot", "mrow", "ms", "mspace", "msqrt",
    "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover",
    "none", "semantics",
}  # fmt: skip
ATTRIBUTES = {
    "align", "alt", "checked", "class", "colspan", "controls", "datetime", "dir", "disabled",
    "height", "href", "id", "lang", "open", "poster", "preload", "rel", "reversed", "rowspan",
    "scope", "src", "start", "title", "type", "value", "width",
}  # fmt: skip
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def assert_inert(markup: str) -> None:
    """Fail if there is a tag, attribute, URL or character that is not allowed."""
    assert not ILLEGAL.search(markup)
    for element in html.fragment_fromstring(markup, create_parent="main").iterdescendants():
        if element.tag in MATH:
            assert_formula(element)
            continue
        assert element.tag in TAGS, markup
        for name, value in element.items():
            assert_attribute(str(element.tag), name, value)
        if element.tag == "a" and element.get("href"):
            assert element.get("rel") == "noopener noreferrer nofollow"
        if element.tag == "input":
            assert (element.get("type"), element.get("disabled")) == ("checkbox", "")
        if element.tag in ("audio", "video"):
            assert element.get("preload") == "none"


def assert_formula(element: html.HtmlElement) -> None:
    """Fail unless an element of MathML holds MathML and text alone, with harmless attributes."""
    parent = element.getparent()
    assert element.tag == "math" or (parent is not None and parent.tag in MATH)
    assert all(child.tag in MATH - {"math"} for child in element)
    for name, value in element.items():
        assert name.isalpha()
        assert not name.startswith("on")
        assert name not in ("href", "src", "style", "class")
        assert ":" not in value


def assert_attribute(tag: str, name: str, value: str) -> None:
    assert name in ATTRIBUTES, f"{tag} {name}"
    match name:
        case "id":
            assert value.startswith("user-content-")
        case "class":
            assert value.startswith("language-")
        case "href" if value.startswith("#"):
            assert value.startswith("#user-content-")
        case "href" | "src" | "poster":
            allowed = {"http", "https", "mailto"} if tag == "a" else {"http", "https"}
            assert urlsplit(value).scheme in allowed, value
