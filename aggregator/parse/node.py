"""An element of a well-formed document as feedparser sees it: its attributes, place and text."""

import contextlib
import re
from typing import NamedTuple
from xml.sax.saxutils import escape

from feedparser.html import _cp1252
from feedparser.urls import _urljoin, make_safe_absolute_uri
from lxml import etree

from aggregator.parse.names import Uncertain

# What is read. feedparser ignores an attribute's namespace when it does not know it.
_READ = frozenset(
    {"base", "domain", "href", "ispermalink", "label", "lang", "lastmod", "length", "mode", "rel",
     "scheme", "term", "text", "title", "type", "uri", "url", "version"}
)  # fmt: skip
_XML = "{http://www.w3.org/XML/1998/namespace}"
_XHTML = "{http://www.w3.org/1999/xhtml}"
_QUOTE = {'"': "&quot;"}
_PLAIN_URL = re.compile(  # the same when joined
    r"https?://[a-z0-9.-]+/[\w/.%~-]*(?:\?[\w/.%~=&;:,+@!-]+)?(?:#[\w/.%~=&-]+)?", re.ASCII
)
_C1_CONTROL = re.compile("[\x80-\x9f]")


class Node(NamedTuple):
    """An element with its attributes, what xml:base and xml:lang say there, and its depth."""

    element: etree._Element
    attributes: dict[str, str]
    base: str
    language: str
    depth: int

    @classmethod
    def root(cls, element: etree._Element, base: str) -> "Node":
        """Return the root element as a node; `base` is what its xml:base resolves against."""
        sent = _attributes(element)
        base = _based(base, sent.get("xml:base", sent.get("base", "")))
        return cls(element, sent, base, sent.get("xml:lang", sent.get("lang", "")), 1)

    def child(self, element: etree._Element) -> "Node":
        """Return a child element as a node."""
        if not element.keys():
            return Node(element, {}, self.base, self.language, self.depth + 1)
        sent = _attributes(element)
        reference = sent.get("xml:base", sent.get("base", ""))
        base = _based(self.base, reference) if reference else self.base
        language = sent.get("xml:lang", sent.get("lang", self.language))
        return Node(element, sent, base, language, self.depth + 1)

    def text(self) -> str:
        """Return the text of an element that has no elements, without space around it."""
        if len(self.element):
            raise Uncertain
        return (self.element.text or "").strip()

    def own_text(self) -> str:
        """Return what stands in an element beside its elements."""
        texts = [self.element.text, *(child.tail for child in self.element)]
        return mended("".join(text or "" for text in texts).strip())

    def url(self) -> str:
        """Return the text as a reference, resolved."""
        reference = self.text()
        return mended(self.joined(reference) if reference else "")

    def joined(self, reference: str) -> str:
        """Return a reference, resolved."""
        if _PLAIN_URL.fullmatch(reference):
            return reference
        return str(_urljoin(self.base, reference))

    def xhtml(self) -> str:
        """Return the markup in an XHTML text, without the div that holds it."""
        return "".join(_without_div(_written(self.element, []))).strip()


def mended(text: str) -> str:
    """Return a text as feedparser mends it where UTF-8 or Windows-1252 was taken for Latin-1."""
    if text.isascii():
        return text
    with contextlib.suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode("utf-8")
    # In UTF-8 they begin with one byte, which is found fast; most texts don't have it.
    has_controls = b"\xc2" in text.encode() and _C1_CONTROL.search(text)
    return text.translate(_cp1252) if has_controls else text


def _attributes(element: etree._Element) -> dict[str, str]:
    made = {}
    for name, value in element.items():
        key = name.lower()
        if key[0] == "{":
            if name.startswith(_XML):
                key = f"xml:{key[len(_XML) :]}"
            elif key.rpartition("}")[2] in _READ:
                raise Uncertain
        made[key] = value.lower() if key in ("rel", "type") else value
    return made


def _based(base: str, reference: str) -> str:
    if not reference and _PLAIN_URL.fullmatch(base):
        return base
    based = str(make_safe_absolute_uri(base, reference or base) or base)
    # feedparser joins it to itself at each element within.
    if (make_safe_absolute_uri(based, based) or based) != based:
        raise Uncertain
    return based


def _written(parent: etree._Element, pieces: list[str]) -> list[str]:
    """Add the pieces of the markup in an element, as feedparser writes it again."""
    if parent.text:
        pieces.append(escape(parent.text))
    for child in parent:
        tag = str(child.tag)
        name = tag.removeprefix(_XHTML).lower()
        sent = _attributes(child) if child.keys() else {}
        if not tag.startswith(_XHTML) or name in ("body", "math", "svg") or "{" in "".join(sent):
            raise Uncertain
        written = (f' {key}="{escape(value, _QUOTE)}"' for key, value in sent.items())
        pieces.append(f"<{name}{''.join(written)}>")
        _written(child, pieces)
        pieces.append(f"</{name}>")
        if child.tail:
            pieces.append(escape(child.tail))
    return pieces


def _without_div(pieces: list[str]) -> list[str]:
    """Return the pieces without the one div that holds all of them (RFC 4287 §3.1.1.3)."""
    filled = [at for at, piece in enumerate(pieces) if piece.strip()]
    kept = pieces[filled[0] : filled[-1] + 1] if filled else pieces[:1]
    if not kept or kept[0][:5] not in ("<div>", "<div ") or kept[-1] != "</div>":
        return kept
    depth = 0
    for piece in kept[:-1]:
        if piece.startswith("<"):
            depth += -1 if piece.startswith("</") else 1
            if not depth:
                return kept
    return kept[1:-1]
