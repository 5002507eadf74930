"""feedparser's reading of a document that can't be repaired, written as an Atom feed.

The rules of this package then read it as they read every other document. feedparser gets a
stream, never bytes or str, which it may take for a file name or a URL; and no sanitising, which
is the work of `clean`.
"""

import io
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from aggregator.parse.decode import NotAFeed

Values = dict[str, Any]
"""A FeedParserDict: anything may be missing, and anything may stand where text should be."""

_ATOM = "{http://www.w3.org/2005/Atom}"
_TYPES = {"text/plain": "text", "text/html": "html", "application/xhtml+xml": "html"}
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXTS = ("title", "subtitle", "summary", "rights")


def read(xml: bytes) -> etree._Element:
    """Return a document as an Atom feed.

    Args:
        xml: As `decode.document` makes it.

    Raises:
        NotAFeed: There is no feed in it, or feedparser fails.
    """
    parsed = _parsed(xml)
    if not parsed["version"] and not parsed["entries"]:
        raise NotAFeed("The document is no feed: no rss, feed or rdf:RDF element could be read")
    feed = etree.Element(f"{_ATOM}feed")
    feed.extend(_elements(parsed["feed"]))
    for values in parsed["entries"]:
        entry = etree.SubElement(feed, f"{_ATOM}entry")
        entry.extend(_elements(values))
    return feed


def _parsed(xml: bytes) -> Values:
    import feedparser  # takes longer to import than most documents to read, and is seldom needed
    from feedparser.sgml import sgmllib

    try:
        parsed: Values = feedparser.parse(
            io.BytesIO(xml),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except (
        # It raises these on some documents that are not well-formed.
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
        sgmllib.SGMLParseError,
    ) as error:
        detail = f"{type(error).__name__}: {error}"[:200]
        raise NotAFeed(f"The document is too ill-formed to be read ({detail})") from error
    return parsed


def _elements(values: Values) -> Iterator[etree._Element]:
    # feedparser's `get` and `[]` answer for other keys too: `updated` by `published`.
    for key in ("id", "published", "updated"):
        if value := _string(values, key):
            yield _element(key, value)
    yield from _texts(values)
    yield from _links(values)
    yield from _authors(values)
    for details in _dicts(values, "tags"):
        yield _element("category", "", term=_string(details, "term"))


def _authors(values: Values) -> Iterator[etree._Element]:
    several = _dicts(values, "authors")
    if len(several) == 1 and (sent := _string(values, "author")) and "href" not in several[0]:
        yield _element("author", sent)  # feedparser cuts addresses at the wrong place
        return
    for details in several:
        author = _element("author", "")
        for key, name in (("name", "name"), ("email", "email"), ("href", "uri")):
            if value := _string(details, key):
                author.append(_element(name, value))
        yield author


def _texts(values: Values) -> Iterator[etree._Element]:
    for key in _TEXTS:
        details = dict.get(values, f"{key}_detail")
        if value := _string(values, key):
            kind = _string(details, "type") if isinstance(details, dict) else ""
            yield _element(key, value, type=_TYPES.get(kind, "html"))
    for details in _dicts(values, "content"):
        kind = _TYPES.get(_string(details, "type"), "")
        if kind and (value := _string(details, "value")):
            yield _element("content", value, type=kind)


def _links(values: Values) -> Iterator[etree._Element]:
    if link := _string(values, "link"):
        yield _element("link", "", rel="alternate", href=link)
    for details in _dicts(values, "links"):
        kept = {key: _string(details, key) for key in ("rel", "href", "type", "length", "title")}
        if kept["rel"] != "alternate":
            yield _element("link", "", **{key: value for key, value in kept.items() if value})


def _element(name: str, value: str, **attributes: str) -> etree._Element:
    element = etree.Element(f"{_ATOM}{name}", attributes)
    element.text = value
    return element


def _string(values: Values, key: str) -> str:
    value = dict.get(values, key)
    return _legal(value).strip() if isinstance(value, str) else ""


def _legal(value: str) -> str:
    """Return a text without the characters that XML forbids."""
    return _ILLEGAL.sub("", value)


def _dicts(values: Values, key: str) -> list[Values]:
    several = dict.get(values, key)
    return [each for each in several if isinstance(each, dict)] if isinstance(several, list) else []
