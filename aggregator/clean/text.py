"""Plain text out of markup, and lines that hold text and nothing else."""

import html
import re
import unicodedata

from aggregator.model import Text

TITLE_LENGTH = 500
LINE_LENGTH = 200

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff]")
_HIDDEN = re.compile(r"<(script|style|template|noscript)\b.*?(?:</\1\s*>|\Z)", re.I | re.S)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_BLOCK = re.compile(
    r"</?(?:p|div|br|hr|li|ul|ol|dl|dt|dd|tr|td|th|table|h[1-6]|blockquote|pre|figure|figcaption"
    r"|section|article|header|footer|aside|nav)\b[^>]*>",
    re.I,
)
_TAG = re.compile(r"</?[a-zA-Z!?][^>]*(?:>|\Z)")
_SPACE = re.compile(r"\s+")
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);")


def legal(text: str) -> str:
    """Return text without the characters that XML 1.0 forbids or that only control terminals."""
    return _ILLEGAL.sub("", text)


def plain(markup: str) -> str:
    """Return the text of HTML: tags gone, blocks apart, entities decoded, white space folded."""
    if "<" in markup:
        markup = _COMMENT.sub(" ", _HIDDEN.sub(" ", markup))
        markup = _TAG.sub("", _BLOCK.sub(" ", markup))
    if "&" in markup:
        markup = html.unescape(markup)
    return _SPACE.sub(" ", legal(markup)).strip()


def one_line(text: str, limit: int = LINE_LENGTH) -> str:
    """Return text on one line, bounded, without controls and characters that turn its direction."""
    text = _SPACE.sub(" ", _BIDI.sub("", legal(text))).strip()
    return text if len(text) <= limit else lead(text, limit)


def title(text: Text | None) -> str:
    """Return a title as text.

    HTML is read once. A title sent as HTML whose text is markup again was escaped twice by its
    publisher; since titles are never markup here, it is read once more.
    """
    if text is None:
        return ""
    value = text.value
    if text.type != "text":
        value = plain(value)
        if _MARKUP.search(value):
            value = plain(value)
    return one_line(value, TITLE_LENGTH)


def lead(text: str, limit: int) -> str:
    """Return the beginning of a text, cut between words where it has any, with "…"."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = cut.rfind(" ")
    if space > limit // 2:
        cut = cut[:space]
    while cut and unicodedata.combining(text[len(cut)]):
        cut = cut[:-1]
    return cut.rstrip(" ,;:-–—") + "…"
