"""From an entry as published to ours: the one bridge between the two types."""

import mimetypes
import re
from collections.abc import Iterable, Iterator
from datetime import datetime

import xxhash

from aggregator.clean import dates, fingerprint, lead_picture, text, urls
from aggregator.clean.html import constructs
from aggregator.models import excerpt
from aggregator.models.entry import (
    Author,
    Enclosure,
    Entry,
    Extension,
    Origin,
    ParsedEntry,
    SafeHtml,
)
from aggregator.models.extensions import ELEMENTS, ID_ATTRIBUTES, URL_ATTRIBUTES

SUMMARY_LENGTH = 300
GUID_LENGTH = 1_000
MOST_AUTHORS, MOST_CATEGORIES, MOST_ENCLOSURES, MOST_EXTENSIONS = 20, 30, 20, 60
CATEGORY_LENGTH = 100
DATE_LENGTH = 100
EMAIL_LENGTH = 100

_EMAIL = re.compile(r"[^\s\"'<>@,;:()]+@[^\s\"'<>@,;:()]+")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,60}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8})*")
_MEDIA = re.compile(r"<(?:img|video|audio|math)\b")
_EXCERPT = re.compile(
    r"(?:…|\.\.\.)[\])]?\s*(?:(?:the post|continue reading|read more|read the rest)\b.*)?\Z",
    re.IGNORECASE,
)


def clean(parsed: ParsedEntry, *, base: str, now: datetime, language: str = "") -> Entry:
    """Return an entry that is safe to store and serve.

    Args:
        parsed: As the publisher wrote it.
        base: URL that relative references resolve against, unless the entry has its own.
        now: The time of the poll; later dates become it.
        language: The feed's, as `language_tag` returns it, for an entry that names none.
    """
    base = (urls.absolute(base, parsed.base) if parsed.base else "") or base
    link = urls.absolute(base, parsed.link)
    # Pictures are often relative to the page (Hugo's page bundles), unless xml:base says otherwise.
    page = base if parsed.base else link or base
    links = dict(reversed(parsed.links))
    content, words, summary = _texts(parsed, page)
    title = text.title(parsed.title)
    enclosures = _enclosures(parsed.enclosures, base)
    return Entry(
        guid=guid(parsed.guid),
        link=link,
        canonical_url=urls.canonical(urls.absolute(base, links.get("origLink", "")) or link),
        title=title,
        summary=text.one_line(summary or words, SUMMARY_LENGTH),
        content=content,
        text=excerpt.lead(words, text.TEXT_LENGTH),
        published=dates.clamp(parsed.published or parsed.updated, now),
        updated=dates.clamp(parsed.updated, now),
        unread_date=text.one_line(parsed.unread_date, DATE_LENGTH),
        authors=authors(parsed.authors, base),
        categories=_categories(parsed.categories),
        enclosures=enclosures,
        image=lead_picture.find(parsed.images, enclosures, content, base=page),
        origin=_origin(parsed.origin, base),
        via=urls.absolute(base, links.get("via", "")),
        comments=urls.absolute(base, parsed.comments or links.get("replies", "")),
        extensions=tuple(_extensions(parsed.extensions, base)),
        language=language_tag(parsed.language) or language,
        fingerprint=fingerprint.of_entry(title, content, words, enclosures, is_cut=parsed.is_cut),
        item_hash=parsed.item_hash,
    )


def is_empty(entry: Entry) -> bool:
    """Return whether there is nothing to keep: no id, link, title, content, file or picture."""
    return not (
        entry.guid or entry.link or entry.title or entry.content or entry.enclosures or entry.image
    )


def guid(sent: str) -> str:
    """Return a publisher's id as sent, or a hash in its place when it is too long to be kept."""
    sent = text.legal(sent).strip()
    if len(sent) <= GUID_LENGTH:
        return sent
    return f"xxh3:{xxhash.xxh3_128_hexdigest(sent.encode())}"


