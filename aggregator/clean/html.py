"""The sanitiser: publishers' HTML to HTML that cannot act, only be read.

    markup > legal characters > frames to links > nh3 > pictures, empty elements > the same again

until nothing changes any more: browsers read what we serve again, and what changes when it is
read again is where sanitisers were broken (mutation XSS). So the last word is always nh3's, which
parses as browsers do, and says that it would change nothing.
"""

import re
from collections.abc import Callable
from functools import lru_cache, partial

import nh3

from aggregator.clean import text, urls
from aggregator.models.entry import SafeHtml, Text

MAX_LENGTH = 1_000_000
"""Characters of HTML; what is longer is kept as text, which costs little to read and to show."""

MAX_DEPTH = 250
"""Open elements; what is nested deeper is kept as text. nh3's time is quadratic in the depth
(100,000 elements: 23 s), and lxml, among others, refuses to read deeper than 255."""

MAX_ELEMENTS = 10_000
"""Elements other than paragraphs, cells and their like, should their ends be hidden from us."""

MAX_REFERENCES = 20_000
"""Ampersands; nh3's time is quadratic in their number too (900,000: 17 s)."""

_TAGS = {
    "a", "abbr", "acronym", "address", "article", "aside", "audio", "b", "bdi", "bdo", "big",
    "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del",
    "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "footer", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre",
    "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "source", "span", "strike",
    "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time",
    "tr", "tt", "u", "ul", "var", "video", "wbr",
}  # fmt: skip
_GONE = {
    "button", "input", "math", "noembed", "noframes", "noscript", "option", "plaintext", "script",
    "select", "style", "svg", "template", "textarea", "title", "xmp",
}  # fmt: skip
_LATER = ("data-src", "data-lazy-src", "data-original", "srcset")
"""Where pictures that a script would load have their URL."""

_ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href"},
    "audio": {"src", "controls", "preload"},
    "video": {"src", "controls", "preload", "poster", "width", "height"},
    "source": {"src", "type"},
    "img": {"src", "alt", "width", "height", "style", *_LATER},
    "del": {"datetime"},
    "ins": {"datetime"},
    "time": {"datetime"},
    "ol": {"start", "reversed", "type"},
    "li": {"value"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "details": {"open"},
}
_Filter = Callable[[str, str, str], str | None]
_EMOJI = "//s.w.org/images/core/emoji/"  # WordPress makes 72 pixels of a character
_SPACES = " \t\n"
_LINE_END = "\n"
_REL = "noopener noreferrer nofollow"

_NUMBER = re.compile(r"\s*(\d{1,4})(?:\.\d*)?(?:px)?\s*", re.ASCII)
_MAILTO = re.compile(r"mailto:[^\s\"'<>\x00-\x20\x7f]{3,500}", re.IGNORECASE)
_UNSEEN = re.compile(r"display\s*:\s*none|(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|!|\Z)", re.I)

# These read what nh3 wrote, and nothing else: names in lower case, values in double quotes.
_REWRITTEN = re.compile(r"<(a rel|img|audio|video|source|pre)")
_FRAME = re.compile(r"<iframe((?: [a-z-]+=\"[^\"]*\")*)>.*?</iframe>", re.DOTALL)
_IMAGE = re.compile(r"<img((?: [a-z-]+=\"[^\"]*\")*)>")
_PLAYER = re.compile(r"<(audio|video)((?: [a-z-]+=\"[^\"]*\")*)>")
_PAIR = re.compile(r" ([a-z-]+)=\"([^\"]*)\"")
_REST = r"(?: [a-z-]+=\"[^\"]*+\")*+>"
_SOURCELESS = r"(?!(?: [a-z-]+=\"[^\"]*\")*? src=)"
_NO_SOURCE = re.compile(r"<source" + _SOURCELESS + _REST)
_PRE = re.compile(r"(<pre" + _REST + r")\n+")
_EMPTY = re.compile(
    r"<(address|article|aside|blockquote|center|details|div|dl|dd|dt|figcaption|figure|footer"
    r"|h[1-6]|header|li|ol|p|section|summary|ul|(?:audio|video)"
    rf"{_SOURCELESS}){_REST}(?:\s|&nbsp;|<br>)*+</\1>"
    r"|<(a|abbr|acronym|b|big|cite|code|em|i|ins|del|mark|q|s|small|span|strike|strong|sub|sup"
    rf"|tt|u){_REST}(\s*+)</\2>"
)

