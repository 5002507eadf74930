"""The text of an entry's page, with its picture, authors and date.

    bytes | tree | without noise | trafilatura, or the site's own selectors | markup

trafilatura finds the text by the shape of the page. It keeps boxes that only their class gives
away, such as one that recommends other articles, so such boxes are removed first.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import cssselect
import trafilatura
from lxml import etree
from lxml import html as lxml_html

from aggregator.models.config import PageRules
from aggregator.models.entry import Author, Image
from aggregator.models.page import ParsedPage
from aggregator.parse import dates
from aggregator.parse import page as pages

_TYPES = frozenset({"", "text/html", "application/xhtml+xml", "application/xml", "text/plain"})

MOST_METADATA = 20
"""Blocks of JSON-LD that are read, and items in all of them."""
LONGEST_METADATA = 300_000
MOST_AUTHORS = 10

_NOISE_TAGS = frozenset({"nav", "dialog", "form", "footer", "template", "button"})
_NOISE_ROLES = frozenset({"dialog", "alertdialog", "navigation", "complementary", "contentinfo"})
_CONTAINERS = frozenset({"html", "body", "main", "article", "head"})
_NOISE = re.compile(
    r"(?:^|[\s_-])(?:cookies?|consent|gdpr|cmp|didomi|onetrust"
    r"|newsletters?|subscri(?:be|ption)-(?:widget|box|form)|paywall|regwall|signup"
    r"|related(?:-?(?:posts?|articles?|links?|content|stories))?|recirc|onwards|outbrain|taboola"
    r"|rich-link|read-(?:more|next|also)|lire-aussi|teasers?|promo|most-read|trending"
    r"|share|sharing|sharedaddy|social"
    r"|comments?|comments-area|comment-section|disqus|respond"
    r"|author-(?:bio|box)|about-author|bio|byline|buy-box|affiliate|cta|donate|donation"
    r"|ad|ads|ad-slot|advert|advertisement|sponsor(?:ed)?|audio-player"
    r"|breadcrumbs?|toc|tags)(?:$|[\s_-])",
    re.IGNORECASE,
)
LARGEST_NOISE = 0.4
"""Share of the page's text from which a box is kept, for any class."""

MOST_LINKS = 0.7
"""Share of a text in links from which it is that of a list, such as a front page."""

# It reports each page without text; the result says so.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


class NotAPage(Exception):
    """A document without a text to read; the message is a phrase for people."""


