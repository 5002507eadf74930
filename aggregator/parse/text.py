"""Text constructs: their type and markup.

Atom gives the type of a text (RFC 4287 §3.1, §4.1.3.3). RSS does not: a description is HTML if it
has a tag or a character reference of HTML, and otherwise text, with its line breaks. A title is
mostly text, so a tag alone, as in "The <head> element", does not make it HTML.
"""

import contextlib
import html
import re
from html.entities import html5

from lxml import etree

from aggregator.models.entry import Text
from aggregator.parse.tree import Element, XmlTree

_HTML_NAMES = (
    "a abbr acronym address article aside audio b bdi bdo big blockquote br button canvas caption"
    " center cite code col colgroup dd del details dfn div dl dt em embed figcaption figure font"
    " footer form h1 h2 h3 h4 h5 h6 header hr i iframe img input ins kbd label li main mark math"
    " nav ol object p picture pre q s samp script section small source span strike strong style"
    " sub summary sup svg table tbody td tfoot th thead time tr tt u ul var video wbr"
)
_HTML_NAME = _HTML_NAMES.replace(" ", "|")
_ANY_TAG = re.compile(
    rf"</(?:{_HTML_NAME})\s*>"
    rf"|<(?:{_HTML_NAME})\s+[a-z-]+\s*=[^<>]*>"
    r"|<(?:p|br|hr|img|wbr|li|d[dt]|t[dhr])(?:\s[^<>]*|/)?>"  # often without an end tag
    r"|<!--",
    re.IGNORECASE,
)
_MEANT_TAG = re.compile(
    rf"</(?:{_HTML_NAME})\s*>|<(?:br|hr|img|wbr)(?:\s[^<>]*|/)?>", re.IGNORECASE
)
_REFERENCE = re.compile(r"&(?:#[0-9]{2,7}\b;?|#[xX][0-9a-fA-F]{1,6};|([A-Za-z][A-Za-z0-9]{1,31});)")
_TAG = re.compile(r"<[^<>]*>")
_C1_CONTROL = re.compile("[\x80-\x9f]")
_WINDOWS_1252 = {
    code: bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0xA0)
}
_KEPT = frozenset({"dir", "lang"})
"""Attributes that hold for all of a text, so that its div stays."""
_XHTML = "application/xhtml+xml"
_TYPES = {
    "text": "text",
    "plain": "text",
    "html": "html",
    "text/html": "html",
    "xhtml": "xhtml",
    _XHTML: "xhtml",
}


def text(element: Element, tree: XmlTree, *, is_title: bool = False) -> Text | None:
    """Return the text construct in an element, None if it is empty or not text."""
    kind = _kind(element, tree)
    if not kind:
        return None
    value = fix_encoding(_value(element, is_xhtml=kind == "xhtml"))
    if not value:
        return None
    if kind == "?":
        kind, value = detect_type(value, is_title=is_title)
    return Text(
        value=value, type=kind, base=tree.own_base(element), language=tree.language(element)
    )


def as_html(construct: Text | None) -> str:
    """Return a text construct of any type as HTML, "" for none."""
    if construct is None:
        return ""
    is_text = construct.type == "text"
    return html.escape(construct.value, quote=False) if is_text else construct.value


def detect_type(value: str, *, is_title: bool = False) -> tuple[str, str]:
    """Return the type, `html` or `text`, and value of a text that is sent without its type."""
    if "<" in value and (_MEANT_TAG if is_title else _ANY_TAG).search(value):
        return "html", value
    if "&" in value and has_reference(value):
        if is_title or "\n" not in value:
            return "html", value
        decoded = html.unescape(value)  # so that the line breaks count
        return ("html", value) if _ANY_TAG.search(decoded) else ("text", decoded)
    return "text", value


def has_reference(value: str) -> bool:
    """Return whether a text has a character reference of HTML, such as &eacute;."""
    return any(not found[1] or f"{found[1]};" in html5 for found in _REFERENCE.finditer(value))


def visible_length(construct: Text) -> int:
    """Return about how many characters of a text construct a reader sees."""
    value = construct.value
    if construct.type != "text":
        value = html.unescape(_TAG.sub("", value))
    return len(" ".join(value.split()))


def fix_encoding(value: str) -> str:
    """Return a text with UTF-8 and Windows-1252 restored where they were decoded as Latin-1."""
    # Characters from U+0080 to U+00BF, without which neither happened, begin with one byte in
    # UTF-8, which is found fast; most texts don't have it.
    if value.isascii() or b"\xc2" not in value.encode():
        return value
    with contextlib.suppress(UnicodeError):
        value = value.encode("iso-8859-1").decode("utf-8")
    return value.translate(_WINDOWS_1252) if _C1_CONTROL.search(value) else value


def _kind(element: Element, tree: XmlTree) -> str:
    """Return `text`, `html` or `xhtml`, `?` where no type is given, "" where it is no text."""
    kind = element.get("type", "")
    if kind:
        kind = kind.partition(";")[0].strip().lower()
    if not tree.names.is_atom(element.tag):
        return "text" if kind in ("plain", "text/plain") else "?"
    if element.get("mode") == "base64":
        return ""
    if element.get("mode") == "escaped":
        return "?" if kind in ("", "text/html", "html", _XHTML) else "text"
    if not kind:
        return "xhtml" if len(element) else "text"
    if kind in _TYPES:
        return _TYPES[kind]
    if kind.startswith("text/") or "/" not in kind:
        return "text"
    return "xhtml" if kind.endswith(("+xml", "/xml")) and _has_markup(element, tree) else ""


def _has_markup(element: Element, tree: XmlTree) -> bool:
    prefixes = ("xhtml:", "svg:", "math:")
    return any(tree.names[child.tag].startswith(prefixes) for child in element)


def _value(element: Element, *, is_xhtml: bool) -> str:
    if not len(element):
        value = element.text or ""
        return (html.escape(value, quote=False) if is_xhtml else value).strip()
    markup = _markup(element)
    if is_xhtml:
        return markup
    # Text between tags is markup itself: `<p>It is &lt;b>so&lt;/b></p>`.
    return markup.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _markup(element: Element) -> str:
    """Return the elements in an element as HTML, without the one div that holds all of them.

    The elements are taken out of the tree.
    """
    for each in element.iterdescendants("*"):
        _strip_namespaces(each)
    holder = etree.Element("div")
    holder.text = element.text
    holder.extend(list(element))
    only = holder[0] if len(holder) == 1 and not _has_text_around(holder) else None
    if only is not None and only.tag == "div" and _KEPT.isdisjoint(map(str.lower, only.keys())):
        holder = only
        holder.tail = None
        holder.attrib.clear()
    etree.cleanup_namespaces(holder)
    written = etree.tostring(holder, encoding="unicode", method="html")
    return written[len("<div>") : -len("</div>")].strip()


def _has_text_around(holder: Element) -> bool:
    return bool((holder.text or "").strip() or (holder[0].tail or "").strip())


def _strip_namespaces(element: Element) -> None:
    tag = str(element.tag)
    if "}" in tag:
        element.tag = tag.rpartition("}")[2]
    for name, value in element.items():
        if name.startswith("{"):
            del element.attrib[name]
            local = name.rpartition("}")[2]
            if local not in element.attrib:
                element.set(local, value)
