"""What feedparser calls the elements of a well-formed document.

It goes by a table of namespaces, and for those that are not in it by the prefix, in ways that mix
up names now and then; such documents are refused here, and left to it.
"""

import re
from xml.parsers import expat

from feedparser.mixin import _FeedParserMixin

Bindings = frozenset[tuple[str, str]]
"""Prefixes with their namespaces, wherever in a document they are bound; "" is the default."""

_DTD = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_KNOWN = {uri.lower(): name.lower() for uri, name in _FeedParserMixin.namespaces.items()}
# They turn the version of the whole document, or become attributes.
_SPECIAL = frozenset(
    {
        "http://my.netscape.com/rdf/simple/0.9/",
        "http://purl.org/rss/1.0/",
        "http://www.w3.org/1999/xlink",
    }
)


class Uncertain(Exception):
    """The document has something whose rule we do not know."""


def bindings(xml: bytes) -> Bindings:
    """Return the namespaces of a document, read by the parser that feedparser uses.

    Args:
        xml: As `decode.document` makes it.

    Raises:
        Uncertain: It is not well-formed, or has what looks like a DTD.
    """
    if _DTD.search(xml):  # in a comment too: feedparser takes it out
        raise Uncertain
    found: set[tuple[str, str]] = set()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartNamespaceDeclHandler = lambda prefix, uri: found.add((prefix or "", uri or ""))
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise Uncertain from error
    return frozenset(found)


class Names(dict[object, str]):
    """The names of a document's elements: tag -> `prefix_local`, as in feedparser's methods."""

    def __init__(self, found: Bindings) -> None:
        super().__init__()
        self._prefixes = _prefixes(found)

    def __missing__(self, tag: object) -> str:
        uri, _, local = str(tag).rpartition("}")
        prefix = _known(uri[1:])
        if prefix is None:
            prefix = self._prefixes.get(uri[1:])
        if prefix is None:
            raise Uncertain
        self[tag] = name = f"{prefix}_{local}".lower() if prefix else local.lower()
        return name


def has_rule(name: str) -> bool:
    """Tell whether feedparser does something of its own with elements of a name."""
    return any(hasattr(_FeedParserMixin, f"_{end}_{name}") for end in ("start", "end"))


def _known(uri: str) -> str | None:
    uri = uri.lower()
    return "" if "backend.userland.com/rss" in uri else _KNOWN.get(uri)


def _prefixes(found: Bindings) -> dict[str, str]:
    """Return the prefixes of the namespaces that feedparser does not know."""
    unknown: dict[str, str] = {}
    meanings: dict[str, str] = {}
    standard = set()
    for prefix, uri in found:
        known = _known(uri)
        if uri.lower() in _SPECIAL or any(map(str.isspace, uri)):
            raise Uncertain
        if known is not None:
            standard.add(known)
        elif unknown.setdefault(uri, prefix.lower()) != prefix.lower():
            raise Uncertain
        meaning = uri if known is None else known
        if prefix and meanings.setdefault(prefix.lower(), meaning) != meaning:
            raise Uncertain
    if any(meanings.get(name, name) != name for name in standard):
        raise Uncertain
    return unknown
