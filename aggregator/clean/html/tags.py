"""The allow-lists of elements and attributes, and how tags are written.

nh3 uses two lists: `READ` and `REWRITTEN` for its first pass, before the rewriter replaces some of
the elements, and `KEPT` and `ATTRIBUTES` for the last one.
"""

MATH = frozenset({
    "math", "maction", "menclose", "merror", "mfenced", "mfrac", "mi", "mmultiscripts", "mn", "mo",
    "mover", "mpadded", "mphantom", "mprescripts", "mroot", "mrow", "ms", "mspace", "msqrt",
    "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover",
    "none", "semantics",
})  # fmt: skip
"""Presentation MathML, without links and without elements that may contain HTML."""

BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "center", "details", "div", "dl", "dd", "dt",
    "figcaption", "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "li", "ol",
    "p", "section", "summary", "ul",
})  # fmt: skip
"""Block elements that are removed if empty."""

INLINE = frozenset({
    "a", "abbr", "acronym", "b", "big", "cite", "code", "em", "i", "ins", "del", "mark", "q", "s",
    "small", "span", "strike", "strong", "sub", "sup", "tt", "u",
})  # fmt: skip
"""Inline elements that are removed if empty."""

VOID = frozenset({"br", "col", "embed", "hr", "img", "input", "param", "source", "wbr"})

PLAYERS = frozenset({"audio", "video"})

KEPT = (
    MATH
    | BLOCKS
    | INLINE
    | PLAYERS
    | {
        "bdi", "bdo", "br", "caption", "col", "colgroup", "dfn", "hr", "img", "input", "kbd",
        "pre", "rp", "rt", "ruby", "samp", "source", "table", "tbody", "td", "tfoot", "th",
        "thead", "time", "tr", "var", "wbr",
    }
)  # fmt: skip
"""Elements that the sanitiser may return."""

NOSCRIPT, SCRIPT = "x-noscript", "x-script"
"""New names of noscript and external scripts, so that nh3 parses their content."""

REWRITTEN = frozenset({
    "amp-anim", "amp-iframe", "amp-img", "amp-video", "amp-youtube", "desc", "embed", "iframe",
    "lite-vimeo", "lite-youtube", "object", "param", "picture", "svg", "text", "title", "tspan",
    NOSCRIPT, SCRIPT,
})  # fmt: skip
"""Elements that the rewriter replaces by other elements or text."""

GONE = frozenset({
    "annotation", "annotation-xml", "button", "mglyph", "malignmark", "noembed", "noframes",
    "noscript", "option", "plaintext", "script", "select", "style", "template", "textarea", "xmp",
})  # fmt: skip
"""Elements that are removed with their content."""

ALIGNED = frozenset({"col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"})

_MATH_ATTRIBUTES = {
    "accent", "accentunder", "alttext", "columnalign", "columnlines", "columnspan", "depth",
    "dir", "display", "displaystyle", "fence", "form", "height", "largeop", "linethickness",
    "lspace", "mathvariant", "maxsize", "minsize", "movablelimits", "notation", "open", "close",
    "rowalign", "rowlines", "rowspan", "rspace", "scriptlevel", "separator", "separators",
    "stretchy", "symmetric", "voffset", "width",
}  # fmt: skip

ATTRIBUTES: dict[str, set[str]] = {
    "*": {"dir", "id", "lang", "title"},
    "a": {"href", "rel"},
    "audio": {"src", "controls", "preload"},
    "code": {"class"},
    "del": {"datetime"},
    "details": {"open"},
    "div": {"class"},
    "img": {"src", "alt", "width", "height"},
    "input": {"type", "checked", "disabled"},
    "ins": {"datetime"},
    "li": {"value"},
    "ol": {"start", "reversed", "type"},
    "pre": {"class"},
    "source": {"src", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
    "video": {"src", "controls", "preload", "poster", "width", "height"},
}
"""Attributes that the sanitiser may return."""
for _name in MATH:
    ATTRIBUTES[_name] = _MATH_ATTRIBUTES
for _name in ALIGNED:
    ATTRIBUTES[_name] = ATTRIBUTES.get(_name, set()) | {"align"}

LAZY = (
    "data-src", "data-lazy-src", "data-original", "data-cfsrc", "data-ezsrc", "data-actualsrc",
    "data-orig-src", "data-original-src", "data-litespeed-src", "data-pagespeed-lazy-src",
)  # fmt: skip
"""Attributes with the address of a lazy-loaded picture, the most common first."""

MAYBE_LAZY = (
    "data-lazy", "data-lazyload", "data-lazy-load", "data-echo", "data-real-src", "data-img-src",
    "data-image-src", "data-hi-res-src", "data-full-src", "data-image", "data-img", "data-url",
    "data-delayed-url", "data-flickity-lazyload", "data-breeze", "data-layzr", "data-normal",
    "data-srcurl", "data-croporisrc", "data-canonical-src",
)  # fmt: skip
"""The same, but only beside a placeholder: they have other uses too."""

LAZY_SETS = ("data-srcset", "data-lazy-srcset", "data-original-set", "data-lazyload-srcset")

_SOURCES = {"src", "srcset", "type", *LAZY, *MAYBE_LAZY, *LAZY_SETS}
_FRAME = {"src", "data-src", "data-lazy-src", "data-litespeed-src", "width", "height"}

READ: dict[str, set[str]] = {
    **ATTRIBUTES,
    "*": {*ATTRIBUTES["*"], "hidden", "style", "xml:lang"},
    "a": {"href", "name"},
    "amp-anim": {"src", "srcset", "alt", "width", "height"},
    "amp-iframe": _FRAME,
    "amp-img": {"src", "srcset", "alt", "width", "height"},
    "amp-video": _FRAME,
    "amp-youtube": {"data-videoid"},
    "blockquote": {"cite", "class", "data-instgrm-permalink"},
    "div": {"class", "data-href"},
    "embed": {"src", "type", "width", "height"},
    "iframe": _FRAME,
    "img": {*ATTRIBUTES["img"], *_SOURCES},
    "lite-vimeo": {"videoid"},
    "lite-youtube": {"videoid"},
    "object": {"data", "type", "width", "height"},
    "param": {"name", "value"},
    "source": _SOURCES,
    "span": {"aria-hidden"},
    "svg": {"aria-label", "aria-hidden", "width", "height"},
    "video": {*ATTRIBUTES["video"], "data-src"},
    "audio": {*ATTRIBUTES["audio"], "data-src"},
    SCRIPT: {"src"},
}
"""Attributes that the rewriter uses."""

REL = "noopener noreferrer nofollow"


def element(name: str, attributes: dict[str, str]) -> str:
    """Return a start tag, written as nh3 does.

    Args:
        attributes: Their values as text, in their order.
    """
    written = (f' {key}="{quote(value)}"' for key, value in attributes.items())
    return f"<{name}{''.join(written)}>"


def link(url: str, inner: str) -> str:
    """Return a link around HTML."""
    return f'<a href="{quote(url)}" rel="{REL}">{inner}</a>'


def quote(value: str) -> str:
    """Escape an attribute value as nh3 does."""
    return value if value.isalnum() else escape(value).replace('"', "&quot;")


def escape(words: str) -> str:
    """Escape text as nh3 does."""
    words = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return words.replace("\xa0", "&nbsp;")
