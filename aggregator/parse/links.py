"""Links of feeds and entries, and which is the page (RFC 4287 §4.2.7; RSS 2.0 link, guid)."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aggregator.parse.tree import Children, Element, XmlTree, first_text, is_web, join, named, text

MOST = 100
"""Links of one entry or feed that are read."""

RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_REGISTRY = re.compile(r"https?://www\.iana\.org/assignments/(?:link-)?relations?/")
_PAGES = frozenset({"", "text/html", "application/xhtml+xml"})
_FEED_END = re.compile(r"(?:\.(?:atom|rss|rdf|xml|json)|/feed/?)(?:\?|\Z)", re.IGNORECASE)
_FEEDS = frozenset({"application/atom+xml", "application/rss+xml", "application/feed+json"})


class Link(NamedTuple):
    """A link with its relation in lower case and its URL resolved."""

    rel: str
    url: str
    type: str
    element: Element

    @property
    def is_page(self) -> bool:
        """Whether it leads to a page for people."""
        return self.type in _PAGES


def read(children: Children, tree: XmlTree) -> list[Link]:
    """Return the links that have an address, in document order."""
    elements = children.get("link", [])[:MOST]
    return [link for element in elements for link in _links(element, tree)]


def page(children: Children, links: Iterable[Link], tree: XmlTree, language: str = "") -> str:
    """Return the URL of the page of a feed or entry, "" when it names none.

    Args:
        children: Of the feed or entry.
        links: Of the same.
        language: Of the same. It decides between pages in several languages.
    """
    for element in children.get("link", ()):
        is_page = not element.get("href") and _relations(element) == ["alternate"]
        if is_page and (url := _page_address(text(element), element, tree)):
            return url
    alternates = [link for link in links if link.rel == "alternate" and _leads_out(link.url)]
    if alternates:
        return min(alternates, key=lambda link: _rank(link, language)).url
    return ""


def permalink(children: Children, element: Element, tree: XmlTree) -> str:
    """Return an entry's id if it is the URL of its page (RSS 2.0: isPermaLink)."""
    for guid in named(children, "guid", "id"):
        is_page = _any_case(guid, "ispermalink").strip().lower() != "false"
        if is_page and (is_web(sent := text(guid)) or sent[:1] == "/"):
            return address(sent, guid, tree)
    about = element.get(RDF_ABOUT, "").strip()
    return about if is_web(about) else first_text(children, "feedburner:origlink")


def comments(children: Children, links: Iterable[Link], tree: XmlTree) -> str:
    """Return the URL of the page with an entry's comments; never of a feed of them."""
    for element in children.get("comments", ()):
        sent = text(element)
        if ("/" in sent or "#" in sent) and sent.split() == [sent]:
            return address(sent, element, tree)
    replies = [link for link in links if link.rel == "replies" and link.is_page]
    replies.sort(key=lambda link: not link.type)
    return next((link.url for link in replies if link.type or not _FEED_END.search(link.url)), "")


def other_links(links: Iterable[Link], *skipped: str) -> tuple[tuple[str, str], ...]:
    """Return relations and URLs of links, without the skipped ones and feeds of comments."""
    pairs = {
        (link.rel, link.url): None
        for link in links
        if link.rel not in skipped and not (link.rel == "replies" and link.type in _FEEDS)
    }
    return tuple(pairs)[:MOST]


def original(children: Children) -> tuple[tuple[str, str], ...]:
    """Return the relation and URL of the page that FeedBurner's link redirects to."""
    url = first_text(children, "feedburner:origlink")
    return (("origLink", url),) if url else ()


def address(sent: str, element: Element, tree: XmlTree) -> str:
    """Return an address as sent at an element, resolved; a bare www.example.org stays."""
    sent = "".join(sent.split()) if "\n" in sent else sent.strip()
    if "&amp;" in sent:
        sent = sent.replace("&amp;", "&")
    return sent if sent[:4].lower() == "www." else join(tree.base(element), sent)


def host(url: str) -> str:
    """Return the host of a URL, with its port, in lower case and without `www.`."""
    return url.partition("://")[2].partition("/")[0].lower().removeprefix("www.")


def _links(element: Element, tree: XmlTree) -> Iterator[Link]:
    relations = _relations(element)
    sent = element.get("href", "").strip()
    if not sent and relations != ["alternate"]:
        sent = text(element)
        sent = sent if is_web(sent) else ""
    if sent:
        url = address(sent, element, tree)
        kind = element.get("type", "").partition(";")[0].strip().lower()
        for rel in relations:
            yield Link(rel, url, kind, element)


def _page_address(sent: str, element: Element, tree: XmlTree) -> str:
    """Return the URL of a page; "" for another scheme, or a mere fragment such as `#`."""
    url = address(sent, element, tree) if sent and sent[0] != "#" else ""
    return url if _leads_out(url) else ""


def _leads_out(url: str) -> bool:
    return url[:8].lower().startswith(("http://", "https://", "www."))


def _relations(element: Element) -> list[str]:
    sent = _any_case(element, "rel").lower()
    return _REGISTRY.sub("", sent).split() or ["alternate"]


def _any_case(element: Element, name: str) -> str:
    for key, value in element.items():  # most elements have none
        if key.lower() == name:
            return value
    return ""


def _rank(link: Link, language: str) -> tuple[bool, bool]:
    spoken = link.element.get("hreflang", "").partition("-")[0].lower()
    wanted = language.partition("-")[0].lower()
    return not link.is_page, bool(spoken and wanted and spoken != wanted)
