"""From an entry as published to ours: the one bridge between the two types."""

import mimetypes
import re
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

import xxhash

from aggregator.clean import dates, html, text, urls
from aggregator.model import (
    Author,
    Enclosure,
    Entry,
    Extension,
    Image,
    Origin,
    ParsedEntry,
    SafeHtml,
)

FINGERPRINT_VERSION = b"1"
SUMMARY_LENGTH = 300
TEXT_LENGTH = 100_000
GUID_LENGTH = 1_000
MOST_AUTHORS, MOST_CATEGORIES, MOST_ENCLOSURES, MOST_EXTENSIONS = 20, 30, 20, 40

_COUNTER = re.compile(
    r"\(?\b\d[\d.,]*\s*(?:comments?|views?|shares?|likes?|replies|points|reads?)\b\)?"
    r"|\b(?:comments?|views?|shares?|likes?|points)\s*:\s*\d[\d.,]*",
    re.I,
)
_ADVERT = re.compile(r"\b(?:advertisement|sponsored content)\b", re.I)
_ADDRESS = re.compile(r"https?://\S+")
_FIRST_IMAGE = re.compile(r'<img [^>]*?src="([^"]+)"[^>]*>')
_ALT = re.compile(r'\balt="([^"]*)"')
_SIZE = re.compile(r'\b(width|height)="(\d+)"')
_CAPTION = re.compile(r"<figcaption[^>]*>(.*?)</figcaption>", re.S)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*\Z")
_URL_ATTRIBUTES = frozenset({"url", "href", "img", "src"})


def clean(parsed: ParsedEntry, *, base: str, now: datetime) -> Entry:
    """Return an entry that is safe to store and serve.

    Args:
        parsed: As the publisher wrote it.
        base: URL that relative references resolve against, unless the entry has its own.
        now: The moment of the poll; no date lies behind it.
    """
    base = (urls.absolute(base, parsed.base) if parsed.base else "") or base
    link = urls.absolute(base, parsed.link)
    links = dict(reversed(parsed.links))
    content, summary = _texts(parsed, base)
    words = text.plain(content)[:TEXT_LENGTH]
    title = text.title(parsed.title)
    enclosures = _enclosures(parsed.enclosures, base)
    guid = text.legal(parsed.guid).strip()
    if len(guid) > GUID_LENGTH:
        guid = f"xxh3:{xxhash.xxh3_128_hexdigest(guid.encode())}"
    return Entry(
        guid=guid,
        link=link,
        canonical_url=urls.canonical(urls.absolute(base, links.get("origLink", "")) or link),
        title=title,
        summary=text.lead(text.one_line(summary or words, 10_000), SUMMARY_LENGTH),
        content=content,
        text=words,
        published=dates.clamp(parsed.published or parsed.updated, now),
        updated=dates.clamp(parsed.updated, now),
        authors=authors(parsed.authors, base),
        categories=_categories(parsed.categories),
        enclosures=enclosures,
        image=_image(parsed, content, enclosures, base),
        origin=_origin(parsed.origin, base),
        via=urls.absolute(base, links.get("via", "")),
        comments=urls.absolute(base, parsed.comments or links.get("replies", "")),
        extensions=tuple(_extensions(parsed.extensions, base)),
        language=language(parsed.language),
        fingerprint=_fingerprint(title, words, enclosures),
        item_hash=parsed.item_hash,
    )


def empty(entry: Entry) -> bool:
    """Return whether there is nothing to keep: neither name nor page nor words nor file."""
    return not (
        entry.guid or entry.link or entry.title or entry.text or entry.enclosures or entry.image
    )


def _texts(parsed: ParsedEntry, base: str) -> tuple[SafeHtml, str]:
    """Return the fullest content, and the text of the publisher's own summary."""
    content = html.from_text(parsed.content, base=base)
    summary = html.from_text(parsed.summary, base=base)
    if len(summary) > len(content):
        return summary, text.plain(summary)
    return content, text.plain(summary)


def authors(found: Iterable[Author], base: str) -> tuple[Author, ...]:
    """Return persons with names as text, each once."""
    made: dict[str, Author] = {}
    for author in found:
        name = text.one_line(text.plain(author.name))
        email = text.one_line(author.email, 100)
        if "@" not in email or any(c in email for c in " <>\"'"):
            email = ""
        name = name or email.partition("@")[0]
        if name and name.casefold() not in made and len(made) < MOST_AUTHORS:
            made[name.casefold()] = Author(
                name=name, email=email, uri=urls.absolute(base, author.uri)
            )
    return tuple(made.values())


