"""Bytes of a document to clean UTF-8 XML, without anything that a parser must not see.

`encodings` decodes; this module takes out the characters, declarations and text that XML forbids.
Their line breaks stay, so that a parser's line numbers are right.
"""

import html
import re
from dataclasses import dataclass, field

from aggregator.parse import encodings

LONGEST_ENTITY = 100
"""Bytes; declarations of longer entities are dropped. Enough for a character or a name."""

LONGEST_PROLOG = 10_000
"""Search for an XML declaration in this many bytes; PHP warnings may precede it."""

_ILLEGAL = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
_NONCHARACTERS = re.compile(rb"\xef\xbf[\xbe\xbf]")
_SUSPECT_REFERENCE = re.compile(
    rb"&#(?:x0*(?:[0-8bcef]|[189][0-9a-f]|d[89a-f][0-9a-f]{2}|fff[ef]|[0-9a-f]{6,})"
    rb"|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]|12[89]|1[345][0-9]|5[5-7][0-9]{3}|6553[45]|[0-9]{7,}));",
    re.IGNORECASE,
)
_C1_REFERENCE = re.compile(rb"&#(x0*[89][0-9a-f]|0*(?:12[89]|1[345][0-9]));", re.IGNORECASE)
_SURROGATE_PAIR = re.compile(
    rb"&#(x0*d[89ab][0-9a-f]{2}|0*5[56][0-9]{3});&#(x0*d[c-f][0-9a-f]{2}|0*5[67][0-9]{3});",
    re.IGNORECASE,
)

_XML_DECLARATION = b"<?xml version='1.0' encoding='utf-8'?>"
_DECLARATION = re.compile(rb"<\?xml(?=[\s?])[^>]*>")
_PAGE = re.compile(rb"<(?:html|!doctype)\b", re.IGNORECASE)
_MARKUP = re.compile(rb"<[?!A-Za-z_]")
_ASIDE = re.compile(rb"(?>\s+|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_DOCTYPE = re.compile(
    rb"""<!DOCTYPE\s+(?P<name>[^\s\[>"']+)(?>[^\[>"']|"[^"]*"|'[^']*')*+"""
    rb"""(?:\[(?P<subset>(?>[^\]"'<]|"[^"]*"|'[^']*'|<!--.*?-->|<)*+)\]\s*)?>""",
    re.DOTALL | re.IGNORECASE,
)
_ENTITY = re.compile(rb"""<!ENTITY\s+(?P<name>[\w.:-]+)\s+(?:"([^"]*)"|'([^']*)')\s*>""")
_ANY_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
_NAMED_REFERENCE = re.compile(rb"&(?!#)|%")
_ELEMENT = re.compile(rb"<((?:[\w.-]+:)?([\w.-]+))")
_FEED_SOMEWHERE = re.compile(rb"<(?:[\w.-]+:)?(?:rss|feed|rdf|channel)[\s>]", re.IGNORECASE)
_FEED_IN_A_PAGE = re.compile(rb"<(rss(?=\s[^>]*version)|feed(?=\s[^>]*xmlns)|rdf:RDF(?=\s))")
_HTML_TITLE = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)

_ROOTS = frozenset({b"rss", b"feed", b"rdf"})
_KNOWN_ROOTS = {
    b"opml": "an OPML list of feeds; import it instead of subscribing to it",
    b"urlset": "a sitemap",
    b"sitemapindex": "a sitemap",
    b"error": "an error message in XML",
}


class NotAFeed(Exception):
    """The body is not a feed; `detail` is a sentence for users that names the document's kind."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document that may be a feed.

    Args:
        xml: UTF-8 without byte order mark, with an XML declaration, without a DTD save for
            declarations of short, flat entities.
        problems: A sentence for each fault of the bytes.
    """

    xml: bytes = field(repr=False)
    problems: tuple[str, ...] = ()