def authors(sent: Iterable[Author], base: str) -> tuple[Author, ...]:
    """Return persons with names as text, each once."""
    by_name: dict[str, Author] = {}
    for author in sent:
        email = text.one_line(author.email)
        if len(email) > EMAIL_LENGTH or not _EMAIL.fullmatch(email):
            email = ""
        name = text.line(author.name) or email.partition("@")[0]
        if name and len(by_name) < MOST_AUTHORS:
            uri = urls.absolute(base, author.uri)
            by_name.setdefault(name.casefold(), Author(name=name, email=email, uri=uri))
    return tuple(by_name.values())


def language_tag(tag: str) -> str:
    """Return a language tag in lower case, "" when it is none (RFC 5646 §2.1)."""
    tag = tag.strip().replace("_", "-").lower()
    return tag if len(tag) <= 35 and _LANGUAGE.fullmatch(tag) else ""


def _texts(parsed: ParsedEntry, base: str) -> tuple[SafeHtml, str, str]:
    """Return the fullest content, its text, and the text of the publisher's own summary."""
    content = constructs.from_text(parsed.content, base=base)
    summary = constructs.from_text(parsed.summary, base=base)
    words = text.plain_of(content)
    if not summary:
        return content, words, ""
    summary_words = text.plain_of(summary)
    if _shows_more(summary, summary_words, than=content, than_words=words):
        return summary, summary_words, summary_words
    return content, words, summary_words


def _shows_more(summary: str, words: str, *, than: str, than_words: str) -> bool:
    """Return whether a reader sees more in the summary than in the content.

    A summary that ends in "[…]" is an excerpt, and no words replace a picture or player.
    """
    if not than:
        return True
    if len(words) <= len(than_words):
        return False
    has_more_media = bool(_MEDIA.search(than)) and not _MEDIA.search(summary)
    is_excerpt = bool(than_words) and bool(_EXCERPT.search(words))
    return not has_more_media and not is_excerpt


def _categories(terms: Iterable[str]) -> tuple[str, ...]:
    by_name: dict[str, str] = {}
    for sent in terms:
        name = text.line(sent, CATEGORY_LENGTH)
        if name:
            by_name.setdefault(name.casefold(), name)
    return tuple(by_name.values())[:MOST_CATEGORIES]


def _enclosures(sent: Iterable[Enclosure], base: str) -> tuple[Enclosure, ...]:
    by_url: dict[str, Enclosure] = {}
    for enclosure in sent:
        url = urls.absolute(base, enclosure.url)
        if url and url not in by_url and len(by_url) < MOST_ENCLOSURES:
            by_url[url] = Enclosure(
                url=url,
                type=_media_type(enclosure.type, url),
                length=enclosure.length if (enclosure.length or 0) > 0 else None,
                duration=enclosure.duration if (enclosure.duration or 0) > 0 else None,
                title=text.line(enclosure.title),
            )
    return tuple(by_url.values())


def _media_type(given: str, url: str) -> str:
    given = given.partition(";")[0].strip().lower()
    if _MEDIA_TYPE.fullmatch(given):
        return given
    return mimetypes.guess_type(url.partition("?")[0], strict=False)[0] or ""


def _origin(origin: Origin | None, base: str) -> Origin | None:
    if origin is None:
        return None
    cleaned = Origin(
        id=guid(origin.id) if urls.is_iri(origin.id) else "",
        title=text.line(origin.title),
        url=urls.absolute(base, origin.url),
    )
    return cleaned if cleaned != Origin() else None


# --- extensions ------------------------------------------------------------------------------


def _extensions(sent: Iterable[Extension], base: str) -> Iterator[Extension]:
    listed = [extension for extension in sent if extension.name in ELEMENTS]
    for extension in listed[:MOST_EXTENSIONS]:
        element = ELEMENTS[extension.name]
        attributes = {
            name: value
            for name, raw in extension.attributes
            if name in element.attributes and (value := _attribute(name, raw, base))
        }
        content = text.one_line(extension.text)
        if element.required in attributes if element.required else content or attributes:
            yield Extension(name=extension.name, text=content, attributes=tuple(attributes.items()))


def _attribute(name: str, raw: str, base: str) -> str:
    if name in URL_ATTRIBUTES:
        return urls.absolute(base, raw)
    if name in ID_ATTRIBUTES:
        return raw if len(raw) <= GUID_LENGTH and urls.is_iri(raw) else ""
    return text.one_line(raw)
