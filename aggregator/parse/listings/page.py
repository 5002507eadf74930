"""Entries of an HTML page, by CSS selectors and XPath expressions."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import xxhash
from lxml import etree

from aggregator.models.entry import Image, ParsedEntry, ParsedFeed, Text
from aggregator.models.listing import FIELDS, PageListing, compile_selector
from aggregator.parse.listings import dates, html
from aggregator.parse.listings.html import Element
from aggregator.parse.page import base_of

MOST_ITEMS = 2_000
"""Items of one page that are read."""

_HASH_VERSION = b"page 1\0"
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


class NoEntries(Exception):
    """A selector of the listing finds nothing, so that the page has no entries."""


def read(
    body: bytes, *, content_type: str, url: str, listing: PageListing, now: datetime
) -> tuple[ParsedFeed, str]:
    """Return a page as a feed, and the URL of the next page, "" without one.

    Args:
        body: As it came, without content coding.
        content_type: The Content-Type field as sent, for its charset.
        url: Where it came from, the base of its links.
        listing: The selectors.
        now: The time of the poll, for relative dates.

    Raises:
        NoEntries: `items` finds nothing; the message names the selector.
        NotAFeed: It is no page.
    """
    problems: list[str] = []
    page = html.tree(body, content_type, problems)
    base = base_of(page, url)
    items = [each for each in _select(page, listing.items) if not isinstance(each, str)]
    if len(items) > MOST_ITEMS:
        problems.append(f"only the first {MOST_ITEMS:,} of {len(items):,} items are read")
    reader = _ItemReader(listing, base, now)
    entries: dict[tuple[str, str], ParsedEntry] = {}
    for item in items[:MOST_ITEMS]:
        entry = reader.entry(item)
        if entry.link or entry.title:
            entries.setdefault((entry.link, entry.title.value if entry.title else ""), entry)
    if not entries:
        why = "nothing" if not items else f"{len(items)} elements without a title and a link"
        raise NoEntries(f"`items: {listing.items}` finds {why}")
    unmatched = reader.unmatched()
    problems += [f"`{selector}` finds nothing in any entry" for selector in unmatched]
    feed = ParsedFeed(
        version="page",
        title=_title(page),
        subtitle=_meta(page, "description"),
        link=url,
        language=(page.get("lang") or "")[:35],
        problems=tuple(problems),
        unmatched=unmatched,
        entries=tuple(entries.values()),
    )
    return feed, _next(page, listing, base, url)


def _select(element: Element, selector: str) -> list[Element | str]:
    """Return the elements that a selector finds, or texts of attributes and functions."""
    try:
        found = compile_selector(selector)(element)
    except etree.XPathError:
        return []
    if isinstance(found, list):
        return [each for each in found if isinstance(each, (html.Element, str))]
    return [str(found)] if isinstance(found, (str, float)) and str(found).strip() else []


def _next(page: Element, listing: PageListing, base: str, url: str) -> str:
    if not listing.next:
        return ""
    links = (_link(each, base) for each in _select(page, listing.next))
    found = next(filter(None, links), "")
    return "" if found == url else found


def _link(found: Element | str, base: str) -> str:
    return html.absolute(base, found) if isinstance(found, str) else html.link_of(found, base)


def _words(found: Element | str) -> str:
    return " ".join(found.split()) if isinstance(found, str) else html.text_of(found)


def _title(page: Element) -> str:
    own = next((html.text_of(each) for each in page.iter("title")), "")
    return _meta(page, "og:site_name") or own


def _meta(page: Element, name: str) -> str:
    for each in page.iter("meta"):
        if name in (each.get("name"), each.get("property")):
            return " ".join((each.get("content") or "").split())
    return ""


@dataclass(frozen=True, slots=True)
class _Date:
    """A date of an item: `words` as the page has them, "" for one relative to now."""

    date: datetime | None = None
    words: str = ""


class _ItemReader:
    """Reads items by the selectors of a listing, and counts which of them match."""

    def __init__(self, listing: PageListing, base: str, now: datetime) -> None:
        self._listing, self._base, self._now = listing, base, now
        self._matches = Counter[str]()

    def unmatched(self) -> tuple[str, ...]:
        """Return the selectors that have matched in no item."""
        given = ((name, getattr(self._listing, name)) for name in FIELDS)
        return tuple(f"{name}: {text}" for name, text in given if text and not self._matches[name])

    def entry(self, item: Element) -> ParsedEntry:
        """Return the entry of an item; it may be empty."""
        title, link = self._title(item), self._link(item)
        date, summary = self._date(item), self._summary(item)
        image = self._image(item)
        digest = xxhash.xxh3_128(_HASH_VERSION)
        for value in (title, link, date.words, summary.value if summary else "", image):
            digest.update(value.encode(errors="replace") + b"\0")
        return ParsedEntry(
            link=link,
            title=Text(value=title, type="text") if title else None,
            summary=summary,
            published=date.date,
            unread_date="" if date.date else date.words,
            images=(Image(url=image),) if image else (),
            item_hash=digest.digest(),
        )

    def _found(self, item: Element, name: str) -> list[Element | str]:
        """Return the matches of a field's selector in an item."""
        return _select(item, getattr(self._listing, name))

    def _first(self, item: Element, name: str, values: Iterator[str]) -> str:
        value = next(filter(None, values), "")
        self._matches[name] += bool(value)
        return value

    def _title(self, item: Element) -> str:
        if self._listing.title:
            return self._first(item, "title", map(_words, self._found(item, "title")))
        headings = (html.text_of(each) for each in item.iter(*_HEADINGS))
        links = (html.text_of(each) for each in item.iter("a"))
        return next(filter(None, headings), "") or next(filter(None, links), "")

    def _link(self, item: Element) -> str:
        if self._listing.link:
            links = (_link(each, self._base) for each in self._found(item, "link"))
            return self._first(item, "link", links)
        titles = self._found(item, "title") if self._listing.title else item.iter(*_HEADINGS)
        places = [each for each in titles if not isinstance(each, str)]
        return next(filter(None, (html.link_of(each, self._base) for each in (*places, item))), "")

    def _date(self, item: Element) -> _Date:
        found = self._found(item, "date") if self._listing.date else list(item.iter("time"))
        texts = [text for each in found for text in _date_texts(each)]
        self._matches["date"] += bool(texts)
        for text in texts:
            if date := dates.find(text, self._now):
                return _Date(date.date, "" if date.is_relative else text)
        return _Date(None, texts[0][:100] if texts else "")

    def _summary(self, item: Element) -> Text | None:
        if not self._listing.summary:
            return None
        for each in self._found(item, "summary"):
            words = _words(each)
            if words:
                self._matches["summary"] += 1
                markup = "" if isinstance(each, str) else html.markup_of(each)
                kind = "html" if markup else "text"
                return Text(value=markup or words, type=kind, base=self._base)
        return None

    def _image(self, item: Element) -> str:
        found = self._found(item, "image") if self._listing.image else [item]
        return self._first(item, "image", (url for each in found for url in self._pictures(each)))

    def _pictures(self, found: Element | str) -> Iterator[str]:
        if isinstance(found, str):
            yield html.absolute(self._base, found)
        else:
            yield from html.pictures(found, self._base)


def _date_texts(found: Element | str) -> Iterator[str]:
    """Yield the texts of a date, the more precise ones first: attributes, then words."""
    if isinstance(found, str):
        yield from filter(None, [" ".join(found.split())])
        return
    for each in found.iter():
        if isinstance(each.tag, str):
            for name in ("datetime", "content", "data-timestamp", "title"):
                if (value := each.get(name)) and any(map(str.isdigit, value)):
                    yield value
    if words := html.text_of(found):
        yield words
