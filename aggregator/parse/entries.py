"""feedparser's dictionaries to our dataclasses: which value counts, never how it was read.

feedparser's `get` and `[]` answer for other keys too (`updated` by `published`), so everything
here reads with `dict.get`.
"""

import html
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from aggregator.models.entry import Author, Enclosure, Image, Origin, ParsedEntry, ParsedFeed, Text
from aggregator.parse import dates
from aggregator.parse.elements import Elements
from aggregator.parse.media import MOST, Item, number

Values = dict[str, Any]
"""A FeedParserDict: anything may be missing, and anything may stand where text should be."""

Link = tuple[str, str, Values]
"""The relation and URL of a link, and all that is said of it."""

LONGEST_PERIOD = timedelta(days=366)
"""A ttl or update period above it is a mistake."""

_TYPES = {"text/plain": "text", "text/html": "html", "application/xhtml+xml": "xhtml"}
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_ITUNES_SCHEME = "http://www.itunes.com/"
_NO_ITEM = Item()


def feed(
    parsed: Values,
    elements: Elements,
    *,
    base: str,
    problems: tuple[str, ...] = (),
    hashes: Sequence[bytes] = (),
) -> ParsedFeed:
    """Return the feed that feedparser read.

    Args:
        parsed: The result of `feedparser.parse`.
        elements: Of the same document.
        base: What feedparser resolved relative references against.
        problems: What was wrong with the document.
        hashes: Of the items; none is used when there are not as many as entries.
    """
    channel: Values = dict.get(parsed, "feed") or {}
    links = tuple(_all_links(channel))
    entries: list[Values] = dict.get(parsed, "entries") or []
    # Of an ill-formed document the two readings may differ; then only feedparser's counts.
    aligned = len(elements.items) == len(entries)
    items = elements.items if aligned else (_NO_ITEM,) * len(entries)
    if len(hashes) != len(entries):
        hashes = (b"",) * len(entries)
    return ParsedFeed(
        version=_string(parsed, "version"),
        id=_string(channel, "id"),
        title=_markup(channel, "title"),
        subtitle=_markup(channel, "subtitle"),
        link=_link(channel, links),
        language=_string(channel, "language"),
        rights=_markup(channel, "rights"),
        image=elements.image,
        updated=_moment(channel, "updated") or _moment(channel, "published"),
        authors=_authors(channel),
        links=_links(links, skip=frozenset({"alternate"})),
        ttl=_ttl(channel),
        update_period=_update_period(channel),
        update_base=dates.rfc3339(_string(channel, "sy_updatebase")),
        skip_hours=elements.skip_hours,
        skip_days=elements.skip_days,
        complete=elements.complete,
        archive=elements.archive,
        problems=problems,
        entries=tuple(
            _entry(values, item, base, item_hash)
            for values, item, item_hash in zip(entries, items, hashes, strict=True)
        ),
    )


def _entry(values: Values, item: Item, base: str, item_hash: bytes) -> ParsedEntry:
    title, summary = _text(values, "title", base), _text(values, "summary", base)
    content = _content(values, item, base, has_summary=summary is not None)
    links = tuple(_all_links(values))
    enclosures = tuple(_enclosures(links, item))
    return ParsedEntry(
        guid=item.guid or _string(values, "id"),
        link=_link(values, links),
        title=title,
        summary=summary,
        content=content,
        authors=_authors(values),
        categories=_categories(values),
        published=_moment(values, "published"),
        updated=_moment(values, "updated"),
        enclosures=enclosures,
        images=tuple(_images(item, enclosures)),
        origin=_origin(values),
        links=_links(links, skip=frozenset({"alternate", "enclosure"})) + _original(values),
        comments=_string(values, "comments"),
        extensions=item.extensions,
        language=_string(values, "language") or _first_language(title, content, summary),
        base=next((text.base for text in (content, summary, title) if text and text.base), ""),
        item_hash=item_hash,
    )


# --- text ------------------------------------------------------------------------------------


def _string(values: Values, key: str) -> str:
    value = dict.get(values, key)
    return value.strip() if isinstance(value, str) else ""


def _several(values: Values, key: str) -> list[Values]:
    several = dict.get(values, key)
    return several if isinstance(several, list) else []


def _details(values: Values, key: str) -> Values:
    details = dict.get(values, f"{key}_detail")
    return details if isinstance(details, dict) else {}


def _text(values: Values, key: str, base: str) -> Text | None:
    value = _string(values, key)
    details = value and _details(values, key)
    if not details:
        return None  # a summary without details is feedparser's copy of the content
    same = _string(details, "value") == value
    return _made(value, details if same else {**details, "type": "text/html"}, base)


def _made(value: str, details: Values, base: str) -> Text:
    own_base = _string(details, "base")
    return Text(
        value=value,
        type=_TYPES.get(_string(details, "type"), "text"),
        base="" if own_base == base else own_base,
        language=_string(details, "language"),
    )


def _markup(values: Values, key: str) -> str:
    """Return a text of the feed as HTML, whichever type it has."""
    value = _string(values, key)
    plain = _string(_details(values, key), "type") == "text/plain"
    return html.escape(value, quote=False) if plain else value


