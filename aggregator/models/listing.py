"""How the entries of a source without a feed are found: on a page, in JSON, in a sitemap."""

import re
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import xxhash

NAMESPACES = MappingProxyType({"re": "http://exslt.org/regular-expressions"})
"""Prefixes in XPath expressions."""

LONGEST_CHAIN = 50
"""Most pages of one listing that a configuration may ask for."""

_XPATH = re.compile(r"\s*(?:\.{0,2}/|\(|@|(?:re:)?[a-z][a-z-]*\()")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageListing:
    """CSS selectors or XPath expressions for the entries of an HTML page.

    Args:
        items: One element per entry.
        title, link, date, summary, image: Inside an item; "" for the usual elements.
        next: The link to the next page, "" for none.
        pages: Pages to read at most.
    """

    items: str
    title: str = ""
    link: str = ""
    date: str = ""
    summary: str = ""
    image: str = ""
    next: str = ""
    pages: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonListing:
    """JMESPath expressions for the entries of a JSON document.

    Args:
        items: A list with one object per entry; `title` and the others are inside of it.
        next: The URL of the next document, in the whole document.
        script: Selector of the script element that holds the JSON of a page, "" for plain JSON.
        post: JSON to send with POST, "" for a GET request.
    """

    items: str
    title: str
    link: str = ""
    date: str = ""
    summary: str = ""
    image: str = ""
    next: str = ""
    pages: int = 5
    script: str = ""
    post: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SitemapListing:
    """A sitemap, or an index of sitemaps (https://www.sitemaps.org/protocol.html)."""


Listing = PageListing | JsonListing | SitemapListing


def is_page(listing: Listing | None) -> bool:
    """Return whether a listing reads a page for people, which robots.txt may forbid to us."""
    return isinstance(listing, PageListing) or bool(
        isinstance(listing, JsonListing) and listing.script
    )


FIELDS = ("title", "link", "date", "summary", "image")
"""The values of an entry that a listing selects."""


@lru_cache(maxsize=10_000)
def key_of(listing: Listing | None) -> bytes:
    """Return 4 bytes that differ between listings, b"" for a feed."""
    return xxhash.xxh32_digest(repr(listing).encode()) if listing else b""


def is_xpath(selector: str) -> bool:
    """Return whether a selector is an XPath expression; no CSS selector begins like one."""
    return bool(_XPATH.match(selector))


@lru_cache(maxsize=2_000)
def compile_selector(selector: str) -> Any:
    """Return the `lxml.etree.XPath` of a CSS selector or XPath expression.

    CSS selectors may end in `::text` or `::attr(name)`.

    Raises:
        ValueError: The selector can't be used; the message says why.
    """
    # Few configurations have such sources, and few processes need them.
    import cssselect
    from lxml import etree
    from parsel import xpathfuncs
    from parsel.csstranslator import HTMLTranslator

    xpathfuncs.setup()  # has-class()
    try:
        xpath = selector if is_xpath(selector) else HTMLTranslator().css_to_xpath(selector)
        compiled = etree.XPath(xpath, namespaces=dict(NAMESPACES))
        compiled(etree.Element("a"))  # finds unknown functions and prefixes
    except (cssselect.SelectorError, etree.XPathError) as error:
        raise ValueError(str(error)) from None
    return compiled


@lru_cache(maxsize=2_000)
def compile_path(expression: str) -> Any:
    """Return a function that takes a JSON value and returns that of a JMESPath expression.

    `items(object)` gives the pairs of an object as lists of name and value.

    Raises:
        ValueError: The expression can't be used; the message says why.
    """
    import jmespath
    from jmespath import exceptions, functions

    class Functions(functions.Functions):  # type: ignore[misc]  # jmespath has no types
        """The functions of JMESPath, and those of its community edition that it lacks."""

        @functions.signature({"types": ["object"]})  # type: ignore[untyped-decorator]
        def _func_items(self, pairs: dict[str, Any]) -> list[list[Any]]:
            return [list(pair) for pair in pairs.items()]

    options = jmespath.Options(custom_functions=Functions())
    try:
        compiled = jmespath.compile(expression)
        compiled.search({}, options)
    except exceptions.JMESPathTypeError:
        pass  # nothing is there yet
    except ValueError as error:
        raise ValueError(" ".join(str(error).split())) from None
    return lambda value: compiled.search(value, options)
