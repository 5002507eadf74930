"""Bytes of any encoding to clean UTF-8 XML, without anything that a parser must not see.

Encodings in the order of RFC 7303 §3: byte order mark, charset parameter, XML declaration, UTF-8;
but bytes that form valid UTF-8 are UTF-8, since text of another encoding all but never does.
What is taken out leaves its line breaks behind, so that a parser's line numbers stay true.
"""

import codecs
import html
import re
from dataclasses import dataclass, field

LONGEST_ENTITY = 100
"""Bytes of a declared entity's value that are kept: enough for a character or a name."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = ((b"<\0?\0", "utf-16-le"), (b"\0<\0?", "utf-16-be"), (b"<\0\0\0", "utf-32-le"))
# Other codecs of Python are no character encodings, or cost quadratic time (punycode, idna).
_CODECS = re.compile(
    r"(utf|iso|latin|cp|windows|koi8|mac|gb|big5|euc|shift|sjis|hz|johab|tis|ascii|us.ascii|ks)"
    r"[\w.-]*",
    re.IGNORECASE,
)
# As in the WHATWG Encoding Standard: what senders mean by the label.
_MEANT = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}
_SEVEN_BIT = ("iso2022", "hz")  # all their bytes are ASCII, so they too are "valid UTF-8"

_ILLEGAL = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
_NONCHARACTERS = re.compile(rb"\xef\xbf[\xbe\xbf]")
_SUSPECT_REFERENCE = re.compile(
    rb"&#(?:x0*(?:[0-8bcef]|1[0-9a-f]|d[89a-f][0-9a-f]{2}|fff[ef]|[0-9a-f]{6,})"
    rb"|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]|5[5-7][0-9]{3}|6553[45]|[0-9]{7,}));",
    re.IGNORECASE,
)
_SURROGATE_PAIR = re.compile(
    rb"&#(x0*d[89ab][0-9a-f]{2}|0*5[56][0-9]{3});&#(x0*d[c-f][0-9a-f]{2}|0*5[67][0-9]{3});",
    re.IGNORECASE,
)

_XML_DECLARATION = b"<?xml version='1.0' encoding='utf-8'?>"
_DECLARATION = re.compile(rb"<\?xml(?=[\s?])[^>]*>")
_DECLARED = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']""")
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
    """The body is no feed document; `detail` is a sentence for people, which says what came."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document that is worth parsing.

    Args:
        xml: UTF-8 without byte order mark, with an XML declaration, without a DTD save for
            declarations of short, flat entities.
        problems: What was wrong with the bytes, in words.
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
    xml = _legal(_utf8(body, content_type, problems), problems)
    xml = _feed(_declared(xml, problems), problems)
    return Document(xml=_without_doctype(xml, problems), problems=tuple(problems))


def text(body: bytes, content_type: str = "") -> str:
    """Return the text of a document that is not XML, legal characters only; never raises."""
    return _utf8(body, content_type, []).translate(None, _ILLEGAL).decode("utf-8", "replace")


def _utf8(body: bytes, content_type: str, problems: list[str]) -> bytes:
    body, encoding = _unmarked(body)
    if encoding:
        return _decoded(body, encoding, problems)
    declared = _declared_encodings(body, content_type)
    meant = next(iter(declared), "utf-8")
    if _valid_utf8(body) and not meant.startswith(_SEVEN_BIT):
        if meant != "utf-8" and not body.isascii():
            problems.append(f"declared as {meant}, but is UTF-8; read as UTF-8")
        return body
    for name in (*declared, "cp1252"):
        used = _MEANT.get(name, name)
        try:
            text = body.decode(used)
        except UnicodeDecodeError:
            continue
        if name != meant or meant == "ascii":
            problems.append(f"declared as {meant}, but is not; read as {used}")
        return text.encode(errors="replace")
    problems.append(f"declared as {meant}, but is not; read as latin-1")
    return body.decode("latin-1").encode()


def _unmarked(body: bytes) -> tuple[bytes, str]:
    """Return the body without its byte order mark, and the encoding that its first bytes tell."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :], encoding
    for start, encoding in _UNMARKED:
        if body.startswith(start):
            return body, encoding
    return body, ""


def _decoded(body: bytes, encoding: str, problems: list[str]) -> bytes:
    if encoding == "utf-8" and _valid_utf8(body):
        return body
    text = body.decode(encoding, "replace")
    if "\N{REPLACEMENT CHARACTER}" in text:
        problems.append(f"bytes that are no {encoding.upper()} were replaced by \ufffd")
    return text.encode()


def _valid_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _declared_encodings(body: bytes, content_type: str) -> tuple[str, ...]:
    charset = ""
    for parameter in content_type.split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset":
            charset = value.strip().strip("\"'")
    declaration = _DECLARED.match(body[:1000].lstrip())
    names = (charset, declaration[1].decode("ascii", "replace") if declaration else "")
    return tuple(codec for name in names if (codec := _codec(name)))


