"""Ill-formed XML to XML that a parser takes, as a browser would read it.

`repair_references` replaces entities and escapes bare ampersands. `balance` closes open tags, drops
unmatched end tags, and escapes each `<` that is not the start of a tag.
"""

import html
import re
from collections.abc import Iterator
from html.entities import html5
from xml.sax.saxutils import quoteattr

from aggregator.parse.decode import NotAFeed

DEEPEST = 250
"""Elements within each other; a parser stops at 256."""

MOST_EXPANDED = 1_000_000
"""Bytes of declared entities that are put into a document."""

_OPAQUE = rb"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<\?.*?(?:\?>|\Z)"
_OPAQUE_OR_REFERENCE = re.compile(
    rb"(?P<opaque>%s)|(?P<end>\]\]>)|&(?:(?P<name>[A-Za-z][A-Za-z0-9]*);|(?P<kept>#[0-9]+;|#[xX][0-9a-fA-F]+;))?"
    % _OPAQUE,
    re.DOTALL,
)
_ONLY_OPAQUE = re.compile(_OPAQUE, re.DOTALL)
_DOCTYPE = re.compile(rb"<!DOCTYPE\s[^\[<>]*\[(?P<subset>[^\]]*)\]\s*>")
_ENTITY = re.compile(rb'<!ENTITY ([\w.:-]+) "([^"]*)">')
_XML_NAMES = frozenset({b"amp", b"lt", b"gt", b"quot", b"apos"})
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(?:rss|feed|rdf)(?=[\s>])", re.IGNORECASE)
_TOKEN = re.compile(
    rb"(?P<opaque>%s|<!DOCTYPE[^<>]*>)|<(?P<end>/)?(?P<name>[A-Za-z_][\w.:-]*)"
    rb"(?P<rest>(?:[^<>\"']++|\"[^\"<]*\"|'[^'<]*'|\"[^\"\n]{1,999}\")*+)>|(?P<stray><)" % _OPAQUE,
    re.DOTALL,
)
_ATTRIBUTES = re.compile(rb"(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*\s*/?")
_ATTRIBUTE = re.compile(rb"([A-Za-z_][\w:.-]*)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>]+)))?")
_VOID = frozenset({b"br", b"img", b"hr", b"wbr", b"input", b"meta", b"embed", b"col", b"area"})
_ITEMS = frozenset({b"item", b"entry"})
_HOLDERS = frozenset({b"channel", b"rss", b"feed", b"rdf:rdf"})


def declares_entities(xml: bytes) -> bool:
    """Return whether a document declares entities, as `decode` leaves the declarations."""
    return b"<!ENTITY" in xml and _doctype(xml) is not None


def repair_references(xml: bytes) -> bytes:
    """Return a document in which each reference is one that XML knows.

    Declared entities and those of HTML become their characters; any other ampersand is text. The
    start of a comment or CDATA section without an end is dropped.
    """
    xml = _without_unclosed(xml)
    declared: dict[bytes, bytes] = {}
    expanded = 0
    doctype = _doctype(xml)
    if doctype:
        declared = dict(_ENTITY.findall(doctype["subset"]))
        lines = b"\n" * doctype[0].count(b"\n")
        xml = xml[: doctype.start()] + lines + xml[doctype.end() :]

    def mended(match: re.Match[bytes]) -> bytes:
        nonlocal expanded
        name: bytes | None = match["name"]
        if match["end"]:
            return b"]]&gt;"
        if name is None:
            return match[0] if match["opaque"] or match["kept"] else b"&amp;" + match[0][1:]
        if name in _XML_NAMES:
            return match[0]
        if name in declared:
            expanded += len(declared[name])
            return declared[name] if expanded <= MOST_EXPANDED else b""
        characters = html5.get(f"{name.decode()};")
        return f"&amp;{name.decode()};".encode() if characters is None else _escaped(characters)

    return _OPAQUE_OR_REFERENCE.sub(mended, xml)


def is_cut(xml: bytes) -> bool:
    """Return whether a document ends within an item, without any end tag after its start."""
    last_item = max(xml.rfind(b"<item"), xml.rfind(b"<entry"))
    ends = (b"</item", b"</entry", b"</channel", b"</rss", b"</feed", b"</rdf", b"</RDF")
    return last_item > max(map(xml.rfind, ends))


