"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/) to `ParsedFeed`.

Lenient as the specification asks of readers: an id may be a number, one object or string may stand
where a list should, sizes may be strings, titles may have character references. A value of any
other type counts as absent. An item that is no object is left out, and a problem says so.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import xxhash

from aggregator.models.entry import Author, Enclosure, Image, ParsedEntry, ParsedFeed, Text
from aggregator.parse import dates, decode
from aggregator.parse.decode import NotAFeed
from aggregator.parse.links import host
from aggregator.parse.people import person
from aggregator.parse.text import as_html, detect_type, fix_encoding
from aggregator.parse.tree import is_web

Object = dict[str, Any]

LONGEST_DURATION = dates.LONGEST
_TYPES = ("application/feed+json", "application/json")
_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/([0-9.]{1,9})")
_HASH_VERSION = b"json 1\0"
_TRAILING_COMMA = re.compile(r",\s*([}\]])")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def is_meant(body: bytes, content_type: str) -> bool:
    """Return whether a body is JSON: it begins as an object, or its type says so."""
    start = body[:1000].translate(None, b"\0").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if start.startswith(b"<"):
        return False
    return start.startswith(b"{") or content_type.partition(";")[0].strip().lower() in _TYPES


def parse(body: bytes, *, content_type: str = "", url: str = "") -> ParsedFeed:
    """Return a JSON Feed with all of its entries; each has its `item_hash`.

    Args:
        body: As it came, without content coding.
        content_type: The Content-Type field as sent, for its charset.
        url: Where it came from; nothing in a JSON Feed is relative to anything else.

    Raises:
        NotAFeed: It is no JSON, or no JSON Feed.
    """
    problems: list[str] = []
    document = _document(body, content_type, problems)
    home = _address(document, "home_page_url")
    language, authors = _text(document, "language"), _authors(document)
    try:
        entries = tuple(
            _entry(item, home or url, language, authors) for item in _items(document, problems)
        )
    except RecursionError as error:  # hashing goes a little deeper than reading did
        raise NotAFeed("The document's JSON is nested too deep") from error
    version = _VERSION.fullmatch(_text(document, "version"))
    if not version:
        problems.append("version is not https://jsonfeed.org/version/1.1")
    if _legal(document.get("expired")).lower() == "true" or document.get("expired") is True:
        problems.append("the feed says that it has expired and will not be updated again")
    return ParsedFeed(
        version=f"json{version[1] if version else ''}",
        title=as_html(_construct(document, "title", is_title=True)),
        subtitle=as_html(_construct(document, "description")),
        link=home,
        language=language,
        icon=_address(document, "favicon"),
        image=_address(document, "icon") or _address(document, "favicon"),
        authors=authors,
        links=tuple(_feed_links(document)),
        problems=tuple(problems),
        entries=entries,
    )


