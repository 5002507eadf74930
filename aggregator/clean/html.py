"""The sanitiser: publishers' HTML to HTML that cannot act, only be read."""

import html
import re
import threading

import nh3

from aggregator.clean import text, urls
from aggregator.model import SafeHtml, Text

MAX_LENGTH = 1_000_000
"""Characters of HTML; what is longer is kept as text, which costs little to read and to show."""

_TAGS = {
    "a", "abbr", "article", "aside", "audio", "b", "bdi", "bdo", "blockquote", "br", "caption",
    "cite", "code", "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em",
    "figcaption", "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i",
    "img", "ins", "kbd", "li", "mark", "ol", "p", "picture", "pre", "q", "rp", "rt", "ruby", "s",
    "samp", "section", "small", "source", "span", "strong", "sub", "summary", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "time", "tr", "u", "ul", "var", "video", "wbr",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href"},
    "audio": {"src", "controls"},
    "video": {"src", "controls", "poster", "width", "height"},
    "source": {"src", "type"},
    "img": {"src", "alt", "width", "height"},
    "blockquote": {"cite"},
    "q": {"cite"},
    "del": {"datetime"},
    "ins": {"datetime"},
    "time": {"datetime"},
    "ol": {"start", "reversed"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "details": {"open"},
}
_GONE = {
    "script", "style", "template", "noscript", "svg", "math", "object", "embed", "applet", "form",
    "input", "button", "select", "textarea", "option", "title", "base", "link", "meta", "frameset",
    "xmp", "plaintext", "noembed", "noframes",
}  # fmt: skip
_LINKS = {"href", "src", "cite", "poster"}
_PIXELS = re.compile(r"\d{1,5}\Z")
_FRAME = re.compile(r"<iframe\b[^>]*?\bsrc\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)[^>]*>", re.I)
_FRAME_END = re.compile(r"</iframe\s*>", re.I)
_IMAGE = re.compile(r"<img\b[^>]*>", re.I)
_TINY = re.compile(r'\b(?:width|height)="[01]"')
_NO_SOURCE = re.compile(r'<img(?![^>]*\bsrc=")[^>]*>')
_MEANT_AS_HTML = re.compile(
    r"<(p|div|a|em|strong|ul|ol|h[1-6]|table|blockquote)\b[^<]*>.*</\1>", re.S
)
_EMPTY = re.compile(r"<(p|div|span|a|b|i|em|strong|figure|li|ul|ol)(?: [^>]*)?>\s*</\1>")


class _Sanitiser(threading.local):
    """One compiled cleaner for each thread, with the base of the document in hand."""

    def __init__(self) -> None:
        self.base = ""
        self._cleaner = nh3.Cleaner(
            tags=_TAGS,
            clean_content_tags=_GONE,
            attributes=_ATTRIBUTES,
            attribute_filter=self._attribute,
            set_tag_attribute_values={
                "audio": {"preload": "none", "controls": "controls"},
                "video": {"preload": "none", "controls": "controls"},
            },
            link_rel="noopener noreferrer nofollow",
            url_schemes={"http", "https", "mailto"},
        )

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        if name in _LINKS:
            if tag == "a" and value.strip().lower().startswith("mailto:"):
                return urls.bare(value)
            return urls.absolute(self.base, value) or None
        if name in ("width", "height", "colspan", "rowspan", "start"):
            value = value.strip().removesuffix("px")
            return value if _PIXELS.match(value) else None
        return value

    def clean(self, markup: str, base: str) -> str:
        self.base = base
        return self._cleaner.clean(markup)


_sanitiser = _Sanitiser()


def sanitise(markup: str, *, base: str) -> SafeHtml:
    """Return HTML that is safe in any page and closed in itself.

    Only tags and attributes of an allow-list stay, URLs are absolute http or https (and mailto in
    links), frames become links to what they would have shown, and counting pixels are gone.

    Args:
        markup: Anything.
        base: URL that relative references resolve against.
    """
    markup = text.legal(markup)
    if len(markup) > MAX_LENGTH:
        return paragraphs(text.plain(markup))
    if "<iframe" in markup.lower():
        markup = _FRAME_END.sub("", _FRAME.sub(_framed, markup))
    cleaned = _sanitiser.clean(markup, base)
    if "<img" in cleaned:
        cleaned = _IMAGE.sub(lambda tag: "" if _TINY.search(tag[0]) else tag[0], cleaned)
        cleaned = _NO_SOURCE.sub("", cleaned)
    for _ in range(4):
        emptied = _EMPTY.sub("", cleaned)
        if emptied == cleaned:
            break
        cleaned = emptied
    return SafeHtml(cleaned.strip())


def _framed(frame: re.Match[str]) -> str:
    source = html.escape(html.unescape(frame[1].strip("\"'")), quote=True)
    return f'<p><a href="{source}">{source}</a></p>'


def paragraphs(words: str) -> SafeHtml:
    """Return plain text as HTML: blank lines part paragraphs, line ends stay."""
    blocks = re.split(r"\n\s*\n", text.legal(words).strip())
    made = (
        "<br>".join(html.escape(block.strip()).splitlines()) for block in blocks if block.strip()
    )
    return SafeHtml("".join(f"<p>{block}</p>" for block in made))


def from_text(content: Text | None, *, base: str) -> SafeHtml:
    """Return a text construct of any type (RFC 4287 §3.1) as safe HTML.

    Many publishers forget to say that their text is HTML, and text that means a tag is rare.
    """
    if content is None:
        return SafeHtml("")
    if content.type == "text" and not _MEANT_AS_HTML.search(content.value):
        return paragraphs(content.value)
    own_base = urls.absolute(base, content.base) if content.base else base
    return sanitise(content.value, base=own_base or base)
