"""What holds for all sanitised HTML, checked with another parser than the sanitiser's."""

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
    "tr", "tt", "u", "ul", "var", "video", "wbr",
}  # fmt: skip
ATTRIBUTES = {
    "alt", "colspan", "controls", "datetime", "dir", "height", "href", "lang", "open", "poster",
    "preload", "rel", "reversed", "rowspan", "scope", "src", "start", "title", "type", "value",
    "width",
}  # fmt: skip
URLS = {"href", "src", "poster"}
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def assert_inert(markup: str) -> None:
    """Fail when there is any tag, attribute, URL or character that has no business there."""
    assert not ILLEGAL.search(markup)
    for element in html.fragment_fromstring(markup, create_parent="main").iterdescendants():
        assert element.tag in TAGS, markup
        for name, value in element.items():
            assert name in ATTRIBUTES, markup
            if name in URLS:
                allowed = {"http", "https", "mailto"} if element.tag == "a" else {"http", "https"}
                assert urlsplit(value).scheme in allowed, markup
        if element.tag == "a" and element.get("href"):
            assert element.get("rel") == "noopener noreferrer nofollow"
        if element.tag in ("audio", "video"):
            assert element.get("preload") == "none"