def without_opaque(xml: bytes) -> bytes:
    """Return a document without its comments, CDATA sections and processing instructions."""
    return _ONLY_OPAQUE.sub(b"", xml)


def balance(xml: bytes) -> bytes:
    """Return a document in which each start tag has its end tag.

    An end tag also closes the elements that are open within its own. An item closes the item before
    it. The feed ends after its last item. A broken root is replaced.

    Raises:
        NotAFeed: Elements are nested too deep.
    """
    open_names: list[bytes] = []
    start = _ROOT.search(xml)
    position = start.start() if start else 0
    pieces = [b"\n" * xml.count(b"\n", 0, position)]
    last_item = max(xml.rfind(b"<item"), xml.rfind(b"<entry"))
    root = _TOKEN.match(xml, position) if start else None
    if last_item >= 0 and not (root and root["name"]):
        position = start.end() if start else 0
        open_names.append(b"feed" if b"<entry" in xml else b"rss")
        pieces.append(b"<%s>" % open_names[0])
    for token in _TOKEN.finditer(xml, position):
        pieces.append(xml[position : token.start()])
        position = token.end()
        is_early = token["end"] and token.start() < last_item and token["name"].lower() in _HOLDERS
        if not is_early:
            pieces.extend(_repaired(token, open_names))
        if len(open_names) > DEEPEST:
            raise NotAFeed(f"Elements are nested more than {DEEPEST} deep; refused")
        if token["end"] and not open_names:
            return b"".join(pieces)
    pieces.append(xml[position:])
    pieces.extend(_closed(open_names, 0))
    return b"".join(pieces)


def _doctype(xml: bytes) -> re.Match[bytes] | None:
    # Only the first counts; a search would read to the end of the document for each.
    return _DOCTYPE.match(xml, max(xml.find(b"<!DOCTYPE"), 0))


def _without_unclosed(xml: bytes) -> bytes:
    for start, end in ((b"<![CDATA[", b"]]>"), (b"<!--", b"-->")):
        closed = xml.rfind(end) + 1
        if xml.find(start, closed) >= 0:
            xml = xml[:closed] + xml[closed:].replace(start, b" ")
    return xml


def _repaired(token: re.Match[bytes], open_names: list[bytes]) -> Iterator[bytes]:
    if token["stray"]:
        yield b"&lt;"
    elif token["opaque"]:
        if token["opaque"].startswith(b"<![CDATA["):
            yield token["opaque"]
    elif token["end"]:
        yield from _closed(open_names, _level(token["name"], open_names))
    else:
        yield from _started(token["name"], token["rest"], open_names)


def _started(name: bytes, rest: bytes, open_names: list[bytes]) -> Iterator[bytes]:
    lower = name.lower()
    if lower in _ITEMS:
        for level, open_name in enumerate(open_names):
            if open_name.lower() == lower:
                yield from _closed(open_names, level)
                break
    if not _ATTRIBUTES.fullmatch(rest):
        rest = _attributes(rest)
    if rest.endswith(b"/") or lower in _VOID:
        yield b"<%s%s/>" % (name, rest.rstrip(b"/"))
    else:
        open_names.append(name)
        yield b"<%s%s>" % (name, rest)


def _attributes(rest: bytes) -> bytes:
    attributes: dict[bytes, bytes] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(rest):
        value = (double or single or bare or name).decode("utf-8", "replace")
        attributes.setdefault(name, quoteattr(html.unescape(value)).encode())
    written = b"".join(b" %s=%s" % pair for pair in attributes.items())
    return written + (b"/" if rest.rstrip().endswith(b"/") else b"")


def _level(name: bytes, open_names: list[bytes]) -> int:
    """Return how many elements stay open after an end tag: all, when it closes none of them."""
    lower = name.lower()
    for level in range(len(open_names) - 1, -1, -1):
        open_name = open_names[level].lower()
        if open_name == lower:
            return level
        if open_name in _ITEMS and lower not in _HOLDERS:
            break  # the end of something else, which does not end the item
    return len(open_names)


def _closed(open_names: list[bytes], level: int) -> Iterator[bytes]:
    while len(open_names) > level:
        yield b"</%s>" % open_names.pop()


def _escaped(characters: str) -> bytes:
    return "".join(f"&#{ord(character)};" for character in characters).encode()