_OPEN_OR_CLOSE = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_VOID = frozenset({"br", "col", "hr", "img", "source", "wbr"})
_SELDOM_DEEP = _VOID | {
    "area", "base", "dd", "dt", "embed", "input", "li", "link", "meta", "option", "p", "param",
    "tbody", "td", "tfoot", "th", "thead", "tr", "track",
}  # fmt: skip
"""Elements without end tags, or whose end tags are often left out."""

_ANY_FRAME = re.compile("<iframe", re.IGNORECASE | re.ASCII)
_MEANT_AS_HTML = re.compile(r"</(?:p|div|a|em|strong|ul|ol|h[1-6]|table|blockquote)>")
_ANY_TAG = re.compile(r"<(?:p|div|a|em|strong|ul|ol|h[1-6]|table|blockquote)\b[^<>]*>")


def sanitise(markup: str, *, base: str) -> SafeHtml:
    """Return HTML that is safe in any page and closed in itself.

    Only tags and attributes of an allow-list stay, URLs are absolute http or https (and mailto in
    links), frames become links to what they would have shown, counting pixels and empty elements
    are gone. Sanitising the result again changes nothing.

    Args:
        markup: Anything.
        base: URL that relative references resolve against. A reference to a place in the same
            page is dropped, since the page is another here.
    """
    markup = text.legal(markup)
    if "<" not in markup and "&" not in markup and len(markup) <= MAX_LENGTH:
        return SafeHtml(_escape(_lines(markup)).strip(_SPACES))
    if len(markup) > MAX_LENGTH or markup.count("&") > MAX_REFERENCES or _is_deep(markup):
        return paragraphs(text.plain(markup))
    if _ANY_FRAME.search(markup):
        framed = text.legal(_cleaner(base, frames=True).clean(markup))
        markup = _FRAME.sub(_link_to_frame, framed)
    for _ in range(5):
        before, markup = markup, _pass(markup, base)
        if markup in (before, _SAME.clean(markup)):
            return SafeHtml(markup)
    return paragraphs(text.plain(markup))


def _pass(markup: str, base: str) -> str:
    decodes = "&" in markup  # references to characters that may not be
    markup = _cleaner(base).clean(markup)
    if _is_deep(markup, aside=_VOID):  # end tags were hidden, in comments or attributes
        return paragraphs(text.plain(markup))
    if decodes:
        markup = text.legal(markup.replace("\r", "\n"))
    named = set(_REWRITTEN.findall(markup))
    if "a rel" in named:
        markup = markup.replace(f'<a rel="{_REL}">', "<a>")
    if "img" in named:
        markup = _IMAGE.sub(_picture, markup)
    if not named.isdisjoint({"audio", "video", "source"}):
        markup = _NO_SOURCE.sub("", _PLAYER.sub(_player, markup))
    if "pre" in named:
        markup = _PRE.sub(r"\1", markup)  # readers drop one line end there each time
    found = 1
    while found:
        markup, found = _EMPTY.subn(_gap, markup)
    return markup.strip(_SPACES)


@lru_cache(maxsize=256)
def _cleaner(base: str, *, frames: bool = False) -> nh3.Cleaner:
    return _compiled(partial(_attribute, base), frames=frames)


def _compiled(attribute: _Filter | None = None, *, frames: bool = False) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS | {"iframe"} if frames else _TAGS,
        clean_content_tags=_GONE,
        attributes=_ATTRIBUTES | {"iframe": {"src", "width", "height"}} if frames else _ATTRIBUTES,
        attribute_filter=attribute,
        link_rel=_REL,
        url_schemes={"http", "https", "mailto"},
    )


_SAME = _compiled()
"""Shows whether the tags stay as they are, without asking about each attribute again."""


