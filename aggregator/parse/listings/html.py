"""An HTML page as a tree, and the values that its elements hold."""

import re
from collections.abc import Iterator

from lxml import etree
from lxml import html as lxml_html

from aggregator.parse import decode
from aggregator.parse import page as pages
from aggregator.parse.decode import NotAFeed

Element = lxml_html.HtmlElement

LONGEST_TEXT = 20_000
"""Characters of an element's text that are read."""
LONGEST_MARKUP = 300_000
"""Characters; a longer summary is taken as text."""

_HIDDEN = frozenset({"script", "style", "template", "noscript"})
_INLINE = frozenset(
    {
        "a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "kbd", "mark", "q", "s",
        "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
    }
)  # fmt: skip
"""Elements that end no word."""
_LATER = (
    "data-src", "data-original", "data-lazy-src", "data-lazy", "data-url", "data-image", "data-img",
)  # fmt: skip
"""Attributes from which scripts take the file of a picture."""
_LATER_SETS = ("data-srcset", "data-lazy-srcset")
_CANDIDATE = re.compile(r"[\s,]*([^\s,]\S*)(?:\s+([\d.]{1,9})[wx])?[^,]*")
_PLACEHOLDER = re.compile(
    r"(?:^|[/_.-])(?:1x1|blank|clear|empty|gr[ae]y|lazy|load(?:er|ing)|pixel|placeholder|spacer"
    r"|transparent)[\w-]*\.(?:gif|png|svg|jpe?g|webp)(?:[?#]|$)",
    re.IGNORECASE,
)
_STYLE_URL = re.compile(r"""background(?:-image)?\s*:[^;]*?url\(\s*["']?([^"')]+)""", re.IGNORECASE)


def tree(body: bytes, content_type: str, problems: list[str]) -> Element:
    """Return the root of a page.

    Raises:
        NotAFeed: It has no elements.
    """
    text = decode.text(body, content_type, problems)
    try:
        return lxml_html.document_fromstring(text.encode(), lxml_html.HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise NotAFeed(f"The page can't be read: {error}") from error


def absolute(base: str, reference: str) -> str:
    """Return a reference as an http or https URL, "" if it is none or a place on the page."""
    reference = reference.replace("\n", "").strip()
    return pages.absolute(base, reference) if reference and reference[0] != "#" else ""


def text_of(element: Element) -> str:
    """Return the text that a reader sees in an element, on one line."""
    parts: list[str] = []
    for event, each in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        if event in ("comment", "pi"):
            _add_tail(parts, each, element)
        elif event == "start" and each.tag in _HIDDEN:
            continue
        elif event == "start":
            parts.append("" if each.tag in _INLINE else " ")
            parts.append(each.text or "")
        else:
            parts.append("" if each.tag in _INLINE else " ")
            _add_tail(parts, each, element)
    return " ".join("".join(parts).split())[:LONGEST_TEXT]


def _add_tail(parts: list[str], each: Element, top: Element) -> None:
    parent = each.getparent()
    if each is not top and parent is not None and parent.tag not in _HIDDEN:
        parts.append(each.tail or "")


def markup_of(element: Element) -> str:
    """Return the content of an element as HTML, "" if it has no markup or too much."""
    if not len(element):
        return ""
    markup = str(etree.tostring(element, encoding="unicode", method="html", with_tail=False))
    return markup if len(markup) <= LONGEST_MARKUP else ""


def link_of(element: Element, base: str) -> str:
    """Return the URL of an element: its own link, the first inside of it, or the one around it."""
    around = (each for each in element.iterancestors("a"))
    for each in (*element.iter("a"), *around):
        if url := absolute(base, each.get("href") or ""):
            return url
    return absolute(base, element.get("href") or element.get("data-href") or "")


def pictures(element: Element, base: str) -> Iterator[str]:
    """Yield the URLs of the pictures in an element, of lazy ones the file that scripts load."""
    for each in element.iter("img", "source", "amp-img"):
        if url := _file_of(each, base):
            yield url
    for each in element.iter():
        style = each.get("style") if isinstance(each.tag, str) else None
        if style and (found := _STYLE_URL.search(style[:2_000])):
            yield from filter(None, [_usable(base, found[1])])


def _file_of(picture: Element, base: str) -> str:
    later = (picture.get(name) or "" for name in _LATER)
    sets = (picture.get(name) or "" for name in (*_LATER_SETS, "srcset"))
    candidates = (*later, *map(_largest, sets), picture.get("src") or "")
    return next((url for each in candidates if (url := _usable(base, each))), "")


def _usable(base: str, reference: str) -> str:
    if _PLACEHOLDER.search(reference[:2_000]):
        return ""
    return absolute(base, reference)


def _largest(srcset: str) -> str:
    """Return the largest candidate of a srcset (HTML, "Parsing a srcset attribute")."""
    found = [
        (float(each[2] or 1) if (each[2] or "1").count(".") < 2 else 0, each[1].rstrip(","))
        for each in _CANDIDATE.finditer(srcset[:10_000])
    ]
    found = [each for each in found if not each[1].startswith("data:")]
    return max(found, key=lambda each: each[0])[1] if found else ""