def _categories(found: Iterable[str]) -> tuple[str, ...]:
    made: dict[str, str] = {}
    for name in found:
        name = text.one_line(text.plain(name), 100)
        if name:
            made.setdefault(name.casefold(), name)
    return tuple(made.values())[:MOST_CATEGORIES]


def _enclosures(found: Iterable[Enclosure], base: str) -> tuple[Enclosure, ...]:
    made: dict[str, Enclosure] = {}
    for enclosure in found:
        url = urls.absolute(base, enclosure.url)
        if url and url not in made and len(made) < MOST_ENCLOSURES:
            made[url] = Enclosure(
                url=url,
                type=_media_type(enclosure.type, url),
                length=enclosure.length if enclosure.length and enclosure.length > 0 else None,
                duration=enclosure.duration,
                title=text.one_line(text.plain(enclosure.title)),
            )
    return tuple(made.values())


def _media_type(given: str, url: str) -> str:
    given = given.partition(";")[0].strip().lower()
    if re.fullmatch(r"[a-z]+/[a-z0-9.+-]{1,60}", given):
        return given
    return mimetypes.guess_type(urlsplit(url).path)[0] or ""


def _image(
    parsed: ParsedEntry, content: str, enclosures: Iterable[Enclosure], base: str
) -> Image | None:
    """Return the largest picture that the entry names, else the first in its content."""
    named = [
        Image(
            url=url,
            width=image.width,
            height=image.height,
            caption=text.one_line(text.plain(image.caption), text.TITLE_LENGTH),
            credit=text.one_line(text.plain(image.credit)),
        )
        for image in parsed.images
        if (url := urls.absolute(base, image.url)) and (image.width, image.height) != (1, 1)
    ]
    if named:
        return max(named, key=lambda image: image.width)
    for enclosure in enclosures:
        if enclosure.type.startswith("image/"):
            return Image(url=enclosure.url)
    tag = _FIRST_IMAGE.search(content)
    return _from_content(tag, content) if tag else None


def _from_content(tag: re.Match[str], content: str) -> Image:
    sizes = {name: int(value) for name, value in _SIZE.findall(tag[0])}
    alt = _ALT.search(tag[0])
    figure = content.find("</figure>", tag.end())
    caption = _CAPTION.search(content, tag.end(), figure) if figure > 0 else None
    words = text.plain(caption[1]) if caption else text.plain(alt[1]) if alt else ""
    return Image(
        url=tag[1].replace("&amp;", "&"),
        width=sizes.get("width", 0),
        height=sizes.get("height", 0),
        caption=text.one_line(words, text.TITLE_LENGTH),
    )


def _origin(origin: Origin | None, base: str) -> Origin | None:
    if origin is None:
        return None
    made = Origin(
        id=origin.id if urls.is_iri(origin.id) else "",
        title=text.one_line(text.plain(origin.title)),
        url=urls.absolute(base, origin.url),
    )
    return made if made != Origin() else None


def _extensions(found: Iterable[Extension], base: str) -> Iterable[Extension]:
    for extension in list(found)[:MOST_EXTENSIONS]:
        attributes = []
        for name, value in extension.attributes:
            value = urls.absolute(base, value) if name in _URL_ATTRIBUTES else text.one_line(value)
            if value:
                attributes.append((name, value))
        words = text.one_line(extension.text)
        if words or attributes:
            yield Extension(name=extension.name, text=words, attributes=tuple(attributes))


def language(tag: str) -> str:
    """Return a language tag in lower case, "" when it is none (RFC 5646)."""
    tag = tag.strip()
    return tag.replace("_", "-").lower() if _LANGUAGE.match(tag) else ""


def _fingerprint(title: str, words: str, enclosures: Iterable[Enclosure]) -> bytes:
    """Return a hash of what readers see, without counters, adverts and URLs."""
    body = words
    for noise in (_ADDRESS, _COUNTER, _ADVERT):
        body = noise.sub("", body)
    seen = "\0".join(
        [
            "".join(title.split()),
            "".join(body.split()),
            *(urls.canonical(e.url) for e in enclosures),
        ]
    )
    return FINGERPRINT_VERSION + xxhash.xxh3_128_digest(seen.encode())