def document(body: bytes, content_type: str) -> Document:
    """Return the body as clean UTF-8 XML.

    Args:
        body: As it came, without content coding.
        content_type: The Content-Type field as sent; of it only `charset` counts.

    Raises:
        NotAFeed: It is empty, an HTML page, other XML, no XML, or declares dangerous entities.
    """
    problems: list[str] = []
    if not body.strip(b" \t\r\n\0"):
        raise NotAFeed("The document is empty")
    xml = _legal(encodings.to_utf8(body, content_type, problems), problems)
    xml = _feed(_declared(xml, problems), problems)
    return Document(xml=_without_doctype(xml, problems), problems=tuple(problems))


def text(body: bytes, content_type: str, problems: list[str]) -> str:
    """Return the text of a document that is not XML, legal characters only; never raises.

    Args:
        body: As it came, without content coding.
        content_type: The Content-Type field as sent; of it only `charset` counts.
        problems: Receives a sentence for each thing that was wrong.
    """
    utf8 = encodings.to_utf8(body, content_type, problems)
    return utf8.translate(None, _ILLEGAL).decode(errors="replace")


def _legal(xml: bytes, problems: list[str]) -> bytes:
    clean = xml
    if any(map(xml.__contains__, _ILLEGAL)):  # a third of the time of `translate`
        clean = xml.translate(None, _ILLEGAL)
        count = len(xml) - len(clean)
        problems.append(f"{count} control {_plural('character', count)} (such as NUL) removed")
    # Searching for one byte is a hundred times as fast as for two.
    if b"\xef" in clean:
        clean = _NONCHARACTERS.sub(b"", clean)
    if b"#" in clean and _SUSPECT_REFERENCE.search(clean):
        clean = _C1_REFERENCE.sub(_of_windows_1252, clean)
        paired = _SURROGATE_PAIR.sub(_joined, clean)
        fixed = _SUSPECT_REFERENCE.sub(_possible, paired)
        if fixed != clean:
            problems.append("references to characters that do not exist in XML removed")
        return fixed
    return clean


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


def _code_point(digits: bytes) -> int:
    # Code points have at most 7 digits, and int() is quadratic in their number.
    digits = digits.lower()
    base = 16 if digits.startswith(b"x") else 10
    digits = digits.lstrip(b"x").lstrip(b"0") or b"0"
    return int(digits, base) if len(digits) <= 7 else 0


