"""Names of XML elements as this package writes them: `prefix:local`, told by the namespace."""

from lxml import etree

from aggregator.models.extensions import NAMESPACES

CORE = frozenset(
    {
        "http://backend.userland.com/rss",
        "http://backend.userland.com/rss2",
        "http://blogs.law.harvard.edu/tech/rss",
        "http://my.netscape.com/rdf/simple/0.9/",
        "http://purl.org/atom/ns#",
        "http://purl.org/rss/1.0/",
        "http://purl.org/rss/1.0/modules/rss091#",
        "http://www.w3.org/2005/atom",
    }
)
"""Namespaces of RSS, RDF and Atom, in lower case; their elements have no prefix here."""

PREFIXES = {"http://purl.org/syndication/history/1.0": "fh"} | {
    uri.lower(): prefix for prefix, uris in NAMESPACES.items() for uri in uris
}
"""Other namespaces in lower case: publishers don't heed the case of their URIs."""


class _Names(dict[object, str]):  # lxml's types let a tag be more than str
    """Remembers the names: documents have few different tags."""

    def __missing__(self, tag: object) -> str:
        uri, _, local = str(tag).rpartition("}")
        uri = uri[1:].lower()
        known = not uri or uri in CORE
        made = (local if known else f"{PREFIXES.get(uri, '?')}:{local}").lower()
        if len(self) < 10_000:  # a hostile document could invent tags without end
            self[tag] = made
        return made


_names = _Names()


def name(element: etree._Element) -> str:
    """Return `prefix:local` in lower case; `?` is the prefix of all unknown namespaces."""
    return _names[element.tag]


def children(element: etree._Element) -> list[tuple[str, etree._Element]]:
    """Return the child elements with their names."""
    return [(_names[child.tag], child) for child in element.iterchildren("*")]


def text(element: etree._Element) -> str:
    """Return all text in an element, without white space around it."""
    if not len(element):
        return (element.text or "").strip()
    return "".join(element.itertext()).strip()


def picture(element: etree._Element) -> str:
    """Return the URL of an `image` element, in whichever form: child, attribute or text."""
    for tag, child in children(element):
        if tag in ("url", "href"):
            return text(child)
    return element.get("href") or element.get("url") or (element.text or "").strip()