def _codec(name: str) -> str:
    if not _CODECS.fullmatch(name):
        return ""
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        return ""
    # UTF-7 hides markup; UTF-16 and 32 were seen by their first bytes, or are not there.
    return "" if codec.startswith(("utf-7", "utf-16", "utf-32")) else codec


def _legal(xml: bytes, problems: list[str]) -> bytes:
    clean = xml
    if any(map(xml.__contains__, _ILLEGAL)):  # a third of the time of taking out what isn't there
        clean = xml.translate(None, _ILLEGAL)
        count = len(xml) - len(clean)
        problems.append(f"{count} control {_plural('character', count)} (such as NUL) removed")
    # One byte is found a hundred times as fast as two.
    if b"\xef" in clean:
        clean = _NONCHARACTERS.sub(b"", clean)
    if b"#" in clean and _SUSPECT_REFERENCE.search(clean):
        paired = _SURROGATE_PAIR.sub(_joined, clean)
        fixed = _SUSPECT_REFERENCE.sub(_possible, paired)
        if fixed != clean:
            problems.append("references to characters that do not exist in XML removed")
        return fixed
    return clean


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


def _code_point(digits: bytes) -> int:
    # The longest that may be meant has 7 digits; int() is quadratic in their number.
    digits = digits.lower()
    base = 16 if digits.startswith(b"x") else 10
    digits = digits.lstrip(b"x").lstrip(b"0") or b"0"
    return int(digits, base) if len(digits) <= 7 else 0


def _joined(pair: re.Match[bytes]) -> bytes:
    high, low = _code_point(pair[1]), _code_point(pair[2])
    if 0xD800 <= high < 0xDC00 <= low < 0xE000:
        return b"&#%d;" % (0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    return pair[0]


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
    start = _MARKUP.search(xml)
    if not start:
        raise NotAFeed(f"The document is no feed: it has no markup and begins {_quoted(xml)}")
    before, xml = xml[: start.start()], xml[start.start() :]
    if before.strip():
        problems.append(f"text before the document was skipped: {_quoted(before)}")
    declaration = _DECLARATION.match(xml)
    if declaration:
        before, xml = before + declaration[0], xml[declaration.end() :]
    return _XML_DECLARATION + _breaks(before) + xml


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
    """Return the declarations that are harmless: short, flat, inside the document."""
    kept, declared = [], len(_ANY_ENTITY.findall(subset))
    for entity in _ENTITY.finditer(subset):
        value = entity[2] if entity[2] is not None else entity[3]
        if _NAMED_REFERENCE.search(value):
            raise NotAFeed(
                f"The document declares an XML entity made of entities "
                f"({entity['name'].decode('ascii', 'replace')}), as entity bombs do; refused"
            )
        if len(value) <= LONGEST_ENTITY and b"<" not in value:
            # The library keeps a declaration only in this very form.
            kept.append(b'<!ENTITY %s "%s">\n' % (entity["name"], value.replace(b'"', b"&#34;")))
    if len(kept) < declared:
        problems.append("declares external or long XML entities; they are not used")
    return b"".join(kept)


def _feed(xml: bytes, problems: list[str]) -> bytes:
    """Return the document if it may be a feed, or the feed that stands in an HTML page."""
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
        raise NotAFeed(_what_came(element, name, xml))
    return xml


def _feed_of_page(xml: bytes, problems: list[str]) -> bytes:
    root = _FEED_IN_A_PAGE.search(xml)
    end = xml.rfind(b"</%s>" % root[1]) if root else -1
    if not root or end < 0:
        raise NotAFeed(f"An HTML page came instead of a feed{_page_title(xml)}")
    problems.append("the feed stands within an HTML page")
    before = xml[len(_XML_DECLARATION) : root.start()]
    return _XML_DECLARATION + _breaks(before) + xml[root.start() : end] + b"</%s>" % root[1]


def _page_title(xml: bytes) -> str:
    title = _HTML_TITLE.search(xml)
    words = " ".join(html.unescape(title[1].decode("utf-8", "replace")).split()) if title else ""
    return f": “{words}”" if words else ""


def _what_came(element: re.Match[bytes] | None, name: bytes, xml: bytes) -> str:
    if name in _KNOWN_ROOTS:
        return f"The document is no feed but {_KNOWN_ROOTS[name]}"
    if element:
        root = element[1].decode("ascii", "replace")
        return f"The document is no feed: its first element is <{root}>, not rss, feed or rdf:RDF"
    begins = _quoted(xml[len(_XML_DECLARATION) :])
    return f"The document is no feed: no element was found; it begins {begins}"