def _content(values: Values, item: Item, base: str, *, has_summary: bool) -> Text | None:
    sent = _several(values, "content")
    if not sent:
        return None
    candidates = [
        text
        for details in sent
        if _string(details, "type") in _TYPES and (value := _string(details, "value"))
        # feedparser takes captions and blurbs for content where there is a summary before them.
        if not (has_summary and value in item.asides)
        for text in [_made(value, details, base)]
    ]
    marked = (text for text in candidates if text.type != "text")
    return next(marked, candidates[0] if candidates else None)


def _first_language(*texts: Text | None) -> str:
    return next((text.language for text in texts if text and text.language), "")


def _categories(values: Values) -> tuple[str, ...]:
    sent = _several(values, "tags")
    terms = {
        _string(tag, "label") or _string(tag, "term"): None
        for tag in sent
        if dict.get(tag, "scheme") != _ITUNES_SCHEME  # keywords, meant for search engines
    }
    return tuple(term for term in terms if term)


def _authors(values: Values) -> tuple[Author, ...]:
    authors = {
        Author(
            name=_string(author, "name"),
            uri=_string(author, "href"),
            email=_string(author, "email"),
        ): None
        for author in _several(values, "authors")
    }
    return tuple(author for author in authors if author != Author())


# --- links -----------------------------------------------------------------------------------


def _all_links(values: Values) -> Iterator[Link]:
    for link in _several(values, "links"):
        url = _string(link, "href")
        if url:
            yield _string(link, "rel"), url, link


def _link(values: Values, links: Iterable[Link]) -> str:
    alternates = (url for rel, url, _ in links if rel == "alternate")
    return _string(values, "link") or next(alternates, "")


def _links(links: Iterable[Link], *, skip: frozenset[str]) -> tuple[tuple[str, str], ...]:
    pairs = {(rel, url): None for rel, url, _ in links if rel not in skip}
    return tuple(pairs)[:MOST]


def _original(values: Values) -> tuple[tuple[str, str], ...]:
    url = _string(values, "feedburner_origlink")
    return (("origLink", url),) if url else ()


def _origin(values: Values) -> Origin | None:
    source = dict.get(values, "source")
    if not isinstance(source, dict):
        return None
    links = tuple(_all_links(source))
    own = (url for rel, url, _ in links if rel == "self")
    origin = Origin(
        id=_string(source, "id"),
        title=_markup(source, "title"),
        url=_string(source, "href") or next(own, "") or _link(source, links),
    )
    return origin if origin != Origin() else None


# --- media -----------------------------------------------------------------------------------


def _enclosures(links: Iterable[Link], item: Item) -> Iterator[Enclosure]:
    """Return the recordings of the item and of Media RSS, each URL once, described by both."""
    found: dict[str, Enclosure] = {}
    for rel, url, link in links:
        if rel == "enclosure":
            sent = Enclosure(
                url=url,
                type=_string(link, "type").lower(),
                length=number(_string(link, "length")) or None,
                title=_string(link, "title"),
            )
            found.setdefault(url, sent)
    for more in item.enclosures:
        known = found.setdefault(more.url, more)
        found[more.url] = Enclosure(
            url=more.url,
            type=known.type or more.type,
            length=known.length or more.length,
            duration=more.duration,
            title=known.title or more.title,
        )
    return _timed(tuple(found.values())[:MOST], item.duration)


def _timed(enclosures: Iterable[Enclosure], duration: int | None) -> Iterator[Enclosure]:
    """Give the item's duration, which is said once, to its first recording."""
    for enclosure in enclosures:
        silent = enclosure.type.startswith(("image/", "text/"))
        if duration and not silent and enclosure.duration is None:
            yield replace(enclosure, duration=duration)
            duration = None
        else:
            yield enclosure


def _images(item: Item, enclosures: Iterable[Enclosure]) -> Iterator[Image]:
    yield from item.images
    known = {image.url for image in item.images}
    for enclosure in enclosures:
        if enclosure.type.startswith("image/") and enclosure.url not in known:
            yield Image(url=enclosure.url)


# --- times -----------------------------------------------------------------------------------


def _moment(values: Values, key: str) -> datetime | None:
    return dates.moment(_string(values, key), dict.get(values, f"{key}_parsed"))


def _ttl(channel: Values) -> timedelta | None:
    minutes = number(_string(channel, "ttl"))
    return _bounded(timedelta(minutes=min(minutes, 10**9)))


def _update_period(channel: Values) -> timedelta | None:
    """sy:updatePeriod over sy:updateFrequency; each has a default when the other is given."""
    period = _string(channel, "sy_updateperiod").lower()
    frequency = number(_string(channel, "sy_updatefrequency"))
    if not period and not frequency:
        return None
    length = _PERIODS.get(period or "daily")
    return _bounded(length / max(frequency, 1)) if length else None


def _bounded(period: timedelta) -> timedelta | None:
    return period if timedelta(0) < period <= LONGEST_PERIOD else None
