"""Which markup costs too much to read as HTML: too long, too deep, or blown up by its reader."""

import re

from aggregator.clean.html.plain import MAX_LENGTH
from aggregator.clean.html.tags import VOID

MAX_DEPTH = 250
"""Open elements; what is nested deeper is kept as text. nh3's time is quadratic in the depth
(100,000 elements: 23 s), and lxml, among others, refuses to read deeper than 255."""

MAX_ELEMENTS = 10_000
"""Elements other than paragraphs, cells and the like, should their ends be hidden from us."""

MAX_REOPENED = 20_000
"""Formatting elements that a reader of HTML may open again because a block closed around them."""

FEW = 3
"""Formatting elements at once that are not counted: many pages stand in a `<font>` or two."""

MAX_REFERENCES = 20_000
"""Ampersands; nh3's time is quadratic in their number (900,000: 17 s)."""

_TAG = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"
    r"|<(?:(script|style|textarea|title|xmp|iframe|noembed|noframes)\b.*?(?:</\1|\Z)"
    r"|(/?)([a-z][^\s/>]*+)(?:[^>=]*+=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\s>]*+))*+[^>]*+(?:>|\Z))",
    re.IGNORECASE | re.DOTALL,
)
_FORMATTING = frozenset({
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt",
    "u",
})  # fmt: skip
_SELDOM_DEEP = VOID | {
    "area", "base", "dd", "dt", "li", "link", "meta", "option", "p", "tbody", "td", "tfoot", "th",
    "thead", "tr", "track",
}  # fmt: skip
"""Elements without end tags, or whose end tags are often left out."""


def is_costly(markup: str) -> bool:
    """Return whether reading markup as HTML may take much time or memory."""
    if len(markup) > MAX_LENGTH or markup.count("&") > MAX_REFERENCES:
        return True
    return markup.count("<") > MAX_DEPTH and _is_deep(markup)


def _is_deep(markup: str) -> bool:
    """Return whether elements are nested too deep or reopened too often, as far as tags show.

    A block that closes around an open `<b>` leaves it to be opened again in the next block: with
    a few hundred of them, each paragraph of three characters becomes a few hundred elements.
    """
    depth = opens = reopened = formatting = 0
    opened: dict[str, int] = {}
    for _, end, name in _TAG.findall(markup):
        name = name.lower()
        if not name:
            continue
        if formatting > FEW and name not in _FORMATTING:
            reopened += formatting
        if name in _SELDOM_DEEP:
            pass
        elif not end:
            opened[name] = opened.get(name, 0) + 1
            depth += 1
            opens += 1
            formatting += name in _FORMATTING
        elif opened.get(name):
            opened[name] -= 1
            depth -= 1
            formatting -= name in _FORMATTING
        if depth > MAX_DEPTH or opens > MAX_ELEMENTS or reopened > MAX_REOPENED:
            return True
    return False