def _joined(pair: re.Match[bytes]) -> bytes:
    high, low = _code_point(pair[1]), _code_point(pair[2])
    if 0xD800 <= high < 0xDC00 <= low < 0xE000:
        return b"&#%d;" % (0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    return pair[0]


def _of_windows_1252(reference: re.Match[bytes]) -> bytes:
    """Return the reference as browsers read it: &#146; is an apostrophe."""
    character = bytes([_code_point(reference[1])]).decode("cp1252", "ignore")
    return b"&#%d;" % ord(character) if character else b""


def _possible(reference: re.Match[bytes]) -> bytes:
    point = _code_point(reference[0][2:-1])
    legal = (
        0x20 <= point < 0xD800
        or 0xE000 <= point < 0xFFFE
        or 0x10000 <= point < 0x110000
        or point in (0x9, 0xA, 0xD)
    )
    return reference[0] if legal else b""


def _breaks(removed: bytes) -> bytes:
    return b"\n" * removed.count(b"\n")


def _declared(xml: bytes, problems: list[str]) -> bytes:
    """Return the document with our XML declaration instead of its own and any text before that."""
    start = _MARKUP.search(xml)
    if not start:
        raise NotAFeed(f"The document is no feed: it has no markup and begins {_quoted(xml)}")
    begin, end = start.start(), start.start()
    if declaration := _last_declaration(xml):
        begin, end = declaration.span()
    before = xml[:begin]
    if _after_asides(before, 0) < begin:
        problems.append(f"text before the document was skipped: {_quoted(before)}")
    return _XML_DECLARATION + _breaks(xml[:end]) + xml[end:]


def _last_declaration(xml: bytes) -> re.Match[bytes] | None:
    """Return the XML declaration that stands last before the feed, unless a page is around it."""
    feed = _FEED_SOMEWHERE.search(xml)
    before = xml[: feed.start()] if feed else xml
    declarations = list(_DECLARATION.finditer(before, 0, LONGEST_PROLOG))
    declaration = declarations[-1] if declarations else None
    if declaration and _PAGE.search(before, 0, declaration.start()):
        return _DECLARATION.match(xml)
    return declaration


def _quoted(xml: bytes) -> str:
    return repr(" ".join(xml[:80].decode("utf-8", "replace").split()))


def _after_asides(xml: bytes, position: int) -> int:
    aside = _ASIDE.match(xml, position)
    return aside.end() if aside else position


def _without_doctype(xml: bytes, problems: list[str]) -> bytes:
    start = _after_asides(xml, 0)
    doctype = _DOCTYPE.match(xml, start)
    if not doctype:
        return xml
    entities = _entities(doctype["subset"] or b"", problems)
    kept = b"<!DOCTYPE %s [\n%s]>" % (doctype["name"], entities) if entities else b""
    lines = max(doctype[0].count(b"\n") - kept.count(b"\n"), 0)
    return xml[:start] + kept + b"\n" * lines + xml[doctype.end() :]


def _entities(subset: bytes, problems: list[str]) -> bytes:
    """Return the harmless declarations: short, flat, inside the document."""
    kept, declared = [], len(_ANY_ENTITY.findall(subset))
    for entity in _ENTITY.finditer(subset):
        value = entity[2] if entity[2] is not None else entity[3]
        if _NAMED_REFERENCE.search(value):
            raise NotAFeed(
                f"The document declares an XML entity made of entities "
                f"({entity['name'].decode('ascii', 'replace')}), as entity bombs do; refused"
            )
        if len(value) <= LONGEST_ENTITY and b"<" not in value:
            # `repair` reads declarations in this form only.
            kept.append(b'<!ENTITY %s "%s">\n' % (entity["name"], value.replace(b'"', b"&#34;")))
    if len(kept) < declared:
        problems.append("declares external or long XML entities; they are not used")
    return b"".join(kept)


def _feed(xml: bytes, problems: list[str]) -> bytes:
    """Return the document if it may be a feed, or the feed inside an HTML page."""
    start = _after_asides(xml, 0)
    doctype = _DOCTYPE.match(xml, start)
    if doctype:
        start = _after_asides(xml, doctype.end())
    element = _ELEMENT.match(xml, start)
    name = element[2].lower() if element else b""
    if name in _ROOTS:
        return xml
    if name == b"html" or (doctype and doctype["name"].lower() == b"html"):
        return _feed_of_page(xml, problems)
    if not doctype and xml[start : start + 9].upper() == b"<!DOCTYPE":
        raise NotAFeed("The document's DOCTYPE can't be read; refused")
    if not _FEED_SOMEWHERE.search(xml):
        raise NotAFeed(_other_kind(element, name, xml))
    return xml


def _feed_of_page(xml: bytes, problems: list[str]) -> bytes:
    root = _FEED_IN_A_PAGE.search(xml)
    end = xml.rfind(b"</%s>" % root[1]) if root else -1
    if not root or end < 0:
        raise NotAFeed(f"An HTML page came instead of a feed{_page_title(xml)}")
    problems.append("the feed is inside an HTML page")
    before = xml[len(_XML_DECLARATION) : root.start()]
    return _XML_DECLARATION + _breaks(before) + xml[root.start() : end] + b"</%s>" % root[1]


def _page_title(xml: bytes) -> str:
    title = _HTML_TITLE.search(xml)
    words = " ".join(html.unescape(title[1].decode("utf-8", "replace")).split()) if title else ""
    return f": “{words}”" if words else ""


def _other_kind(element: re.Match[bytes] | None, name: bytes, xml: bytes) -> str:
    if name in _KNOWN_ROOTS:
        return f"The document is no feed but {_KNOWN_ROOTS[name]}"
    if element:
        root = element[1].decode("ascii", "replace")
        return f"The document is no feed: its first element is <{root}>, not rss, feed or rdf:RDF"
    begins = _quoted(xml[len(_XML_DECLARATION) :])
    return f"The document is no feed: no element was found; it begins {begins}"