def _document(body: bytes, content_type: str, problems: list[str]) -> Object:
    if not body.strip(b" \t\r\n\0"):
        raise NotAFeed("The document is empty")
    text = decode.text(body, content_type, problems)
    try:
        # Line ends and tabs in strings are faults of JSON, but their meaning is clear.
        document = json.loads(text, strict=False, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise NotAFeed(
            f"The document is not JSON: line {error.lineno}, column {error.colno}: {_fault(error)}"
        ) from error
    except (RecursionError, ValueError) as error:  # nested too deep, or a number too long
        raise NotAFeed(f"The document's JSON can't be read: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise NotAFeed("The document is JSON, but no JSON Feed: it has no list “items”")
    return document


def _no_number(_name: str) -> None:
    """Return None for NaN and the infinities, which JSON does not have."""


def _fault(error: json.JSONDecodeError) -> str:
    comma = error.doc.rfind(",", 0, error.pos + 1)
    trailing = _TRAILING_COMMA.match(error.doc, comma) if comma >= 0 else None
    if trailing and trailing.end() > error.pos:
        return f"a comma stands before {trailing[1]}, with no value after it; JSON forbids that"
    if error.pos >= len(error.doc.rstrip()):
        return "the document ends too early"
    return error.msg


def _items(document: Object, problems: list[str]) -> Iterator[Object]:
    for position, item in enumerate(document["items"], 1):
        if isinstance(item, dict):
            yield item
        else:
            problems.append(f"item {position} is no object; left out")


def _entry(item: Object, home: str, language: str, authors: tuple[Author, ...]) -> ParsedEntry:
    images = (_address(item, "image"), _address(item, "banner_image"))
    page, external, guid = _address(item, "url"), _address(item, "external_url"), _text(item, "id")
    page = page or external or (guid if is_web(guid) else "")
    base = page if host(page) == host(home) else ""
    published, updated = _date(item, "date_published"), _date(item, "date_modified")
    sent_date = _text(item, "date_published") or _text(item, "date_modified")
    return ParsedEntry(
        guid=guid,
        link=page,
        title=_construct(item, "title", is_title=True),
        summary=_construct(item, "summary", base=base),
        content=_content(item, base),
        authors=_authors(item) or authors,
        categories=tuple(dict.fromkeys(tag for tag in _tags(item) if tag)),
        published=published,
        updated=updated,
        unread_date="" if published or updated else sent_date,
        enclosures=tuple(_enclosures(item)),
        images=tuple(Image(url=url) for url in dict.fromkeys(images) if url),
        links=(("related", external),) if external and external != page else (),
        language=_text(item, "language") or language,
        item_hash=_hash(item),
    )


def _construct(holder: Object, key: str, *, is_title: bool = False, base: str = "") -> Text | None:
    """Return a text that should be plain, but may have character references or tags of HTML."""
    value = _text(holder, key)
    if not value:
        return None
    kind, value = detect_type(value, is_title=is_title)
    language = _text(holder, "language")
    return Text(value=value, type=kind, language=language, base=base if kind == "html" else "")


def _content(item: Object, base: str) -> Text | None:
    language = _text(item, "language")
    if value := _text(item, "content_html"):
        return Text(value=value, type="html", language=language, base=base)
    value = _text(item, "content_text")
    return Text(value=value, type="text", language=language) if value else None


def _hash(item: Object) -> bytes:
    canonical = json.dumps(item, sort_keys=True, separators=(",", ":"))
    return xxhash.xxh3_128_digest(_HASH_VERSION + canonical.encode())


def _authors(holder: Object) -> tuple[Author, ...]:
    given = _several(holder, "authors") or _several(holder, "author")  # one in version 1.0
    authors = (_author(each) for each in given)
    return tuple(dict.fromkeys(each for each in authors if each != Author()))


def _author(given: object) -> Author:
    if not isinstance(given, dict):
        return person(given if isinstance(given, str) else "")
    named = person(_text(given, "name"))
    return Author(name=named.name, email=named.email, uri=_text(given, "url") or named.uri)


def _tags(item: Object) -> Iterator[str]:
    for tag in _several(item, "tags"):
        if isinstance(tag, dict):
            yield _text(tag, "name") or _text(tag, "label") or _text(tag, "term")
        elif isinstance(item["tags"], str):
            yield from (each.strip() for each in _legal(tag).split(","))
        else:
            yield _legal(tag)


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


def _feed_links(document: Object) -> Iterator[tuple[str, str]]:
    hubs = ((_text(hub, "type").lower(), _text(hub, "url")) for hub in _objects(document, "hubs"))
    links = [("self", _text(document, "feed_url")), ("next", _text(document, "next_url"))]
    links += [("hub", hub) for kind, hub in hubs if kind == "websub"]
    return (link for link in links if link[1])


# --- values of any type ----------------------------------------------------------------------


def _legal(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return fix_encoding(_ILLEGAL.sub("", str(value)).strip())


def _text(holder: Object, key: str) -> str:
    return _legal(holder.get(key))


def _address(holder: Object, key: str) -> str:
    """Return a URL, which may stand in an object of its own."""
    value = holder.get(key)
    return _text(value, "url") if isinstance(value, dict) else _legal(value)


def _several(holder: Object, key: str) -> list[object]:
    """Return a list, or the one string or object that stands in its place."""
    value = holder.get(key)
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, (str, dict)) and value else []


def _objects(holder: Object, key: str) -> list[Object]:
    return [each for each in _several(holder, key) if isinstance(each, dict)]


def _count(holder: Object, key: str) -> int | None:
    value = holder.get(key)
    if isinstance(value, str):
        sent = value.strip()
        value = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 17 else None
        if value is None:
            return dates.seconds(sent)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 < value < 2**53 else None


def _date(holder: Object, key: str) -> datetime | None:
    return dates.parse(_text(holder, key))
