"""Plain text out of markup, and lines that hold text and nothing else.

All patterns take linear time on any input, such as a megabyte of `<`.
"""

import html
import re
import unicodedata

from aggregator.models.entry import SafeHtml, Text
from aggregator.models.excerpt import lead

TITLE_LENGTH = 500
TEXT_LENGTH = 100_000
LINE_LENGTH = 200
SHORT = 200

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_ASCII_CONTROLS = bytes(range(32)) + b"\x7f"
_ASCII_ILLEGAL = _ASCII_CONTROLS.translate(None, b"\t\n\r")
_HIGH_ILLEGAL = re.compile(b"\xc2[\x80-\x84\x86-\x9f]")
_LAST_ILLEGAL = re.compile(b"\xef\xbf[\xbe\xbf]")
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_INVISIBLES = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_INVISIBLE = re.compile(f"[{_INVISIBLES}]")
_BLANKS = re.compile("  +")
_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|template|title|noscript)\b.*?(?:</\1\b[^>]*(?:>|\Z)|\Z)",
    re.IGNORECASE | re.DOTALL,
)
# The first form reads sanitised HTML exactly; the second ends a broken tag.
_REST = r'(?:[^<>"]*+(?:"[^"]*+"[^<>"]*+)*+>|[^>]*+(?:>|\Z))'
_TAG = re.compile(r"</?([a-zA-Z!?][a-zA-Z0-9-]*+)" + _REST)
_INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font",
    "i", "ins", "kbd", "mark", "nobr", "q", "rb", "rp", "rt", "ruby", "s", "samp", "small", "span",
    "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "math", "mi", "mn", "mo",
    "mrow", "ms", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtext", "munder", "mover",
    "munderover", "semantics", "none", "mspace",
})  # fmt: skip
_INLINE_TAGS = _INLINE | {f"/{name}" for name in _INLINE}
_ELEMENT_NAMES = (
    "a|abbr|acronym|address|article|aside|audio|b|bdi|bdo|big|blink|blockquote|body|br|button"
    "|center|cite|code|dd|del|details|dfn|div|dl|dt|em|embed|figcaption|figure|font|footer|form"
    "|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|li|link|main|mark|marquee|math"
    "|meta|nav|nobr|noscript|object|ol|option|p|picture|pre|q|rp|rt|ruby|s|samp|script|section"
    "|select|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template"
    "|textarea|tfoot|th|thead|time|title|tr|tt|u|ul|var|video|wbr"
)
_NO_ELEMENT = re.compile(rf"<(?!/?(?:{_ELEMENT_NAMES})(?![a-zA-Z0-9-])|!--)", re.IGNORECASE)
_ELEMENT = re.compile(rf"</?(?:{_ELEMENT_NAMES})(?:\s[^<>]*)?/?>|<!--", re.IGNORECASE)
_BARE_TAG = re.compile(rf"<((?:{_ELEMENT_NAMES}))>(?=[\s.,:;!?)'\"’”]|\Z)", re.IGNORECASE)
_END_TAG = re.compile(r"</([a-z][a-z0-9]*)", re.IGNORECASE)
_WITHOUT_END = frozenset({"br", "hr", "img", "input", "li", "p", "wbr"})
_TWICE_ESCAPED = re.compile(r"&(?!lt;|gt;)(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]\w{1,31});")


def legal(text: str) -> str:
    """Return text without the characters that XML 1.0 forbids or that only control terminals."""
    try:
        data = text.encode()
    except UnicodeEncodeError:  # a surrogate
        return _ILLEGAL.sub("", text)
    clean = data.translate(None, _ASCII_ILLEGAL)  # several times as fast as the pattern
    if len(clean) == len(data):
        has_others = not text.isascii() and (
            _HIGH_ILLEGAL.search(data) or _LAST_ILLEGAL.search(data)
        )
        return _ILLEGAL.sub("", text) if has_others else text
    return clean.decode() if text.isascii() else _ILLEGAL.sub("", text)


