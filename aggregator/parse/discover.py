"""Feeds that an HTML page links to: those its head declares, then links that look like feeds."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import html as lxml_html

from aggregator.parse.page import absolute, base_of, page_of

MOST_CANDIDATES = 20

_TYPES = frozenset(
    {
        "application/atom+xml",
        "application/feed+json",
        "application/rdf+xml",
        "application/rss+xml",
        "application/x.atom+xml",
        "text/rss+xml",
        "text/xml",
        "application/xml",
    }
)
_FEED_WORD = re.compile(r"(?:^|[^a-z])(?:feeds?|rss2?|atom|rdf)(?:[^a-z]|$)")
_ENDINGS = (".rss", ".atom", ".rdf", ".xml", "feed.json")
# The feed of one article's comments is declared on its page, beside the site's.
_COMMENTS = re.compile(r"comments?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLink:
    """A link that may lead to a feed; `type` is its declared media type, "" when it has none."""

    url: str
    title: str = ""
    type: str = ""


def feeds(body: bytes, *, url: str, content_type: str = "") -> tuple[FeedLink, ...]:
    """Return the feeds a page links to, the likeliest first, each URL once; never raises.

    Declared feeds (`link rel=alternate`) come before anchors, and feeds of comments last.

    Args:
        body: An HTML page, or anything.
        url: The page's URL, base of its links unless it has a `base` element.
        content_type: The Content-Type field as sent, for its charset.
    """
    page = page_of(body, content_type)
    if page is None:
        return ()
    base = base_of(page, url)
    candidates: dict[str, FeedLink] = {}
    for candidate in (*_declared(page, base), *_anchors(page, base)):
        if candidate.url != url:
            candidates.setdefault(candidate.url, candidate)
    likeliest = sorted(candidates.values(), key=_is_of_comments)
    return tuple(likeliest[:MOST_CANDIDATES])


def _declared(page: lxml_html.HtmlElement, base: str) -> Iterator[FeedLink]:
    for link in page.iter("link"):
        rels = (link.get("rel") or "").lower().split()
        kind = (link.get("type") or "").partition(";")[0].strip().lower()
        if ("alternate" in rels or "feed" in rels) and kind in _TYPES:
            yield from _candidate(link, base, (link.get("title") or ""), kind)


def _anchors(page: lxml_html.HtmlElement, base: str) -> Iterator[FeedLink]:
    for anchor in page.iter("a"):
        kind = (anchor.get("type") or "").partition(";")[0].strip().lower()
        target = (anchor.get("href") or "").strip().lower()
        if target and (kind in _TYPES or _looks_like_a_feed(target)):
            title = anchor.get("title") or " ".join(anchor.itertext())
            yield from _candidate(anchor, base, title, kind)


def _looks_like_a_feed(target: str) -> bool:
    path = target.partition("#")[0]
    if path.partition("?")[0].endswith(_ENDINGS):
        return "sitemap" not in path
    return bool(_FEED_WORD.search(path.partition("://")[2].partition("/")[2] or path))


def _candidate(
    element: lxml_html.HtmlElement, base: str, title: str, kind: str
) -> Iterator[FeedLink]:
    url = absolute(base, element.get("href") or "").partition("#")[0]
    if url:
        yield FeedLink(url=url, title=" ".join(title.split())[:200], type=kind)


def _is_of_comments(candidate: FeedLink) -> bool:
    return bool(_COMMENTS.search(candidate.title) or _COMMENTS.search(urlsplit(candidate.url).path))