def _attribute(base: str, tag: str, name: str, value: str) -> str | None:
    """Return an attribute's value as it may stay, None when it may not."""
    match name:
        case "href" | "src" | "poster" | "data-src" | "data-lazy-src" | "data-original":
            if tag == "a" and _MAILTO.fullmatch(value):
                return value
            return None if value.lstrip().startswith("#") else urls.absolute(base, value) or None
        case "srcset":
            return urls.absolute(base, value.split()[0].rstrip(",")) if value.strip() else None
        case "width" | "height" | "colspan" | "rowspan" | "start" | "value":
            number = _NUMBER.fullmatch(value)
            return str(int(number[1])) if number else None
        case "style":
            return "none" if _UNSEEN.search(value) else None
        case "rel":
            return value  # the one that nh3 wrote
        case "dir":
            return value if value in ("ltr", "rtl", "auto") else None
        case "open" | "reversed" | "controls" | "preload":
            return ""
        case _:
            return " ".join(text.legal(value).split())


def _link_to_frame(frame: re.Match[str]) -> str:
    attributes = dict(_PAIR.findall(frame[1]))
    url = attributes.get("src", "")
    if not url or _is_tiny(attributes):
        return ""
    # The host alone: the rest of an advert's URL is another at each poll.
    host = url.partition("//")[2].partition("/")[0]
    return f'<p><a href="{url}">{host}</a></p>'


def _picture(image: re.Match[str]) -> str:
    attributes: dict[str, str] = dict(_PAIR.findall(image[1]))
    later = [attributes.pop(name, "") for name in _LATER]
    attributes["src"] = attributes.get("src") or next(filter(None, later), "")
    if not attributes["src"] or attributes.pop("style", "") or _is_tiny(attributes):
        return ""
    if _EMOJI in attributes["src"]:
        return attributes.get("alt", "")
    return _tag("img", attributes)


def _player(player: re.Match[str]) -> str:
    """Let readers start it, and load nothing before."""
    attributes: dict[str, str] = dict(_PAIR.findall(player[2]))
    return _tag(player[1], attributes | {"controls": "", "preload": "none"})


def _tag(name: str, attributes: dict[str, str]) -> str:
    written = (f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{''.join(written)}>"


def _is_tiny(attributes: dict[str, str]) -> bool:
    return attributes.get("width") in ("0", "1") or attributes.get("height") in ("0", "1")


def _gap(empty: re.Match[str]) -> str:
    """Keep apart what an empty element kept apart."""
    return "\n" if empty[1] else empty[3] and " "


def _is_deep(markup: str, *, aside: frozenset[str] = _SELDOM_DEEP) -> bool:
    """Tell whether elements are nested too deep: a guess, but exact for nh3's output and _VOID."""
    if markup.count("<") <= MAX_DEPTH:
        return False
    depth = opens = 0
    opened: dict[str, int] = {}
    for end, name in _OPEN_OR_CLOSE.findall(markup):
        name = name.lower()
        if name in aside:
            continue
        if not end:
            opened[name] = opened.get(name, 0) + 1
            depth += 1
            opens += 1
            if depth > MAX_DEPTH or opens > MAX_ELEMENTS:
                return True
        elif opened.get(name):
            opened[name] -= 1
            depth -= 1
    return False


def paragraphs(words: str) -> SafeHtml:
    """Return plain text as HTML: blank lines part paragraphs, line ends stay."""
    words = _lines(text.lead(text.legal(words), MAX_LENGTH))
    blocks = (_escape(block.strip()) for block in re.split(r"\n\s*\n", words))
    return SafeHtml(
        "".join(f"<p>{block.replace(_LINE_END, '<br>')}</p>" for block in blocks if block)
    )


def _lines(words: str) -> str:
    return words.replace("\r\n", "\n").replace("\r", "\n")


def _escape(words: str) -> str:
    """Write text as nh3 writes it."""
    words = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return words.replace("\xa0", "&nbsp;")


def from_text(content: Text | None, *, base: str) -> SafeHtml:
    """Return a text construct of any type (RFC 4287 §3.1) as safe HTML.

    Many publishers forget to say that their text is HTML, and text that means a tag is rare.
    """
    if content is None:
        return SafeHtml("")
    value = content.value
    is_html = content.type != "text" or (_MEANT_AS_HTML.search(value) and _ANY_TAG.search(value))
    if not is_html:
        return paragraphs(value)
    own_base = urls.absolute(base, content.base) if content.base else ""
    return sanitise(value, base=own_base or base)
