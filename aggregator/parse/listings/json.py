"""Entries of a JSON document, alone or in a script element of a page, by JMESPath expressions."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import jmespath.exceptions
import xxhash
from lxml import etree

from aggregator.models.entry import Image, ParsedEntry, ParsedFeed, Text
from aggregator.models.listing import FIELDS, JsonListing, compile_path, compile_selector
from aggregator.parse import decode
from aggregator.parse.decode import NotAFeed
from aggregator.parse.listings import dates, html
from aggregator.parse.listings.page import NoEntries
from aggregator.parse.text import detect_type

MOST_ITEMS = 5_000
"""Items of one document that are read."""

_HASH_VERSION = b"json listing 1\0"
_START = re.compile(r"[{\[]")
_ADDRESSES = ("url", "src", "href", "uri", "link")
"""Members of an object that holds a URL."""
_NAMES = ("rendered", "name", "title", "text", "value")
"""Members of an object that holds a text."""


def read(
    body: bytes, *, content_type: str, url: str, listing: JsonListing, now: datetime
) -> tuple[ParsedFeed, str]:
    """Return a JSON document as a feed, and the URL of the next document, "" without one.

    Args:
        body: As it came, without content coding.
        content_type: The Content-Type field as sent, for its charset.
        url: Where it came from, the base of its links.
        listing: The expressions.
        now: The time of the poll, for relative dates.

    Raises:
        NoEntries: `items` or `script` finds nothing; the message names the expression.
        NotAFeed: It is not JSON.
    """
    problems: list[str] = []
    documents = _documents(body, content_type, listing, problems)
    document, items = _items(documents, listing)
    if len(items) > MOST_ITEMS:
        problems.append(f"only the first {MOST_ITEMS:,} of {len(items):,} items are read")
    matches = Counter[str]()
    read_entries = [_entry(each, listing, url, now, matches) for each in items[:MOST_ITEMS]]
    entries = tuple(each for each in read_entries if each.link or each.title)
    if not entries:
        raise NoEntries(f"`items: {listing.items}` finds {len(items)} items without a title")
    given = ((name, getattr(listing, name)) for name in FIELDS)
    unmatched = tuple(f"{name}: {text}" for name, text in given if text and not matches[name])
    problems += [f"`{expression}` finds nothing in any entry" for expression in unmatched]
    feed = ParsedFeed(
        version="json listing",
        problems=tuple(problems),
        unmatched=unmatched,
        entries=entries,
    )
    following = html.absolute(url, _text(_search(document, listing.next), _ADDRESSES))
    return feed, "" if following == url else following


def _documents(
    body: bytes, content_type: str, listing: JsonListing, problems: list[str]
) -> list[Any]:
    if not listing.script:
        return [load(decode.text(body, content_type, problems))]
    page = html.tree(body, content_type, problems)
    found = compile_selector(listing.script)(page)
    scripts = found if isinstance(found, list) else []
    texts = [each.text or "" if isinstance(each, etree._Element) else str(each) for each in scripts]
    documents = list(embedded(texts))
    if not documents:
        why = "elements without JSON" if texts else "nothing"
        raise NoEntries(f"`script: {listing.script}` finds {why}")
    return documents


def load(text: str) -> Any:
    """Return a JSON value; raises NotAFeed."""
    try:
        return json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        raise NotAFeed(
            f"The document is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from error
    except (RecursionError, ValueError) as error:
        raise NotAFeed(f"The document's JSON can't be read: {error}") from error


def embedded(scripts: list[str]) -> Iterator[Any]:
    """Yield the JSON values that scripts begin with, after an assignment or alone."""
    for text in scripts:
        for start in _START.finditer(text[:1_000]):
            try:
                value, _ = json.JSONDecoder(strict=False).raw_decode(text, start.start())
            except (ValueError, RecursionError):
                continue
            if value:
                yield value
                break


def _items(documents: list[Any], listing: JsonListing) -> tuple[Any, list[Any]]:
    for document in documents:
        items = _search(document, listing.items)
        if isinstance(items, dict):
            items = list(items.values())
        if isinstance(items, list) and items:
            return document, items
    raise NoEntries(f"`items: {listing.items}` finds no list with entries")


def _search(value: Any, expression: str) -> Any:
    if not expression:
        return None
    try:
        return compile_path(expression)(value)
    except (jmespath.exceptions.JMESPathError, RecursionError):
        return None


def _entry(
    item: Any, listing: JsonListing, url: str, now: datetime, matches: Counter[str]
) -> ParsedEntry:
    found = {name: _search(item, getattr(listing, name)) for name in FIELDS}
    title, summary = _text(found["title"], _NAMES), _text(found["summary"], _NAMES)
    link = html.absolute(url, _text(found["link"], _ADDRESSES))
    image = html.absolute(url, _text(found["image"], _ADDRESSES))
    words = _text(found["date"], _NAMES)
    date = dates.find(words, now)
    texts = {"title": title, "link": link, "date": words, "summary": summary, "image": image}
    matches.update(name for name, value in texts.items() if value)
    if date and date.is_relative:
        del texts["date"]
    digest = xxhash.xxh3_128(_HASH_VERSION)
    for name, value in texts.items():
        digest.update(f"{name}\0{value}\0".encode(errors="replace"))
    return ParsedEntry(
        link=link,
        title=_construct(title, is_title=True),
        summary=_construct(summary, base=link or url),
        published=date.date if date else None,
        unread_date="" if date else words[:100],
        images=(Image(url=image),) if image else (),
        item_hash=digest.digest(),
    )


def _construct(value: str, *, is_title: bool = False, base: str = "") -> Text | None:
    if not value:
        return None
    kind, value = detect_type(value, is_title=is_title)
    return Text(value=value, type=kind, base=base if kind == "html" else "")


def _text(value: Any, members: tuple[str, ...]) -> str:
    """Return a text or number, or that of the first of several or of a member of an object."""
    for _ in range(3):
        if isinstance(value, list):
            value = value[0] if value else ""
        elif isinstance(value, dict):
            value = next((value[name] for name in members if value.get(name)), "")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return str(value).strip()
