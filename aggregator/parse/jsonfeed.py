"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/) to `ParsedFeed`.

Lenient as the specification asks of readers: an id may be a number, a wrong type counts as absent,
an item that is no object is left out and said so.
"""

import html
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import xxhash

from aggregator.models.entry import Author, Enclosure, Image, ParsedEntry, ParsedFeed, Text
from aggregator.parse import dates, decode
from aggregator.parse.decode import NotAFeed

Object = dict[str, Any]

LONGEST_DURATION = dates.LONGEST
_TYPES = ("application/feed+json", "application/json")
_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/([0-9.]{1,9})")
_HASH_VERSION = b"json 2\0"  # raise it when an item's values change for the same JSON
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def is_meant(body: bytes, content_type: str) -> bool:
    """Tell whether a body is to be read as JSON: it begins as an object, or its type says so."""
    start = body[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return False
    return start.startswith(b"{") or content_type.partition(";")[0].strip().lower() in _TYPES


def parse(body: bytes, *, url: str = "") -> ParsedFeed:
    """Return everything a JSON Feed says; each entry has its `item_hash`.

    Args:
        body: UTF-8, as it came.
        url: Where it came from; nothing in a JSON Feed is relative to anything else.

    Raises:
        NotAFeed: It is no JSON, or no JSON Feed.
    """
    document = _document(body)
    problems: list[str] = []
    try:
        entries = tuple(_entries(document, problems))
    except RecursionError as error:  # hashing goes a little deeper than reading did
        raise NotAFeed("The document's JSON is nested too deep") from error
    version = _VERSION.fullmatch(_text(document, "version"))
    if not version:
        problems.append("version is not https://jsonfeed.org/version/1.1")
    if document.get("expired") is True:
        problems.append("the feed says that it has expired and will not be updated again")
    return ParsedFeed(
        version=f"json{version[1] if version else ''}",
        title=html.escape(_text(document, "title"), quote=False),
        subtitle=html.escape(_text(document, "description"), quote=False),
        link=_text(document, "home_page_url"),
        language=_text(document, "language"),
        image=_text(document, "icon") or _text(document, "favicon"),
        authors=_authors(document),
        links=tuple(_feed_links(document)),
        problems=tuple(problems),
        entries=entries,
    )


def _document(body: bytes) -> Object:
    if not body.strip():
        raise NotAFeed("The document is empty")
    try:
        document = json.loads(decode.text(body))
    except json.JSONDecodeError as error:
        raise NotAFeed(
            f"The document is no JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from error
    except (RecursionError, ValueError) as error:  # nested too deep, or a number too long
        raise NotAFeed(f"The document's JSON can't be read: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise NotAFeed("The document is JSON, but no JSON Feed: it has no list “items”")
    return document


def _entries(document: Object, problems: list[str]) -> Iterator[ParsedEntry]:
    for position, item in enumerate(document["items"], 1):
        if isinstance(item, dict):
            yield _entry(item)
        else:
            problems.append(f"item {position} is no object; left out")


def _entry(item: Object) -> ParsedEntry:
    images = (_text(item, "image"), _text(item, "banner_image"))
    title, summary = _text(item, "title"), _text(item, "summary")
    language = _text(item, "language")
    return ParsedEntry(
        guid=_text(item, "id"),
        link=_text(item, "url") or _text(item, "external_url"),
        title=Text(value=title, type="text", language=language) if title else None,
        summary=Text(value=summary, type="text", language=language) if summary else None,
        content=_content(item, language),
        authors=_authors(item),
        categories=tuple(dict.fromkeys(tag for tag in _strings(item, "tags") if tag)),
        published=_moment(item, "date_published"),
        updated=_moment(item, "date_modified"),
        enclosures=tuple(_enclosures(item)),
        images=tuple(Image(url=url) for url in dict.fromkeys(images) if url),
        links=tuple(_item_links(item)),
        language=language,
        item_hash=_hash(item),
    )


def _content(item: Object, language: str) -> Text | None:
    for key, kind in (("content_html", "html"), ("content_text", "text")):
        value = _text(item, key)
        if value:
            return Text(value=value, type=kind, language=language)
    return None


def _hash(item: Object) -> bytes:
    canonical = json.dumps(item, sort_keys=True, separators=(",", ":"))
    return xxhash.xxh3_128_digest(_HASH_VERSION + canonical.encode())


def _authors(holder: Object) -> tuple[Author, ...]:
    given = _objects(holder, "authors") or _objects({"": [holder.get("author")]}, "")  # as 1.0
    authors = (Author(name=_text(each, "name"), uri=_text(each, "url")) for each in given)
    return tuple(dict.fromkeys(each for each in authors if each != Author()))


def _enclosures(item: Object) -> Iterator[Enclosure]:
    for attachment in _objects(item, "attachments"):
        url = _text(attachment, "url")
        if url:
            duration = _count(attachment, "duration_in_seconds")
            yield Enclosure(
                url=url,
                type=_text(attachment, "mime_type").lower(),
                length=_count(attachment, "size_in_bytes"),
                duration=duration if duration and duration <= LONGEST_DURATION else None,
                title=_text(attachment, "title"),
            )


def _item_links(item: Object) -> Iterator[tuple[str, str]]:
    external = _text(item, "external_url")
    if external and _text(item, "url"):
        yield "related", external


def _feed_links(document: Object) -> Iterator[tuple[str, str]]:
    hubs = ((_text(hub, "type").lower(), _text(hub, "url")) for hub in _objects(document, "hubs"))
    links = [("self", _text(document, "feed_url")), ("next", _text(document, "next_url"))]
    links += [("hub", hub) for kind, hub in hubs if kind == "websub"]
    return (link for link in links if link[1])


# --- values of any type ----------------------------------------------------------------------


def _legal(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return _ILLEGAL.sub("", str(value)).strip()


def _text(holder: Object, key: str) -> str:
    return _legal(holder.get(key))


def _strings(holder: Object, key: str) -> Iterator[str]:
    values = holder.get(key)
    return (_legal(value) for value in values) if isinstance(values, list) else iter(())


def _objects(holder: Object, key: str) -> list[Object]:
    values = holder.get(key)
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []


def _count(holder: Object, key: str) -> int | None:
    value = holder.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 < value < 2**53 else None


def _moment(holder: Object, key: str) -> datetime | None:
    return dates.rfc3339(_text(holder, key))
