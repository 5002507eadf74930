"""Escaping for XML that is written as f-strings: every text and attribute value passes here.

The f-strings look like the document, and are as fast as lxml's incremental writer.
"""

import re
from collections.abc import Iterable, Mapping

from aggregator.models.extensions import URL_ATTRIBUTES
from aggregator.models.urls import as_uri

_CONTROLS = bytes(code for code in (*range(0x20), 0x7F) if code not in b"\t\n\r")
_C1 = re.compile(b"\xc2[\x80-\x9f]")
"""U+0080 to U+009F. In UTF-8 the byte C2 only begins a character, of two bytes."""


def encode(parts: Iterable[str]) -> bytes:
    """Return the parts as one document, without control characters.

    XML forbids most of them and discourages the others (XML 1.0 §2.2); terminals obey some. Done
    once on the encoded document, this costs a tenth of doing it for each text: in UTF-8 a byte
    below 0x20 is always that control character. "ignore" drops lone surrogates.
    """
    body = "".join(parts).encode("utf-8", "ignore").translate(None, _CONTROLS)
    body = body.replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"")  # U+FFFE, U+FFFF
    return _C1.sub(b"", body) if b"\xc2" in body else body


def declarations(namespaces: Mapping[str, str], content: str) -> str:
    """Return the `xmlns` attributes of the prefixes that a document's content uses.

    Args:
        namespaces: URIs by prefix.
        content: Of the root element. Its texts are escaped, so `<prefix:` begins a tag.
    """
    return "".join(
        f' xmlns:{prefix}="{uri}"'
        for prefix, uri in sorted(namespaces.items())
        if f"<{prefix}:" in content
    )


def escape(text: str) -> str:
    """Return the text as the content of an element."""
    return (
        text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\r", "&#13;")  # unescaped, a parser reads it as a newline (§2.11)
    )


def quote(text: str) -> str:
    """Return the text as an attribute's value, with its double quotes."""
    value = escape(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return f'"{value}"'


def language_attribute(tag: str) -> str:
    """Return an `xml:lang` attribute with a space before it, "" for no language."""
    return f" xml:lang={quote(tag)}" if tag else ""


def element(name: str, text: str) -> str:
    """Return an element with text, "" when there is no text."""
    return f"<{name}>{escape(text)}</{name}>\n" if text else ""


def address(name: str, url: str) -> str:
    """Return an element with a URL, "" when there is none."""
    return element(name, as_uri(url)) if url else ""


def empty(name: str, *attributes: tuple[str, object]) -> str:
    """Return an empty element, without the attributes that are "" or None."""
    written = "".join(
        f" {key}={quote(as_uri(str(value)) if key in URL_ATTRIBUTES else str(value))}"
        for key, value in attributes
        if value not in ("", None)
    )
    return f"<{name}{written}/>\n"