def plain(markup: str) -> str:
    """Return the text of any HTML, with entities decoded and white space folded.

    HTML that is not sanitised is read approximately, and its text may contain anything, such as
    `<script>`.
    """
    if "<" in markup:
        pieces = _TAG.split(_HIDDEN.sub(" ", markup))
        pieces[1::2] = [
            "" if name in _INLINE or name.lower() in _INLINE else "\n" for name in pieces[1::2]
        ]
        markup = "".join(pieces)
    return _decoded(markup)


def plain_of(content: SafeHtml) -> str:
    """Return the text of sanitised HTML as `plain` does; its tags have the only `<` and `>`."""
    if "<" not in content:
        return _decoded(content)
    pieces = content.split("<")
    for at in range(1, len(pieces)):
        tag, _, words = pieces[at].partition(">")
        is_inline = tag in _INLINE_TAGS or tag.partition(" ")[0] in _INLINE
        pieces[at] = words if is_inline else f"\n{words}"
    return _decoded("".join(pieces))


def _decoded(words: str) -> str:
    return folded(html.unescape(words) if "&" in words else words)


def one_line(text: str, limit: int = LINE_LENGTH) -> str:
    """Return text on one line of at most `limit` characters.

    Control characters are removed, including those that change the direction of text (Trojan
    Source).
    """
    if not text:
        return ""
    line = _line(text[: 2 * limit])
    if len(line) <= limit < len(text):  # little was left of the beginning
        line = _line(text)
    return lead(line, limit)


def _line(text: str) -> str:
    return folded(text if text.isascii() else _DIRECTION.sub("", text))


def folded(text: str) -> str:
    """Return text with legal characters only and its white space folded."""
    text = text.replace("\xa0", " ")
    if "\n" in text:
        text = " ".join([row for row in map(str.strip, text.split("\n")) if row])
    if "  " in text:
        text = _BLANKS.sub(" ", text)
    if _is_printable(text):  # it has no other space, and no control
        return text.strip(" ")
    return " ".join(legal(text).split())


def _is_printable(text: str) -> bool:
    if len(text) > SHORT and text.isascii():
        return len(text.encode().translate(None, _ASCII_CONTROLS)) == len(text)
    return text.isprintable()


def line(markup: str, limit: int = LINE_LENGTH) -> str:
    """Return a name or title, which publishers send as HTML, as one line of text.

    Entities are decoded once. Three mistakes are corrected: a tag that is not an element of HTML
    is text (`List<T>`), and so is a tag without an end tag that is used as a word (`Why the <head>
    matters`); a reference left after decoding was escaped twice (`AT&amp;amp;T`), unless it is to
    `<` or `>`.
    """
    if "<" not in markup and "&" not in markup:
        return one_line(markup, limit)
    if "<" in markup:
        markup = _NO_ELEMENT.sub("&lt;", markup)
        markup = _without_words_as_tags(markup)
    words = plain(markup)
    if "&" in words:
        words = _TWICE_ESCAPED.sub(lambda reference: html.unescape(reference[0]), words)
    return one_line(words, limit)


def _without_words_as_tags(markup: str) -> str:
    """Return HTML in which tags are text that have no end tag and need one."""
    closed = {*_WITHOUT_END, *map(str.lower, _END_TAG.findall(markup))}
    return _BARE_TAG.sub(
        lambda tag: tag[0] if tag[1].lower() in closed else f"&lt;{tag[1]}&gt;", markup
    )


def has_elements(markup: str) -> bool:
    """Return whether there is any tag of HTML in a text."""
    return "<" in markup and bool(_ELEMENT.search(markup))


def title(text: Text | None) -> str:
    """Return a text construct as one line of text, "" for none (RFC 4287 §3.1)."""
    if text is None:
        return ""
    if text.type == "text":
        return one_line(text.value, TITLE_LENGTH)
    return line(text.value, TITLE_LENGTH)


def visible_form(line: str) -> bytes:
    """Return text as compared, in UTF-8: composed, without blanks and what shows nothing.

    Args:
        line: White space is folded, as `plain` and `one_line` do.
    """
    if not line.isascii():
        if any(map(line.__contains__, _INVISIBLES)):  # a tenth of the pattern's time
            line = _INVISIBLE.sub("", line)
        line = unicodedata.normalize("NFC", line)
    return line.encode().translate(None, b" ")  # three times as fast as replace
