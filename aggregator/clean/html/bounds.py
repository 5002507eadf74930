"""Detect markup that is too expensive to parse: too long, too deep, or expanded by the parser."""

import re

from aggregator.clean.html.plain import MAX_LENGTH
from aggregator.clean.html.tags import VOID

MAX_DEPTH = 250
"""Open elements; markup nested deeper is kept as text. nh3's time is quadratic in the depth
(100,000 elements: 23 s), and lxml, among others, refuses to parse deeper than 255."""

MAX_ELEMENTS = 10_000
"""Elements other than paragraphs, cells and the like, in case their end tags are hidden."""

MAX_REOPENED = 20_000
"""Formatting elements that an HTML parser may reopen after the block around them closed."""

FEW = 3
"""Open formatting elements that are not counted: many pages are wrapped in a `<font>` or two."""

MAX_REFERENCES = 20_000
"""Ampersands; nh3's time is quadratic in their number (900,000: 17 s)."""

_ATTRIBUTES = (
    r"(?:[\s/]*+(?:=[^\s/>=]*+|[^\s/>=]++)"
    r"(?:\s*+=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\s>]*+))?+)*+[\s/]*+(?:>|\Z)"
)
_TAG = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"
    r"|<(!\[CDATA\[|[!?]|/[^a-z>])[^>]*+"
    r"|<(script|style|textarea|title|xmp|iframe|noembed|noframes)(?=[\s/>])"
    rf"{_ATTRIBUTES}(.*?)(?=</\2[\s/>]|\Z)"
    rf"|<(/?)([a-z][^\s/>]*+){_ATTRIBUTES}",
    re.IGNORECASE | re.DOTALL,
)
"""Comments, elements whose content is text, and tags, as the HTML Standard splits them (§13.2.5).

Markup that is split differently could hide its tags from us.
"""
_OTHER_RULES = frozenset({"svg", "math", "select"})
"""Elements in which others nest that are empty elsewhere, and in which `<style>` may be a tag."""
_ESCAPED_SCRIPT = re.compile(r"<!--.*<script", re.IGNORECASE | re.DOTALL)
_FORMATTING = frozenset({
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt",
    "u",
})  # fmt: skip
_SELDOM_DEEP = VOID | {
    "area", "base", "dd", "dt", "li", "link", "meta", "option", "p", "tbody", "td", "tfoot", "th",
    "thead", "tr", "track",
}  # fmt: skip
"""Elements without end tags, or with end tags that are often left out."""


def is_costly(markup: str) -> bool:
    """Return whether parsing markup as HTML may take much time or memory."""
    if len(markup) > MAX_LENGTH or markup.count("&") > MAX_REFERENCES:
        return True
    return markup.count("<") > MAX_DEPTH and _is_deep(markup)


def _is_deep(markup: str) -> bool:
    """Return whether elements are nested too deep or reopened too often.

    When a block closes around an open `<b>`, the parser opens it again in the next block. With a
    few hundred of them, each paragraph of three characters becomes a few hundred elements.
    """
    depth = opens = reopened = formatting = 0
    opened: dict[str, int] = {}
    has_other_rules = False
    for comment, raw, content, end, name in _TAG.findall(markup):
        if not name:
            if _is_ambiguous(comment, raw, content, has_other_rules=has_other_rules):
                return True
            continue
        name = name.lower()
        has_other_rules = has_other_rules or name in _OTHER_RULES
        if formatting > FEW and name not in _FORMATTING:
            reopened += formatting
        if name in _SELDOM_DEEP:
            opens += has_other_rules
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


def _is_ambiguous(comment: str, raw: str, content: str, *, has_other_rules: bool) -> bool:
    """Return whether tags may begin where HTML outside of drawings has a comment or text."""
    if has_other_rules and (comment.startswith("![") or "<" in content):
        return True
    return raw.lower() == "script" and bool(_ESCAPED_SCRIPT.search(content))
