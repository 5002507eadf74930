"""One item or entry element to `ParsedEntry`: which of its elements gives which value.

title        title, dc:title, media:title
summary      description or summary, else dc:description, itunes:summary, itunes:subtitle …
content      content:encoded, Atom content, body of XHTML; never a caption or a blurb
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from aggregator.models.entry import Author, Origin, ParsedEntry, Text
from aggregator.parse import dates, links, media, people
from aggregator.parse.text import as_html, fix_encoding, text, visible_length
from aggregator.parse.tree import Children, Element, XmlTree, first_text, named
from aggregator.parse.tree import text as text_of

MOST_CATEGORIES = 1_000
"""Categories of one entry that are read."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """Values of the feed for entries that have none of their own (RFC 4287 §4.2.1)."""

    language: str = ""
    authors: tuple[Author, ...] = ()


def read(
    element: Element, tree: XmlTree, inherited: Inherited = Inherited(), *, item_hash: bytes = b""
) -> ParsedEntry:
    """Return the entry of an item or entry element."""
    children = tree.children(element)
    entry_links = links.read(children, tree)
    language = _language(children, element, tree) or inherited.language
    page = _page(children, entry_links, element, tree, language)
    title = _title(children, tree)
    summary, content = _texts(children, tree, page)
    published, updated = _date(children, *_PUBLISHED), _date(children, *_UPDATED)
    parts = media.read(children, entry_links, tree)
    source = next(iter(children.get("source", ())), None)
    return ParsedEntry(
        guid=_guid(children, element),
        link=page,
        title=title,
        summary=summary,
        content=content,
        authors=people.of_entry(children, tree) or _authors(source, tree, inherited),
        categories=_categories(children),
        published=published,
        updated=updated,
        unread_date="" if published or updated else first_text(children, *_PUBLISHED, *_UPDATED),
        enclosures=parts.enclosures,
        images=parts.images,
        origin=_origin(source, tree),
        links=links.other_links(entry_links, "alternate", "enclosure") + links.original(children),
        comments=links.comments(children, entry_links, tree),
        extensions=parts.extensions,
        language=language,
        base=_base(children, element, tree),
        item_hash=item_hash,
    )


def _guid(children: Children, element: Element) -> str:
    guids = children.get("guid") or children.get("id")
    return text_of(guids[-1]) if guids else element.get(links.RDF_ABOUT, "").strip()


def _page(
    children: Children,
    entry_links: list[links.Link],
    element: Element,
    tree: XmlTree,
    language: str,
) -> str:
    page = links.page(children, entry_links, tree, language) or links.permalink(
        children, element, tree
    )
    if page:
        return page
    for content in children.get("content", ()):
        if (sent := content.get("src", "").strip()) and "html" in content.get("type", "html"):
            return links.address(sent, content, tree)
    return links.comments(children, entry_links, tree).partition("#")[0]


def _title(children: Children, tree: XmlTree) -> Text | None:
    for element in named(children, *_TITLES):
        if title := text(element, tree, is_title=True):
            return title
    groups = (tree.children(each) for each in named(children, "media:group", "media:content"))
    titles = (_title(group, tree) for group in groups)
    return next((title for title in titles if title), None)


def _texts(children: Children, tree: XmlTree, page: str) -> tuple[Text | None, Text | None]:
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
    return construct._replace(base=page)


def _constructs(children: Children, tree: XmlTree, *names: str) -> Iterator[Text]:
    for name in names:
        for element in children.get(name, ()):
            if construct := text(element, tree):
                yield construct
    if "media:description" in names:
        for group in named(children, "media:group", "media:content"):
            yield from _constructs(tree.children(group), tree, "media:description")


def _language(children: Children, element: Element, tree: XmlTree) -> str:
    """Return the language that an entry names, else the xml:lang of its text, else its own."""
    if sent := first_text(children, "dc:language", "language"):
        return sent
    if not tree.has_languages:
        return ""
    places = (*named(children, "title", "content", "summary"), element)
    return next((tag for place in places if (tag := tree.language(place))), "")


def _authors(source: Element | None, tree: XmlTree, inherited: Inherited) -> tuple[Author, ...]:
    """Return the authors of an entry that names none: its source's, else the feed's."""
    if source is None:
        return inherited.authors
    # An RSS source names another feed, with other authors.
    return people.of_feed(tree.children(source), tree) or (inherited.authors if len(source) else ())


def _base(children: Children, element: Element, tree: XmlTree) -> str:
    if not tree.has_bases:
        return ""
    places = (*named(children, *_CONTENTS, *_SUMMARIES, "title"), element)
    return next((base for place in places if (base := tree.own_base(place))), "")


def _categories(children: Children) -> tuple[str, ...]:
    terms: dict[str, None] = {}
    for element in islice(named(children, *_TOPICS), MOST_CATEGORIES):
        if element.get("scheme") not in _NO_TOPICS:
            sent = element.get("label") or element.get("term") or text_of(element)
            terms[fix_encoding(sent.strip())] = None
    for element in children.get("media:keywords", ()):
        terms.update((term.strip(), None) for term in fix_encoding(text_of(element)).split(","))
    return tuple(term for term in terms if term)


def _date(children: Children, *names: str) -> datetime | None:
    for element in named(children, *names):
        sent = text_of(element)
        if date := dates.parse(sent):
            return date
    return None


def _origin(source: Element | None, tree: XmlTree) -> Origin | None:
    if source is None:
        return None
    inside = tree.children(source)
    source_links = links.read(inside, tree)
    own = next((link.url for link in source_links if link.rel == "self"), "")
    sent = source.get("url") or source.get("href") or ""
    url = links.address(sent, source, tree) if sent else own
    title = _title(inside, tree) if inside else text(source, tree, is_title=True)
    origin = Origin(
        id=first_text(inside, "id"),
        title=as_html(title),
        url=url or links.page(inside, source_links, tree),
    )
    return origin if origin != Origin() else None