def read(
    body: bytes, *, content_type: str, url: str, rules: PageRules, title: str = ""
) -> ParsedPage:
    """Return the text of a page as markup, with its metadata.

    Args:
        body: The page as received.
        content_type: The Content-Type field as sent.
        url: The page's URL, base of its links unless it has a `base` element.
        rules: The site's selectors.
        title: The entry's title; a heading that repeats it is left out.

    Raises:
        NotAPage: It is no HTML, or no text was found in it.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise NotAPage(f"the page is {kind[:60]}, not HTML")
    page = pages.page_of(body, content_type)
    if page is None:
        raise NotAPage("the page can't be read as HTML")
    base = pages.base_of(page, url)
    items = list(_metadata(page))
    for selector in rules.remove:
        _drop(_select(page, selector))
    text = _selected(page, rules.select) if rules.select else _found(page, base)
    return ParsedPage(
        markup=_without_title(text, title),
        base=base,
        images=tuple(_images(page, items)),
        authors=tuple(_authors(page, items)),
        published=_published(page, items),
    )


# --- the text --------------------------------------------------------------------------------


def _select(page: lxml_html.HtmlElement, selector: str) -> list[lxml_html.HtmlElement]:
    path = cssselect.HTMLTranslator().css_to_xpath(selector)
    found = page.xpath(path)
    return [element for element in found if isinstance(element, lxml_html.HtmlElement)]


def _selected(page: lxml_html.HtmlElement, selector: str) -> lxml_html.HtmlElement:
    found = _select(page, selector)
    if not found:
        raise NotAPage(f"select: {selector} finds nothing on the page")
    chosen = set(found)
    text = lxml_html.Element("div")
    for element in found:
        if chosen.isdisjoint(element.iterancestors()):
            text.append(_without_tail(element))
    return text


def _found(page: lxml_html.HtmlElement, base: str) -> lxml_html.HtmlElement:
    _drop(_noise(page))
    markup = trafilatura.extract(
        page,
        url=base,
        output_format="html",
        include_comments=False,
        include_images=True,
        include_links=True,
        include_formatting=True,
        favor_precision=True,
    )
    if not markup:
        raise NotAPage("no text was found on the page")
    text = lxml_html.fragment_fromstring(markup, create_parent="div")
    if sum(map(_length, text.iter("a"))) > MOST_LINKS * _length(text):
        raise NotAPage("the page is a list of links")
    for element in text.iter("pre"):  # it writes code as a block in a block
        if len(element) == 1 and element[0].tag == "pre":
            element[0].drop_tag()
            element.text = (element.text or "").strip("\n ")
    return text


def _length(element: lxml_html.HtmlElement) -> int:
    return sum(map(len, element.text_content().split()))


def _noise(page: lxml_html.HtmlElement) -> list[lxml_html.HtmlElement]:
    """Return the elements that by tag, role or class are not part of an article."""
    sizes: dict[etree._Element, int] = {}
    for element in reversed(list(page.iter(etree.Element))):
        own = len(element.text or "") + sum(len(child.tail or "") for child in element)
        sizes[element] = own + sum(sizes.get(child, 0) for child in element)
    most = LARGEST_NOISE * sizes.get(page, 0)
    return [
        element
        for element in page.iter(etree.Element)
        if element.tag not in _CONTAINERS and _is_noise(element) and sizes[element] <= most
    ]


def _is_noise(element: lxml_html.HtmlElement) -> bool:
    if element.tag in _NOISE_TAGS or element.get("role", "").lower() in _NOISE_ROLES:
        return True
    names = f"{element.get('class') or ''} {element.get('id') or ''}"[:500]
    return names != " " and bool(_NOISE.search(names))


def _drop(elements: Iterable[lxml_html.HtmlElement]) -> None:
    for element in elements:
        if element.getparent() is not None:
            element.drop_tree()


def _without_tail(element: lxml_html.HtmlElement) -> lxml_html.HtmlElement:
    element.tail = None
    return element


def _without_title(text: lxml_html.HtmlElement, title: str) -> str:
    """Return markup without its first heading, if that repeats the title."""
    heading = next(text.iter("h1", "h2"), None)
    if heading is not None and title and _folded(heading.text_content()) == _folded(title):
        heading.drop_tree()
    return lxml_html.tostring(text, encoding="unicode")


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


# --- metadata --------------------------------------------------------------------------------


def _metadata(page: lxml_html.HtmlElement) -> Iterator[dict[str, Any]]:
    """Yield the articles that JSON-LD describes (schema.org)."""
    blocks = [
        script.text or ""
        for script in page.iter("script")
        if (script.get("type") or "").strip().lower() == "application/ld+json"
    ]
    waiting: list[Any] = []
    for block in blocks[:MOST_METADATA]:
        try:
            waiting.append(json.loads(block[:LONGEST_METADATA], strict=False))
        except (ValueError, RecursionError):
            continue
    items = 0
    while waiting and items < MOST_METADATA:
        item = waiting.pop(0)
        if isinstance(item, list):
            waiting += item[:MOST_METADATA]
        elif isinstance(item, dict):
            items += 1
            waiting += [item["@graph"]] if "@graph" in item else []
            kinds = item.get("@type")
            names = kinds if isinstance(kinds, list) else [kinds]
            if any(str(name).endswith(("Article", "Posting", "Report")) for name in names):
                yield item


def _meta(page: lxml_html.HtmlElement, *names: str) -> Iterator[str]:
    for name in names:
        for element in page.iter("meta"):
            known = element.get("property") or element.get("name") or element.get("itemprop")
            content = (element.get("content") or "").strip()
            if content and (known or "").strip().lower() == name:
                yield content


def _images(page: lxml_html.HtmlElement, items: list[dict[str, Any]]) -> Iterator[Image]:
    urls = _meta(page, "og:image", "og:image:url", "twitter:image", "twitter:image:src")
    yield from (Image(url=url) for url in list(urls)[:1])
    for item in items:
        images = item.get("image")
        for image in images[:1] if isinstance(images, list) else [images]:
            url = image.get("url") if isinstance(image, dict) else image
            if isinstance(url, str):
                yield Image(url=url)


def _authors(page: lxml_html.HtmlElement, items: list[dict[str, Any]]) -> Iterator[Author]:
    names = []
    for item in items:
        authors = item.get("author")
        for author in authors[:MOST_AUTHORS] if isinstance(authors, list) else [authors]:
            name = author.get("name") if isinstance(author, dict) else author
            names += [name] if isinstance(name, str) else []
    if not names:
        names = list(_meta(page, "author", "article:author", "parsely-author"))[:MOST_AUTHORS]
    for name in dict.fromkeys(names):
        if "://" not in name:  # many publishers give the URL of a profile
            yield Author(name=name)


def _published(page: lxml_html.HtmlElement, items: list[dict[str, Any]]) -> datetime | None:
    given = [str(item["datePublished"]) for item in items if item.get("datePublished")]
    given += _meta(page, "article:published_time", "datepublished", "date", "dc.date.issued")
    read = (dates.parse(text[:100]) for text in given)
    return next((date for date in read if date is not None), None)
