"""An HTML page as a tree, whatever its bytes are, and the links of its elements."""

from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml import html as lxml_html

from aggregator.parse import decode

LONGEST_PAGE = 1_000_000
"""Bytes; the rest of a page is not read."""


def page_of(body: bytes, content_type: str) -> lxml_html.HtmlElement | None:
    """Return a page as a tree, None if nothing of it can be read.

    Args:
        body: An HTML page, or anything.
        content_type: The Content-Type field as sent, for its charset.
    """
    text = decode.text(body[:LONGEST_PAGE], content_type, [])
    try:
        return lxml_html.document_fromstring(text.encode(), lxml_html.HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError, AssertionError):
        return None


def base_of(page: lxml_html.HtmlElement, url: str) -> str:
    """Return the base of a page's links: its `base` element, else its URL."""
    for element in page.iter("base"):
        return absolute(url, element.get("href") or "") or url
    return url


def absolute(base: str, reference: str) -> str:
    """Return a reference as an http or https URL, "" if it is none."""
    try:
        resolved = urljoin(base, reference.strip())
        return resolved if urlsplit(resolved).scheme in ("http", "https") else ""
    except ValueError:
        return ""
