"""One item or entry element to `ParsedEntry`: which of its elements gives which value.

title        title, dc:title, media:title
summary      description or summary, else dc:description, itunes:summary, itunes:subtitle …
content      content:encoded, Atom content, body of XHTML; never a caption or a blurb
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from aggregator.models.entry import Author, Origin, ParsedEntry, Text
from aggregator.parse import dates, links, media, people
from aggregator.parse.text import as_html, fix_encoding, text, visible_length
from aggregator.parse.tree import Children, Element, Tree, first_text, named
from aggregator.parse.tree import text as text_of

_TITLES = ("title", "dc:title", "media:title")
_SUMMARIES = (
    "description",
    "summary",
    "dc:description",
    "dcterms:abstract",
    "excerpt:encoded",
    "itunes:summary",
    "googleplay:description",
    "itunes:subtitle",
    "media:description",
)
_CONTENTS = ("content:encoded", "content", "xhtml:body", "body")
_PUBLISHED = ("pubdate", "published", "issued", "dcterms:issued", "created", "dcterms:created")
_UPDATED = ("updated", "modified", "dcterms:modified", "dc:date", "lastbuilddate")
_TOPICS = ("category", "dc:subject", "media:category")
_NO_TOPICS = frozenset({"http://schemas.google.com/g/2005#kind", "http://www.itunes.com/"})


def read(
    element: Element,
    tree: Tree,
    *,
    language: str = "",
    authors: tuple[Author, ...] = (),
    item_hash: bytes = b"",
) -> ParsedEntry:
    """Return an entry.

    Args:
        element: Its item or entry element.
        tree: The document.
        language: Of the feed, for an entry that has none.
        authors: Of the feed, for an entry that has none (RFC 4287 §4.2.1).
        item_hash: Of the item's bytes.
    """
    children = tree.children(element)
    found = links.read(children, tree)
    language = first_text(children, "dc:language", "language") or _language(
        children, element, tree, language
    )
    page = _page(children, found, element, tree, language)
    title = _title(children, tree)
    summary, content = _texts(children, tree, page)
    published, updated = _date(children, *_PUBLISHED), _date(children, *_UPDATED)
    parts = media.read(children, found, tree)
    source = next(iter(children.get("source", ())), None)
    inside = tree.children(source) if source is not None and len(source) else {}
    return ParsedEntry(
        guid=_guid(children, element),
        link=page,
        title=title,
        summary=summary,
        content=content,
        authors=people.of_entry(children, tree)
        or people.of_feed(inside, tree)
        or (() if source is not None and not inside else authors),
        categories=_categories(children),
        published=published,
        updated=updated,
        unread_date="" if published or updated else first_text(children, *_PUBLISHED, *_UPDATED),
        enclosures=parts.enclosures,
        images=parts.images,
        origin=_origin(source, inside, tree),
        links=links.others(found, "alternate", "enclosure") + links.original(children),
        comments=links.comments(children, found, tree),
        extensions=parts.extensions,
        language=language,
        base=_base(children, element, tree),
        item_hash=item_hash,
    )


def _guid(children: Children, element: Element) -> str:
    guids = [text_of(each) for each in named(children, "guid", "id")]
    return guids[-1] if guids else element.get(links.RDF_ABOUT, "").strip()


def _page(
    children: Children, found: list[links.Link], element: Element, tree: Tree, language: str
) -> str:
    page = links.page(children, found, tree, language) or links.permalink(children, element, tree)
    if page:
        return page
    for content in children.get("content", ()):
        if (sent := content.get("src", "").strip()) and "html" in content.get("type", "html"):
            return links.address(sent, content, tree)
    return links.comments(children, found, tree).partition("#")[0]


def _title(children: Children, tree: Tree) -> Text | None:
    for element in named(children, *_TITLES):
        if title := text(element, tree, is_title=True):
            return title
    groups = (tree.children(each) for each in named(children, "media:group", "media:content"))
    titles = (_title(group, tree) for group in groups)
    return next((title for title in titles if title), None)


def _texts(children: Children, tree: Tree, page: str) -> tuple[Text | None, Text | None]:
    """Return summary and content.

    References in a text resolve against the entry's page where that is on the feed's site.
    """
    summary = next(_constructs(children, tree, *_SUMMARIES), None)
    contents = list(_constructs(children, tree, *_CONTENTS))
    content = contents[0] if contents else None
    if len(contents) > 1:
        content = max(contents, key=lambda each: (each.type != "text", visible_length(each)))
    if page and links.host(page) == links.host(tree.url):
        return _based(summary, page), _based(content, page)
    return summary, content


def _based(construct: Text | None, page: str) -> Text | None:
    if construct is None or construct.base or construct.type == "text":
        return construct
    return replace(construct, base=page)


def _constructs(children: Children, tree: Tree, *names: str) -> Iterator[Text]:
    for name in names:
        for element in children.get(name, ()):
            if construct := text(element, tree):
                yield construct
    if "media:description" in names:
        for group in named(children, "media:group", "media:content"):
            yield from _constructs(tree.children(group), tree, "media:description")


def _language(children: Children, element: Element, tree: Tree, default: str) -> str:
    """Return the xml:lang of the title or text, else of the entry, else the feed's language."""
    if not tree.has_languages:
        return default
    places = (*named(children, "title", "content", "summary"), element)
    return next((tag for place in places if (tag := tree.language(place))), default)


def _base(children: Children, element: Element, tree: Tree) -> str:
    if not tree.has_bases:
        return ""
    places = (*named(children, *_CONTENTS, *_SUMMARIES, "title"), element)
    return next((base for place in places if (base := tree.own_base(place))), "")


def _categories(children: Children) -> tuple[str, ...]:
    terms: dict[str, None] = {}
    for element in named(children, *_TOPICS):
        if element.get("scheme") not in _NO_TOPICS:
            sent = element.get("label") or element.get("term") or text_of(element)
            terms[fix_encoding(sent.strip())] = None
    for element in children.get("media:keywords", ()):
        terms.update((term.strip(), None) for term in fix_encoding(text_of(element)).split(","))
    return tuple(term for term in terms if term)


def _date(children: Children, *names: str) -> datetime | None:
    for element in named(children, *names):
        sent = text_of(element)
        if moment := dates.parse(sent):
            return moment
    return None


def _origin(source: Element | None, inside: Children, tree: Tree) -> Origin | None:
    if source is None:
        return None
    found = links.read(inside, tree)
    own = next((link.url for link in found if link.rel == "self"), "")
    sent = source.get("url") or source.get("href") or ""
    title = text(source, tree, is_title=True) if not inside else _title(inside, tree)
    origin = Origin(
        id=first_text(inside, "id"),
        title=as_html(title),
        url=links.address(sent, source, tree) if sent else own or links.page(inside, found, tree),
    )
    return origin if origin != Origin() else None
